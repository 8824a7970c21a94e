"""One thing given two values in one chain."""

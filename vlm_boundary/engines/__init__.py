"""Engines: what draws samples from a checkpoint, or stands for one that does."""

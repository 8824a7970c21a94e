"""Rules that a chain names, and arithmetic that it says in words."""

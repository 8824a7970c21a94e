"""What a chain says of a list of numbers, against the list."""

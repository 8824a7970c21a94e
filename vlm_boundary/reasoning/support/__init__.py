"""Whether a chain comes to the answer that it gives."""

"""People's verdicts on chains of thought, and what they are to read."""

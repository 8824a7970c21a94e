"""A model as a judge of chains of thought: what it reads, says and is caught at."""

"""Chain-of-thought validity: what a right answer rests on."""

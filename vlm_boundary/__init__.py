"""What reinforcement learning did to a vision-language model, with its uncertainty."""

__version__ = "0.1.0"

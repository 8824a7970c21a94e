"""How a chain is read: its own turn, sentences, numbers, steps and equations."""

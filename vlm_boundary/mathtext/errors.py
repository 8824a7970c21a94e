"""What cannot be read or worked out, by why."""

from __future__ import annotations


class Unsupported(ValueError):
    """No mathematics that is covered here."""


class BeyondLimits(Unsupported):
    """A number too large, or an expression too long or too deep, to be worked out."""


class TooLarge(BeyondLimits):
    """A number written in more digits than any that can be read, so that it equals none of them."""

"""A training run followed: each checkpoint that it finishes becomes an arm."""

from vlm_boundary.watch.follow import Watched, follow

__all__ = ["Watched", "follow"]

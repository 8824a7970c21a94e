"""Exact truth about chains on generated problems."""

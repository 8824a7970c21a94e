"""Equations with letters, checked exactly as polynomials."""

"""Comparison: what may be paired with what, and how much better one is than another on the same questions."""

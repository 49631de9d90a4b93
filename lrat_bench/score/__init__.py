"""Scores: judges, metrics, intervals."""

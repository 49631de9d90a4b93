"""Measures: what is counted on one question, and every number a run is given."""

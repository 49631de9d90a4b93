"""Benchmark harness for search agents over retrievers."""

"""Retrievers, and what they share: the registry, micro-batching, the Java virtual machine."""

"""Relevance: what an agent's reasoning says of the document that it has just read."""

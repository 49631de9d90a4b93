"""The seam to language models, and the models that need no network."""

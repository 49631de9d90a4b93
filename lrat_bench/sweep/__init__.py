"""Sweeps: a grid of tasks, agents, retrievers and knobs, each cell of it an ordinary run."""

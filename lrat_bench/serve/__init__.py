"""Questions and retrievers over a network: for agents that are programs of their own."""

"""What is asked: tasks, protocols, corpora, and the sources they come from."""

"""The numbers of other evaluators, each under its own name, so that ours can stand beside what they publish."""

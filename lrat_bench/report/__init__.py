"""How numbers and runs are shown."""

"""Where tasks come from: folders, generators, the hub."""

"""The same commands on many machines, by engines that exist."""

"""The viewer: trajectories as web pages, in a folder that opens from disk or from a server on this machine."""

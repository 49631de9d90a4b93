"""Agents: the session with its tools, the loop, wire formats, backbones."""

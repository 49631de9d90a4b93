"""Benchmarks of the Hugging Face hub, made into task folders.

VERSION changes when an equal card gives other files.
"""

from __future__ import annotations

VERSION = 1

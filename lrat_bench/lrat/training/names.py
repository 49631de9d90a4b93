"""Names as records may hold them: what a user typed, without the paths in it."""

from __future__ import annotations

import os
import re
from pathlib import PurePath

__all__ = ["without_paths"]


def without_paths(text: str, *, retriever: bool = False) -> str:
    """A name in which every folder or file is called by its last part: `dense:/data/models/a` becomes `dense:a`.

    A relative path of one slash looks like a name of the hub: it is taken for one unless it is there.

    Args:
        text: as typed: a task, an agent, a retriever and what it is made of.
        retriever: whether it names one, for which two slashes can only be a path; models of LiteLLM have as many.
    """
    if _is_path(text):
        return PurePath(text).name
    parts = re.split(r"([:@+])", text)
    for at in range(0, len(parts), 2):
        # What follows a sign other than a colon is the name of a kind, unless the sign stood within a path.
        within = at > 0 and parts[at - 1] != ":" and "/" in parts[at]
        if within or _is_path(parts[at]) or (retriever and parts[at].count("/") > 1):
            parts[at] = PurePath(parts[at]).name
    return "".join(parts)


def _is_path(text: str) -> bool:
    if "/" not in text:
        return False
    return text.startswith(("/", "~", ".")) or "//" in text or os.path.exists(text)  # noqa: PTH110 -- of any text

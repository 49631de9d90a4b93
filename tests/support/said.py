"""What the command line said: the type of it, and what a refusal must look like."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Command", "Said", "refused"]

Said = tuple[int, str, str]
"""(exit code, stdout, stderr)."""

Command = Callable[..., Said]
"""Runs `lrat-bench WORDS…`."""


def refused(said: Said, *words: str) -> None:
    """Exit code 2, nothing on stdout, one line that holds the words."""
    code, out, err = said
    assert (code, out) == (2, ""), err
    lines = [line for line in err.splitlines() if line.startswith("lrat-bench: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    for word in words:
        assert word in lines[0]

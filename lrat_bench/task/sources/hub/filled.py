"""Settings of a card in the places of its parts that name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from lrat_bench.errors import UsageError
from lrat_bench.task.card import Setting
from lrat_bench.task.hub_card import Part

__all__ = ["filled", "is_commit"]

P = TypeVar("P", bound=Part)

_PLACE = re.compile(r"\{(\w+)\}")
_NAME = re.compile(r"\w[\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


def filled(part: P, settings: Mapping[str, Setting]) -> P:
    """The part with the values of settings in the places that name them.

    A revision keeps its place where its setting is no commit: what lies in a local copy can be told without it.

    Raises:
        UsageError: a value is no plain name, which a path could be made of.
    """

    def value(found: re.Match[str]) -> str:
        text = str(settings[found[1]])
        if not _NAME.fullmatch(text):
            raise UsageError(
                f"task.{found[1]} must be a name of letters, digits, '.', '_' and '-', as on the hub, got {text!r}"
            )
        return text

    def fill(text: str) -> str:
        return _PLACE.sub(value, text)

    revision = None if part.revision is None else _PLACE.sub(lambda found: str(settings[found[1]]), part.revision)
    return part.model_copy(
        update={
            "dataset": None if part.dataset is None else fill(part.dataset),
            "revision": revision if revision is not None and is_commit(revision) else part.revision,
            "files": tuple(map(fill, part.files)),
        }
    )


def is_commit(revision: str) -> bool:
    """Whether a revision says which commit is meant."""
    return _COMMIT.fullmatch(revision) is not None

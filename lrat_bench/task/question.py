"""A question with its answers, and the relevance judgements that go with it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lrat_bench.files import fingerprint

__all__ = ["Qrels", "Question", "Role", "same_wording"]

Role = Literal["train", "eval"]
"""What a split may be used for; mining refuses trajectories of an `eval` split unless told otherwise."""

Qrels = Mapping[str, frozenset[str]]
"""qid → docids judged relevant (binary)."""


def same_wording(text: str) -> str:
    """What is equal for texts that ask the same: letters and digits; case, punctuation and spaces do not count."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(one if one.isalnum() else " " for one in plain).split())


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        qid: unique within the task.
        text: what the agent is asked.
        answers: accepted answers, the canonical one first; empty where the benchmark has none.
        split: name of the split it belongs to.
    """

    qid: str
    text: str
    answers: tuple[str, ...]
    split: str

    @property
    def accepts(self) -> str:
        """SHA-256 of what a verdict depends on beside the answer given: the question and its accepted answers."""
        return fingerprint([self.text, list(self.answers)])

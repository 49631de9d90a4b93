"""Answers that know more than was asked for."""

from __future__ import annotations

import logging
import re

from lrat_bench.agent.session import Session

__all__ = ["Unread", "cites_unread"]

_log = logging.getLogger("lrat_bench.serve")

_BRACKETS = re.compile(r"\[([^\[\]]{1,500})\]|【([^【】]{1,500})】")
_BETWEEN = re.compile(r"[\s,;†]+")
_LOOKED_UP = 200
_NOTE = "the answer cites documents of the corpus, and no tool was called: the agent has another way to them"


class Unread:
    """Flags such answers in the record of their question, and counts them."""

    def __init__(self) -> None:
        self._found = 0

    def look_at(self, answer: str | None, session: Session) -> None:
        """Flag an answer, where it is one of these."""
        if answer is not None and cites_unread(answer, session):
            self._found += 1
            session.notice(_NOTE)
            _log.info("%s: %s", session.question_id, _NOTE)

    def report(self) -> None:
        """Say how many there were since the last report."""
        if self._found:
            _log.warning(
                "answers that cite documents of the corpus though no tool was called: %d; the agent has another way to "
                "them, or guesses (their records have a notice)",
                self._found,
            )
        self._found = 0


def cites_unread(answer: str, session: Session) -> bool:
    """Whether an answer names documents of the corpus, in brackets, though no tool was called.

    Whoever does that has another way to the corpus, or guesses ids that are easy to guess.
    """
    if session.calls:
        return False
    named: dict[str, None] = {}
    for groups in _BRACKETS.findall(answer):
        for inside in filter(None, groups):
            named |= dict.fromkeys([inside.strip(), *filter(None, _BETWEEN.split(inside))])
    return any(docid in session.reader for docid in list(named)[:_LOOKED_UP])

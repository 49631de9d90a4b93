"""Published figures from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrat_bench.errors import UsageError
from lrat_bench.published.candidate import Candidate, read_candidate
from lrat_bench.published.comparison import Comparison, Unanswered, hold_against
from lrat_bench.published.library import PublishedTable, known_tables, load_table

__all__ = ["Reproduction", "known_tables", "reproduce"]


@dataclass(frozen=True, slots=True)
class Reproduction:
    """Published figures, and ours beside them.

    Attributes:
        table: the figures.
        comparisons: with the folders that answer them, folder by folder.
        unanswered: folders that answer none of them.
        unreadable: how many folders could not be read; each was said.
    """

    table: PublishedTable
    comparisons: tuple[Comparison, ...]
    unanswered: tuple[Unanswered, ...]
    unreadable: int

    @property
    def off(self) -> int:
        """How many compared figures are further off than chance explains."""
        return sum(one.outcome == "off" for one in self.comparisons)


def reproduce(
    table: str,
    runs: Sequence[str | Path] = (),
    *,
    agent: str | None = None,
    retriever: str | None = None,
    anyway: bool = False,
    on_problem: Callable[[str], None] | None = None,
) -> Reproduction:
    """The figures of a published table, beside what run folders give.

    Args:
        table: a name of `known_tables`, or a YAML file of the same form.
        runs: run folders and retrieval folders, scored.
        agent: only the rows of this agent.
        retriever: only the rows of this retriever.
        anyway: compare folders that answer no figure with the rows that they are nearest to, and what is unresolved or
            was judged by another judge, too; each comparison says what differs.
        on_problem: told of each folder that cannot be read, which is then left out; without it the first one raises.

    Raises:
        UnknownName: there is no such table, agent or retriever.
        UsageError: a folder is no run and no retrieval, or has not been scored.
    """
    found = load_table(table).select(agent=agent, retriever=retriever)
    candidates: list[Candidate] = []
    unreadable = 0
    for path in runs:
        try:
            candidates.append(read_candidate(Path(path)))
        except UsageError as error:
            if on_problem is None:
                raise
            on_problem(str(error))
            unreadable += 1
    compared, unanswered = hold_against(found, candidates, anyway=anyway)
    return Reproduction(found, tuple(compared), tuple(unanswered), unreadable)

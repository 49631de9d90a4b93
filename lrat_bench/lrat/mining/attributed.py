"""The rule set `attributed`, the default: a browse belongs to the list that really held its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lrat_bench.lrat.mining.candidate import Candidate, Found, Passed, browses_of, normalised, passed_over
from lrat_bench.lrat.pair import Rule
from lrat_bench.lrat.reasoning import post_browse
from lrat_bench.lrat.relevance.base import Outcome
from lrat_bench.trajectory import Browse, Search, Trajectory

__all__ = ["Attributed"]


class Attributed:
    """Takes the query and the negatives from one list.

    - The list is the most recent one, of a search that had been answered before the browse, in which the document was
      shown. A search of the same turn does not count: its results were not there yet.
    - Negatives are what that list showed and the agent opened nowhere in the trajectory.
    - The same document for the same query counts once, at its first browse.
    - A browse of a document that the corpus lacks, or that no list held, is passed over.
    """

    name: Rule = "attributed"
    chained = False

    def find(self, trajectory: Trajectory) -> Found:
        """The browses whose document a list held."""
        opened = frozenset(browse.docid for _, browse in browses_of(trajectory))
        candidates: list[Candidate] = []
        passed: list[Passed] = []
        seen: set[tuple[str, str]] = set()
        for index, browse in browses_of(trajectory):
            search = _list_of(trajectory, index, browse)
            if not browse.found:
                passed.append("not found")
            elif search is None:
                passed.append("from no list")
            elif (key := (normalised(search.query), browse.docid)) in seen:
                passed.append("repeated")
            else:
                seen.add(key)
                negatives = passed_over(search, opened)
                reasoning = post_browse(trajectory, index)
                candidates.append(Candidate(index, browse.turn, search.query, browse.docid, negatives, reasoning))
        return Found(tuple(candidates), tuple(passed))

    def settle(
        self,
        trajectory: Trajectory,  # noqa: ARG002
        candidates: Sequence[Candidate],
        outcomes: Mapping[int, Outcome],  # noqa: ARG002
    ) -> list[Candidate]:
        """All of them: what the judge says of one changes no other."""
        return list(candidates)


def _list_of(trajectory: Trajectory, index: int, browse: Browse) -> Search | None:
    """The most recent search before a browse that showed its document."""
    for step in reversed(trajectory.steps[:index]):
        if not isinstance(step, Search) or step.error is not None:
            continue
        if step.turn is not None and browse.turn is not None and step.turn >= browse.turn:
            continue
        if any(hit.shown and hit.docid == browse.docid for hit in step.hits):
            return step
    return None

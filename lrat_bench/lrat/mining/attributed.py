"""The rule set `attributed`, the default: a browse belongs to the list that really held its document."""

from __future__ import annotations

from lrat_bench.lrat.mining.candidate import Candidate, Found, Passed, Unchained, browses_of, list_of, passed_over
from lrat_bench.lrat.pair import Rule
from lrat_bench.lrat.reasoning import reasonings
from lrat_bench.trajectory import Trajectory, same_query

__all__ = ["Attributed"]


class Attributed(Unchained):
    """Takes the query and the negatives from one list.

    - The list is the most recent one, of a search that had been answered before the browse, in which the document was
      shown. A search of the same turn does not count: its results were not there yet.
    - Negatives are what that list showed and the agent opened nowhere in the trajectory.
    - The same document for the same query counts once, at its first browse.
    - A browse of a document that the corpus lacks, or that no list held, is passed over.
    """

    name: Rule = "attributed"

    def find(self, trajectory: Trajectory) -> Found:
        """The browses whose document a list held."""
        opened = frozenset(browse.docid for _, browse in browses_of(trajectory))
        candidates: list[Candidate] = []
        passed: list[Passed] = []
        seen: set[tuple[str, str]] = set()
        thought = reasonings(trajectory)
        for index, browse in browses_of(trajectory):
            search = list_of(trajectory, index)
            if not browse.found:
                passed.append("not found")
            elif search is None:
                passed.append("from no list")
            elif (key := (same_query(search.query), browse.docid)) in seen:
                passed.append("repeated")
            else:
                seen.add(key)
                negatives = passed_over(search, opened)
                behind = thought.get(index)
                candidates.append(Candidate(index, browse.turn, search.query, browse.docid, negatives, behind))
        return Found(tuple(candidates), tuple(passed))

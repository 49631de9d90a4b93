"""The rule set `attributed`, the default: a browse belongs to the list that really held its document."""

from __future__ import annotations

from lrat_bench.lrat.mining.candidate import Found, Gathering, Unchained, browses_of, list_of
from lrat_bench.lrat.pair import Rule
from lrat_bench.trajectory import Trajectory

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
        gathering = Gathering(trajectory, unheld="from no list")
        for index, browse in browses_of(trajectory):
            gathering.take(index, browse, list_of(trajectory, index), opened=opened)
        return gathering.found

"""Notices: what those who keep the board should look at. A submission holds with them, and may be quite honest.

Records that were made up agree with themselves, so that no rule finds them. Some are still unlike what a retriever and
an agent do: lists that know the judgements, documents that were read though nothing showed them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lrat_bench.leaderboard.records import RankingRecord, RolloutRecord

__all__ = ["notices_on"]

_FEWEST = 10
"""Questions, or documents, below which chance alone may look like that."""

_PERFECT = 0.5
"""Share of questions whose first list is perfect; on BrowseComp-Plus no published retriever comes near it."""

_ALL_FOUND = 0.98
"""Share of the relevant documents that lists show; the best published runs on BrowseComp-Plus show four fifths."""

_UNSHOWN = 0.05
"""Share of relevant documents that were read without having been listed; ids cannot be guessed."""


def notices_on(task: str, records: Sequence[RolloutRecord | RankingRecord]) -> Iterator[str]:
    """What is remarkable about the records on one task, as one line each; ids and numbers, no texts.

    Args:
        task: its name.
        records: with evidence or gold; without them nothing can be seen.
    """
    relevant = {one.question_id: frozenset((*(one.evidence or ()), *(one.gold or ()))) for one in records}
    yield from _knowing(task, records, relevant)
    rollouts = [one for one in records if isinstance(one, RolloutRecord)]
    yield from _unshown(task, rollouts, relevant)


def _knowing(
    task: str, records: Sequence[RolloutRecord | RankingRecord], relevant: Mapping[str, frozenset[str]]
) -> Iterator[str]:
    """Lists as a retriever gives them that is made from the judgements."""
    asked = perfect = wanted = shown = 0
    for record in records:
        judged = relevant[record.question_id]
        lists = _lists(record)
        if len(judged) < 2 or not lists:
            continue  # that a single document comes first is nothing remarkable
        asked += 1
        perfect += judged.issuperset(lists[0][: len(judged)])
        wanted += len(judged)
        shown += len(judged & set[str]().union(*lists))
    if asked < _FEWEST:
        return
    if perfect > _PERFECT * asked:
        yield (
            f"{task}: the first list of {perfect} of {asked} questions holds relevant documents before any other, as a "
            "retriever does that is made from the judgements"
        )
    elif shown >= _ALL_FOUND * wanted:
        yield (
            f"{task}: its lists show {shown} of {wanted} relevant documents, as those of a retriever do that is made "
            "from the judgements"
        )


def _unshown(task: str, records: Sequence[RolloutRecord], relevant: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Relevant documents that were read, and that no list had shown: replaying the queries cannot see them."""
    read = unshown = 0
    for record in records:
        seen = {docid for hits in _lists(record) for docid in hits}
        for docid in {one.docid for one in record.browses if one.found and not one.failed}:
            if docid in relevant[record.question_id]:
                read += 1
                unshown += docid not in seen
    if unshown >= _FEWEST and unshown > _UNSHOWN * read:
        yield f"{task}: {unshown} of {read} relevant documents that were read stand in no list that was logged"


def _lists(record: RolloutRecord | RankingRecord) -> list[tuple[str, ...]]:
    if isinstance(record, RankingRecord):
        return [record.hits] if record.hits else []
    return [one.hits for one in record.searches if one.hits and not one.failed]

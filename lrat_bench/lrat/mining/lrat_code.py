"""The rule set `lrat-code`: what the builder that LRAT's authors released does, which is not what their paper says.

Source: github.com/Yuqi-Zhou/LRAT, src/data_builder.py at 274d0ab, by behaviour. It is here to reproduce their data:

- A browse belongs to the latest query, whatever list its document came from.
- Negatives come from *all* lists since the last reset, the newest first, so most are another query's; documents that
  were opened since then and found irrelevant stand before them, the last one first.
- Browses with no more than one thought in between are one group, and every member is judged, listed or not. Relevant
  members are no negatives of their group.
- A group with a relevant member resets: lists, query and irrelevant documents are forgotten, and a browse before the
  next search is dropped.
- The reasoning is the thought that follows the browse at once.
- Irrelevant documents become samples, too, with themselves as the positive. Here they are rejected pairs.

One thing differs. A browse that cannot be judged, having no reasoning, is neither relevant nor irrelevant: it gives no
sample, is never a negative and resets nothing. The released builder takes it for irrelevant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lrat_bench.exchange.record import NOT_CARRIED_OUT
from lrat_bench.lrat.mining.candidate import Candidate, Found
from lrat_bench.lrat.pair import Rule
from lrat_bench.lrat.reasoning import Reasoning
from lrat_bench.lrat.relevance.base import Outcome
from lrat_bench.trajectory import Browse, Notice, Search, Think, Trajectory

__all__ = ["LratCode"]


class LratCode:
    """See the module."""

    name: Rule = "lrat-code"
    chained = True

    def find(self, trajectory: Trajectory) -> Found:
        """Every browse, with the query before it: also those that give no sample move the state on."""
        candidates = []
        query = ""
        for index, step in enumerate(trajectory.steps):
            if isinstance(step, Search) and step.error != NOT_CARRIED_OUT:
                query = step.query
            elif isinstance(step, Browse):
                reasoning = _at_once(trajectory, index)
                candidates.append(Candidate(index, step.turn, query, step.docid, (), reasoning))
        return Found(tuple(candidates), ())

    def settle(
        self, trajectory: Trajectory, candidates: Sequence[Candidate], outcomes: Mapping[int, Outcome]
    ) -> list[Candidate]:
        """Walk the trajectory again, now that it is known where it resets."""
        state = _State()
        found = {candidate.step: candidate for candidate in candidates}
        settled: list[Candidate] = []
        for part in _groups(trajectory):
            if isinstance(part, Search):
                state.lists.append(_docids(part))
            else:
                members = [(found[index], outcomes.get(index, "undecided")) for index in part]
                settled += state.close(members)
        return settled


class _State:
    """What the builder remembers since the last reset."""

    def __init__(self) -> None:
        self.lists: list[tuple[str, ...]] = []
        self.irrelevant: list[str] = []
        self.unjudged: set[str] = set()

    def close(self, members: Sequence[tuple[Candidate, Outcome]]) -> list[Candidate]:
        """The samples of a group, and the state behind it."""
        good = {member.docid for member, outcome in members if outcome == "relevant"}
        bad = [member.docid for member, outcome in members if outcome == "irrelevant"]
        self.unjudged |= {member.docid for member, outcome in members if outcome == "undecided"}
        opened = good | {*bad, *self.irrelevant}
        unopened = [docid for listed in reversed(self.lists) for docid in listed if docid not in opened]
        pool = dict.fromkeys([*reversed(bad), *reversed(self.irrelevant), *unopened])
        anywhere = {docid for listed in self.lists for docid in listed}
        samples = [
            replace(member, neg_ids=tuple(docid for docid in pool if not self._spared(docid, good | {member.docid})))
            for member, outcome in members
            if outcome != "undecided" and member.docid in anywhere
        ]
        self.irrelevant += bad
        if good:
            self.lists.clear()
            self.irrelevant.clear()
        return samples

    def _spared(self, docid: str, others: set[str]) -> bool:
        return docid in others or docid in self.unjudged


def _groups(trajectory: Trajectory) -> Iterator[Search | list[int]]:
    """Searches, and groups of browses as indices into the steps, in order."""
    group: list[int] = []
    thoughts = 0
    for index, step in enumerate(trajectory.steps):
        if isinstance(step, Notice) or (isinstance(step, Search) and step.error == NOT_CARRIED_OUT):
            continue
        if isinstance(step, Browse):
            if group and thoughts > 1:
                yield group
                group = []
            group.append(index)
            thoughts = 0
        elif isinstance(step, Think):
            thoughts += 1
        else:
            if group:
                yield group
            group = []
            if isinstance(step, Search):
                yield step
    if group:
        yield group


def _docids(search: Search) -> tuple[str, ...]:
    return tuple(dict.fromkeys(hit.docid for hit in search.hits if hit.shown))


def _at_once(trajectory: Trajectory, index: int) -> Reasoning | None:
    """The thought that stands right behind a browse, notices of the harness aside; it is nobody else's."""
    after = next((step for step in trajectory.steps[index + 1 :] if not isinstance(step, Notice)), None)
    if not isinstance(after, Think) or after.source == "none":
        return None
    text = after.text.strip()
    return Reasoning(text, after.source, after.censored, 1, after.turn) if text or after.source == "hidden" else None

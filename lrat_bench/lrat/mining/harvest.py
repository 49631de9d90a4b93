"""The harvest: candidates that have been judged become pairs on disk, and are counted."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from lrat_bench.lrat.intensity import share_of, tokens_of
from lrat_bench.lrat.mining.candidate import Candidate, Found, RuleSet
from lrat_bench.lrat.mining.judging import Judged
from lrat_bench.lrat.mining.output import Drafts
from lrat_bench.lrat.mining.selection import Grading
from lrat_bench.lrat.mining.source import Graded
from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.pairs import Undecided
from lrat_bench.lrat.pairs_manifest import Counts
from lrat_bench.task.corpus import Corpus
from lrat_bench.task.tokenizer import Tokenizer

__all__ = ["FILES", "KEPT", "UNWEIGHED", "Harvest", "Length", "length_of"]

KEPT = "pairs.jsonl"
FILES = (KEPT, "rejected.jsonl", "undecided.jsonl")
UNWEIGHED = "unweighed.jsonl"
"""The kept pairs before their weights are known; never a file of the folder."""


@dataclass(frozen=True, slots=True)
class Length:
    """The length of the reasoning behind a kept pair.

    Attributes:
        tokens: its share, in tokens; None where it cannot be measured.
        censored: whether that is a lower bound.
    """

    tokens: float | None
    censored: bool


def length_of(pair: Pair) -> Length:
    """The length that a pair is weighed by."""
    tokens = None if pair.reasoning_tokens is None else share_of(pair.reasoning_tokens, pair.shared)
    return Length(tokens, pair.censored)


@dataclass
class Harvest:
    """Takes trajectories in, one after the other; holds a number for each kept pair, and nothing else.

    Attributes:
        rule: settles which candidates stand.
        tokenizer: measures reasoning.
        drafts: of the files.
        counted: what `Counts` says, as it grows.
        agents: of the kept pairs, each once.
        agent_of: position in `agents` of each kept pair.
    """

    rule: RuleSet
    tokenizer: Tokenizer
    drafts: Drafts
    counted: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    by_verdict: Counter[str] = field(default_factory=Counter)
    agents: list[str] = field(default_factory=list)
    agent_of: array[int] = field(default_factory=lambda: array("I"))

    def see(self, graded: Graded) -> None:
        """Count a trajectory that was read."""
        self.counted["trajectories"] += 1
        self.by_status[graded.trajectory.status or "unknown"] += 1
        self.by_verdict[graded.grading] += 1

    def browses(self, found: Found) -> None:
        """Count what a rule set found in a trajectory that is mined."""
        self.counted["mined"] += 1
        self.counted["browses"] += len(found.candidates) + len(found.passed)
        for why in found.passed:
            self.counted[_PASSED[why]] += 1

    def take(
        self,
        graded: Graded,
        candidates: tuple[Candidate, ...],
        judged: Mapping[int, Judged] | None,
        corpus: Corpus | None,
    ) -> None:
        """Write the pairs of a trajectory.

        Args:
            graded: the trajectory.
            candidates: as found in it.
            judged: step → what the judge made of it; None where nobody judges and all are kept.
            corpus: where it is at hand; documents that it lacks are left out.
        """
        outcomes = {one.step: "relevant" if judged is None else judged[one.step].outcome for one in candidates}
        stands = {one.step: one for one in self.rule.settle(graded.trajectory, candidates, outcomes)}
        owed = judged is not None and any(one.owed for one in judged.values())
        for candidate in candidates:
            said = None if judged is None else judged[candidate.step]
            if said is not None and said.outcome == "undecided":
                self._undecided(graded, candidate, said)
            elif owed and self.rule.chained:
                why = "waits for the judgement of another browse of its trajectory"
                self._undecided(graded, candidate, Judged("undecided", why, owed=True))
            elif candidate.step not in stands:
                self.counted["dropped"] += 1
            elif corpus is not None and candidate.docid not in corpus:
                self.counted["absent"] += 1
            else:
                self._decided(graded, self._present(stands[candidate.step], corpus), said)

    def counts(self, **others: int) -> Counts:
        """What was counted."""
        return Counts(
            **self.counted,
            **others,
            by_status=dict(sorted(self.by_status.items())),
            by_verdict={grading: self.by_verdict[grading] for grading in get_args(Grading) if self.by_verdict[grading]},
        )

    def _present(self, candidate: Candidate, corpus: Corpus | None) -> Candidate:
        if corpus is None:
            return candidate
        present = tuple(docid for docid in candidate.neg_ids if docid in corpus)
        self.counted["absent_negatives"] += len(candidate.neg_ids) - len(present)
        return replace(candidate, neg_ids=present)

    def _decided(self, graded: Graded, candidate: Candidate, said: Judged | None) -> None:
        pair = self._pair(graded, candidate, None if said is None else said.outcome == "relevant")
        if pair.satisfied is False:
            self.counted["rejected"] += 1
            self.drafts.append("rejected.jsonl", pair)
            return
        self.counted["kept"] += 1
        self.counted["without_negatives"] += not pair.neg_ids
        agent = graded.trajectory.agent
        if agent not in self.agents:
            self.agents.append(agent)
        self.agent_of.append(self.agents.index(agent))
        self.drafts.append(UNWEIGHED, pair)

    def _undecided(self, graded: Graded, candidate: Candidate, said: Judged) -> None:
        self.counted["undecided"] += 1
        self.counted["owed"] += said.owed
        # What stands against a document is not known before its whole trajectory is judged.
        found = replace(candidate, neg_ids=()) if self.rule.chained else candidate
        pair = self._pair(graded, found, None)
        record = Undecided(**pair.model_dump(), reason=said.reason, owed=said.owed)
        self.drafts.append("undecided.jsonl", record)

    def _pair(self, graded: Graded, candidate: Candidate, satisfied: bool | None) -> Pair:
        """The pair, its weight not known yet; counted by what is known of its reasoning."""
        reasoning = candidate.reasoning
        measured = reasoning is not None and reasoning.source == "text"
        self.counted["candidates"] += 1
        self.counted["without_reasoning"] += reasoning is None
        self.counted["unmeasurable"] += reasoning is not None and not measured
        self.counted["censored"] += reasoning is not None and reasoning.censored
        self.counted["shared"] += reasoning is not None and reasoning.shared > 1
        return Pair(
            query=candidate.query,
            pos_id=candidate.docid,
            neg_ids=candidate.neg_ids,
            run=graded.run,
            question_id=graded.trajectory.question_id,
            repeat=graded.trajectory.repeat,
            turn=candidate.turn,
            step=candidate.step,
            correct=graded.correct,
            satisfied=satisfied,
            reasoning_tokens=tokens_of(reasoning.text, self.tokenizer) if reasoning is not None and measured else None,
            censored=reasoning is not None and reasoning.censored,
            shared=1 if reasoning is None else reasoning.shared,
        )


_PASSED = {
    "not found": "not_found",
    "from no list": "from_no_list",
    "not right after its search": "not_adjacent",
    "repeated": "repeated",
}

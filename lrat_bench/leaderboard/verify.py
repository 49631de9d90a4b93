"""Verification: what maintainers check beyond the arithmetic.

    answers judged again by the pinned judge                    recomputed
    logged queries searched again by the submission's retriever retrieval-verified
    the run made again                                          verified

Each gives a share of agreement and says what differs; whether it is enough is decided here, by one rule each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from lrat_bench.errors import UsageError
from lrat_bench.leaderboard.measuring import Numbers, measure_rollouts
from lrat_bench.leaderboard.records import RankingRecord, RolloutRecord, Searched, Verdicted
from lrat_bench.leaderboard.tracks import Track
from lrat_bench.leaderboard.validate import Validated
from lrat_bench.progress import Progress, no_progress
from lrat_bench.report import numbers
from lrat_bench.retriever.base import Retriever, SearchContext
from lrat_bench.runs.event_loop import EventLoop
from lrat_bench.score.judges.base import Judge
from lrat_bench.score.judging import Judging, judge_all
from lrat_bench.score.paired import Difference, paired_difference
from lrat_bench.score.score import Metric
from lrat_bench.task.task import Task
from lrat_bench.trajectory import same_query

__all__ = ["ENOUGH", "Checked", "judged_again", "rerun", "searched_again"]

ENOUGH = 0.95
"""Share of verdicts, or of documents, that must agree: judges and encoders differ in the last digits elsewhere."""

_TOLD = 5
_BATCH = 64


@dataclass(frozen=True)
class Checked:
    """What one check came to.

    Attributes:
        task: that it was of.
        tier: that it would grant.
        holds: whether it does.
        agreed: how many agree.
        of: how many were compared.
        evidence: what was compared, and what came out, in a sentence.
        differs: the first that do not agree, a line each; ids and documents, never texts.
        differences: measure → again minus submitted, where that was looked at.
    """

    task: str
    tier: Literal["recomputed", "retrieval-verified", "verified"]
    holds: bool
    agreed: int
    of: int
    evidence: str
    differs: tuple[str, ...] = ()
    differences: dict[str, Difference] = field(default_factory=dict)


def judged_again(found: Validated, task: Task, judge: Judge, *, progress: Progress = no_progress) -> Checked:
    """Have the pinned judge grade every answer anew.

    It holds where at least `ENOUGH` of the verdicts are the same, and success differs by no more than chance.

    Args:
        found: a submission that holds.
        task: one of its track, at hand, with its questions and accepted answers.
        judge: the pinned one, opened.
        progress: told after each answer.

    Raises:
        UsageError: the judge is another one, the task has other questions, or it graded not all of them.
    """
    track, records = _rollouts(found, task)
    pin = track.pin(task.name)
    assert pin is not None
    if judge.fingerprint != pin.judge:
        raise UsageError(f"judge {judge.name} ({judge.fingerprint[:12]}) is not the one that track {track.name} pins")
    assert found.submission is not None
    run = found.submission.run_on(task.name)
    assert run is not None
    by_id = {question.qid: question for question in task.questions}
    if lacking := [qid for qid in run.questions if qid not in by_id]:
        raise UsageError(f"task {task.name!r} has no question {lacking[0]!r}, which the submission answers")
    opened = [record.opened() for record in records]
    said: dict[tuple[str, int], Verdicted] = {}

    async def ask() -> None:
        answers = [record.as_trajectory() for record in opened]
        asked = [by_id[qid] for qid in run.questions]
        async for verdict in judge_all(Judging(judge), asked, answers, []):
            said[verdict.question_id, verdict.repeat] = Verdicted(
                outcome=verdict.outcome,
                extracted_answer=verdict.extracted_answer,
                confidence=verdict.confidence,
                reply=verdict.reply,
                usage=verdict.usage,
            )
            progress("judging", len(said), len(answers))

    with EventLoop() as loop:
        loop.run(ask())
    graded = [record for record in opened if record.verdict is not None]
    if missing := [one for one in graded if one.key not in said or said[one.key].outcome == "ungraded"]:
        raise UsageError(f"the judge graded all but {len(missing)} of {len(graded)} answers: try again")
    again = [record.model_copy(update={"verdict": said.get(record.key)}) for record in opened]
    made = measure_rollouts(again, questions=run.questions, repeats=run.repeats, judge=judge.fingerprint)
    differs = [
        f"question {one.question_id!r}, repeat {one.repeat}: {one.verdict.outcome}, now {said[one.key].outcome}"
        for one in graded
        if one.verdict is not None and one.verdict.outcome != said[one.key].outcome
    ]
    change = _difference(made, found.numbers[task.name], "success_rate")
    share = 1 - len(differs) / len(graded) if graded else 1.0
    return Checked(
        task=task.name,
        tier="recomputed",
        holds=share >= ENOUGH and _within_chance(change),
        agreed=len(graded) - len(differs),
        of=len(graded),
        evidence=f"{judge.name} gave the same verdict on {len(graded) - len(differs)} of {len(graded)} answers to "
        f"{task.name}; success changes by {_signed(made, 'success_rate', change)}",
        differs=tuple(differs[:_TOLD]),
        differences={"success_rate": change},
    )


def searched_again(found: Validated, task: Task, retriever: Retriever, *, progress: Progress = no_progress) -> Checked:
    """Search every logged query anew, and hold the lists against the logged ones.

    It holds where at least `ENOUGH` of the logged documents are found again, in lists as long as the logged ones;
    where as many of those among them that the task judges relevant are; and where every document that was read is one
    of the corpus. That an agent read them, and what it was shown of a list, no replay can tell.

    Args:
        found: a submission that holds.
        task: one of its track, at hand.
        retriever: the submission's, prepared.
        progress: told after each batch.

    Raises:
        UsageError: the retriever is another one than the submission's, or nothing was logged.
    """
    track, submission = found.track, found.submission
    assert track is not None
    assert submission is not None
    run = submission.run_on(task.name)
    if run is None or task.name not in found.records:
        raise UsageError(f"{found.path} has no records on {task.name!r}")
    if retriever.fingerprint != run.fingerprints.retriever:
        raise UsageError(
            f"retriever {retriever.name} ({(retriever.fingerprint or 'unknown')[:12]}) is not the submission's "
            f"({run.fingerprints.retriever[:12]}): give the same, with the same settings"
        )
    pin = track.pin(task.name)
    assert pin is not None
    k = track.k or task.protocol(pin.protocol).rollout.k
    texts = {question.qid: question.text for question in task.questions}
    logged = list(_logged(found.records[task.name], texts))
    if not logged:
        raise UsageError(f"{found.path} logs no query on {task.name!r}")
    again = _search(logged, retriever, k, progress)
    same = agreed = wanted = relevant = confirmed = 0
    differs: list[str] = []
    for one in logged:
        now = again[one.key]
        shared = set(now) & set(one.hits)
        judged = _relevant(task, one.question_id) & set(one.hits)
        wanted += max(len(one.hits), len(now))
        agreed += len(shared)
        relevant += len(judged)
        confirmed += len(judged & shared)
        same += now == one.hits
        if now != one.hits:
            differs.append(f"question {one.question_id!r}, {one.what}: {_first_difference(one.hits, now)}")
    read, absent = _read(found.records[task.name], task)
    differs = [*(f"{what} is no document of {task.name}, and is said to have been read" for what in absent), *differs]
    evidence = (
        f"{retriever.name} returned {numbers.count(agreed)} of {numbers.count(wanted)} logged documents of "
        f"{task.name} again, and {numbers.count(same)} of {numbers.count(len(logged))} lists as they were"
    )
    if relevant:
        evidence += f"; of evidence and gold among them {numbers.count(confirmed)} of {numbers.count(relevant)}"
    if read:
        evidence += (
            f"; of {numbers.count(read)} documents read, {numbers.count(read - len(absent))} are in the corpus, and "
            "whether the agent read them was not verified"
        )
    return Checked(
        task=task.name,
        tier="retrieval-verified",
        holds=_enough(agreed, wanted) and _enough(confirmed, relevant) and not absent,
        agreed=agreed,
        of=wanted,
        evidence=evidence,
        differs=tuple(differs[:_TOLD]),
    )


def rerun(found: Validated, task: str, again: Numbers, *, measures: Sequence[str]) -> Checked:
    """Hold a run that maintainers made against the submission, question by question.

    It holds where no measure that the track looks at differs significantly (the randomisation over questions, at 5 %,
    each by itself, so that a difference is rather found than missed).

    Args:
        found: a submission that holds.
        task: that was run again.
        again: what the maintainers' records come to.
        measures: that are held against each other.
    """
    submitted = found.numbers[task]
    differences = {
        name: _difference(again, submitted, name)
        for name in measures
        if again.values.get(name) and submitted.values.get(name)
    }
    broken = [name for name, one in differences.items() if not _within_chance(one)]
    shown = ", ".join(f"{name} {_signed(again, name, one)}" for name, one in differences.items())
    compared = max((one.n for one in differences.values()), default=0)
    return Checked(
        task=task,
        tier="verified",
        holds=bool(differences) and not broken,
        agreed=len(differences) - len(broken),
        of=len(differences),
        evidence=f"run again on {numbers.count(compared)} questions of {task}; again minus submitted: {shown}",
        differs=tuple(
            f"{name} differs by more than chance: {_signed(again, name, differences[name])}" for name in broken
        ),
        differences=differences,
    )


@dataclass(frozen=True, slots=True)
class _Logged:
    """One query with the list that a submission logs."""

    question_id: str
    what: str
    query: str
    hits: tuple[str, ...]
    seen: frozenset[str] = frozenset()

    @property
    def key(self) -> tuple[str, str, frozenset[str]]:
        """All that a list depends on."""
        return self.question_id, self.query, self.seen


def _logged(records: Sequence[RolloutRecord | RankingRecord], texts: dict[str, str]) -> Iterator[_Logged]:
    """Each list that a record claims, with its query in the open."""
    for record in records:
        if isinstance(record, RankingRecord):
            if record.question_id in texts:
                yield _Logged(record.question_id, "itself", texts[record.question_id], record.hits)
            continue
        opened = record.opened()
        claimed: dict[str, tuple[str, ...]] = {}
        for at, step in enumerate(opened.searches):
            if step.failed:
                continue
            # A session answers a query that it knows with the first's list, and some with none: no more is claimed.
            query = same_query(step.query)
            if query in claimed and step.hits in (claimed[query], ()):
                continue
            claimed.setdefault(query, step.hits)
            yield _Logged(record.question_id, f"search {at + 1}", step.query, step.hits, _seen(opened, step))


def _search(
    logged: Sequence[_Logged], retriever: Retriever, k: int, progress: Progress
) -> dict[tuple[str, str, frozenset[str]], tuple[str, ...]]:
    """The list of each query, searched once."""
    found: dict[tuple[str, str, frozenset[str]], tuple[str, ...]] = {}
    once = {one.key: one for one in logged}
    coming = iter(once.values())
    while batch := list(islice(coming, _BATCH)):
        contexts = [SearchContext(one.question_id, one.seen) for one in batch]
        lists = retriever.search([one.query for one in batch], k, contexts=contexts)
        found |= {one.key: tuple(hit.docid for hit in ranking) for one, ranking in zip(batch, lists, strict=True)}
        progress("searching", len(found), len(once))
    return found


def _read(records: Sequence[RolloutRecord | RankingRecord], task: Task) -> tuple[int, list[str]]:
    """How many documents are said to have been read, and which of them the corpus lacks."""
    read = [
        (record.question_id, one.docid)
        for record in records
        if isinstance(record, RolloutRecord)
        for one in record.browses
        if one.found and not one.failed
    ]
    return len(read), [f"question {qid!r}: {docid!r}" for qid, docid in read if docid not in task.corpus]


def _relevant(task: Task, qid: str) -> frozenset[str]:
    return frozenset((task.evidence or {}).get(qid, ())) | frozenset((task.gold or {}).get(qid, ()))


def _enough(agreed: int, of: int) -> bool:
    return not of or agreed / of >= ENOUGH


def _seen(record: RolloutRecord, now: Searched) -> frozenset[str]:
    """What the agent had seen before a search, which `oracle` alone reads."""
    if now.turn is None:
        return frozenset()
    before = (now.turn, now.call)
    listed = (
        docid for one in record.searches if one.turn is not None and (one.turn, one.call) < before for docid in one.hits
    )
    read = (one.docid for one in record.browses if one.turn is not None and (one.turn, one.call) < before)
    return frozenset((*listed, *read))


def _rollouts(found: Validated, task: Task) -> tuple[Track, list[RolloutRecord]]:
    track = found.track
    assert track is not None
    if track.kind == "retrieval":
        raise UsageError(f"track {track.name} has no answers to be judged: give --retriever")
    kept = [record for record in found.records.get(task.name, ()) if isinstance(record, RolloutRecord)]
    if not kept:
        raise UsageError(f"{found.path} has no records on {task.name!r}")
    return track, kept


def _difference(again: Numbers, submitted: Numbers, measure: str) -> Difference:
    first, second = again.values.get(measure, {}), submitted.values.get(measure, {})
    both = first.keys() & second.keys()
    return paired_difference({qid: first[qid] for qid in both}, {qid: second[qid] for qid in both})


def _within_chance(difference: Difference) -> bool:
    return difference.p is None or difference.p > 0.05 or not difference.value


def _signed(like: Numbers, measure: str, difference: Difference) -> str:
    metric: Metric | None = like.metric(measure)
    assert metric is not None
    shown = numbers.difference(metric, difference.value, difference.low, difference.high, difference.n)
    ends = numbers.interval(shown)
    return numbers.signed(shown) + ("" if ends == numbers.NULL else f" {ends}")


def _first_difference(logged: Sequence[str], now: Sequence[str]) -> str:
    for rank, (one, other) in enumerate(zip(logged, now, strict=False), 1):
        if one != other:
            return f"rank {rank} was {one!r} and is {other!r}"
    return f"{len(logged)} documents were logged, and {len(now)} are found"

"""Validation: does a submission prove what it says?

It reads the folder and nothing else: no task, no corpus, no network, no code of the submitter's. So it runs wherever
pull requests are checked. What it can grant is that the arithmetic holds and that the track's rules were kept by the
submission's own words: the tier `self-reported`.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isclose
from pathlib import Path
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import encodable
from lrat_bench.leaderboard.attestations import FILE as ATTESTATIONS
from lrat_bench.leaderboard.attestations import Attestation, AttestationFile
from lrat_bench.leaderboard.intake import Finding, Intake
from lrat_bench.leaderboard.measuring import COLUMNS, Numbers, measure_rankings, measure_rollouts
from lrat_bench.leaderboard.notices import notices_on
from lrat_bench.leaderboard.records import RankingRecord, RolloutRecord, judgements_of
from lrat_bench.leaderboard.rules import asks_as_pinned, broken_limits, broken_rules
from lrat_bench.leaderboard.submission import Submission, SubmittedRun, record_file
from lrat_bench.leaderboard.tracks import Pin, Track, Tracks, judgements_digest
from lrat_bench.score.metric import Metric

__all__ = ["MANIFEST", "Validated", "validate"]

MANIFEST = "submission.json"

_CLOSE = 1e-6
"""How far a number may be from what its records come to, relative and absolute: printing and adding on another machine,
and nothing else."""

_LISTED = 3
"""Findings of one kind that are told one by one."""


@dataclass
class Validated:
    """What was found in a folder.

    Attributes:
        path: the folder.
        findings: what is wrong; empty of a submission that holds.
        notices: what those who keep the board should look at; a submission holds with them.
        submission: None where there is none to be read.
        track: None where it names none of the board.
        digest: SHA-256 of `submission.json`, which names its records by theirs.
        numbers: task → what its records come to, of those that could be measured.
        records: task → the records, as they stand there.
        attestations: what maintainers checked.
    """

    path: Path
    findings: list[Finding] = field(default_factory=list)
    submission: Submission | None = None
    track: Track | None = None
    digest: str = ""
    numbers: dict[str, Numbers] = field(default_factory=dict, repr=False)
    records: dict[str, tuple[RolloutRecord | RankingRecord, ...]] = field(default_factory=dict, repr=False)
    attestations: tuple[Attestation, ...] = ()
    notices: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def validate(path: str | Path, tracks: Tracks, *, attested: bool = False) -> Validated:
    """Check one submission; a folder that is none has findings, and nothing raises.

    Args:
        path: the folder.
        tracks: of the board.
        attested: whether `attestations.json` may be there: it is for maintainers, and no part of what others send.
    """
    with _uncollected():
        return _validated(Path(path), tracks, attested=attested)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Records hold no cycles, and there are millions of objects: to look for some takes a third of the whole time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _validated(folder: Path, tracks: Tracks, *, attested: bool) -> Validated:
    intake = Intake(folder)
    found = Validated(folder, intake.findings)
    intake.inventory(_may_hold(tracks, attested=attested))
    read = intake.record(MANIFEST, Submission)
    if read is None:
        return found
    found.submission, content = read
    found.digest = hashlib.sha256(content).hexdigest()
    submission = found.submission
    if submission.name != folder.resolve().name:
        intake.find(MANIFEST, f"name is {submission.name!r}, and must be that of its folder, {folder.resolve().name!r}")
    tomorrow = _tomorrow()
    if submission.prepared > tomorrow:
        intake.find(MANIFEST, f"was prepared on {submission.prepared}, which is yet to come")
    if submission.track not in tracks:
        intake.find(
            MANIFEST, f"track {submission.track!r} is none of this board: {', '.join(one.name for one in tracks)}"
        )
        return found
    track = found.track = tracks[submission.track]
    for broken in broken_rules(submission, track):
        intake.find(MANIFEST, broken)
    for pin in track.pins:
        run = submission.run_on(pin.task)
        if run is not None:
            _check_run(intake, found, track, pin, run)
    for other in tracks:
        for task in {pin.task for pin in other.pins} - {pin.task for pin in track.pins}:
            if intake.has(record_file(task)):
                intake.find(record_file(task), f"track {track.name} has no such task: remove it")
    if attested and intake.has(ATTESTATIONS):
        kept = intake.record(ATTESTATIONS, AttestationFile)
        found.attestations = () if kept is None else kept[0].attestations
        for one in found.attestations:
            if one.when > tomorrow:
                intake.find(ATTESTATIONS, f"{one.tier} was attested on {one.when}, which is yet to come")
            elif one.submission == found.digest and one.when < submission.prepared:
                intake.find(ATTESTATIONS, f"{one.tier} was attested on {one.when}, before what it is of was prepared")
    return found


def _tomorrow() -> str:
    # Clocks differ by a day around the world.
    return (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")


def _may_hold(tracks: Tracks, *, attested: bool) -> set[str]:
    names = {record_file(pin.task) for track in tracks for pin in track.pins}
    return {MANIFEST, *names, *([ATTESTATIONS] if attested else [])}


def _check_run(intake: Intake, found: Validated, track: Track, pin: Pin, run: SubmittedRun) -> None:
    file = record_file(pin.task)
    before = len(intake.findings)
    if not intake.has(file):
        intake.read(file, most=0)  # says why
        return
    if not asks_as_pinned(run, pin):
        return  # which has been said; records of other questions say nothing, and may be without number
    records = _records(intake, file, track, pin, run)
    if len(intake.findings) > before:
        return
    found.records[pin.task] = tuple(records)
    opened = _opened(intake, file, pin, records)
    _check_judgements(intake, file, pin, records)
    if len(intake.findings) > before:
        return
    try:
        numbers = _measured(opened, track, run)
    except (UsageError, ArithmeticError, ValueError) as error:
        intake.find(file, f"cannot be measured: {error}")
        return
    found.numbers[pin.task] = numbers
    found.notices += notices_on(pin.task, records)
    _compare(intake, pin, track, run, numbers)
    if track.kind != "retrieval":
        rollouts = [record for record in records if isinstance(record, RolloutRecord)]
        _check_outcomes(intake, file, rollouts, numbers)


def _records(
    intake: Intake, file: str, track: Track, pin: Pin, run: SubmittedRun
) -> list[RolloutRecord | RankingRecord]:
    """The records in the order of the run's questions; one for each, and no others."""
    owed = {(qid, repeat) for qid in run.questions for repeat in range(run.repeats)}
    kept: dict[tuple[str, int], RolloutRecord | RankingRecord] = {}
    foreign: list[str] = []
    twice: list[str] = []
    trajectories: dict[str, str] = {}
    before = len(intake.findings)
    model: type[RolloutRecord | RankingRecord] = RankingRecord if track.kind == "retrieval" else RolloutRecord
    for number, record in intake.lines(file, model, run.records):
        if len(intake.findings) > before + _LISTED:
            break
        what = f"question {record.question_id!r}"
        if run.repeats > 1:
            what += f", repeat {record.key[1]}"
        for broken in broken_limits(record, pin, track):
            intake.find(f"{file}:{number}", f"{what} {broken}")
        if record.key not in owed:
            foreign.append(f"line {number}, {what}")
        elif record.key in kept:
            twice.append(f"line {number}, {what}")
        else:
            kept[record.key] = record
            if isinstance(record, RolloutRecord) and trajectories.setdefault(record.trajectory, what) != what:
                intake.find(f"{file}:{number}", f"{what} has the trajectory of {trajectories[record.trajectory]}")
    if len(intake.findings) > before:
        return []
    for problem, which in (("is asked in none of its runs", foreign), ("is there twice", twice)):
        if which:
            intake.find(file, f"{which[0]} {problem}{_more(which)}")
    missing = sorted(owed - kept.keys())
    if missing:
        qid, repeat = missing[0]
        intake.find(file, f"question {qid!r}, repeat {repeat}, is missing{_more(missing)}")
    order = {qid: at for at, qid in enumerate(run.questions)}
    return sorted(kept.values(), key=lambda record: (order[record.key[0]], record.key[1]))


def _more(which: Sequence[object]) -> str:
    return f", and {len(which) - 1} more" if len(which) > 1 else ""


def _opened(
    intake: Intake, file: str, pin: Pin, records: Sequence[RolloutRecord | RankingRecord]
) -> list[RolloutRecord | RankingRecord]:
    """The records with their texts in the open; of a guarded task each must be kept under its canary."""
    opened: list[RolloutRecord | RankingRecord] = []
    for record in records:
        if isinstance(record, RankingRecord):
            opened.append(record)
            continue
        if record.canary != pin.canary:
            kept = "lies in the open" if record.canary is None else "is kept under another canary than its task's"
            mend = "prepare it anew" if pin.canary is not None else "this task is not guarded"
            intake.find(file, f"question {record.question_id!r} {kept}: {mend}")
            return []
        try:
            opened.append(record.opened())
        except ValueError:
            intake.find(file, f"question {record.question_id!r} has a text that is not kept under the task's canary")
            return []
    return opened


def _check_judgements(intake: Intake, file: str, pin: Pin, records: Sequence[RolloutRecord | RankingRecord]) -> None:
    evidence, gold = judgements_of(records)
    for kind, held, pinned in (("evidence", evidence, pin.evidence), ("gold", gold, pin.gold)):
        if pinned is None:
            if held is not None:
                intake.find(file, f"holds {kind} documents, and {pin.name} has none: they must be null")
            continue
        lacking = [record.question_id for record in records if getattr(record, kind) is None]
        if lacking:
            intake.find(file, f"question {lacking[0]!r} has no {kind} documents{_more(lacking)}")
        elif judgements_digest(held or {}) != pinned:
            intake.find(file, f"its {kind} documents are not those of {pin.name}")
    by_question: dict[str, tuple[object, object]] = {}
    for record in records:
        judged = (record.evidence, record.gold)
        if by_question.setdefault(record.question_id, judged) != judged:
            intake.find(file, f"question {record.question_id!r} has other judgements in another repeat")
            return


def _measured(records: Sequence[RolloutRecord | RankingRecord], track: Track, run: SubmittedRun) -> Numbers:
    if track.kind == "retrieval":
        rankings = [record for record in records if isinstance(record, RankingRecord)]
        return measure_rankings(rankings, k=track.k or 1)
    rollouts = [record for record in records if isinstance(record, RolloutRecord)]
    judge = run.fingerprints.judge or ""
    return measure_rollouts(rollouts, questions=run.questions, repeats=run.repeats, judge=judge)


def _compare(intake: Intake, pin: Pin, track: Track, run: SubmittedRun, numbers: Numbers) -> None:
    """Hold every number of `submission.json` against what the records come to."""
    place = f"{MANIFEST}, {pin.task}"
    names = [metric.name for metric in run.metrics]
    if len(set(names)) < len(names):
        intake.find(place, "a metric is there twice")
    for name in COLUMNS[track.kind]:
        if name not in names and numbers.metric(name) is not None:
            intake.find(place, f"{name} is missing from its metrics")
    for stated in run.metrics:
        own = numbers.metric(stated.name)
        if own is None:
            intake.find(place, f"{stated.name!r} is no metric that records are measured by")
        elif differing := _differing(stated, own):
            intake.find(place, f"{stated.name}: {differing}")
    counts: tuple[tuple[str, Mapping[Any, int], Mapping[Any, int]], ...] = (
        ("outcomes", run.outcomes, numbers.outcomes),
        ("statuses", run.statuses, numbers.statuses),
    )
    for what, stated_counts, own_counts in counts:
        if _positive(stated_counts) != _positive(own_counts):
            intake.find(place, f"{what} are {_counts(stated_counts)}, and its records come to {_counts(own_counts)}")
    if numbers.outcomes:
        unresolved = numbers.outcomes["ungraded"] + numbers.outcomes["errored"]
        if unresolved:
            intake.find(place, f"{unresolved} of its questions are ungraded or errored: complete the run first")


def _differing(stated: Metric, own: Metric) -> str:
    if stated.n != own.n:
        return f"n is {stated.n}, and its records come to {own.n}"
    for what in ("value", "low", "high"):
        said, made = getattr(stated, what), getattr(own, what)
        if (said is None) != (made is None) or (
            said is not None and not isclose(said, made, rel_tol=_CLOSE, abs_tol=_CLOSE)
        ):
            name = what if what == "value" else f"the {what} end of the interval"
            return f"{name} is {_shown(said)}, and its records come to {_shown(made)}"
    if (stated.unit, stated.direction) != (own.unit, own.direction):
        return (
            f"is said to be in {stated.unit!r} ({stated.direction} is better), and is in {own.unit!r} ({own.direction})"
        )
    return ""


def _check_outcomes(intake: Intake, file: str, records: Sequence[RolloutRecord], numbers: Numbers) -> None:
    made = {(row.question_id, row.repeat): row.outcome for row in numbers.rows}
    wrong = [record for record in records if record.outcome != made[record.key]]
    if wrong:
        first = wrong[0]
        intake.find(
            file,
            f"question {first.question_id!r} is said to be {first.outcome}, and by its verdict it is "
            f"{made[first.key]}{_more(wrong)}",
        )


def _positive(counts: Mapping[Any, int]) -> dict[str, int]:
    return {name: many for name, many in counts.items() if many}


def _counts(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{many} {encodable(name)}" for name, many in _positive(counts).items()) or "none"


def _shown(number: float | None) -> str:
    return "null" if number is None else f"{number:.6g}"

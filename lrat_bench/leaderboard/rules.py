"""The rules of a track: what of a submission's own words must be as the track pins it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from lrat_bench.leaderboard.records import Browsed, RankingRecord, RolloutRecord, Searched
from lrat_bench.leaderboard.submission import Part, Submission, SubmittedRun, row_digest
from lrat_bench.leaderboard.tracks import Fixed, Pin, Track, questions_digest
from lrat_bench.lrat.contamination import Contamination

__all__ = [
    "SPEED",
    "asks_as_pinned",
    "broken_limits",
    "broken_rules",
    "fixed_revision",
    "knows_judgements",
    "shared_questions",
]

SPEED = ("device", "dtype", "batch_size", "threads", "storage", "revision", "trust_remote_code", "passage_tokens")
"""Settings of a retriever that change speed or last digits, or are compared elsewhere."""


_COMMIT = r"[0-9a-f]{40}"

_SPACE = re.compile(r"\s")

_LONG_DOCID = 64
"""Characters of a docid of a guarded task: ids lie open, and a longer one could be a text."""


def broken_rules(submission: Submission, track: Track) -> Iterator[str]:
    """Each rule that is not kept, as one line; which questions have records is told elsewhere.

    Args:
        submission: by its own words.
        track: that it names.
    """
    if submission.kind != track.kind:
        yield f"kind is {submission.kind}, and track {track.name} is one of {track.kind}"
    yield from _tasks(submission, track)
    for pin in track.pins:
        run = submission.run_on(pin.task)
        if run is not None:
            for broken in _run(run, pin, track, submission.entry.revision):
                yield f"{pin.task}: {broken}"
    yield from _same(submission, track)
    yield from _disclosure(submission, track)


def shared_questions(scan: Contamination) -> int:
    """How many questions of an evaluation were trained on.

    Eight words in a row are disclosed and no reason to refuse: generated questions share their templates.
    """
    return max(scan.questions, scan.queries)


def asks_as_pinned(run: SubmittedRun, pin: Pin) -> bool:
    """Whether the run's questions are those of the track."""
    return len(set(run.questions)) == len(run.questions) == pin.questions and (
        pin.question_ids is None or questions_digest(run.questions) == pin.question_ids
    )


def broken_limits(record: RolloutRecord | RankingRecord, pin: Pin, track: Track) -> Iterator[str]:
    """What of a record the protocol of its run cannot have led to, as one line each."""
    if isinstance(record, RankingRecord):
        if len(record.hits) > (track.k or 0):
            yield f"has {len(record.hits)} hits, and the track asks for {track.k}"
        return
    if record.origin is not None:
        yield "was imported, and only what this harness ran is ranked"
    if record.status is None:
        yield "does not say how it ended"
    if record.turns is not None and record.turns > pin.turns:
        yield f"has {record.turns} turns, and the protocol allows {pin.turns}"
    steps: tuple[Searched | Browsed, ...] = (*record.searches, *record.browses)
    turns = pin.turns if record.turns is None else record.turns
    if late := [step.turn for step in steps if step.turn is not None and step.turn >= turns]:
        yield f"has a step in turn {late[0]}, counted from 0, of {turns}"
    if too_long := [len(one.hits) for one in record.searches if len(one.hits) > pin.k]:
        yield f"has a search with {too_long[0]} hits, and the protocol's k is {pin.k}"
    if record.browses and "get_document" not in pin.tools:
        yield "reads a document, and the protocol has no tool for it"
    yield from _calls(steps, pin)
    if not _are_ids([step.docid for step in record.browses if step.found], pin):
        yield "says that it found a document whose id is none"
    elif pin.canary is not None and any(map(_may_be_texts, (one.hits for one in record.searches))):
        yield f"has a docid with spaces or of more than {_LONG_DOCID} characters, which of a guarded task is none"


def knows_judgements(retriever: str) -> bool:
    """Whether a retriever, or a part of it, is made from the judgements of the task, by its name."""
    return "oracle" in re.split(r"[:+@(),\s]+", retriever.casefold())


def fixed_revision(submission: Submission, track: Track) -> str | None:
    """The commit of what the track fixes, as the runs name it; None where it has none, or they differ."""
    if track.fixed is None or not track.fixed.weights:
        return None
    found = {_fixed_part(run, track).revision for run in submission.runs}
    return found.pop() if len(found) == 1 else None


def _tasks(submission: Submission, track: Track) -> Iterator[str]:
    tasks = [run.task for run in submission.runs]
    for pin in track.pins:
        if pin.task not in tasks:
            yield f"there is no run on {pin.name}, which track {track.name} needs"
        elif tasks.count(pin.task) > 1:
            yield f"there are {tasks.count(pin.task)} runs on {pin.task}, and must be one"
    if foreign := [task for task in tasks if track.pin(task) is None]:
        yield f"there is a run on {foreign[0]!r}, which is no task of track {track.name}"


def _run(run: SubmittedRun, pin: Pin, track: Track, revision: str) -> Iterator[str]:
    marks = run.fingerprints
    alone = track.kind == "retrieval"
    if run.protocol != pin.protocol:
        yield f"protocol is {run.protocol!r} instead of {pin.protocol!r}"
    if run.split != pin.split:
        yield f"split is {run.split!r} instead of {pin.split!r}"
    pinned = {"rollout": pin.rollout, "scoring": pin.scoring, "judge": pin.judge, "prompt": pin.prompt}
    for name, wanted in pinned.items():
        given = getattr(marks, name)
        if not alone and given != wanted:
            yield f"fingerprint of the {name} is {_short(given)}, and the track pins {_short(wanted)}"
    if pin.fingerprint is not None and marks.task != pin.fingerprint:
        yield f"fingerprint of the task is {_short(marks.task)}, and the track pins {_short(pin.fingerprint)}"
    if len(set(run.questions)) < len(run.questions):
        yield "its list of questions holds one twice"
    elif len(run.questions) != pin.questions:
        yield f"it has {len(run.questions)} questions instead of {pin.questions}"
    elif not asks_as_pinned(run, pin):
        yield f"its questions are not those of {pin.name}"
    if run.repeats < track.repeats:
        yield f"every question was asked {run.repeats} times, and the track wants {track.repeats} at least"
    if alone:
        if run.repeats != 1:
            yield f"repeats is {run.repeats}, and a retriever alone is asked once"
        if run.k != track.k:
            yield f"k is {run.k} instead of {track.k}"
    else:
        if run.agent is None:
            yield "it names no agent"
        if marks.agent is None:
            yield "it has no fingerprint of its agent"
        if run.trajectories is None:
            yield "it does not name its trajectories"
        if run.judge is None:
            yield "it does not name its judge"
    if knows_judgements(run.retriever.name) and not track.demonstration:
        yield f"retriever {run.retriever.name!r} is made from the judgements, and is the ceiling of a task"
    if run.cassette and not track.demonstration:
        yield "model calls were replayed from a cassette"
    passage = run.retriever.details.get("passage_tokens")
    if passage is not None and pin.passage_tokens is not None and passage != pin.passage_tokens:
        yield f"{passage} tokens of a document are encoded instead of {pin.passage_tokens}"
    if track.fixed is not None and (run.agent is not None or track.kind == "agent"):
        yield from _fixed(run, track.fixed, track)
    yield from _entered(run, track, revision)


def _entered(run: SubmittedRun, track: Track, revision: str) -> Iterator[str]:
    part = run.agent if track.kind == "agent" else run.retriever
    if part is not None and part.revision is not None and part.revision != revision:
        yield f"{track.entered} is of commit {part.revision!r}, and the entry says {revision!r}"


def _fixed_part(run: SubmittedRun, track: Track) -> Part:
    return run.retriever if track.kind == "agent" or run.agent is None else run.agent


def _fixed(run: SubmittedRun, fixed: Fixed, track: Track) -> Iterator[str]:
    room = "retriever" if track.kind == "agent" else "agent"
    part = _fixed_part(run, track)
    if part.name != fixed.name:
        yield f"{room} is {part.name!r}, and the track fixes {fixed.name!r}"
        return
    mark = getattr(run.fingerprints, room)
    if fixed.fingerprint is not None and mark != fixed.fingerprint:
        yield f"fingerprint of the {room} is {_short(mark)}, and the track fixes {_short(fixed.fingerprint)}"
    if fixed.row is not None and (part.row is None or row_digest(part.row) != fixed.row):
        yield f"{room} {fixed.name} has other settings than its row: the track fixes them (`lrat-bench agents show`)"
    if fixed.weights and part.revision is None:
        yield f"it does not say which commit of {fixed.name} was run: --set {room}.revision=COMMIT"
    elif fixed.weights and not re.fullmatch(_COMMIT, part.revision or ""):
        yield f"{room} is of {part.revision!r}, which is no commit: 40 hexadecimal digits"
    elif fixed.revision is not None and part.revision != fixed.revision:
        yield f"{room} is of commit {part.revision!r}, and the track fixes {fixed.revision!r}"
    if room == "retriever":
        given = {
            key.removeprefix("retriever."): value
            for key, value in run.set.items()
            if key.startswith("retriever.") and key.removeprefix("retriever.") not in SPEED
        }
        if given != dict(fixed.settings):
            yield f"retriever has settings {_listed(given)}, and the track fixes {_listed(fixed.settings)}"


def _same(submission: Submission, track: Track) -> Iterator[str]:
    """What must be one and the same thing on all tasks of a track."""
    rooms = ("retriever",) if track.kind == "retrieval" else ("agent", "retriever")
    for room in rooms:
        marks = {getattr(run.fingerprints, room) for run in submission.runs}
        # What is made of a task's judgements or index is another one on each; it has the same name.
        names = {part.name for run in submission.runs if (part := getattr(run, room)) is not None}
        if len(marks) > 1 and (len(names) > 1 or not track.demonstration):
            yield f"its runs have different {room}s: one {room} on every task"


def _disclosure(submission: Submission, track: Track) -> Iterator[str]:
    told = submission.disclosure
    if told.evaluation_data == "yes" and not track.demonstration:
        yield "it was trained on evaluation data of the track, so that its numbers say nothing"
    if told.training == "lrat" and not told.pairs:
        yield "it was trained by `lrat-bench train`, and does not name the pairs"
    if told.pairs and told.training != "lrat":
        yield f"it names pairs of `lrat-bench train`, and says that its training was {told.training!r}"
    if tainted := [one.name for one in told.pairs if one.tainted]:
        yield f"pairs {tainted[0]!r} were mined from evaluation questions, so that its numbers say nothing"
    if told.pairs:
        scanned = {one.task: one for one in told.contamination}
        for pin in track.pins:
            scan = scanned.get(pin.task)
            if scan is None or scan.split != pin.split:
                yield f"there is no contamination scan for {pin.task}, split {pin.split}"
            elif shared := shared_questions(scan):
                yield f"its training pairs share {shared} questions with {pin.task}, so that its numbers say nothing"


def _calls(steps: tuple[Searched | Browsed, ...], pin: Pin) -> Iterator[str]:
    # The entries of a call are of one tool, and share its turn and its place there.
    tools: dict[tuple[int | None, int], type[Searched | Browsed]] = {}
    if any(tools.setdefault((step.turn, step.call), type(step)) is not type(step) for step in steps):
        yield "has a call that both searches and reads"
    if pin.calls is not None and len(tools) > pin.calls:
        yield f"has {len(tools)} calls, and the protocol allows {pin.calls}"
    most = max(Counter((step.turn, step.call) for step in steps).values(), default=0)
    if most > pin.entries:
        yield f"has a call with {most} entries, and the protocol carries out {pin.entries}"


def _are_ids(docids: Sequence[str], pin: Pin) -> bool:
    if pin.canary is not None and _may_be_texts(docids):
        return False
    return all(docid.strip() and docid.isprintable() and len(docid) <= 512 for docid in docids)


def _may_be_texts(docids: Sequence[str]) -> bool:
    """Whether one of some ids is too long for one of a guarded task, or has a space in it."""
    return max(map(len, docids), default=0) > _LONG_DOCID or _SPACE.search("".join(docids)) is not None


def _short(mark: str | None) -> str:
    return "missing" if mark is None else mark[:12]


def _listed(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{key}={value}" for key, value in settings.items()) or "none"

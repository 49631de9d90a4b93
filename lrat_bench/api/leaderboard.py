"""The leaderboard from Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lrat_bench.api.parts import access, close, load_retriever
from lrat_bench.errors import CheckFailed, UsageError
from lrat_bench.leaderboard.attestations import Attestation, attest
from lrat_bench.leaderboard.copies import find_copies, on_the_board
from lrat_bench.leaderboard.extract import Extract, extract_retrieval, extract_run
from lrat_bench.leaderboard.measuring import COLUMNS, Numbers, measure_rankings, measure_rollouts
from lrat_bench.leaderboard.prepare import prepare, read_entered
from lrat_bench.leaderboard.records import RankingRecord, RolloutRecord
from lrat_bench.leaderboard.submission import Entered, Submission
from lrat_bench.leaderboard.tracks import Pin, Track, load_tracks
from lrat_bench.leaderboard.validate import Validated, validate
from lrat_bench.leaderboard.verify import Checked, judged_again, rerun, searched_again
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.event_loop import EventLoop
from lrat_bench.runs.judge_choice import JudgeChoice
from lrat_bench.runs.resolve import Settings
from lrat_bench.task.catalog import load_task
from lrat_bench.task.task import Task

__all__ = ["attest_checked", "prepare_submission", "validate_submissions", "verify_submission"]


def prepare_submission(
    runs: Sequence[str | Path],
    *,
    track: str,
    out: str | Path,
    config: str | Path | Entered,
    pairs: Sequence[str | Path] = (),
    tracks: str | Path | None = None,
    progress: Progress = no_progress,
) -> Validated:
    """Make a submission of runs.

    Args:
        runs: a run folder, or a retrieval folder, for each task of the track.
        track: its name.
        out: the folder of the submission, which is called as it is.
        config: what the runs cannot say: a YAML file, or its content.
        pairs: folders of pairs that a retriever was trained on.
        tracks: the file of another board.
        progress: told how tasks are loaded.

    Raises:
        UsageError: runs are missing or do not fit, or something is not disclosed; nothing was written.
    """
    return prepare(
        runs,
        track=track,
        out=out,
        entered=config if isinstance(config, Entered) else read_entered(config),
        tracks=load_tracks(tracks),
        pairs=pairs,
        progress=progress,
    )


def validate_submissions(
    folders: Sequence[str | Path],
    *,
    tracks: str | Path | None = None,
    attested: bool = False,
    board: str | Path | None = None,
) -> list[Validated]:
    """Check submissions, as it is done wherever pull requests are checked.

    Args:
        folders: one submission each.
        tracks: the file of another board.
        attested: whether `attestations.json` may be there, which is for maintainers.
        board: the folder of the entries on the board, which none may repeat.
    """
    loaded = load_tracks(tracks)
    found = [validate(folder, loaded, attested=attested) for folder in folders]
    find_copies(found, [] if board is None else on_the_board(board, loaded, like=found))
    return found


def verify_submission(
    folder: str | Path,
    *,
    judge: bool = False,
    retriever: str | None = None,
    runs: Sequence[str | Path] = (),
    tracks: str | Path | None = None,
    set: Mapping[str, Any] | None = None,  # noqa: A002 -- the name of the flag
    max_cost: float | None = None,
    progress: Progress = no_progress,
) -> tuple[Validated, list[Checked]]:
    """Check a submission beyond its arithmetic, on every task of its track; one of `judge`, `retriever` and `runs`.

    Args:
        folder: of the submission.
        judge: have the pinned judge grade every answer anew.
        retriever: search the logged queries with it; it must be the submission's.
        runs: a run of our own for each task, which is held against the submission.
        tracks: the file of another board.
        set: `{"judge.api_base": …, "retriever.…": …, "task.…": …}`.
        max_cost: cap in USD on what the judge may cost.
        progress: told how it goes.

    Returns:
        the submission, and what came of each task.

    Raises:
        CheckFailed: the submission itself does not hold.
        UsageError: what is to be checked against does not fit, or is not there.
    """
    if sum(map(bool, (judge, retriever, runs))) != 1:
        raise UsageError("give one of --judge, --retriever and --run: each is a check, and a tier, of its own")
    found = validate(folder, load_tracks(tracks), attested=True)
    if not found.holds or found.track is None or found.submission is None:
        raise CheckFailed(f"{folder} does not hold: {found.findings[0]} (`lrat-bench leaderboard validate` says more)")
    settings = Settings.of(set or {})
    if runs:
        return found, _rerun(found, found.track, found.submission, runs, progress)
    checked = []
    for pin in found.track.pins:
        task = _task(pin, settings, progress)
        if judge:
            checked.append(_judged(found, pin, task, settings, max_cost, progress))
        elif retriever is not None:
            with _retriever(retriever, task, settings, progress) as searching:
                checked.append(searched_again(found, task, searching, progress=progress))
    return found, checked


def attest_checked(found: Validated, checked: Sequence[Checked], *, by: str) -> Attestation:
    """Write down that a submission passed a check, beside it.

    Args:
        found: the submission.
        checked: what came of each task of its track.
        by: which maintainer.

    Raises:
        CheckFailed: it did not pass on every task.
    """
    if failed := [one for one in checked if not one.holds]:
        raise CheckFailed(f"nothing is attested: {failed[0].evidence}")
    return attest(
        found.path,
        found.attestations,
        tier=checked[0].tier,
        digest=found.digest,
        by=by,
        evidence="\n".join(one.evidence for one in checked),
    )


def _task(pin: Pin, settings: Settings, progress: Progress) -> Task:
    task, _ = load_task(pin.name, settings={**pin.settings, **settings.task}, progress=progress)
    if pin.fingerprint is not None and task.fingerprint != pin.fingerprint:
        raise UsageError(
            f"task {pin.name!r} is here another one than the track pins (its questions or documents differ)"
        )
    return task


def _judged(
    found: Validated, pin: Pin, task: Task, settings: Settings, max_cost: float | None, progress: Progress
) -> Checked:
    reach = access(max_cost=max_cost)
    choice = JudgeChoice(settings=settings.judge, verdict_cache=False)
    judge = choice.open(task.protocol(pin.protocol).scoring, reach)
    reach.require_prices()
    try:
        return judged_again(found, task, judge, progress=progress)
    finally:
        with EventLoop() as loop:
            loop.run(judge.close())
            loop.run(reach.close())


@contextmanager
def _retriever(spec: str, task: Task, settings: Settings, progress: Progress) -> Iterator[Any]:
    found = load_retriever(spec, task, set=settings.retriever, progress=progress)
    try:
        yield found
    finally:
        close(found)


def _rerun(
    found: Validated, track: Track, submission: Submission, runs: Sequence[str | Path], progress: Progress
) -> list[Checked]:
    checked: dict[str, Checked] = {}
    for path in map(Path, runs):
        extract = (extract_retrieval if track.kind == "retrieval" else extract_run)(path, track, progress=progress)
        again, task = extract.run, extract.run.task
        submitted = submission.run_on(task)
        assert submitted is not None
        for name in ("task", "rollout", "agent", "retriever", "judge"):
            here, there = getattr(again.fingerprints, name), getattr(submitted.fingerprints, name)
            if here != there:
                raise UsageError(f"{path} has another {name} than the submission's run on {task} ({here} and {there})")
        numbers = _measured(path, extract, track, found.records[task])
        measures = [name for name in COLUMNS[track.kind] if name not in ("completion_tokens", "cost_usd")]
        checked[task] = rerun(found, task, numbers, measures=measures)
    if missing := [pin.name for pin in track.pins if pin.task not in checked]:
        raise UsageError(f"there is no run on {missing[0]}: give one for each task of track {track.name}")
    return list(checked.values())


def _measured(path: Path, extract: Extract, track: Track, submitted: Sequence[Any]) -> Numbers:
    """What a run comes to that is another one than the submission was made of."""
    again, lines = extract.run, extract.lines.splitlines()
    if track.kind == "retrieval":
        return measure_rankings([RankingRecord.model_validate_json(line) for line in lines], k=track.k or 1)
    records = [RolloutRecord.model_validate_json(line).opened() for line in lines]
    if many := len(({one.clock for one in records} & {one.clock for one in submitted}) - {None}):
        raise UsageError(
            f"{path} took as long as the submission's own run on {many} of its questions, to the last digit: make the "
            "run anew, in a folder of its own"
        )
    judge = again.fingerprints.judge or ""
    return measure_rollouts(records, questions=again.questions, repeats=again.repeats, judge=judge)

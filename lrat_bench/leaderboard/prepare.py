"""Preparing: runs become a submission, or are refused with what is lacking."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import read_yaml, sha256_file, write_atomic, write_json, writing
from lrat_bench.leaderboard.attestations import FILE as ATTESTATIONS
from lrat_bench.leaderboard.extract import Extract, extract_retrieval, extract_run
from lrat_bench.leaderboard.rules import shared_questions
from lrat_bench.leaderboard.submission import (
    NAME,
    Disclosure,
    Entered,
    FileMark,
    Submission,
    TrainedOn,
    record_file,
)
from lrat_bench.leaderboard.tracks import Track, Tracks
from lrat_bench.leaderboard.validate import MANIFEST, Validated, validate
from lrat_bench.lrat.contamination import scan
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.lrat.training.record import ModelRecord
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.model_files import RECORD
from lrat_bench.values import plainly
from lrat_bench.versions import installed_versions

__all__ = ["prepare", "read_entered"]

_RETRIEVAL_MARK = b'"lrat-bench/retrieval/'


def prepare(
    runs: Sequence[str | Path],
    *,
    track: str,
    out: str | Path,
    entered: Entered,
    tracks: Tracks,
    pairs: Sequence[str | Path] = (),
    progress: Progress = no_progress,
) -> Validated:
    """Make a submission of runs, and check it as everybody else will.

    Args:
        runs: a run folder, or a retrieval folder, for each task of the track.
        track: its name.
        out: the folder of the submission, which is called as it is; one that holds an earlier one is replaced.
        entered: what the runs cannot say: what is entered, who answers for it, what it was trained on.
        tracks: of the board.
        pairs: folders of pairs that a retriever was trained on by `lrat-bench train`; they are scanned for questions of
            the track.
        progress: told how tasks are loaded.

    Returns:
        the submission as `validate` found it.

    Raises:
        UsageError: runs are missing, not complete, of another protocol, or not rankable; something is not disclosed; or
            the folder cannot be written. Nothing was written then.
    """
    place, chosen = Path(out), tracks[track]
    if not re.fullmatch(NAME, place.name):
        raise UsageError(
            f"a submission is called as its folder is, and {place.name!r} will not do: 3 to 64 lower-case letters, "
            "digits, dots, dashes and underscores"
        )
    _refuse_strange(place)
    _refuse_missing(runs, chosen)
    extracts = [
        extract_retrieval(Path(path), chosen, progress=progress)
        if chosen.kind == "retrieval"
        else extract_run(Path(path), chosen, progress=progress, where=entered.trajectories)
        for path in runs
    ]
    if entered.scaffold.kind == "standard" and any(extract.own_loop for extract in extracts):
        raise UsageError(
            "the agent is a function of yours, and no model in our loop: say scaffold: {kind: custom, note: …}"
        )
    disclosure = _disclosed(entered.disclosure, extracts, pairs, chosen)
    with writing(f"the submission {place}"):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{place.name}.", suffix=".tmp", dir=place.parent) as temporary:
            draft = Path(temporary) / place.name
            for extract in extracts:
                write_atomic(draft / record_file(extract.run.task), extract.lines)
            submission = Submission(
                name=place.name,
                track=chosen.name,
                kind=chosen.kind,
                prepared=datetime.now(UTC).strftime("%Y-%m-%d"),
                harness=installed_versions(["lrat-bench"]).get("lrat-bench", "unknown"),
                entry=entered.entry,
                scaffold=entered.scaffold,
                contact=entered.contact,
                disclosure=disclosure,
                runs=tuple(
                    extract.run.model_copy(update={"records": _mark(draft / record_file(extract.run.task))})
                    for extract in extracts
                ),
            )
            write_json(draft / MANIFEST, submission.to_dict())
            checked = validate(draft, tracks)
            if checked.findings:
                raise UsageError(f"no submission to track {chosen.name}: {checked.findings[0].text}")
            if place.exists():
                place.rename(Path(temporary) / "before")
            draft.rename(place)
    checked.path = place
    return checked


def read_entered(file: str | Path) -> Entered:
    """What a submitter's YAML file says.

    Raises:
        DataError: it does not say what it must.
    """
    content = read_yaml(Path(file))
    try:
        return Entered.model_validate({} if content is None else content)
    except ValidationError as error:
        raise DataError(plainly(error), file=file) from None


def _mark(file: Path) -> FileMark:
    return FileMark(sha256=sha256_file(file), bytes=file.stat().st_size)


def _refuse_strange(place: Path) -> None:
    """See that the folder is empty or holds an earlier submission, and nothing else."""
    if not place.exists():
        return
    if not place.is_dir():
        raise UsageError(f"{place} is no folder: give another -o")
    own = {MANIFEST, ATTESTATIONS, "records"}
    strange = sorted(path.name for path in place.iterdir() if path.name not in own)
    strange += sorted(path.name for path in place.glob("records/*") if path.suffix != ".jsonl")
    if strange:
        raise UsageError(f"{place} holds {strange[0]!r}, which is no part of a submission: give another -o")


def _refuse_missing(runs: Sequence[str | Path], track: Track) -> None:
    """See that there is one folder for each task of the track."""
    made_by = "retrieve" if track.kind == "retrieval" else "run"
    found: dict[str, Path] = {}
    for path in map(Path, runs):
        manifest = path / "manifest.json"
        if not manifest.is_file():
            raise UsageError(f"{path} is neither a run folder nor a retrieval folder: it has no manifest.json")
        if (_RETRIEVAL_MARK in manifest.read_bytes()) != (track.kind == "retrieval"):
            raise UsageError(f"{path} is not what track {track.name} ranks: it takes what `lrat-bench {made_by}` makes")
        task = _task_of(manifest)
        if track.pin(task) is None:
            names = ", ".join(pin.name for pin in track.pins)
            raise UsageError(f"{path} is of task {task!r}, which is none of track {track.name}: {names}")
        if task in found:
            raise UsageError(f"{found[task]} and {path} are both of task {task!r}: give one of them")
        found[task] = path
    for pin in track.pins:
        if pin.task not in found:
            words = [f"--task {pin.name}", *(f"--set task.{key}={value}" for key, value in pin.settings.items())]
            words += [] if pin.limit is None else [f"--limit {pin.limit}"]
            raise UsageError(
                f"track {track.name} needs a run on {pin.name}, too: `lrat-bench {made_by} {' '.join(words)} …`"
            )


def _task_of(manifest: Path) -> str:
    try:
        return str(json.loads(manifest.read_bytes())["task"]["name"])
    except (ValueError, KeyError, TypeError):
        raise DataError("names no task: it is no manifest of this version", file=manifest) from None


def _disclosed(told: Disclosure, extracts: Sequence[Extract], pairs: Sequence[str | Path], track: Track) -> Disclosure:
    """What the submitter says, with what is known of the pairs, and the scan of them."""
    if told.pairs or told.contamination:
        raise UsageError("disclosure.pairs and disclosure.contamination are found out by --pairs: leave them out")
    records = [found for extract in extracts if (found := _record_of(extract)) is not None]
    if (records or pairs) and told.training != "lrat":
        why = "its folder says so" if records else "--pairs says so"
        raise UsageError(
            f"disclosure.training is {told.training!r}, but the retriever was trained by `lrat-bench train` ({why}): "
            "say lrat"
        )
    if told.training != "lrat":
        return told
    folders = [Pairs.open(path) for path in pairs]
    if not folders:
        raise UsageError("disclosure.training is lrat: give the folders of pairs that it was trained on with --pairs")
    given = {sha256_file(folder.path / "manifest.json"): folder for folder in folders}
    for record in records:
        for source in record.pairs:
            if source.manifest not in given:
                raise UsageError(
                    f"the retriever was trained on pairs {source.name!r}, which are not given: --pairs FOLDER"
                )
    trained = tuple(
        TrainedOn(
            name=folder.path.resolve().name,
            manifest=mark,
            task=folder.manifest.task and Path(folder.manifest.task).name,
            runs=tuple(source.name for source in folder.manifest.sources),
            tainted=folder.manifest.tainted,
        )
        for mark, folder in given.items()
    )
    paths = [folder.path for folder in folders]
    scans = tuple(scan(paths, extract.task, split=extract.run.split) for extract in extracts)
    for scanned in scans:
        if shared := shared_questions(scanned):
            raise UsageError(
                f"the training pairs share {shared} questions with {scanned.task}: such a retriever is not ranked on "
                f"track {track.name} (`lrat-bench contamination` lists them)"
            )
    return told.model_copy(update={"pairs": trained, "contamination": scans})


def _record_of(extract: Extract) -> ModelRecord | None:
    """What the folder of a retriever that was trained here says of its training; None where there is no such folder."""
    for named in re.findall(r"dense:([^+@]+)", extract.retriever):
        file = Path(named).expanduser() / RECORD
        if file.is_file():
            try:
                return ModelRecord.model_validate_json(file.read_bytes())
            except ValidationError as error:
                raise DataError(f"no record of a training of this version ({plainly(error)})", file=file) from None
    return None

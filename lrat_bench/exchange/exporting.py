"""The export: a run as what other tools read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, get_args

from lrat_bench.errors import MissingLibrary, UnknownName, UsageError
from lrat_bench.exchange.draft import new_folder, replacing
from lrat_bench.exchange.run_writer import Look, RunStyle, run_record
from lrat_bench.exchange.summary import evaluation_summary
from lrat_bench.exchange.texts import Texts
from lrat_bench.exchange.trec import ranking
from lrat_bench.guard import refuse_plain as refuse_plain_text
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.judge_choice import JudgeChoice
from lrat_bench.runs.manifest import Manifest
from lrat_bench.runs.scoring import find_task, rows_of, with_judge
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.rows import Row
from lrat_bench.score.score import Scores, summarise
from lrat_bench.trajectory import Trajectory

__all__ = ["ExportFormat", "ExportReport", "export_run", "refuse_plain"]

ExportFormat = Literal["lrat", "browsecomp-plus", "browsecomp-plus-summary", "trec", "parquet", "jsonl"]
"""What a run can be written as: a run file for each question; a summary; rankings; a row for each question."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written.

    Attributes:
        path: file or folder.
        written: records in it.
        without_texts: why documents stand there as ids alone; None where they do not, or none are shown.
        unresolved: questions that are ungraded or errored, where the format holds what was graded; else 0.
    """

    path: Path
    written: int
    without_texts: str | None = None
    unresolved: int = 0


def export_run(
    run: str | Path,
    out: str | Path,
    *,
    format: ExportFormat,  # noqa: A002
    task: str | None = None,
    judge: str | None = None,
    plain: bool = False,
    progress: Progress = no_progress,
) -> ExportReport:
    """Write a run in a format of others; the run is read and not changed.

    Args:
        run: the run folder.
        out: a folder for run files, which is not there yet or is empty; else a file, which is replaced.
        format: one of `ExportFormat`.
        task: where the task lies now; as the manifest names it unless given. Run files are written without it too.
        judge: whose verdicts count, where it is not the protocol's.
        plain: write what is guarded into a git work tree, in plain text.
        progress: told after each record.

    Raises:
        UsageError: something does not fit, or cannot be written; what was there is as it was.
        MissingLibrary: parquet needs pandas and pyarrow.
    """
    if format not in get_args(ExportFormat):
        raise UnknownName("export format", format, get_args(ExportFormat))
    folder, place = RunFolder(Path(run)), Path(out)
    manifest = folder.manifest
    if not plain:
        refuse_plain(folder, place)
    _refuse_own(folder, place)
    if format == "lrat" or format == "browsecomp-plus":
        return _run_files(folder, manifest, place, format, task, progress)
    if format == "trec":
        return ExportReport(place, _lines(place, _trec(folder, manifest)))
    return _measured(folder, with_judge(manifest, JudgeChoice(judge)), place, format, task, progress)


def refuse_plain(folder: RunFolder, out: Path) -> None:
    """See that an export of guarded records does not lie where it would be published.

    Raises:
        UsageError: it would; the message says how to do otherwise.
    """
    if folder.codec.name != "plain":
        refuse_plain_text("the records", out, mend="give an -o outside of it, or --plain if you must")


def _run_files(
    folder: RunFolder, manifest: Manifest, place: Path, style: RunStyle, spec: str | None, progress: Progress
) -> ExportReport:
    look: Look = lambda *_: None  # noqa: E731
    without = None
    try:
        look = Texts(find_task(manifest, task=spec, progress=progress), manifest.protocol.rollout)
    except UsageError as error:
        if spec is not None:
            raise
        without = str(error)
    names = {"agent": str(manifest.agent["name"]), "retriever": str(manifest.retriever["name"])}
    written = 0
    with new_folder(place) as draft:
        for record in _selected(folder, manifest):
            content = run_record(record, style, **names, look=look)
            with (draft / _file_name(record, style)).open("x", encoding="utf-8") as stream:
                stream.write(_dumped(content))
            written += 1
            progress("writing", written, len(manifest.questions) * manifest.repeats)
    return ExportReport(place, written, without)


def _measured(
    folder: RunFolder, manifest: Manifest, place: Path, form: ExportFormat, spec: str | None, progress: Progress
) -> ExportReport:
    """What is made of rows of numbers."""
    task = find_task(manifest, task=spec, progress=progress)
    by = load_judge(manifest.protocol.scoring)
    rows = rows_of(folder, task, by)
    scores = summarise(rows, judge_fingerprint=by.fingerprint, judge_name=by.name)
    if form == "parquet":
        _parquet(rows, place)
    elif form == "jsonl":
        _lines(place, (json.dumps(row.flat(), ensure_ascii=False) + "\n" for row in rows))
    else:
        _summary(rows, scores, manifest, place)
    return ExportReport(place, len(rows), unresolved=scores.unresolved)


def _summary(rows: list[Row], scores: Scores, manifest: Manifest, place: Path) -> None:
    agent, retriever = str(manifest.agent["name"]), str(manifest.retriever["name"])
    _lines(place, iter([_dumped(evaluation_summary(rows, scores, agent=agent, retriever=retriever))]))


def _parquet(rows: list[Row], place: Path) -> None:
    try:
        import pandas as pd
        import pyarrow as _  # noqa: F401, ICN001
    except ImportError:
        raise MissingLibrary("pandas or pyarrow", install='"lrat-bench[frames]"') from None
    with replacing(place) as draft:
        pd.DataFrame([row.flat() for row in rows]).to_parquet(draft, index=False)


def _trec(folder: RunFolder, manifest: Manifest) -> Iterator[str]:
    """The rankings of the first repeats, since the format knows no others."""
    tag = re.sub(r"\s+", "_", str(manifest.retriever["name"])) or "unknown"
    for record in _selected(folder, manifest):
        if record.repeat:
            continue
        for rank, (docid, score) in enumerate(ranking(record), 1):
            if len(docid.split()) != 1 or len(record.question_id.split()) != 1:
                raise UsageError(
                    f"question {record.question_id!r}, document {docid!r}: a TREC run cannot hold ids with spaces"
                )
            yield f"{record.question_id} Q0 {docid} {rank} {score!r} {tag}\n"


def _selected(folder: RunFolder, manifest: Manifest) -> Iterator[Trajectory]:
    asked = set(manifest.questions)
    for record in folder.trajectories.scan():
        if record.question_id in asked and record.repeat < manifest.repeats:
            yield record


def _file_name(record: Trajectory, style: RunStyle) -> str:
    """The question's id, made fit for a file, and its repeat; BrowseComp-Plus looks for `run_*.json`.

    No id that is made fit holds the sign before the repeat, and files sort by it as repeats do.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", record.question_id)[:100].lstrip(".")
    if safe != record.question_id:
        safe += f"-{sha256(record.question_id.encode()).hexdigest()[:8]}"
    return f"{'run_' if style == 'browsecomp-plus' else ''}{safe}{f'@r{record.repeat}' if record.repeat else ''}.json"


def _dumped(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _lines(place: Path, lines: Iterator[str]) -> int:
    written = 0
    with replacing(place) as draft, draft.open("w", encoding="utf-8") as stream:
        for line in lines:
            stream.write(line)
            written += 1
    return written


def _refuse_own(folder: RunFolder, place: Path) -> None:
    """See that the export does not take the place of a file of the run."""
    if folder.path.resolve() in (place.resolve(), place.resolve().parent):
        raise UsageError(f"{place} lies in the run folder itself: give another -o")

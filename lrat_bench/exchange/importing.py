"""The import: records that others wrote become a run folder like any other."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from lrat_bench.errors import UsageError
from lrat_bench.exchange.asked import Asked
from lrat_bench.exchange.draft import new_folder, refuse_taken
from lrat_bench.exchange.intake import UNKNOWN, ImportReport, Intake
from lrat_bench.exchange.reading import read_source, sources
from lrat_bench.exchange.registry import FORMATS
from lrat_bench.files import encodable, fingerprint, sha256_file, write_json
from lrat_bench.guard import Guard
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.manifest import Invocation, Manifest, describe_judge, describe_task, versions
from lrat_bench.runs.store import codec_of
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.task.catalog import load_task
from lrat_bench.task.protocol import Protocol
from lrat_bench.task.task import Task

__all__ = ["import_records"]


def import_records(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    task: str,
    format: str | None = None,  # noqa: A002
    split: str | None = None,
    agent: str | None = None,
    retriever: str | None = None,
    repeats: bool = False,
    skip_unknown: bool = False,
    on_problem: Callable[[str], None] = lambda _: None,
    progress: Progress = no_progress,
) -> ImportReport:
    """Make a run folder of trajectories that others recorded.

    Records are read one at a time, and the folder appears when it is whole. Answers are judged by `score`, later.

    Args:
        paths: files, or folders of files, in any of `FORMATS`.
        out: the run folder; not there yet, or empty.
        task: a name or folder; `@PROTOCOL` behind it says which protocol the records were made under.
        format: told by the content unless given.
        split: the one that holds the questions unless given.
        agent: by what the records say unless given.
        retriever: by what the records say unless given.
        repeats: several records of one question are its repeats, in the order of the files.
        skip_unknown: leave out records of questions that the task does not have, instead of refusing all.
        on_problem: told in one line of each record that cannot be read.
        progress: told after each file.

    Raises:
        UsageError: nothing can be imported, or something does not fit; nothing was written.
    """
    if format is not None:
        FORMATS.entry(format)
    place = Path(out)
    refuse_taken(place)
    files = [file for path in paths for file in sources(Path(path))]
    if not files:
        raise UsageError("give at least one file or folder to import")
    loaded, protocol = load_task(task, progress=progress)
    if split is not None:
        loaded.select(split)
    asked = Asked(loaded, split)
    intake = Intake(asked, named=(agent, retriever), repeats=repeats, on_problem=on_problem)
    decrypt = None if loaded.canary is None else Guard(loaded.canary).decrypt
    with new_folder(place, what="the run folder ") as draft:
        store = replace(RunFolder(draft).trajectories, codec=codec_of(loaded.canary))
        for number, file in enumerate(files, 1):
            for found in read_source(file, format=format, decrypt=decrypt):
                intake.take(found, store, protocol.rollout.fingerprint if _names_protocol(task) else UNKNOWN)
            progress("importing", number, len(files))
        intake.refuse_what_does_not_fit(skip_unknown=skip_unknown)
        manifest = _manifest(intake, loaded, protocol if _names_protocol(task) else _unnamed(protocol), task, files)
        write_json(draft / "manifest.json", manifest.to_dict())
    return intake.report(place, len(manifest.questions))


def _manifest(intake: Intake, task: Task, protocol: Protocol, spec: str, files: Sequence[Path]) -> Manifest:
    (agent,), (retriever,) = intake.agents, intake.retrievers
    split = intake.asked.split
    origin = sorted(intake.formats)
    read = [{"file": encodable(file.name), "sha256": sha256_file(file)} for file in files]
    judge = load_judge(protocol.scoring)
    return Manifest(
        identity={
            "task": task.fingerprint,
            "split": split,
            "protocol": UNKNOWN if protocol.name == UNKNOWN else protocol.rollout.fingerprint,
            "agent": f"unknown:{agent}",
            "retriever": f"unknown:{retriever}",
            "origin": origin,
            "records": fingerprint(read),
        },
        rankable=False,
        task=describe_task(task),
        split=split,
        split_role=task.splits[split],
        limit=None,
        repeats=intake.most,
        questions=tuple(question.qid for question in task.select(split)),
        protocol=protocol,
        scoring=protocol.scoring.fingerprint,
        agent={"name": agent, "fingerprint": None},
        retriever={"name": retriever, "fingerprint": None},
        judge=describe_judge(judge),
        seed=0,
        settings={"task": spec, "import": {"formats": origin, "files": read}},
        invocations=(
            Invocation(
                started=datetime.now(UTC).isoformat(timespec="seconds"),
                versions=versions(),
                git=None,
                machine={"system": platform.system(), "architecture": platform.machine()},
            ),
        ),
    )


def _names_protocol(spec: str) -> bool:
    """Whether a task is named with a protocol behind it, as `load_task` reads it."""
    return "@" in spec and not Path(spec).is_dir()


def _unnamed(protocol: Protocol) -> Protocol:
    """The task's way of scoring, over a rollout of which nobody has said how it was made."""
    return protocol.model_copy(update={"name": UNKNOWN, "summary": ""})

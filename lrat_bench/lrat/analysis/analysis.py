"""The analysis of runs: everything of this folder, per run, per retriever and over all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.errors import UsageError
from lrat_bench.lrat.analysis.counts import Counting, Counts
from lrat_bench.lrat.analysis.evidence import AccuracyByEvidence, EvidenceBin
from lrat_bench.lrat.analysis.positions import BrowsePositions, Positions
from lrat_bench.lrat.analysis.reasoning import Lengths, ReasoningLengths
from lrat_bench.lrat.analysis.seen import Seen, see
from lrat_bench.lrat.analysis.transitions import Following, Transitions
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.manifest import Manifest
from lrat_bench.runs.scoring import find_task, selected
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.judging import has_answer
from lrat_bench.score.verdict import Grade, current_verdicts, under_accepted
from lrat_bench.task.task import Task
from lrat_bench.task.tokenizer import Tokenizer, load_tokenizer

__all__ = ["SCHEMA", "Analysed", "Analysis", "Part", "analyse"]

SCHEMA = "lrat-bench/analysis/1"
"""Name and version of the format; the number grows when an old reader could misread a new file."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)


class Analysed(_Record):
    """A run that was looked at."""

    run: str = Field(description="name of its folder")
    task: str
    split: str
    agent: str
    retriever: str
    retriever_fingerprint: str | None
    judge: str = Field(description="fingerprint of the protocol's judge, whose verdicts count")
    order: Literal["ranked", "shuffled"] = Field(description="in which lists were shown")
    questions: int
    repeats: int


class Part(_Record):
    """The analysis of one run, of the runs with one retriever, or of all."""

    name: str
    runs: tuple[str, ...] = Field(description="folders that it is of")
    trajectories: int = Field(ge=0, description="that did not error: what follows is of these")
    ungraded: int = Field(ge=0, description="of these, with an answer that the judge has not graded")
    errored: int = Field(ge=0, description="questions times repeats that are owed")
    counts: tuple[Counts, ...]
    transitions: tuple[Following, ...]
    evidence: tuple[EvidenceBin, ...] = Field(description="empty where the task names no evidence")
    positions: Positions
    lengths: Lengths


class Analysis(_Record):
    """The content of `analysis.json`."""

    schema_: Literal["lrat-bench/analysis/1"] = Field(default="lrat-bench/analysis/1", alias="schema")
    tokenizer: str = Field(description="that lengths of reasoning were counted with")
    tokenizer_fingerprint: str
    analysed: tuple[Analysed, ...]
    runs: tuple[Part, ...]
    retrievers: tuple[Part, ...] = Field(description="by name and fingerprint, in order of appearance")
    total: Part


@dataclass
class _Collecting:
    """One part, while trajectories come in."""

    name: str
    runs: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    counts: Counting = field(default_factory=Counting)
    transitions: Transitions = field(default_factory=Transitions)
    evidence: AccuracyByEvidence = field(default_factory=AccuracyByEvidence)
    positions: BrowsePositions = field(default_factory=BrowsePositions)
    lengths: ReasoningLengths = field(default_factory=ReasoningLengths)

    def add(self, seen: Seen) -> None:
        self.outcomes["trajectories"] += 1
        self.outcomes["ungraded"] += seen.grade == "ungraded"
        for one in (self.counts, self.transitions, self.evidence, self.positions, self.lengths):
            one.add(seen)

    def part(self) -> Part:
        return Part(
            name=self.name,
            runs=tuple(self.runs),
            trajectories=self.outcomes["trajectories"],
            ungraded=self.outcomes["ungraded"],
            errored=self.outcomes["errored"],
            counts=self.counts.result(),
            transitions=self.transitions.result(),
            evidence=self.evidence.result(),
            positions=self.positions.result(),
            lengths=self.lengths.result(),
        )


def analyse(
    runs: Sequence[str | Path],
    *,
    task: str | None = None,
    tokenizer: str = "regex-v1",
    progress: Progress = no_progress,
) -> Analysis:
    """Analyse runs, read as a stream; verdicts count as in `metrics.json`, by the judge of each run's protocol.

    Args:
        runs: run folders, each once.
        task: where the task lies now; as the manifests name it unless given.
        tokenizer: that counts reasoning: `regex-v1`, a tokenizer file, or `name@revision`.
        progress: told after each trajectory.

    Raises:
        UsageError: a folder holds no run or is given twice, or its task is gone or has changed.
    """
    folders = [RunFolder(Path(path)) for path in runs]
    places = [folder.path.resolve() for folder in folders]
    if twice := [folder.path for folder, place in zip(folders, places, strict=True) if places.count(place) > 1]:
        raise UsageError(f"{twice[0]} is given twice: give each run once")
    if not folders:
        raise UsageError("no run is given: name at least one run folder")
    counter = load_tokenizer(tokenizer)
    manifests = [folder.manifest for folder in folders]
    names = _run_names(places)
    total = _Collecting("all")
    by_run: list[_Collecting] = []
    by_retriever: dict[tuple[str, str | None], _Collecting] = {}
    retrievers = [(str(manifest.retriever["name"]), manifest.retriever["fingerprint"]) for manifest in manifests]
    for folder, manifest, name, retriever in zip(folders, manifests, names, retrievers, strict=True):
        own = _Collecting(name)
        by_run.append(own)
        parts = (own, by_retriever.setdefault(retriever, _Collecting(_retriever_name(retriever, retrievers))), total)
        loaded = find_task(manifest, task=task, progress=progress)
        owed = len(manifest.questions) * manifest.repeats
        for number, seen in enumerate(_seen(folder, manifest, loaded, counter), 1):
            owed -= 1
            for part in parts:
                part.add(seen)
            progress(f"reading {name}", number, len(manifest.questions) * manifest.repeats)
        for part in parts:
            part.runs.append(name)
            part.outcomes["errored"] += owed
    return Analysis(
        tokenizer=counter.name,
        tokenizer_fingerprint=counter.fingerprint,
        analysed=tuple(_analysed(*pair) for pair in zip(names, manifests, strict=True)),
        runs=tuple(part.part() for part in by_run),
        retrievers=tuple(part.part() for part in by_retriever.values()),
        total=total.part(),
    )


def _seen(folder: RunFolder, manifest: Manifest, task: Task, tokenizer: Tokenizer) -> Iterator[Seen]:
    """The trajectories of the selection that did not error, with their grades, one at a time."""
    questions = selected(manifest, task)
    asked = {question.qid for question in questions}
    judge = load_judge(manifest.protocol.scoring).fingerprint
    grades = current_verdicts(under_accepted(folder.verdicts.scan(), questions), judge)
    for trajectory in folder.trajectories.scan():
        if trajectory.question_id not in asked or trajectory.repeat >= manifest.repeats or trajectory.status == "error":
            continue
        grade: Grade = "incorrect"
        if has_answer(trajectory):
            grade = grades.get((*trajectory.key, trajectory.hash), "ungraded")
        evidence = task.evidence.get(trajectory.question_id) if task.evidence else None
        yield see(trajectory, grade, task=task.fingerprint, evidence=evidence, tokenizer=tokenizer)


def _run_names(places: Sequence[Path]) -> list[str]:
    """The name of each folder, with as many of those above it as tell it from the others."""
    names = []
    for place in places:
        depth = 1
        while depth < len(place.parts) and sum(other.parts[-depth:] == place.parts[-depth:] for other in places) > 1:
            depth += 1
        names.append("/".join(place.parts[-depth:]))
    return names


def _retriever_name(one: tuple[str, str | None], among: Sequence[tuple[str, str | None]]) -> str:
    """The name of a retriever, with the start of its fingerprint where another one is called the same."""
    name, fingerprint = one
    alone = all(other == one for other in among if other[0] == name)
    return name if alone or fingerprint is None else f"{name} ({fingerprint[:6]})"


def _analysed(run: str, manifest: Manifest) -> Analysed:
    return Analysed(
        run=run,
        task=str(manifest.task["name"]),
        split=manifest.split,
        agent=str(manifest.agent["name"]),
        retriever=str(manifest.retriever["name"]),
        retriever_fingerprint=manifest.retriever["fingerprint"],
        judge=load_judge(manifest.protocol.scoring).fingerprint,
        order=manifest.protocol.rollout.order,
        questions=len(manifest.questions),
        repeats=manifest.repeats,
    )

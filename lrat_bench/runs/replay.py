"""Replay: the queries that agents really issued, taken out of the records of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lrat_bench.errors import UsageError
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.scoring import selected
from lrat_bench.score.retrieval import Asked, Query
from lrat_bench.task.task import Task
from lrat_bench.trajectory import Search, same_query

__all__ = ["Replay", "recorded_queries"]


@dataclass(frozen=True, slots=True)
class Replay:
    """Recorded queries, each once per question.

    Attributes:
        queries: in the order of the questions' trajectories; an id is `question#repeat#n`, of the trajectory that
            issued the query first.
        asked: the trajectories with the queries that each of them issued; those without one are among them.
        issued: how many searches were recorded, repeated ones included.
        unjudged: of these, those of questions without judgements, which are left out.
    """

    queries: tuple[Query, ...]
    asked: tuple[Asked, ...]
    issued: int
    unjudged: int


def recorded_queries(folders: Sequence[RunFolder], task: Task) -> Replay:
    """The queries that runs recorded on the questions they select.

    A search counts that was carried out, also one that found nothing. The same query twice is searched once per
    question; queries are the same where a session serves the same list: case and spaces apart. Trajectories that
    infrastructure ended are owed again, and not read.

    Args:
        folders: of runs on the questions of this task.
        task: with evidence or gold documents.

    Raises:
        UsageError: a run is of another task or given twice, there are no judgements, or no query is recorded.
    """
    judged = (task.evidence or {}).keys() | (task.gold or {}).keys()
    if not judged:
        raise UsageError(f"task {task.name!r} has neither evidence nor gold documents to score queries by")
    _refuse_twice(folders)
    ids: dict[tuple[str, str], str] = {}
    queries: list[Query] = []
    numbers: Counter[tuple[str, int]] = Counter()
    asked: list[Asked] = []
    issued = unjudged = 0
    for at, folder in enumerate(folders):
        shown = folder.manifest.protocol.rollout.k
        for (question, repeat), searches in _selected(folder, task):
            issued += len(searches)
            if question not in judged:
                unjudged += len(searches)
                continue
            for text in searches:
                key = question, same_query(text)
                if key not in ids:
                    ids[key] = f"{question}#{repeat}#{numbers[question, repeat]}"
                    queries.append(Query(ids[key], text, question))
                    numbers[question, repeat] += 1
            own = dict.fromkeys(ids[question, same_query(text)] for text in searches)
            asked.append(Asked(f"{question}#{repeat}#{at}", question, tuple(own), shown))
    if not queries:
        raise UsageError(
            f"{', '.join(str(folder.path) for folder in folders)}: no query is recorded on a question that has "
            f"judgements ({issued} in all): replay a run whose agent searched"
        )
    return Replay(tuple(queries), tuple(asked), issued, unjudged)


def _refuse_twice(folders: Sequence[RunFolder]) -> None:
    places = Counter(folder.path.resolve() for folder in folders)
    if twice := [folder.path for folder in folders if places[folder.path.resolve()] > 1]:
        raise UsageError(f"{twice[0]} is given twice: give each run once")


def _selected(folder: RunFolder, task: Task) -> list[tuple[tuple[str, int], tuple[str, ...]]]:
    """(question, repeat) and queries of each finished trajectory that a run selects.

    In the order of its questions, however they were appended.
    """
    manifest = folder.manifest
    if manifest.identity["task"] != task.fingerprint:
        raise UsageError(f"{folder.path} was made on another task than {task.name!r}: replay it by itself")
    order = {question.qid: at for at, question in enumerate(selected(manifest, task))}
    found = {
        trajectory.key: tuple(
            step.query for step in trajectory.steps if isinstance(step, Search) and step.error is None
        )
        for trajectory in folder.trajectories.scan()
        if trajectory.question_id in order and trajectory.repeat < manifest.repeats and trajectory.status != "error"
    }
    return sorted(found.items(), key=lambda one: (order[one[0][0]], one[0][1]))

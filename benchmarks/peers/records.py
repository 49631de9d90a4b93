"""What a harness left behind: which questions have a finished record, and what else lies there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Left", "left_by_ours", "left_by_peer"]


@dataclass(frozen=True)
class Left:
    """Counts.

    Attributes:
        answered: questions with a finished record.
        unfinished: questions whose records are all of no answer.
        lost: questions without any record that can be read.
        doubled: records beyond one for each question.
        unreadable: files or lines that are no record.
    """

    answered: int
    unfinished: int
    lost: int
    doubled: int
    unreadable: int


def left_by_peer(folder: Path, ids: Iterable[str]) -> Left:
    """Of a folder of `run_*.json`.

    Finished is what their evaluators take for it: `completed`, or, where a client writes no status, a text at the end.
    """
    records: list[tuple[str, bool]] = []
    unreadable = 0
    for file in folder.glob("run_*.json"):
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            records.append((str(record["query_id"]), _finished(record)))
        except (OSError, ValueError, KeyError, TypeError):
            unreadable += 1
    return _count(records, ids, unreadable)


def left_by_ours(folder: Path, ids: Iterable[str]) -> Left:
    """Of a run folder."""
    import lrat_bench
    from lrat_bench.errors import LratBenchError

    try:
        trajectories = list(lrat_bench.load_run(folder).trajectories)
    except LratBenchError:
        trajectories = []
    lines = folder / "trajectories.jsonl"
    written = lines.read_bytes().count(b"\n") if lines.is_file() else 0
    finished = [(one.question_id, one.status in ("answered", "forced")) for one in trajectories]
    # Of several records of a question the last one counts; what is not a whole line is cut off.
    return _count(finished, ids, max(0, written - len(trajectories)))


def _finished(record: dict[str, Any]) -> bool:
    if "status" in record:
        return bool(record["status"] == "completed")
    steps = record["result"]
    return bool(steps) and steps[-1]["type"] == "output_text" and bool(steps[-1]["output"])


def _count(records: list[tuple[str, bool]], ids: Iterable[str], unreadable: int) -> Left:
    asked = set(ids)
    known = Counter(qid for qid, _ in records)
    answered = {qid for qid, finished in records if finished} & asked
    unfinished = (set(known) & asked) - answered
    doubled = sum(many - 1 for many in known.values())
    return Left(len(answered), len(unfinished), len(asked) - len(answered) - len(unfinished), doubled, unreadable)

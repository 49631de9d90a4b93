"""Submissions as tests need them: changed so that one thing alone is wrong; and tracks of other boards."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lrat_bench.agent.prompts import prompt_fingerprint
from lrat_bench.leaderboard.tracks import judgements_digest, questions_digest
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.task.task import Task

__all__ = [
    "ENTRY",
    "README",
    "Newcomer",
    "change",
    "change_records",
    "commands",
    "entry_of",
    "pin_of",
    "read",
    "write_tracks",
]

README = (Path(__file__).parents[2] / "leaderboard" / "README.md").read_text()

Record = dict[str, Any]


@dataclass(frozen=True)
class Newcomer:
    """What the five commands of the README left behind.

    Attributes:
        home: where they were given.
        submission: that they prepared.
        site: that they built.
        codes: the exit code of each.
    """

    home: Path
    submission: Path
    site: Path
    codes: tuple[int, ...]


def entry_of(text: str) -> str:
    """The YAML that a page shows."""
    (found,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    return str(found)


def commands(text: str) -> list[str]:
    """The commands of the first shell block of a page, each on one line."""
    block = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)[0]
    return [line for line in block.replace("\\\n", " ").splitlines() if line.strip()]


ENTRY: Record = yaml.safe_load(entry_of(README))
"""What the README lets a newcomer say."""


def read(folder: Path) -> Record:
    """The content of `submission.json`."""
    content: Record = json.loads((folder / "submission.json").read_bytes())
    return content


def change(folder: Path, how: Callable[[Record], Any]) -> None:
    """Change `submission.json`; what `how` returns takes its place where it is a mapping."""
    content = read(folder)
    made = how(content)
    text = json.dumps(made if isinstance(made, dict) else content, ensure_ascii=False)
    (folder / "submission.json").write_text(text, encoding="utf-8")


def change_records(folder: Path, task: str, how: Callable[[list[Any]], Any]) -> None:
    """Change the records on a task, and the mark that `submission.json` has of them.

    `how` gets the records as JSON; what it returns, records or texts of lines, takes their place where it is a list.
    """
    file = folder / "records" / f"{task}.jsonl"
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    made = how(records)
    lines = made if isinstance(made, list) else records
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    file.write_bytes("".join(text + "\n" for text in texts).encode("utf-8", "surrogatepass"))
    mark = {"sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "bytes": file.stat().st_size}
    change(folder, lambda content: next(run for run in content["runs"] if run["task"] == task).update(records=mark))


def pin_of(task: Task, *, limit: int | None = None, protocol: str | None = None, known: bool = True) -> Record:
    """What a track pins of a task, computed as its keeper would."""
    chosen = task.protocol(protocol)
    questions = task.select(limit=limit)
    judge = load_judge(chosen.scoring, offline=True)
    asked = {question.qid for question in questions}
    found: Record = {
        "task": task.name,
        "protocol": chosen.name,
        "split": task.default_split,
        "limit": limit,
        "rollout": chosen.rollout.fingerprint,
        "scoring": chosen.scoring.fingerprint,
        "judge": judge.fingerprint,
        "prompt": prompt_fingerprint(chosen.rollout.prompt),
        "passage_tokens": chosen.rollout.passage_tokens,
        "tools": list(chosen.rollout.tools),
        "k": chosen.rollout.k,
        "entries": chosen.rollout.queries_per_call,
        "calls": chosen.rollout.max_calls,
        "turns": chosen.rollout.max_turns + chosen.rollout.forced_answer,
        "questions": len(questions),
        "canary": task.canary,
    }
    if known:
        found |= {"question_ids": questions_digest(asked), "fingerprint": task.fingerprint}
        for kind, qrels in (("evidence", task.evidence), ("gold", task.gold)):
            judged = {qid: docids for qid, docids in (qrels or {}).items() if qid in asked}
            found[kind] = None if qrels is None else judgements_digest(judged)
    return found


def write_tracks(file: Path, **tracks: Record) -> Path:
    """The tracks of another board."""
    shared = {"title": "A track", "summary": "Of a test.", "rank": "success_rate", "kind": "retriever"}
    content = {"board": "Another board", "tracks": {name: {**shared, **track} for name, track in tracks.items()}}
    file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return file

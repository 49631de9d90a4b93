"""Trajectories as LRAT's own clients write them: a folder of JSON files, one a question.

Each file holds `query_id`, `status` and `result`, a list of steps `{type, tool_name, arguments, output}` of type
`reasoning`, `tool_call` or `output_text`. A search prints its hits as blocks that begin with `DocID:…`, or as a JSON
list of objects with a `docid`; both are read. There are no turns in these files, so steps have none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from lrat_bench.errors import DataError
from lrat_bench.files import encodable
from lrat_bench.trajectory import Answer, Browse, Hit, Search, Status, Step, Think, Trajectory

__all__ = ["ORIGIN", "lrat_files", "read_lrat_file"]

ORIGIN = "lrat-run"
"""`Trajectory.origin` of what is read here."""

_SEARCHES = frozenset({"search", "local_knowledge_base_retrieval"})
_BROWSES = frozenset({"get_document", "visit"})
_STATUSES: dict[str, Status] = {
    "completed": "answered",
    "generate an answer as token limit reached": "forced",
    "exceed available llm calls": "turn_limit",
    "max_tokens": "token_limit",
    "": "error",
}
"""Their words → ours; of any other word it is not known how the question ended."""

_BLOCK = re.compile(r"^DocID:[ \t]*(\S+)[ \t]*$", re.MULTILINE)
_MISSING = re.compile(
    r"\s*(?:\[[^\]\n]*not found|\{\s*\"error\"|error\b|document[^\n:]{0,80}\bnot found)", re.IGNORECASE
)
_THOUGHT = re.compile(r"^(?:\s*<think>)?(.*?)</think>", re.DOTALL)
_ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL)


def lrat_files(folder: Path) -> list[Path]:
    """The JSON files of a folder, in the order of their names, numbers as numbers."""
    return sorted((path for path in folder.glob("*.json") if path.is_file()), key=_by_number)


def read_lrat_file(path: Path) -> Trajectory:
    """One run file as a trajectory.

    A list of queries was carried out for its first entry alone, so that is the query. Whether an answer is correct the
    files do not say.

    Raises:
        DataError: it is no run file.
    """
    try:
        record = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON: {error}", file=path) from None
    if not isinstance(record, dict) or not isinstance(record.get("result"), list):
        raise DataError(
            "not a run file of LRAT or BrowseComp-Plus: it must be an object with a list `result`", file=path
        )
    given = record.get("metadata")
    metadata = given if isinstance(given, dict) else {}
    steps = tuple(_steps(record["result"], path))
    answers = [step.text for step in steps if isinstance(step, Answer)]
    status = record.get("status")
    return Trajectory(
        task="unknown",
        protocol="unknown",
        question_id=_question_id(record.get("query_id"), path),
        agent=_text(str(metadata.get("model") or "unknown").rstrip("/").rpartition("/")[2]),
        retriever=_text(str(metadata.get("searcher_type") or "unknown")),
        origin=ORIGIN,
        status=_STATUSES.get(status) if isinstance(status, str) else None,
        answer=answers[-1] if answers else None,
        steps=steps,
    )


def _steps(result: list[Any], path: Path) -> Iterator[Step]:
    for number, step in enumerate(result):
        if not isinstance(step, dict):
            raise DataError(f"result[{number}] must be an object, got {type(step).__name__}", file=path)
        kind, output = step.get("type"), step.get("output")
        if kind == "reasoning":
            yield Think(turn=None, text=_reasoning(output))
        elif kind == "output_text":
            yield from _final(_text(output) if isinstance(output, str) else _reasoning(output))
        elif kind == "tool_call":
            arguments = _arguments(step.get("arguments"))
            if step.get("tool_name") in _SEARCHES:
                yield from _search(number, arguments, output)
            elif step.get("tool_name") in _BROWSES:
                yield from _browses(number, arguments, output)


def _final(text: str) -> Iterator[Step]:
    """The last message: its thought where it holds one, and the answer."""
    thought = _THOUGHT.match(text)
    if thought is not None and thought[1].strip():
        yield Think(turn=None, text=thought[1].strip())
    rest = text if thought is None else text[thought.end() :]
    answer = _ANSWER.search(rest)
    said = (rest if answer is None else answer[1]).strip()
    if said:
        yield Answer(turn=None, text=said)


def _search(number: int, arguments: Mapping[str, Any], output: Any) -> Iterator[Search]:
    query = next((arguments[key] for key in ("query", "user_query", "queries") if key in arguments), None)
    if isinstance(query, list):
        query = query[0] if query else None
    if not isinstance(query, str):
        return
    hits = tuple(Hit(docid=docid, score=score, rank=rank) for rank, (docid, score) in enumerate(_hits(output), 1))
    yield Search(turn=None, call=number, query=_text(query), hits=hits)


def _browses(number: int, arguments: Mapping[str, Any], output: Any) -> Iterator[Browse]:
    given = next((arguments[key] for key in ("docid", "doc_id", "id", "url") if key in arguments), None)
    missing = output is None or (isinstance(output, str) and bool(_MISSING.match(output)))
    for docid in given if isinstance(given, list) else [given]:
        if isinstance(docid, str | int) and str(docid).strip():
            yield Browse(
                turn=None,
                call=number,
                docid=_text(str(docid).strip()),
                found=not missing,
                error="not found" if missing else None,
            )


def _hits(output: Any) -> list[tuple[str, float | None]]:
    """(docid, score) in order, each document once."""
    listed = output
    if isinstance(output, str):
        if output.lstrip().startswith("["):
            try:
                listed = json.loads(output)
            except (ValueError, RecursionError):
                listed = None
        if not isinstance(listed, list):
            return [(_text(docid), None) for docid in dict.fromkeys(_BLOCK.findall(output))]
    found: dict[str, float | None] = {}
    for hit in listed if isinstance(listed, list) else []:
        if isinstance(hit, dict) and isinstance(hit.get("docid"), str | int):
            found.setdefault(_text(str(hit["docid"])), _score(hit.get("score")))
    return list(found.items())


def _score(given: Any) -> float | None:
    """A finite score; JSON may hold whole numbers that no float does."""
    try:
        score = float(given) if isinstance(given, int | float) else None
    except OverflowError:
        return None
    return score if score is not None and isfinite(score) else None


def _arguments(given: Any) -> Mapping[str, Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return {}
    return given if isinstance(given, dict) else {}


def _reasoning(output: Any) -> str:
    """A text; a list of texts; a list of objects with a `text`."""
    parts = output if isinstance(output, list) else [output]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return _text("\n".join(text for text in texts if isinstance(text, str)))


def _text(text: str) -> str:
    return encodable(text)


def _question_id(given: Any, path: Path) -> str:
    """The id as a text; `17.0` is 17, and a file without one is named by itself."""
    return path.stem if given is None or given == "" else _text(str(given)).removesuffix(".0")


def _by_number(path: Path) -> tuple[tuple[int, int | str], ...]:
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", path.name) if part)

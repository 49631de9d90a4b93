"""Records as other harnesses write them, in words of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lrat_bench.exchange.run_json import read_run
from lrat_bench.trajectory import Browse, Hit, Search, Trajectory

__all__ = ["blocks", "browses", "call", "entry", "hits", "objects", "read", "run_file", "searches", "write"]


def entry(kind: str, output: Any) -> dict[str, Any]:
    """A step that calls no tool."""
    return {"type": kind, "tool_name": None, "arguments": None, "output": output}


def call(name: str | None, arguments: Any, output: Any, **more: Any) -> dict[str, Any]:
    """A tool call."""
    return {"type": "tool_call", "tool_name": name, "arguments": arguments, "output": output, **more}


def objects(docids: str, *, scores: bool = True) -> str:
    """A list of BrowseComp-Plus: JSON, scores falling by one."""
    names = docids.split()
    listed = [
        {"docid": docid, **({"score": float(len(names) - at)} if scores else {}), "snippet": f"Begins {docid}."}
        for at, docid in enumerate(names)
    ]
    return json.dumps(listed, indent=2)


def blocks(docids: str, query: str = "q") -> str:
    """A list of LRAT: a headline, and a block for each document."""
    names = docids.split()
    shown = "\n\n".join(f"DocID:{docid}\n[Title of {docid}]\nBegins {docid}." for docid in names)
    return f"A search for '{query}' found {len(names)} results:\n\n## Web Results\n{shown}"


def run_file(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The object of a run file."""
    return {
        "metadata": {"model": "some/Agent-7B"},
        "query_id": "q1",
        "status": "completed",
        "result": list(steps),
        **more,
    }


def read(*steps: dict[str, Any], **more: Any) -> Trajectory:
    """The trajectory of such an object, after a way through JSON."""
    return read_run(json.loads(json.dumps(run_file(*steps, **more))), "here").trajectory


def searches(trajectory: Trajectory) -> list[Search]:
    """Its search steps."""
    return [step for step in trajectory.steps if isinstance(step, Search)]


def browses(trajectory: Trajectory) -> list[Browse]:
    """Its browse steps."""
    return [step for step in trajectory.steps if isinstance(step, Browse)]


def hits(search: Search) -> list[tuple[str, int, bool]]:
    """(docid, rank, shown) of its hits."""
    return [(hit.docid, hit.rank, hit.shown) for hit in search.hits if isinstance(hit, Hit)]


def write(path: Path, content: Any) -> Path:
    """A file of JSON, or of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path

"""What is mined in tests: trajectories by hand, runs that were really made, and files in the form of LRAT's clients."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lrat_bench
from lrat_bench.model.scripted import ScriptedModel, answers, calls
from lrat_bench.model.seam import Request, Turn
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.runs.run import Run
from lrat_bench.trajectory import Answer, Browse, Hit, Search, Step, Think, Trajectory

__all__ = [
    "QUESTIONS",
    "Fixed",
    "answer",
    "browse",
    "make_run",
    "search",
    "think",
    "trajectory",
    "write_lrat_file",
    "write_task",
]

QUESTIONS = 6
"""Of the train split; the agent answers all but the last one right."""


def search(turn: int | None, query: str, docids: str, *, call: int = 0, **more: Any) -> Search:
    """A search with its hits in the order shown; `d3:2` is rank 2 of the retriever's, `(d4)` was not shown."""
    hits = []
    for position, word in enumerate(docids.split(), 1):
        docid, _, rank = word.strip("()").partition(":")
        hits.append(Hit(docid=docid, score=None, rank=int(rank or position), shown=not word.startswith("(")))
    return Search(turn=turn, call=call, query=query, hits=tuple(hits), **more)


def browse(turn: int | None, docid: str, *, call: int = 0, found: bool = True, **more: Any) -> Browse:
    """A browse."""
    return Browse(turn=turn, call=call, docid=docid, found=found, **more)


def think(turn: int | None, text: str, **more: Any) -> Think:
    """A thought."""
    return Think(turn=turn, text=text, **more)


def answer(turn: int | None) -> Answer:
    """An answer."""
    return Answer(turn=turn, text="Exact Answer: x")


def trajectory(*steps: Step) -> Trajectory:
    """What happened on one question."""
    return Trajectory(
        task="t", protocol="p", question_id="q", agent="a", retriever="r", status="answered", answer="x", steps=steps
    )


class Fixed:
    """A retriever: all documents, turned round to a place that the query decides."""

    name: str = "fixed"
    fingerprint: str | None = "fixed"

    def __init__(self, docids: Sequence[str]) -> None:
        self.docids = list(docids)

    def prepare(self, progress: Progress) -> None:
        """Nothing to do."""

    def search(
        self,
        queries: Sequence[str],
        k: int,
        *,
        contexts: Sequence[SearchContext] | None = None,
    ) -> list[list[Ranked]]:
        """The k documents from there on."""
        places = [sum(query.encode()) % len(self.docids) for query in queries]
        turned = [self.docids[place:] + self.docids[:place] for place in places]
        return [[Ranked(docid, float(-n)) for n, docid in enumerate(one[:k])] for one in turned]

    def close(self) -> None:
        """Nothing is held."""


def write_task(folder: Path, *, documents: int = 24) -> Path:
    """A task of a few documents, with questions to train on and one to evaluate on."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = [{"docid": f"d{n}", "title": f"Title {n}", "text": f"Text of {n}."} for n in range(documents)]
    asked = [(f"t{n}", f"What is question number {n}?", "train") for n in range(QUESTIONS)]
    asked.append(("e0", "What is question number 0, asked again?", "test"))
    questions = [{"qid": qid, "question": text, "answers": ["right"], "split": split} for qid, text, split in asked]
    for name, records in (("corpus.jsonl", corpus), ("questions.jsonl", questions)):
        (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


def make_run(task: Path, out: Path, *, split: str = "train", name: str = "reader", **more: Any) -> Run:
    """A run of an agent that reads two documents for each question.

    It searches, reads the second hit, thinks that it helps (the longer the higher the question's number), searches
    again, reads the third hit of the first list, thinks that this one does not help, and answers.
    """

    def play(request: Request) -> Turn:
        found = re.search(r"question number (\d+)", request.messages[0].content)
        assert found is not None
        number = int(found[1])
        done = sum(message.role == "assistant" for message in request.messages)
        if done == 0:
            return calls("search", query=f"first {number}", reasoning="Let us begin.")
        if done == 1:
            return calls("get_document", docid=_hit(request, 2, 1), reasoning="That one.")
        if done == 2:
            helps = f"This document says what I want to know {'very ' * (4 * number)}well."
            return calls("search", query=f"second {number}", reasoning=helps)
        if done == 3:
            return calls("get_document", docid=_hit(request, 2, 2), reasoning="Back to the first list.")
        said = "right" if number < QUESTIONS - 1 else "wrong"
        last = answers(f"Exact Answer: {said}")
        return Turn(text=last.text, reasoning="It does not help at all.", usage=last.usage)

    agent = lrat_bench.Agent(name, ScriptedModel(play))
    docids = [json.loads(line)["docid"] for line in (task / "corpus.jsonl").read_text().splitlines()]
    settings = {"protocol.k": 5, **more.pop("set", {})}
    return lrat_bench.run(
        task=str(task), agent=agent, retriever=Fixed(docids), split=split, out=out, set=settings, **more
    )


def _hit(request: Request, message: int, place: int) -> str:
    results = [one for one in request.messages if one.role == "tool"][0 if message == 2 else -1]
    docid: str = json.loads(results.content)["results"][place]["docid"]
    return docid


def write_lrat_file(file: Path, steps: Sequence[tuple[Any, ...]], *, status: str = "completed") -> Path:
    """A run file of LRAT.

    Steps are ("think", text), ("search", query or queries, docids), ("read", docid) and ("end", text).
    """
    result: list[dict[str, Any]] = []
    for kind, *what in steps:
        if kind == "think":
            result.append({"type": "reasoning", "tool_name": None, "arguments": None, "output": what[0]})
        elif kind == "search":
            query, docids = what
            blocks = [f"DocID:{docid}\n[Title of {docid}]\nBegins so." for docid in docids.split()]
            shown = f"A search for 'q' found {len(blocks)} results:\n\n## Web Results\n" + "\n\n".join(blocks)
            arguments = json.dumps({"query": query})
            result.append({"type": "tool_call", "tool_name": "search", "arguments": arguments, "output": shown})
        elif kind == "read":
            arguments = json.dumps({"docid": what[0]})
            shown = what[1] if len(what) > 1 else f"Document {what[0]}:\nText."
            result.append({"type": "tool_call", "tool_name": "visit", "arguments": arguments, "output": shown})
        else:
            result.append({"type": "output_text", "tool_name": None, "arguments": None, "output": what[0]})
    metadata = {"model": "models/Some-Agent-30B", "searcher_type": "bm25"}
    record = {"metadata": metadata, "query_id": file.stem, "status": status, "result": result}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(record))
    return file

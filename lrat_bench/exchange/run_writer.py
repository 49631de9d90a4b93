"""Trajectories as run files of LRAT and BrowseComp-Plus: the inverse of `run_json`.

What these formats have no place for is left out: turns, notices, times, costs. What a client of theirs would not have
recorded stands in keys of its own, and only where it is needed, so that reading a file back gives the same steps:
`returned` and `hidden`, as ITER has them, where the order shown was not the retriever's or a hit was not shown, and
`errors`, an entry for each query or document, where the output cannot say what became of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Literal

from lrat_bench.exchange.record import calls_of, docids_of
from lrat_bench.exchange.results import NOT_FOUND
from lrat_bench.exchange.run_json import steps_of
from lrat_bench.trajectory import Answer, Browse, Hit, Search, Step, Think, Trajectory

__all__ = ["Look", "RunStyle", "run_record"]

RunStyle = Literal["lrat", "browsecomp-plus"]
"""Whose form: text with `DocID:` blocks, or JSON."""

Look = Callable[[str, bool], tuple[str, str] | None]
"""(docid, whether all of it) → title and text as an agent was shown them; None where the corpus is not at hand."""

_STATUSES = {
    "answered": "completed",
    "no_answer": "completed",
    "forced": "generate an answer as token limit reached",
    "turn_limit": "exceed available llm calls",
    "token_limit": "max_tokens",
    "error": "",
}
"""Ours → their words; others of ours stand for themselves."""


def run_record(
    trajectory: Trajectory, style: RunStyle, *, agent: str, retriever: str, look: Look = lambda *_: None
) -> dict[str, Any]:
    """A trajectory as the JSON object of a run file; counts and docids are those of its steps.

    Args:
        trajectory: what happened.
        style: whose form.
        agent: name of the model.
        retriever: name of the retriever.
        look: finds titles and texts of documents, which trajectories do not hold; without, results are ids alone.
    """
    searches, browses = calls_of(trajectory, failed=False)
    searched, read = docids_of(trajectory)
    counts = {name: many for name, many in (("search", searches), ("get_document", browses)) if many}
    # LRAT's clients count documents read as retrieved, BrowseComp-Plus's do not.
    retrieved = searched | read if style == "lrat" else searched
    usage = trajectory.usage
    return {
        "metadata": {"model": agent, ("searcher_type" if style == "lrat" else "retriever"): retriever},
        "query_id": trajectory.question_id,
        "tool_call_counts": counts,
        **({"tool_call_counts_all": counts} if style == "lrat" else {}),
        "usage": {
            "input_tokens": usage.prompt_tokens,
            "input_tokens_cached": None,
            "output_tokens": usage.completion_tokens,
            "included_reasoning_tokens": usage.reasoning_tokens,
            "total_tokens": None
            if usage.prompt_tokens is None or usage.completion_tokens is None
            else usage.prompt_tokens + usage.completion_tokens,
        },
        **_ending(trajectory, style),
        "retrieved_docids": sorted(retrieved),
        "result": list(_result(trajectory, style, look)),
    }


def _ending(trajectory: Trajectory, style: RunStyle) -> dict[str, str]:
    """The status; none where it is not known, as in files of LRAT's client for OpenAI.

    BrowseComp-Plus's evaluator stops at a file without one, so there it is left out only of an answer, which may be
    finished or not: what has none is wrong however it ended.
    """
    if trajectory.status is not None:
        return {"status": _STATUSES.get(trajectory.status, trajectory.status)}
    return {"status": "incomplete"} if style == "browsecomp-plus" and not trajectory.answer else {}


def _result(trajectory: Trajectory, style: RunStyle, look: Look) -> Iterator[dict[str, Any]]:
    answered = False
    for _, group in groupby(trajectory.steps, _together):
        steps = list(group)
        first = steps[0]
        if isinstance(first, Search):
            yield _search([step for step in steps if isinstance(step, Search)], style, look)
        elif isinstance(first, Browse):
            yield _browse([step for step in steps if isinstance(step, Browse)], style, look)
        elif isinstance(first, Think):
            yield _entry("reasoning", _thought(first))
        elif isinstance(first, Answer):
            answered = True
            yield _entry("output_text", first.text)
    if not answered and (trajectory.answer or "").strip():
        yield _entry("output_text", trajectory.answer)


def _together(step: Step) -> tuple[object, ...]:
    """Entries of one call are one step; everything else is one of its own."""
    if isinstance(step, Search | Browse):
        return (step.kind, step.turn, step.call)
    return (id(step),)


def _entry(kind: str, output: Any) -> dict[str, Any]:
    return {"type": kind, "tool_name": None, "arguments": None, "output": output}


def _thought(thought: Think) -> Any:
    if thought.source in ("hidden", "none") and not thought.text:
        return []
    return [{"type": "summary_text", "text": thought.text}] if thought.source == "summary" else thought.text


def _search(steps: Sequence[Search], style: RunStyle, look: Look) -> dict[str, Any]:
    """One call, in the form of the style if it reads back the same, else with what it takes."""
    queries = [step.query for step in steps]
    plain = _call("search", {"query": queries[0] if len(queries) == 1 else queries}, None)
    native = {**plain, "output": _text(steps, look) if style == "lrat" else _json(steps, look)}
    exact = {**plain, "output": _json(steps, look)}
    errors = {"errors": [step.error for step in steps]}
    orders: dict[str, Any] = {
        "returned": [[hit.docid for hit in _ranked(step)] for step in steps],
        "hidden": [[hit.docid for hit in _ranked(step) if not hit.shown] for step in steps],
    }
    if len(steps) == 1:
        orders = {key: lists[0] for key, lists in orders.items()}
    attempts = (native, native | errors, native | orders, native | orders | errors, exact | errors)
    return next((entry for entry in attempts if _reads_as(entry, steps)), exact | orders | errors)


def _browse(steps: Sequence[Browse], style: RunStyle, look: Look) -> dict[str, Any]:
    docids = [step.docid for step in steps]
    plain = _call("get_document", {"docid": docids[0] if len(docids) == 1 else docids}, None)
    if len(steps) > 1:
        native = {**plain, "output": _dumped([_document(step, look) for step in steps])}
    elif style == "browsecomp-plus":
        native = {**plain, "output": _dumped(_document(steps[0], look))}
    else:
        shown = look(docids[0], True)
        text = f"Document {docids[0]}:\n{'' if shown is None else shown[1]}"
        native = {**plain, "output": text if steps[0].found else "[Document not found]"}
    errors = {"errors": [step.error or (None if step.found else NOT_FOUND) for step in steps]}
    return native if _reads_as(native, steps) else native | errors


def _call(name: str, arguments: dict[str, Any], output: Any) -> dict[str, Any]:
    return {
        "type": "tool_call",
        "tool_name": name,
        "arguments": json.dumps(arguments, ensure_ascii=False),
        "output": output,
    }


def _reads_as(entry: dict[str, Any], steps: Sequence[Search | Browse]) -> bool:
    own = [step.model_copy(update={"turn": None, "call": 0, "duplicate_of": None, "seconds": 0.0}) for step in steps]
    return steps_of([entry]) == own


def _text(steps: Sequence[Search], look: Look) -> str | None:
    """LRAT's lists: a headline for each query that was carried out, and a block for each document."""
    if all(step.error is not None and not step.hits for step in steps):
        return None
    sections = []
    for step in steps if _beyond_the_first(steps) else steps[:1]:
        shown = [hit for hit in step.hits if hit.shown]
        blocks = [_block(hit, look) for hit in shown]
        headline = f"A search for '{step.query}' found {len(shown)} results:\n\n## Web Results"
        sections.append("\n".join([headline, "\n\n".join(blocks)]))
    return "\n\n".join(sections)


def _block(hit: Hit, look: Look) -> str:
    found = look(hit.docid, False)
    return f"DocID:{hit.docid}" if found is None else f"DocID:{hit.docid}\n[{found[0]}]\n{found[1]}"


def _json(steps: Sequence[Search], look: Look) -> str | None:
    """BrowseComp-Plus's list; of several queries that were carried out, a list for each."""
    if all(step.error is not None and not step.hits for step in steps):
        return None
    lists = [[_object(hit, look) for hit in step.hits if hit.shown] for step in steps]
    return _dumped(lists if _beyond_the_first(steps) else lists[0])


def _object(hit: Hit, look: Look) -> dict[str, Any]:
    found = look(hit.docid, False)
    score = {} if hit.score is None else {"score": hit.score}
    return {"docid": hit.docid, **score, **({} if found is None else {"snippet": found[1]})}


def _document(step: Browse, look: Look) -> dict[str, Any]:
    if not step.found:
        return {"error": f"Document with docid '{step.docid}' not found"}
    found = look(step.docid, True)
    return {"docid": step.docid, **({} if found is None else {"text": found[1]})}


def _beyond_the_first(steps: Sequence[Search]) -> bool:
    """Whether more than the first query of a call was carried out."""
    return any(step.error is None or step.hits for step in steps[1:])


def _ranked(step: Search) -> list[Hit]:
    return sorted(step.hits, key=lambda hit: hit.rank)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)

"""One trajectory, as the page shows it: turn by turn, with what the task and the judges say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lrat_bench.report import numbers
from lrat_bench.score.verdict import Verdict
from lrat_bench.trajectory import Answer, Browse, Notice, Search, Step, Think, Trajectory, TurnRecord, Usage
from lrat_bench.viewer.material import Material
from lrat_bench.viewer.opened import Key, OpenedRun

__all__ = ["conversation"]

_HIDDEN = {"hidden": "withheld by the provider", "summary": "a summary", "none": "none given"}


def conversation(run: OpenedRun, key: Key, material: Material, shelves: Mapping[str, int]) -> dict[str, Any]:
    """The value that the page draws one trajectory from; `assets/conversation.js` is its reader.

    Args:
        run: whose.
        key: which.
        material: the task, where it is at hand.
        shelves: docid → number of the shard that its text lies in.

    Raises:
        DataError: the run was written anew since it was opened.
    """
    trajectory = run.trajectories.read(key)
    question = material.question(key[0])
    evidence, gold = material.relevant(key[0])
    named = dict.fromkeys((*_docids(trajectory), *(evidence or ()), *(gold or ())))
    return {
        "qid": key[0],
        "repeat": key[1],
        "question": None if question is None else question.text,
        "answers": None if question is None else list(question.answers),
        "evidence": evidence,
        "gold": gold,
        "outcome": run.rows[key].outcome,
        "status": run.rows[key].status,
        "answer": trajectory.answer,
        "error": trajectory.error,
        "verdicts": [_verdict(one, run) for one in _verdicts(run, trajectory, material)],
        "usage": _usage(trajectory),
        "turns": list(_turns(trajectory)),
        "documents": [[docid, material.title(docid), shelves.get(docid)] for docid in named],
    }


def _docids(trajectory: Trajectory) -> Iterator[str]:
    for step in trajectory.steps:
        if isinstance(step, Search):
            yield from (hit.docid for hit in step.hits)
        elif isinstance(step, Browse):
            yield step.docid


def _verdicts(run: OpenedRun, trajectory: Trajectory, material: Material) -> list[Verdict]:
    """What judges said of this very trajectory; the one that counts first."""
    kept = run.judged.get(trajectory.key, ())
    if not kept:
        return []
    question, now = material.question(trajectory.question_id), trajectory.hash
    found = [run.verdicts.read(name) for name in kept if name[2] == now]
    current = [one for one in found if question is None or one.accepts == question.accepts]
    return sorted(current, key=lambda one: one.judge != run.judge)


def _verdict(verdict: Verdict, run: OpenedRun) -> dict[str, Any]:
    return {
        "judge": verdict.judge_name,
        "counts": verdict.judge == run.judge,
        "outcome": verdict.outcome,
        "extracted": verdict.extracted_answer,
        "confidence": None if verdict.confidence is None else numbers.rate(verdict.confidence, 1),
        "reply": verdict.reply,
        "error": verdict.error,
    }


def _usage(trajectory: Trajectory) -> list[tuple[str, str]]:
    """Label and figure of what it took."""
    used = trajectory.usage
    figures = [
        ("turns", numbers.count(len(trajectory.turns)) if trajectory.turns else numbers.NULL),
        ("model calls", numbers.count(used.llm_calls or None)),
        ("prompt tokens", numbers.count(used.prompt_tokens)),
        ("completion tokens", numbers.count(used.completion_tokens)),
        ("reasoning tokens", numbers.count(used.reasoning_tokens)),
        ("cost", numbers.usd(used.cost_usd)),
        ("time", numbers.duration(trajectory.seconds or None)),
        ("attempts", numbers.count(trajectory.attempts) if trajectory.attempts > 1 else numbers.NULL),
    ]
    return [(label, figure) for label, figure in figures if figure != numbers.NULL]


def _turns(trajectory: Trajectory) -> Iterator[dict[str, Any]]:
    """The turns in order: those of the steps, and completions that left none."""
    records = {record.turn: record for record in trajectory.turns}
    for group in _blocks(trajectory.steps):
        number = group[0][1].turn
        if number is not None:
            earlier = [turn for turn in records if turn < number]
            yield from (_turn(turn, records.pop(turn), []) for turn in sorted(earlier))
        steps = [_step(step, at, trajectory) for at, step in group]
        yield _turn(number, records.pop(number, None) if number is not None else None, steps)
    yield from (_turn(turn, records[turn], []) for turn in sorted(records))


def _blocks(steps: Sequence[Step]) -> Iterator[list[tuple[int, Step]]]:
    """Steps with their places, those of one turn together; where turns cannot be seen, what follows a thought."""
    block: list[tuple[int, Step]] = []
    for at, step in enumerate(steps):
        before = block[-1][1] if block else None
        if before is not None and (before.turn != step.turn or (step.turn is None and _begins(step, before))):
            yield block
            block = []
        block.append((at, step))
    if block:
        yield block


def _begins(step: Step, before: Step) -> bool:
    if isinstance(step, Think):
        return not isinstance(before, Think)
    return isinstance(step, Search | Browse) and isinstance(before, Search | Browse) and step.call != before.call


def _turn(number: int | None, record: TurnRecord | None, steps: list[dict[str, Any]]) -> dict[str, Any]:
    if record is not None and record.text:
        # What is said beside calls stands before them; reasoning stands before it.
        thoughts = sum(step["kind"] == "think" for step in steps)
        steps = [*steps[:thoughts], {"kind": "text", "text": record.text}, *steps[thoughts:]]
    return {"turn": None if number is None else number + 1, "facts": _facts(record), "steps": steps}


def _facts(record: TurnRecord | None) -> list[str]:
    if record is None:
        return []
    used: Usage = record.usage
    facts = [] if used.completion_tokens is None else [f"{numbers.count(used.completion_tokens)} tokens"]
    facts += [numbers.duration(record.seconds)] if record.seconds >= 0.1 else []
    facts += [f"ended by {record.finish_reason}"] if record.finish_reason not in (None, "stop", "tool_calls") else []
    facts += [f"{numbers.count(record.repaired)} calls mended"] if record.repaired else []
    facts += [f"{numbers.count(record.removed)} results removed to fit the context"] if record.removed else []
    facts += [f"{numbers.count(record.attempts)} attempts"] if record.attempts > 1 else []
    return facts


def _step(step: Step, at: int, trajectory: Trajectory) -> dict[str, Any]:
    match step:
        case Think():
            note = " · ".join(filter(None, (_HIDDEN.get(step.source), "cut off" if step.censored else None)))
            return {"kind": "think", "text": step.text, "note": note or None}
        case Search():
            hits = [[hit.docid, hit.rank, numbers.mean(hit.score), hit.shown] for hit in step.hits]
            asked = {"kind": "search", "at": at, "query": step.query, "hits": hits, "error": step.error}
            return {**asked, "again": _again(step, trajectory)}
        case Browse():
            asked = {"kind": "browse", "at": at, "docid": step.docid, "found": step.found, "error": step.error}
            return {**asked, "again": _again(step, trajectory)}
        case Notice():
            return {"kind": "notice", "text": step.text}
        case Answer():
            return {"kind": "answer", "at": at, "text": step.text}


def _again(step: Search | Browse, trajectory: Trajectory) -> str | None:
    """Where the same was asked before."""
    if step.duplicate_of is None:
        return None
    earlier = trajectory.steps[step.duplicate_of] if 0 <= step.duplicate_of < len(trajectory.steps) else None
    turn = None if earlier is None else earlier.turn
    return "as before" if turn is None else f"as in turn {turn + 1}"

"""What a published figure takes: commands, calls, memory, hours and cost, by arithmetic from what is known.

Nothing is guessed: what neither the paper nor the user says is None, and every number stands beside what it assumes.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from lrat_bench.agent.catalog import find_backbone
from lrat_bench.published.figure import Figure, Kind
from lrat_bench.published.library import PublishedRow, card_of, judges, protocol_of
from lrat_bench.score.judges.presets import presets
from lrat_bench.task.catalog import takes

__all__ = ["Needs", "needs_of"]

_BYTES = 2  # of a parameter in bfloat16
_STEPS = ("steps", "searches")


@dataclass(frozen=True, slots=True)
class Needs:
    """What one run or retrieval of a row takes.

    Attributes:
        task: with its protocol.
        by: what is to be made.
        commands: to type, in order; what stands in capitals is yours to fill in, RUN the folder that a run prints.
        fetching: what preparing the task takes, for people; None where it is made here.
        figures: ids of the figures that it answers.
        questions: how many are asked; None where the paper does not say.
        completions: of the agent; None where its steps are unknown.
        judge: who grades; None where nobody does.
        judgements: of the judge at most.
        agent_gb: weights of the agent, 10⁹ bytes; None where it is hosted, or its size unknown.
        judge_gb: the same of the judge.
        encoded_tokens: of the corpus at most, where it is encoded; None for a retriever that encodes nothing.
        hours: of the agent's completions; None unless the calls per second are given.
        cost_usd: as the paper has it; None where it does not say.
        assumptions: what the numbers rest on, a sentence each.
    """

    task: str
    by: Kind
    commands: tuple[str, ...]
    fetching: str | None
    figures: tuple[str, ...]
    questions: int | None
    completions: int | None
    judge: str | None
    judgements: int | None
    agent_gb: float | None
    judge_gb: float | None
    encoded_tokens: int | None
    hours: float | None
    cost_usd: float | None
    assumptions: tuple[str, ...]


def needs_of(row: PublishedRow, *, table: str, calls_per_second: float | None = None) -> list[Needs]:
    """What the figures of a row take, one entry for each run or retrieval.

    Args:
        row: the figures.
        table: name of their table, for the last command.
        calls_per_second: completions that the agent's endpoint gives, all together.
    """
    groups: dict[tuple[str, str, Kind], list[Figure]] = {}
    for figure in row.figures:
        column = figure.measures
        groups.setdefault((column.task, column.protocol, column.by), []).append(figure)
    return [_needs(row, figures, table, calls_per_second) for figures in groups.values()]


def _needs(row: PublishedRow, figures: Sequence[Figure], table: str, calls_per_second: float | None) -> Needs:
    first = figures[0]
    column = first.measures
    is_run = column.by == "run"
    questions = max((figure.measures.n for figure in figures if figure.measures.n is not None), default=None)
    steps = next((figure.value for figure in figures if figure.measures.metric in _STEPS), None)
    completions = round(questions * (steps + 1)) if is_run and questions is not None and steps is not None else None
    judge = first.judge if is_run and any(figure.measures.judged for figure in figures) else None
    judging = None if judge is None else judges().get(judge)
    agent_gb = None if row.agent is None or row.agent.billions is None else _BYTES * row.agent.billions
    judge_gb = None if judging is None or judging.billions is None else _BYTES * judging.billions
    tokens = _encoded_tokens(first)
    hours = None if completions is None or not calls_per_second else completions / calls_per_second / 3600
    assumptions = [
        *(
            ["calls: one of the agent for each published step, and one for the answer"]
            if completions is not None
            else []
        ),
        *([f"hours: {calls_per_second:g} calls a second, as you say"] if hours is not None else []),
        *(
            ["GB: 2 bytes a parameter (less where the checkpoint is quantised), without caches"]
            if agent_gb or judge_gb
            else []
        ),
        *(["encoded: tokens of the corpus, every document as long as is encoded of one"] if tokens is not None else []),
        *(["cost: the paper's own, at the prices of its time"] if row.cost_usd is not None else []),
    ]
    return Needs(
        task=f"{column.task}@{column.protocol}",
        by=column.by,
        commands=_commands(row, first, table, asks_judge=judge is not None),
        fetching=None if (hub := card_of(column.task).hub) is None else takes(hub),
        figures=tuple(figure.id for figure in figures),
        questions=questions,
        completions=completions,
        judge=judge,
        judgements=None if judge is None else questions,
        agent_gb=agent_gb,
        judge_gb=judge_gb,
        encoded_tokens=tokens,
        hours=hours,
        cost_usd=row.cost_usd,
        assumptions=tuple(assumptions),
    )


def _encoded_tokens(figure: Figure) -> int | None:
    """Tokens of the corpus that a dense retriever encodes at most; None where it does not encode, or nobody can say."""
    expected = card_of(figure.measures.task).expected
    documents, length = expected.documents or expected.documents_at_least, protocol_of(figure).rollout.passage_tokens
    if figure.retriever.billions is None or documents is None or length is None:
        return None
    return documents * length


def _commands(row: PublishedRow, figure: Figure, table: str, *, asks_judge: bool) -> tuple[str, ...]:
    column = figure.measures
    card = card_of(column.task)
    asked = [
        word for key, value in card.settings.items() if value == "" for word in ("--set", f"task.{key}={key.upper()}")
    ]
    fetch = [] if card.hub is None else [shlex.join(["lrat-bench", "tasks", "prepare", card.name, *asked])]
    retriever = row.retriever.name or "dense:MODEL"
    words = ["--task", f"{column.task}@{column.protocol}", *asked]
    if column.by == "retrieval":
        words = ["lrat-bench", "retrieve", *words, "--retriever", retriever]
        return (
            *fetch,
            *row.retriever.prepare,
            shlex.join([*words, *_settings(row)]),
            f"lrat-bench reproduce {table} RETRIEVAL",
        )
    assert row.agent is not None
    backbone = None if row.agent.name is None else find_backbone(row.agent.name)
    judge = presets().get(figure.judge)
    served = {} if backbone is None else backbone.serving
    words = ["lrat-bench", "run", *words, "--agent", row.agent.name or "FILE.yaml", "--retriever", retriever]
    if asks_judge and figure.judge != protocol_of(figure).scoring.judge:
        words += ["--judge", figure.judge]
    words += _settings(row)
    if served:
        words += ["--set", "agent.api_base=http://localhost:8000/v1"]
    if judge is not None and judge.serving and asks_judge:
        words += ["--set", "judge.api_base=http://localhost:8001/v1"]
    serving = [*([f"{served['vllm']} --port 8000"] if "vllm" in served else [])]
    if judge is not None and judge.serving and asks_judge:
        serving.append(f"{judge.serving} --port 8001")
    return (*fetch, *row.retriever.prepare, *serving, shlex.join(words), f"lrat-bench reproduce {table} RUN")


def _settings(row: PublishedRow) -> list[str]:
    return [
        word
        for key, value in row.retriever.settings.items()
        for word in ("--set", f"retriever.{key}={json.dumps(value, ensure_ascii=False)}")
    ]

"""What the first page says: what was run, how it went, and a line for every question and repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, get_args

from lrat_bench.report import numbers
from lrat_bench.report.measures import name_of
from lrat_bench.score.rows import Outcome, Row
from lrat_bench.score.score import Scores
from lrat_bench.viewer.material import Material
from lrat_bench.viewer.opened import Key, OpenedRun

__all__ = ["card", "entry", "keys_of"]

_WORDING = 1000
"""Characters of a question that the list holds, and that are searched; the question's own page holds all of it."""

_HEADLINES = ("success_rate", "evidence_recall", "gold_recall", "steps", "completion_tokens", "cost_usd")
"""Metrics; what a run has none of is left out."""


def keys_of(runs: Sequence[OpenedRun]) -> list[Key]:
    """The keys of all runs, in the order of the first that has them."""
    return list(dict.fromkeys(key for run in runs for key in run.rows))


def card(run: OpenedRun) -> dict[str, Any]:
    """What is said of a run: its parts, its metrics, its outcomes."""
    manifest = run.manifest
    rollout, scoring = manifest.protocol.rollout, manifest.protocol.scoring
    counted = Counter(row.outcome for row in run.rows.values())
    facts = {
        "task": f"{manifest.task['name']} ({numbers.count(manifest.task['documents'])} documents)",
        "split": f"{manifest.split} ({manifest.split_role})",
        "protocol": f"{manifest.protocol.name}: k {rollout.k}, {rollout.snippet_tokens}-token snippets "
        f"({rollout.snippet_tokenizer}), at most {rollout.max_turns} turns",
        "judge": scoring.judge if run.scores is None else run.scores.judge_name or scoring.judge,
        "agent": str(manifest.agent["name"]),
        "retriever": str(manifest.retriever["name"]),
        "seed": str(manifest.seed),
        "folder": run.name,
    }
    return {
        "letter": run.letter,
        "agent": facts["agent"],
        "retriever": facts["retriever"],
        "facts": list(facts.items()),
        "metrics": [] if run.scores is None else _headlines(run.scores),
        "outcomes": {outcome: counted[outcome] for outcome in get_args(Outcome)},
        "asked": len(manifest.questions) * manifest.repeats,
        "scored": run.scores is not None,
    }


def entry(key: Key, runs: Sequence[OpenedRun], shards: Sequence[dict[Key, int]], material: Material) -> dict[str, Any]:
    """One line of the list, as `assets/list.js` reads it.

    Args:
        key: of the line.
        runs: one column or more each.
        shards: of each run, key → number of the shard that its trajectory lies in.
        material: the task, where it is at hand.
    """
    question = material.question(key[0])
    wording = None if question is None else question.text
    if wording is not None and len(wording) > _WORDING:
        wording = f"{wording[:_WORDING]}…"
    cells = [
        None if (row := run.rows.get(key)) is None else _cell(row, of_run.get(key))
        for run, of_run in zip(runs, shards, strict=True)
    ]
    return {"qid": key[0], "repeat": key[1], "text": wording, "cells": cells}


def _cell(row: Row, shard: int | None) -> list[Any]:
    """[outcome, status, steps, evidence recall, the same for people, shard of the trajectory]."""
    steps, recall = row.values.get("steps"), row.values.get("evidence_recall")
    shown = [None if steps is None else int(steps), recall, None if recall is None else numbers.rate(recall, 1)]
    return [row.outcome, row.status, *shown, shard]


def _headlines(scores: Scores) -> list[list[str]]:
    """[label, value, interval, n] of each metric that the run supports."""
    by_name = {metric.name: metric for metric in scores.metrics}
    found = []
    for name in _HEADLINES:
        metric = by_name.get(name)
        if metric is None or metric.value is None or not metric.n:
            continue
        value, interval = numbers.value(metric), numbers.interval(metric)
        if name == "success_rate" and scores.success_bound is not None:
            value, interval = f"{value}–{numbers.rate(scores.success_bound, metric.n)}", "unresolved"
        found.append([name_of(name), value, "" if interval == numbers.NULL else interval, numbers.count(metric.n)])
    return found

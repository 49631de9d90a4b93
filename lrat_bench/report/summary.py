"""One run on one screen: what was run, what came out, what is still owed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lrat_bench.report import numbers
from lrat_bench.report.fitting import FittingTable, metrics_table
from lrat_bench.report.measures import name_of
from lrat_bench.report.text import printable
from lrat_bench.runs.manifest import Manifest
from lrat_bench.runs.run import Run
from lrat_bench.score.score import Scores

__all__ = ["summary", "to_json"]

_REASONS = 3
_REASON = 200
"""How many reasons of failure are shown, and how many characters of each."""

_ROWS = {
    "success_rate": "",
    "evidence_recall": ", searched or browsed",
    "evidence_recall_searched": "",
    "hit_rate": ", any evidence",
    "gold_recall": "",
    "first_query_ndcg@10": "",
    "steps": "",
    "searches": "",
    "browses": "",
    "turns": "",
    "completion_tokens": "",
    "cost_usd": "",
    "judge_cost_usd": "",
    "seconds": "",
}
"""Metric → what is added to its name; the rest is in metrics.json."""
_WITHIN = ("searches", "browses")
"""Parts of the metric above them."""


def summary(run: Run, manifest: Manifest, scores: Scores) -> RenderableType:
    """What `run` and `score` print: a frame with the run's parts, its metrics and how its questions ended."""
    path = run.path
    frame = Panel(
        Group(_parts(manifest, path), Text(), _metrics(scores), Text(), _endings(run, scores)),
        title=Text.assemble((printable(manifest.task["name"]), "bold"), f" · {printable(manifest.split)}"),
        title_align="left",
        expand=False,
        padding=(1, 2),
    )
    return Group(frame, _owed(run, scores)) if scores.unresolved else frame


def to_json(path: Path, manifest: Manifest, scores: Scores) -> dict[str, Any]:
    """The same for machines: the folder, the manifest, the scores."""
    return {
        "run": str(path),
        "manifest": manifest.to_dict(),
        "scores": scores.model_dump(mode="json", by_alias=True),
    }


def _parts(manifest: Manifest, path: Path) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    documents = numbers.count(manifest.task["documents"])
    domain = f", {manifest.task['domain']}" if manifest.task["domain"] else ""
    rollout = manifest.protocol.rollout
    repeats = f" × {manifest.repeats} repeats" if manifest.repeats > 1 else ""
    rows = {
        "task": f"{manifest.task['name']} ({documents} documents{domain})",
        "protocol": f"{manifest.protocol.name} (k {rollout.k}, {rollout.snippet_tokens}-token snippets, "
        f"{rollout.max_turns} turns, judge {_judge(manifest)})",
        "agent": str(manifest.agent["name"]),
        "retriever": str(manifest.retriever["name"]),
        "questions": f"{numbers.count(len(manifest.questions))}{repeats}, seed {manifest.seed}",
    }
    rows["run"] = str(path)
    for name, value in rows.items():
        table.add_row(name, Text(printable(value), overflow="fold"))
    return table


def _metrics(scores: Scores) -> FittingTable:
    table = metrics_table()
    known = {metric.name for metric in scores.metrics}
    for name, addition in _ROWS.items():
        if name not in known:
            continue
        metric = scores.metric(name)
        if metric.n == 0 and name in ("cost_usd", "completion_tokens"):
            continue
        if name == "judge_cost_usd" and not metric.value:
            continue
        bold = "bold" if name in ("success_rate", "evidence_recall", "steps") else ""
        style = bold if metric.n else "dim"
        value, interval = numbers.value(metric), numbers.interval(metric)
        if name == "success_rate" and scores.success_bound is not None:
            # What is not known yet may be anything; an interval around part of it would say otherwise.
            value, interval = f"{value}–{numbers.rate(scores.success_bound, metric.n)}", ""
        label = f"{'  ' if name in _WITHIN else ''}{name_of(name)}{addition}"
        table.row(Text(label, style=style), Text(value, style=style), interval, numbers.count(metric.n))
    return table


def _judge(manifest: Manifest) -> str:
    scoring = manifest.protocol.scoring
    rubric = "" if scoring.rubric is None else f", rubric {scoring.rubric if len(scoring.rubric) < 40 else 'custom'}"
    return f"{scoring.judge}{rubric}"


def _endings(run: Run, scores: Scores) -> Text:
    said = ", ".join(f"{numbers.count(many)} {outcome}" for outcome, many in scores.outcomes.items() if many)
    ended = ", ".join(f"{numbers.count(many)} {status}" for status, many in scores.statuses.items())
    spent = run.folder.spent
    paid = f"\n{numbers.usd(spent)} spent in all" if spent else ""
    return Text(f"{said}  ({ended}){paid}", style="dim")


def _owed(run: Run, scores: Scores) -> Text:
    correct = numbers.rate(scores.outcomes["correct"] / scores.n, scores.n)
    bound = numbers.rate(scores.success_bound, scores.n)
    state = f"{numbers.count(scores.unresolved)} of {numbers.count(scores.n)} unresolved"
    imported = "import" in run.manifest.settings
    mend = _mend_of_import(run, scores) if imported else "Give the same command again to complete the run."
    lines = [f"{state}: success is between {correct} and {bound}. {mend}"]
    lines += [f"  {many} × {printable(reason)[:_REASON]}" for reason, many in run.failures.most_common(_REASONS)]
    lines += [] if imported else [f"  more in {printable(run.path / 'logs')}"]
    return Text("\n".join(lines), style="yellow")


def _mend_of_import(run: Run, scores: Scores) -> str:
    """What completes a run that others made: no command of ours asks its agent again."""
    mend = []
    if errored := scores.outcomes["errored"]:
        missing = f"Of {numbers.count(errored)} there is no record, or one of a failure"
        mend.append(f"{missing}: import the missing records, with the others, into a new folder.")
    if scores.outcomes["ungraded"]:
        mend.append(f"`lrat-bench score {printable(run.path)}` asks the judge again.")
    return " ".join(mend)

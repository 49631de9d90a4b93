"""Benchmark harness for search agents over retrievers.

    import lrat_bench

    run = lrat_bench.run(task="synth-wiki", agent="heuristic", retriever="bm25")
    run.metrics.metric("success_rate").value
    run.to_dataframe()

Names are loaded on use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrat_bench.agent.agent import Agent
    from lrat_bench.agent.function_tools import Tools
    from lrat_bench.api import (
        analyze,
        bless,
        check,
        compare_runs,
        export_run,
        flywheel,
        import_runs,
        load_retriever,
        load_run,
        load_task,
        mine,
        plan_sweep,
        report_frame,
        report_of,
        report_text,
        reproduce,
        rescore,
        retrieve,
        run,
        run_sweep,
        train,
        view_runs,
    )
    from lrat_bench.model.seam import Message, Model, Request, Sampling, Tool, ToolCall, Turn
    from lrat_bench.retriever.base import BuildContext, Ranked, Retriever, SearchContext
    from lrat_bench.runs.run import Run
    from lrat_bench.score.judges.base import Judge, Judgement
    from lrat_bench.task.protocol import Protocol, Scoring
    from lrat_bench.task.task import Task
    from lrat_bench.trajectory import Trajectory

__all__ = [
    "Agent",
    "BuildContext",
    "Judge",
    "Judgement",
    "Message",
    "Model",
    "Protocol",
    "Ranked",
    "Request",
    "Retriever",
    "Run",
    "Sampling",
    "Scoring",
    "SearchContext",
    "Task",
    "Tool",
    "ToolCall",
    "Tools",
    "Trajectory",
    "Turn",
    "analyze",
    "bless",
    "check",
    "compare_runs",
    "export_run",
    "flywheel",
    "import_runs",
    "load_retriever",
    "load_run",
    "load_task",
    "mine",
    "plan_sweep",
    "report_frame",
    "report_of",
    "report_text",
    "reproduce",
    "rescore",
    "retrieve",
    "run",
    "run_sweep",
    "train",
    "view_runs",
]

_HOMES = {
    "lrat_bench.agent.agent": ("Agent",),
    "lrat_bench.agent.function_tools": ("Tools",),
    "lrat_bench.api": (
        "analyze",
        "bless",
        "check",
        "compare_runs",
        "export_run",
        "flywheel",
        "import_runs",
        "load_retriever",
        "load_run",
        "load_task",
        "mine",
        "plan_sweep",
        "report_frame",
        "report_of",
        "report_text",
        "reproduce",
        "rescore",
        "retrieve",
        "run",
        "run_sweep",
        "train",
        "view_runs",
    ),
    "lrat_bench.model.seam": ("Message", "Model", "Request", "Sampling", "Tool", "ToolCall", "Turn"),
    "lrat_bench.retriever.base": ("BuildContext", "Ranked", "Retriever", "SearchContext"),
    "lrat_bench.runs.run": ("Run",),
    "lrat_bench.score.judges.base": ("Judge", "Judgement"),
    "lrat_bench.task.protocol": ("Protocol", "Scoring"),
    "lrat_bench.task.task": ("Task",),
    "lrat_bench.trajectory": ("Trajectory",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

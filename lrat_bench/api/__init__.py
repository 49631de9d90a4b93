"""The same verbs as the command line, for Python: names and defaults are those of its flags."""

from __future__ import annotations

from lrat_bench.api.compare import compare_runs
from lrat_bench.api.exchange import export_run, import_runs
from lrat_bench.api.figures import reproduce
from lrat_bench.api.gate import bless, check
from lrat_bench.api.lrat import analyze, mine, retrieve, train
from lrat_bench.api.parts import DEFAULTS, access, close, load_retriever, load_task
from lrat_bench.api.report import report_frame, report_of, report_text
from lrat_bench.api.runs import compare_judges, load_run, rescore, run
from lrat_bench.api.sweep import plan_sweep, run_sweep
from lrat_bench.api.view import view_runs
from lrat_bench.api.wheel import flywheel

__all__ = [
    "DEFAULTS",
    "access",
    "analyze",
    "bless",
    "check",
    "close",
    "compare_judges",
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

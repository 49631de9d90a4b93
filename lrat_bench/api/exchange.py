"""Import and export from Python."""

from __future__ import annotations

from lrat_bench.exchange.exporting import ExportReport, export_run
from lrat_bench.exchange.importing import import_records as import_runs
from lrat_bench.exchange.intake import ImportReport

__all__ = ["ExportReport", "ImportReport", "export_run", "import_runs"]

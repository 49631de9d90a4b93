"""JSON Schemas of the records on disk, generated from their models: `python -m lrat_bench.report.schemas FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lrat_bench.compare.record import Comparison
from lrat_bench.files import write_json
from lrat_bench.gate.baseline import Baseline
from lrat_bench.gate.result import GateResult
from lrat_bench.lrat.analysis.analysis import Analysis
from lrat_bench.lrat.flywheel.settings import FlywheelSettings
from lrat_bench.lrat.flywheel.table import FlywheelTable
from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.pairs_manifest import PairsManifest
from lrat_bench.lrat.training.record import ModelRecord
from lrat_bench.report.reported import Report
from lrat_bench.runs.manifest import Manifest
from lrat_bench.runs.retrieval_folder import RetrievalManifest
from lrat_bench.score.measured import MeasuredLine
from lrat_bench.score.retrieval import RetrievalScores
from lrat_bench.score.rows import RowLine
from lrat_bench.score.score import Scores
from lrat_bench.score.verdict import Verdict
from lrat_bench.sweep.outcome import SweepRecord
from lrat_bench.trajectory import Trajectory

__all__ = ["RECORDS", "schema", "schema_of", "write_schemas"]

RECORDS: dict[str, type[BaseModel]] = {
    "trajectory": Trajectory,
    "verdict": Verdict,
    "metrics": Scores,
    "manifest": Manifest,
    "retrieval": RetrievalManifest,
    "retrieval-metrics": RetrievalScores,
    "per-query": MeasuredLine,
    "per-question": RowLine,
    "pair": Pair,
    "pairs": PairsManifest,
    "model": ModelRecord,
    "flywheel": FlywheelSettings,
    "flywheel-table": FlywheelTable,
    "analysis": Analysis,
    "comparison": Comparison,
    "baseline": Baseline,
    "gate": GateResult,
    "report": Report,
    "sweep": SweepRecord,
}
"""File name without its ending → model."""


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of one record, as it is written."""
    return schema_of(RECORDS[name])


def schema_of(record: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a record of this model, as it is written."""
    return record.model_json_schema(by_alias=True, mode="serialization")


def write_schemas(records: Mapping[str, type[BaseModel]], folder: Path) -> None:
    """Write a file for each record."""
    for name, record in records.items():
        write_json(folder / f"{name}.schema.json", schema_of(record))


if __name__ == "__main__":
    write_schemas(RECORDS, Path(sys.argv[1]))

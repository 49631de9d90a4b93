"""JSON Schemas of the leaderboard's records: `python -m lrat_bench.leaderboard.schemas FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lrat_bench.leaderboard.attestations import AttestationFile
from lrat_bench.leaderboard.board import Board
from lrat_bench.leaderboard.records import RankingRecord, RolloutRecord
from lrat_bench.leaderboard.submission import Submission
from lrat_bench.report.schemas import schema_of, write_schemas

__all__ = ["RECORDS", "schema"]

RECORDS: dict[str, type[BaseModel]] = {
    "submission": Submission,
    "submission-rollout": RolloutRecord,
    "submission-ranking": RankingRecord,
    "attestations": AttestationFile,
    "board": Board,
}
"""File name without its ending → model."""


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of one record, as it is written."""
    return schema_of(RECORDS[name])


if __name__ == "__main__":
    write_schemas(RECORDS, Path(sys.argv[1]))

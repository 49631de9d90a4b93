"""JSON Schemas of the leaderboard's records: `python -m lrat_bench.leaderboard.schemas FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lrat_bench.files import write_json
from lrat_bench.leaderboard.attestations import AttestationFile
from lrat_bench.leaderboard.board import Board
from lrat_bench.leaderboard.records import RankingRecord, RolloutRecord
from lrat_bench.leaderboard.submission import Submission

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
    return RECORDS[name].model_json_schema(by_alias=True, mode="serialization")


if __name__ == "__main__":
    for record in RECORDS:
        write_json(Path(sys.argv[1]) / f"{record}.schema.json", schema(record))

"""The schemas in docs/ are those of the leaderboard's records, and what is written fits them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from submissions import Newcomer

from lrat_bench.leaderboard.schemas import RECORDS, schema

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.mark.parametrize("name", RECORDS)
def test_no_schema_has_drifted(name: str) -> None:
    written = json.loads((FOLDER / f"{name}.schema.json").read_text())
    assert written == schema(name), "run `python -m lrat_bench.leaderboard.schemas docs/schemas`"


def test_what_is_written_fits(newcomer: Newcomer) -> None:
    jsonschema.validate(json.loads((newcomer.submission / "submission.json").read_bytes()), schema("submission"))
    jsonschema.validate(json.loads((newcomer.site / "board.json").read_bytes()), schema("board"))
    for line in (newcomer.submission / "records" / "synth-wiki.jsonl").read_text().splitlines()[:3]:
        jsonschema.validate(json.loads(line), schema("submission-rollout"))

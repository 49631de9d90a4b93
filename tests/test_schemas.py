"""The schemas in docs/ are those of the record models."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from lrat_bench.report.schemas import RECORDS, schema
from lrat_bench.trajectory import Answer, Browse, Hit, Notice, Search, Think, Trajectory, TurnRecord

FOLDER = Path(__file__).parent.parent / "docs" / "schemas"


@pytest.mark.parametrize("name", RECORDS)
def test_no_schema_has_drifted(name: str) -> None:
    written = json.loads((FOLDER / f"{name}.schema.json").read_text())
    assert written == schema(name), "run `make schemas`"


def test_a_trajectory_as_written_is_valid_and_comes_back_equal() -> None:
    record = Trajectory(
        task="t",
        protocol="p",
        question_id="q",
        agent="a",
        retriever="r",
        status="answered",
        answer="x",
        steps=(
            Think(turn=0, text="hm", tokens=2),
            Search(turn=0, call=0, query="q", hits=(Hit(docid="d", score=1.5, rank=1),), seconds=0.1),
            Browse(turn=1, call=0, docid="d", found=True),
            Notice(turn=1, text="n"),
            Answer(turn=2, text="x"),
        ),
        turns=(TurnRecord(turn=0),),
        seconds=2.0,
    )
    line = record.to_json()
    jsonschema.validate(json.loads(line), schema("trajectory"))
    assert Trajectory.model_validate_json(line) == record
    slower = record.model_copy(update={"seconds": 9.0, "attempts": 3})
    assert slower.hash == record.hash
    assert record.model_copy(update={"answer": "y"}).hash != record.hash

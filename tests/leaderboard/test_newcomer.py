"""The way of a newcomer, as leaderboard/README.md shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from submissions import README, Newcomer, commands

from lrat_bench.leaderboard.submission import Submission
from lrat_bench.leaderboard.tracks import Tracks
from lrat_bench.leaderboard.validate import validate
from lrat_bench.runs.run import Run


def test_five_commands_lead_onto_the_board(newcomer: Newcomer) -> None:
    assert len(commands(README)) == 5
    assert newcomer.codes == (0,) * 5
    board = json.loads((newcomer.site / "board.json").read_text())
    (demo,) = (track for track in board["tracks"] if track["name"] == "demo")
    (row,) = demo["rows"]
    assert (row["name"], row["label"], row["tier"]) == ("my-bm25", "BM25 (Lucene)", "self-reported")
    assert "BM25 (Lucene)" in (newcomer.site / "tracks" / "demo.html").read_text()


def test_the_submission_says_what_the_runs_said(newcomer: Newcomer, tracks: Tracks) -> None:
    found = validate(newcomer.submission, tracks)
    assert found.findings == []
    submission = Submission.model_validate_json((newcomer.submission / "submission.json").read_bytes())
    for folder, task in (("in-domain", "synth-wiki"), ("out-of-domain", "synth-wiki-ood")):
        run, submitted = Run(newcomer.home / "runs" / folder), submission.run_on(task)
        assert submitted is not None
        assert submitted.metrics == run.metrics.metrics
        assert submitted.outcomes == run.metrics.outcomes
        assert found.numbers[task].metrics == run.metrics.metrics
        assert [(row.question_id, row.outcome, row.values) for row in found.numbers[task].rows] == [
            (row.question_id, row.outcome, row.values) for row in run.rows
        ]


def test_every_link_of_the_readme_leads_somewhere() -> None:
    place = Path(__file__).parents[2] / "leaderboard"
    for path in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (place / path).exists(), path

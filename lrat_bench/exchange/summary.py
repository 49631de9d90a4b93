"""`evaluation_summary.json`, as BrowseComp-Plus's evaluator writes it and its leaderboard takes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lrat_bench.score.rows import Row
from lrat_bench.score.score import Scores

__all__ = ["evaluation_summary"]


def evaluation_summary(rows: Sequence[Row], scores: Scores, *, agent: str, retriever: str) -> dict[str, Any]:
    """The summary of a run, every number as their evaluator counts it (`score.peers.browsecomp_plus`).

    Args:
        rows: of the run, one per question and repeat.
        scores: made of these rows.
        agent: what is entered as the model.
        retriever: what is entered as the retriever.

    Returns:
        the fields of theirs; percentages with two decimals, null where there is nothing to count. Listed are the
        trajectories that enter them: not one whose answer awaits its grade; `correct` is null of an answer of which no
        status is known.
    """
    there = [row for row in rows if row.peers.get("browsecomp_plus.search_calls") is not None]
    browses = [value for row in there if (value := row.values.get("browses")) is not None]
    calls = scores.metric("browsecomp_plus.search_calls").value
    calibration = scores.metric("browsecomp_plus.calibration_error").value
    if calibration is None and there:
        calibration = 0.0  # as theirs writes where no confidence is known
    return {
        "LLM": agent,
        "Accuracy (%)": _percent(scores.metric("browsecomp_plus.accuracy").value),
        "Recall (%)": _percent(scores.metric("browsecomp_plus.recall").value),
        "avg_tool_stats": {
            **({} if calls is None else {"search": calls}),
            **({"get_document": sum(browses) / len(browses)} if any(browses) else {}),
        },
        "Calibration Error (%)": _percent(calibration),
        "Retriever": retriever,
        "Link": "",
        "Evaluation Date": datetime.now(UTC).date().isoformat(),
        "per_query_metrics": [
            {
                "query_id": row.question_id,
                "correct": None if (correct := row.peers.get("browsecomp_plus.accuracy")) is None else bool(correct),
                "recall": _percent(row.peers.get("browsecomp_plus.recall")),
            }
            for row in there
        ],
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)

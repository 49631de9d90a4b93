"""LRAT, as its evaluator counts.

`scripts_evaluation/evaluate.py` of Yuqi-Zhou/LRAT reads run files, and knows no question that has none. So:

- **Denominator**: the trajectories that are there, errored ones included. A question without one raises the number.
- **Status** is not looked at: a forced answer counts as any other.
- **Success** is a yes of the judge to a response in which neither "tool_call" nor "user_query" occurs: a cheap test
  for runs that ended on a tool call, which fails legitimate answers that hold those words. A reply of the judge that
  cannot be read is a no; where the judge fails, their evaluator ends without a number, and here the answer is left out.
- **The response** is ours. Theirs is the last step, whatever it is: a thought behind the answer is judged in its place.
- **Steps** are search and browse calls, as in ours.
- **Recall** is of documents searched or browsed, as their clients for Tongyi-DeepResearch, WebExplorer and
  AgentCPM-Explore record them (those for gpt-oss and OpenAI record searches alone: `browsecomp_plus.recall`). A
  question without evidence counts as 0.
"""

from __future__ import annotations

from lrat_bench.score.metrics.measure import Measure, Observation
from lrat_bench.score.metrics.recall import recall
from lrat_bench.score.metrics.steps import STEPS

__all__ = ["MEASURES"]

_UNFINISHED = ("tool_call", "user_query")


def _success(seen: Observation) -> float | None:
    if seen.grade == "ungraded" and not (seen.held is not None and seen.held.replied):
        return None
    answer = seen.trajectory.answer
    said = answer is not None and not any(word in answer for word in _UNFINISHED)
    return float(said and seen.grade == "correct")


def _recall(seen: Observation) -> float | None:
    return None if seen.evidence is None else recall(seen.retrieved_docids, seen.evidence) or 0.0


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="lrat.success_rate",
        definition=(
            "Correct answers, however they ended, in which neither 'tool_call' nor 'user_query' occurs, over the "
            "trajectories that are there; one that the judge failed on is left out."
        ),
        unit="share",
        direction="higher",
        of=_success,
        binary=True,
    ),
    Measure(
        name="lrat.steps",
        definition=(
            "Search and browse calls of which at least one query or document succeeded, averaged over the "
            "trajectories that are there, errored ones included."
        ),
        unit="steps",
        direction="lower",
        of=STEPS.of,
    ),
    Measure(
        name="lrat.recall",
        definition=(
            "Share of a question's evidence documents that a search showed or the agent read, 0 where it has none, "
            "averaged over the trajectories that are there, errored ones included."
        ),
        unit="share",
        direction="higher",
        of=_recall,
    ),
)
"""Their numbers, all of them means over trajectories."""

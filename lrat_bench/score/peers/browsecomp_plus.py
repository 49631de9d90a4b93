"""BrowseComp-Plus (Chen et al. 2025), as its evaluator counts.

`scripts_evaluation/evaluate_run.py` of texttron/BrowseComp-Plus reads run files, and knows no question that has none.
So:

- **Denominator**: the trajectories that are there. A question without one raises the number.
- **Finished** is a status of `completed`, which is our `answered`. Whatever else ended a run, an errored one included,
  is wrong and is not judged. That holds for a forced answer too: the one client of theirs that forces one labels it
  "generate an answer as token limit reached". Where a file states no status, their evaluator stops; here such a
  trajectory has no part in what depends on it, unless it has no answer: that is wrong whatever its status.
- **The response** is the last step of a file if that is a text: an answer behind which the agent thought on is none.
- **A judge that fails** takes the file out of every number; a reply of its that cannot be read makes the file wrong.
  In our terms: a finished answer that is ungraded without a reply is left out, and one ungraded with a reply is wrong.
- **A confidence** is that of the judge's reply: 100 % where it finds none in the answer, as their template asks of it.
  A reply in which none can be read has no part in the calibration error. Of judges that write no reply, an answer that
  states none has 100 %.
- **Recall and search calls** are of searches alone. A question without evidence makes theirs divide by zero; it is
  left out here.
- **Citations** are all integers within square brackets, years included, of finished answers.

What a client of theirs writes into a file (docids, counts of calls) is recomputed here from the steps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from lrat_bench.score.metric import Metric
from lrat_bench.score.metrics.measure import Measure, Observation
from lrat_bench.score.metrics.recall import recall
from lrat_bench.score.metrics.steps import SEARCHES
from lrat_bench.trajectory import Answer, Notice, Trajectory

__all__ = ["CONFIDENCE", "MEASURES", "calibration", "calibration_error", "citations"]

_BIN = 100
_BRACKETS = (re.compile(r"\[([^\[\]]*)\]"), re.compile(r"【([^【】]*)】"))
_INTEGER = re.compile(r"\d+")


def calibration_error(confidences: Sequence[float], correct: Sequence[bool]) -> float | None:
    """The calibration error that BrowseComp-Plus prints, its dropped bin included.

    Answers are sorted by confidence and cut into bins of 100, the last of which takes the remainder. With N answers,
    and in bin b n_b answers of mean confidence conf_b of which a share acc_b is correct:

        √( Σ_b n_b/N · (conf_b − acc_b)² )

    where b runs over all bins **but the last**, the most confident one, while N counts all. So it is 0 below 200
    answers, and 830 wrong answers at 90 % give 82.65 % instead of 90 %.

    Args:
        confidences: between 0 and 1; those that are equal keep their order, which in theirs is that of the file system.
        correct: of the same answers.

    Returns:
        a share; 0 for fewer than 100 answers, as they print it; None without any, where they print 0 too.
    """
    n = len(confidences)
    if n < _BIN:
        return 0.0 if n else None
    order = np.argsort(confidences, kind="stable")
    gaps = (np.asarray(confidences, dtype=np.float64) - np.asarray(correct, dtype=np.float64))[order]
    counted = n // _BIN - 1
    mean_gaps = gaps[: counted * _BIN].reshape(counted, _BIN).mean(axis=1)
    return float(np.sqrt(_BIN / n * np.sum(mean_gaps**2)))


def calibration(answers: Sequence[tuple[float, bool]]) -> Metric:
    """`calibration_error` as a metric, without an interval.

    Args:
        answers: confidence, between 0 and 1, and whether it is correct, of what their judge was asked about.
    """
    return Metric(
        name="browsecomp_plus.calibration_error",
        value=calibration_error([confidence for confidence, _ in answers], [correct for _, correct in answers]),
        n=len(answers),
        low=None,
        high=None,
        unit="share",
        direction="lower",
        definition=(
            "Root mean square, over bins of 100 finished and graded answers of about equal confidence, of the "
            "difference between mean confidence and share correct, without the most confident bin, though all answers "
            "are divided by; 0 below 200 answers; a confidence that is not stated is 100 %, one that cannot be read in "
            "the judge's reply leaves the answer out."
        ),
    )


def citations(text: str) -> frozenset[str]:
    """What they take for cited docids: every integer within `[…]` or `【…】`."""
    inside = (content for brackets in _BRACKETS for content in brackets.findall(text))
    return frozenset(number for content in inside for number in _INTEGER.findall(content))


def _response(trajectory: Trajectory) -> str:
    """What they take for the answer; empty where there is none, or where steps follow it."""
    steps = [step for step in trajectory.steps if not isinstance(step, Notice)]
    if any(isinstance(step, Answer) for step in steps) and not isinstance(steps[-1], Answer):
        return ""
    return trajectory.answer or ""


def _finished(seen: Observation) -> bool:
    return seen.trajectory.status == "answered" and bool(_response(seen.trajectory))


def _open(seen: Observation) -> bool:
    """Whether it is not known if a response is finished."""
    return seen.trajectory.status is None and bool(_response(seen.trajectory))


def _evaluated(seen: Observation) -> bool:
    """Whether their evaluator would have a result for it, right or wrong."""
    unsaid = seen.grade == "ungraded" and not (seen.held is not None and seen.held.replied)
    return not (_finished(seen) and unsaid)


def _accuracy(seen: Observation) -> float | None:
    if _open(seen) or not _evaluated(seen):
        return None
    return float(_finished(seen) and seen.grade == "correct")


def _recall(seen: Observation) -> float | None:
    return recall(seen.searched_docids, seen.evidence) if _evaluated(seen) else None


def _search_calls(seen: Observation) -> float | None:
    return SEARCHES.of(seen) if _evaluated(seen) else None


def _confidence(seen: Observation) -> float | None:
    if seen.held is None or not (seen.graded and _finished(seen)):
        return None
    return 1.0 if seen.held.confidence is None and not seen.held.replied else seen.held.confidence


def _cited(seen: Observation) -> frozenset[str] | None:
    """The citations of a response; None where there is no result, or none that can be told."""
    if _open(seen) or not _evaluated(seen):
        return None
    return citations(seen.trajectory.answer or "") if _finished(seen) else frozenset()


def _citation_coverage(seen: Observation) -> float | None:
    cited = _cited(seen)
    return None if cited is None else float(bool(cited))


def _citation_count(seen: Observation) -> float | None:
    cited = _cited(seen)
    return float(len(cited)) if cited else None


def _citation_precision(seen: Observation) -> float | None:
    cited = _cited(seen)
    return len(cited & seen.evidence) / len(cited) if cited and seen.evidence else None


def _citation_recall(seen: Observation) -> float | None:
    cited = _cited(seen)
    return recall(cited, seen.evidence) if cited else None


CONFIDENCE = Measure(
    name="browsecomp_plus.confidence",
    definition=(
        "Confidence that enters the calibration error: as the judge reads it, 100 % where none is stated and the judge "
        "writes no reply."
    ),
    unit="share",
    direction="neutral",
    of=_confidence,
)
"""What `calibration_error` is made of, beside the accuracy; not a number that they report."""

MEASURES: tuple[Measure, ...] = (
    Measure(
        name="browsecomp_plus.accuracy",
        definition=(
            "Finished and correct answers over the trajectories that are there; a forced answer is not finished, and "
            "one that the judge failed on is left out."
        ),
        unit="share",
        direction="higher",
        of=_accuracy,
        binary=True,
    ),
    Measure(
        name="browsecomp_plus.recall",
        definition=(
            "Share of a question's evidence documents that a search showed, averaged over the trajectories that are "
            "there, errored ones included, of questions that have evidence."
        ),
        unit="share",
        direction="higher",
        of=_recall,
    ),
    Measure(
        name="browsecomp_plus.search_calls",
        definition=(
            "Search calls of which at least one query succeeded, averaged over the trajectories that are there, "
            "errored ones included."
        ),
        unit="calls",
        direction="neutral",
        of=_search_calls,
    ),
    Measure(
        name="browsecomp_plus.citation_coverage",
        definition=(
            "Share of the trajectories that are there whose finished answer holds an integer in square brackets."
        ),
        unit="share",
        direction="higher",
        of=_citation_coverage,
        binary=True,
    ),
    Measure(
        name="browsecomp_plus.citations",
        definition="Different integers in square brackets, averaged over finished answers that hold any.",
        unit="citations",
        direction="neutral",
        of=_citation_count,
    ),
    Measure(
        name="browsecomp_plus.citation_precision",
        definition=(
            "Share of the integers in square brackets that are docids of evidence, averaged over finished answers "
            "that hold any."
        ),
        unit="share",
        direction="higher",
        of=_citation_precision,
    ),
    Measure(
        name="browsecomp_plus.citation_recall",
        definition=(
            "Share of a question's evidence documents that are among the integers in square brackets, averaged over "
            "finished answers that hold any."
        ),
        unit="share",
        direction="higher",
        of=_citation_recall,
    ),
)
"""Their numbers that are means over trajectories."""

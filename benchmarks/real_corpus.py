"""A real task folder: retrieval by the bare question, and the heuristic agent with BM25 and with nothing.

Prints recall at several depths of BM25 asked the question as it stands, then both runs, and the difference in success
with its 95 % interval (bootstrap over questions, paired).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import lrat_bench
from lrat_bench.runs.run import Run
from lrat_bench.score.metrics.ranking import ranking_measures

DEPTH = 100


def bare_question(task: lrat_bench.Task, split: str | None) -> None:
    """Recall and nDCG of the ranking for the question itself."""
    if task.evidence is None:
        return
    retriever = lrat_bench.load_retriever("bm25", task)
    questions = [question for question in task.select(split) if question.qid in task.evidence]
    found = retriever.search([question.text for question in questions], DEPTH)
    retriever.close()
    rankings = {q.qid: [hit.docid for hit in hits] for q, hits in zip(questions, found, strict=True)}
    judged = {question.qid: task.evidence[question.qid] for question in questions}
    for score in ranking_measures(rankings, judged, ["R@5", "R@10", "R@100", "nDCG@10"]):
        print(f"| bare question, {score.measure} | {score.mean:.4f} |")


def right(run: Run) -> dict[str, float]:
    """Question → 1 where it was answered right."""
    frame = run.to_dataframe()
    return dict(zip(frame["question_id"], (frame["outcome"] == "correct").astype(float), strict=True))


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", help="a task folder")
    parser.add_argument("--split")
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    task = lrat_bench.load_task(arguments.task)
    print(f"{len(task.corpus):,} documents\n\n| | |\n| --- | ---: |")
    bare_question(task, arguments.split)
    runs = {}
    with tempfile.TemporaryDirectory() as folder:
        for retriever in ("bm25", "none"):
            run = lrat_bench.run(
                task,
                retriever=retriever,
                split=arguments.split,
                limit=arguments.limit,
                out=Path(folder) / retriever,
            )
            runs[retriever] = right(run)
            for name in ("success_rate", "evidence_recall", "steps"):
                metric = run.metrics.metric(name)
                if metric.value is not None:
                    low, high = metric.low or 0.0, metric.high or 0.0
                    print(f"| {retriever}, {name} | {metric.value:.3f} [{low:.3f}, {high:.3f}], n = {metric.n} |")
    gain = np.array([runs["bm25"][qid] - runs["none"][qid] for qid in runs["none"]])
    draws = np.random.default_rng(0).integers(0, len(gain), (10_000, len(gain)))
    low, high = np.percentile(gain[draws].mean(axis=1), [2.5, 97.5])
    print(f"| success, bm25 − none | {gain.mean():.3f} [{low:.3f}, {high:.3f}] |")


if __name__ == "__main__":
    main()

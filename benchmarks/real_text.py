"""LRAT on real text: does a retriever that was trained on trajectories help on other questions of the same kind?

The task folder must have a train and an eval split. A fifth of the train questions is held out: what is tuned is tuned
on their recorded queries. The eval split is run once per stage.

    tune     collect on the train questions, mine, train under one change at a time, replay the held-out fifth's queries
    report   train every stage with what was chosen, and evaluate it against the base: by the bare question, by the
             queries that the base's agent issued, and by running the agent; paired 95 % intervals over questions

Both keep everything in one folder and go on where they were stopped.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import lrat_bench
from lrat_bench.files import write_atomic
from lrat_bench.lrat.flywheel.table import rows_in
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.lrat.training.recipe import make_recipe
from lrat_bench.lrat.training.train import TrainedModel, train
from lrat_bench.score.paired import Difference, paired_rows

STAGES = ("naive", "filter", "reweight")
RUN_MEASURES = ("success_rate", "evidence_recall", "steps")
REPLAY_MEASURES = ("evidence_nDCG@10", "evidence_RR@10", "evidence_R@5", "evidence_R@10")
QUESTION_MEASURES = ("evidence_nDCG@10", "evidence_R@5", "evidence_R@100")
TUNED = ("nDCG@10", "RR@10", "R@5")

START: dict[str, Any] = {
    "epochs": 1,
    "lr": 1e-5,
    "batch": 16,
    "group": 5,
    "temperature": 0.05,
    "query_tokens": 48,
    "stage": "filter",
}
"""What one change at a time is made from."""


def resplit(source: Path, folder: Path, train_split: str) -> Path:
    """The task with every fifth train question in a split of its own, `train-held-out`; the corpus stays in place."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("corpus.jsonl", "qrels.trec", "qrels.gold.trec"):
        if (source / name).exists() and not (folder / name).exists():
            (folder / name).symlink_to((source / name).resolve())
    lines = []
    seen = 0
    for line in (source / "questions.jsonl").read_text().splitlines():
        question = json.loads(line)
        if question["split"] == train_split:
            seen += 1
            question["split"] = "train-held-out" if seen % 5 == 0 else "train-rest"
        lines.append(json.dumps({key: question[key] for key in ("qid", "question", "answers", "split")}))
    content = "\n".join(lines) + "\n"
    if not (folder / "questions.jsonl").exists():
        write_atomic(folder / "questions.jsonl", content)
    return folder


class Bench:
    """The folder of one benchmark."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.out = Path(arguments.out)
        self.base = str(arguments.base)
        self.split = str(arguments.eval_split)
        self.task = str(resplit(Path(arguments.task), self.out / "task", str(arguments.train_split)))
        self.passage_tokens = int(arguments.passage_tokens)
        self.retriever: dict[str, Any] = {"retriever.passage_tokens": self.passage_tokens}

    def run(self, name: str, model: str, split: str) -> lrat_bench.Run:
        """The heuristic agent with a model."""
        return lrat_bench.run(
            self.task,
            retriever=f"dense:{model}",
            split=split,
            set=self.retriever,
            concurrency=64,
            out=self.out / "runs" / name,
        )

    def pairs(self, name: str, **words: Any) -> Path:
        """Pairs of the train questions."""
        run = self.run("train-rest", self.base, "train-rest")
        return Pairs(lrat_bench.mine([run.path], self.out / "pairs" / name, **words).path).path

    def train(self, name: str, pairs: Path, **recipe: Any) -> TrainedModel:
        """A model; the held-out fifth's queries are replayed before and after."""
        held_out = self.run("train-held-out", self.base, "train-held-out")
        return train(
            pairs=[pairs],
            base=self.base,
            out=self.out / "models" / name,
            recipe=make_recipe("small", {**START, "passage_tokens": self.passage_tokens, **recipe}),
            evals=[held_out.path],
        )


def tune(bench: Bench) -> None:
    """One change at a time, by the held-out fifth."""
    correct, every = bench.pairs("correct"), bench.pairs("all", outcome="all")
    changes: dict[str, tuple[Path, dict[str, Any]]] = {
        **{f"lr {lr:g}": (correct, {"lr": lr}) for lr in (1e-5, 2e-5, 5e-5)},
        "one hard negative": (correct, {"group": 2}),
        "unfiltered": (correct, {"stage": "naive"}),
        "all trajectories": (every, {}),
        "two epochs": (correct, {"epochs": 2}),
        "nine hard negatives": (correct, {"group": 10}),
    }
    print(f"| change | pairs | steps | {' | '.join(f'{name} of base | trained' for name in TUNED)} |")
    print(f"| --- | ---: | ---: |{' ---: |' * 2 * len(TUNED)}", flush=True)
    for name, (pairs, recipe) in changes.items():
        record = bench.train(f"tune {name}".replace(" ", "-"), pairs, **recipe).record
        first, last = record.evaluations[0], record.evaluations[-1]
        cells = [value for one in TUNED for value in (first.measures[one], last.measures[one])]
        values = " | ".join(f"{value:.4f}" for value in cells)
        print(f"| {name} | {record.counts.rows} | {record.steps} | {values} |", flush=True)


def report(bench: Bench, recipe: dict[str, Any], outcome: str) -> None:
    """Every stage against the base, on the eval split."""
    pairs = bench.pairs(outcome, outcome=outcome)
    models = {"base": bench.base}
    for stage in STAGES:
        words = {**recipe, "stage": stage}
        models[stage] = str(bench.train(f"final-{stage}", pairs, **words).path)
    base_run = bench.run("eval-base", bench.base, bench.split)
    print(f"| by | stage | measure | base | trained | difference [95 %] | p | n |\n|{' --- |' * 8}", flush=True)
    for stage in STAGES:
        model = models[stage]
        for kind, measures, words in (
            ("bare question", QUESTION_MEASURES, {"task": bench.task, "split": bench.split}),
            ("replayed queries", REPLAY_MEASURES, {"replay": [base_run.path]}),
        ):
            found = {
                name: lrat_bench.retrieve(
                    retriever=f"dense:{models[name]}",
                    set=bench.retriever,
                    out=bench.out / "retrievals" / f"{kind.replace(' ', '-')}-{name}",
                    **words,
                )
                for name in ("base", stage)
            }
            differences = found[stage].against(found["base"])
            for measure in measures:
                before, after = found["base"].metrics.metric(measure), found[stage].metrics.metric(measure)
                if before is not None and after is not None:
                    line(kind, stage, measure, before.value, after.value, differences[measure])
        run = bench.run(f"eval-{stage}", model, bench.split)
        rows = (rows_in(run), rows_in(base_run))
        for measure in RUN_MEASURES:
            before, after = base_run.metrics.metric(measure), run.metrics.metric(measure)
            line("agent", stage, measure, before.value, after.value, paired_rows([rows], measure))


def line(kind: str, stage: str, measure: str, base: float | None, trained: float | None, found: Difference) -> None:
    """One line of the report."""
    ends = "–" if found.low is None or found.high is None else f"[{found.low:+.4f}, {found.high:+.4f}]"
    p = "–" if found.p is None else f"{found.p:.4f}"
    cells = [kind, stage, measure, f"{base:.4f}", f"{trained:.4f}", f"{found.value:+.4f} {ends}", p, str(found.n)]
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Tune or report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["tune", "report"])
    parser.add_argument("task", help="a task folder")
    parser.add_argument("--base", required=True, help="a sentence-transformers model")
    parser.add_argument("--out", required=True, help="where everything is kept")
    parser.add_argument("--train-split", default="train")
    parser.add_argument("--eval-split", default="dev")
    parser.add_argument("--passage-tokens", type=int, default=64)
    parser.add_argument("--outcome", default="correct", choices=["correct", "all"])
    parser.add_argument("--recipe", default="{}", help="JSON: what was chosen by tuning")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    if arguments.what == "tune":
        tune(bench)
    else:
        report(bench, json.loads(arguments.recipe), arguments.outcome)


if __name__ == "__main__":
    main()

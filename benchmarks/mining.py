"""Mining at the size of LRAT's training data: seconds, CPU seconds and peak memory of `lrat-bench mine`.

Trajectories are drawn with the statistics of the real ones (searches, browses and words of reasoning around the means
that are given, an eighth of the browses without an earlier list) over a corpus of so many documents. Each rule set is
one process of its own; the corpus's index of ids is built before.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import lrat_bench
from lrat_bench.files import write_json
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.model.scripted import ScriptedModel, answers
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.runs.run import Run
from lrat_bench.score.verdict import Verdict
from lrat_bench.task.question import Question
from lrat_bench.trajectory import Answer, Browse, Hit, Search, Step, Think

WORDS = [f"word{n}" for n in range(5000)]
OPENINGS = ("This document says that", "Great, it confirms that", "That does not help.", "Not relevant.", "So")


class Nothing:
    """A retriever that is never asked."""

    name: str = "nothing"
    fingerprint: str | None = "nothing"

    def prepare(self, progress: Progress) -> None:
        """Nothing to do."""

    def search(
        self,
        queries: Sequence[str],
        k: int,  # noqa: ARG002
        *,
        contexts: Sequence[SearchContext] | None = None,  # noqa: ARG002
    ) -> list[list[Ranked]]:
        """Nothing is found."""
        return [[] for _ in queries]

    def close(self) -> None:
        """Nothing is held."""


def write_task(folder: Path, trajectories: int, documents: int) -> Path:
    """Documents of a line each, and a question for each trajectory."""
    folder.mkdir(parents=True)
    with (folder / "corpus.jsonl").open("w") as stream:
        for number in range(documents):
            stream.write(f'{{"docid": "{number}", "title": "Title {number}", "text": "Text of document {number}."}}\n')
    with (folder / "questions.jsonl").open("w") as stream:
        for number in range(trajectories):
            record = {"qid": f"q{number}", "question": f"Question {number}?", "answers": ["right"], "split": "train"}
            stream.write(json.dumps(record) + "\n")
    return folder


def write_run(task: Path, out: Path, arguments: argparse.Namespace) -> Run:
    """A run folder with trajectories that were drawn instead of played."""
    agent = lrat_bench.Agent("drawn", ScriptedModel([answers("Exact Answer: right")]))
    run = lrat_bench.run(task=str(task), agent=agent, retriever=Nothing(), split="train", limit=1, out=out)
    manifest = run.manifest
    judge = str(manifest.judge["fingerprint"])
    first = next(run.trajectories)
    with (out / "trajectories.jsonl").open("w") as records, (out / "verdicts.jsonl").open("w") as verdicts:
        for number in range(arguments.trajectories):
            question = Question(f"q{number}", f"Question {number}?", ("right",), "train")
            steps = tuple(draw(random.Random(number), arguments))
            drawn = first.model_copy(update={"question_id": question.qid, "steps": steps, "turns": ()})
            verdict = Verdict(
                question_id=question.qid,
                trajectory=drawn.hash,
                accepts=question.accepts,
                judge=judge,
                judge_name="exact",
                outcome="correct",
            )
            records.write(drawn.to_json() + "\n")
            verdicts.write(verdict.to_json() + "\n")
    questions = tuple(f"q{number}" for number in range(arguments.trajectories))
    write_json(out / "manifest.json", manifest.model_copy(update={"questions": questions, "limit": None}).to_dict())
    return run


def draw(chance: random.Random, arguments: argparse.Namespace) -> Iterator[Step]:
    """The steps of a trajectory: searches in which browses are strewn."""
    searches = max(1, round(chance.expovariate(1 / arguments.searches)))
    kinds = ["search"] * searches + ["browse"] * max(1, round(chance.expovariate(1 / arguments.browses)))
    first, *rest = kinds
    chance.shuffle(rest)
    listed: list[str] = []
    for turn, kind in enumerate([first, *rest]):
        yield Think(turn=turn, text=thought(chance, arguments.words))
        if kind == "search":
            docids = [str(number) for number in chance.sample(range(arguments.documents), 10)]
            hits = tuple(Hit(docid=docid, score=-float(n), rank=n) for n, docid in enumerate(docids, 1))
            yield Search(turn=turn, call=0, query=" ".join(chance.sample(WORDS, 8)), hits=hits)
            listed = [*listed[-40:], *docids]
        else:
            docid = chance.choice(listed) if chance.random() < 7 / 8 else str(chance.randrange(arguments.documents))
            yield Browse(turn=turn, call=0, docid=docid, found=True)
    last = len(kinds)
    yield Think(turn=last, text=thought(chance, arguments.words))
    yield Answer(turn=last, text="Exact Answer: right")


def thought(chance: random.Random, words: int) -> str:
    """An opening that the rules can read, and words."""
    many = max(3, round(chance.lognormvariate(0, 0.8) * words * 0.73))
    return f"{chance.choice(OPENINGS)} {' '.join(chance.choices(WORDS, k=many))}."


def measure(run: Path, out: Path, rule: str) -> tuple[float, float, float]:
    """Seconds, CPU seconds and peak memory in MB of one process."""
    words = ["mine", str(run), "-o", str(out), "--rule", rule, "--no-plot", "--json"]
    command = [sys.executable, "-m", "lrat_bench.cli", *words]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"{' '.join(words)} failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, used.ru_maxrss / 1000


def main() -> None:
    """Print one row for each rule set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trajectories", type=int, default=26_482)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--searches", type=float, default=17)
    parser.add_argument("--browses", type=float, default=4)
    parser.add_argument("--words", type=int, default=150, help="of each reasoning, on average")
    parser.add_argument("--rules", nargs="+", default=["attributed", "paper", "lrat-code"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.environ["LRAT_BENCH_CACHE"] = str(place / "cache")
        start = time.perf_counter()
        run = write_run(
            write_task(place / "task", arguments.trajectories, arguments.documents), place / "run", arguments
        )
        size = (run.path / "trajectories.jsonl").stat().st_size / 1e6
        drawn = f"{arguments.trajectories:,} trajectories ({size:,.0f} MB), {arguments.documents:,} documents"
        print(f"{drawn}, drawn in {time.perf_counter() - start:,.0f} s\n")
        print("| rule | browses | kept | rejected | seconds | CPU s | CPU ms a trajectory | peak MB |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for rule in arguments.rules:
            seconds, cpu, memory = measure(run.path, place / rule, rule)
            counts = Pairs(place / rule).manifest.counts
            found = f"{counts.browses:,} | {counts.kept:,} | {counts.rejected:,}"
            each = 1000 * cpu / arguments.trajectories
            print(f"| {rule} | {found} | {seconds:,.1f} | {cpu:,.1f} | {each:.2f} | {memory:,.0f} |")


if __name__ == "__main__":
    main()

"""What the harness itself costs: a model and a retriever that answer at once, real corpus, session, loop and records.

Prints CPU per step (user and system, all threads) and resident memory at several concurrencies, each in a process of
its own. A step is one tool call, as the metrics count it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from lrat_bench.agent.agent import Agent
from lrat_bench.api import load_task
from lrat_bench.model.scripted import ScriptedModel, answers, calls
from lrat_bench.model.seam import Request, Turn
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.resolve import resolve
from lrat_bench.runs.runner import play_owed
from lrat_bench.runs.tally import Tally
from lrat_bench.task.task import Task


class Instant:
    """Ten documents of the corpus, another ten for each query, in no time."""

    name = "instant"
    fingerprint = "instant"

    def __init__(self, task: Task) -> None:
        self.docids = [document.docid for document in task.corpus]

    def prepare(self, progress: Progress) -> None:
        """Nothing to do."""

    def search(
        self,
        queries: Sequence[str],
        k: int,
        *,
        contexts: Sequence[SearchContext] | None = None,  # noqa: ARG002
    ) -> list[list[Ranked]]:
        """The k documents behind a place that the query decides."""
        starts = [sum(query.encode()) * 97 % (len(self.docids) - k) for query in queries]
        return [[Ranked(docid, float(-n)) for n, docid in enumerate(self.docids[at : at + k])] for at in starts]

    def close(self) -> None:
        """Nothing is held."""


def script(steps: int) -> ScriptedModel:
    """Searches and browses in turn, and answers after so many steps."""

    def play(request: Request) -> Turn:
        done = sum(message.role == "assistant" for message in request.messages)
        if done == steps:
            return answers("Exact Answer: nothing")
        if done % 2:
            docid = json.loads(request.messages[-1].content)["results"][0]["docid"]
            return calls("get_document", docid=docid, reasoning="This one. " * 20)
        query = f"{request.messages[0].content[-40:]} {done}"
        return calls("search", query=query, reasoning="Let me look. " * 20)

    return ScriptedModel(play)


def one(concurrency: int, questions: int, steps: int) -> None:
    """Measure one concurrency and print a JSON line."""
    task = load_task("synth-wiki")
    config = resolve(
        task=task,
        agent=Agent("scripted", script(steps)),
        retriever=Instant(task),
        concurrency=concurrency,
        limit=min(questions, 300),
        repeats=-(-questions // 300),
    )
    rollouts = len(config.questions) * config.repeats
    memory: list[int] = []
    page = os.sysconf("SC_PAGE_SIZE")

    def on_tally(tally: Tally) -> None:
        if tally.done % max(1, rollouts // 10) == 0:
            memory.append(int(Path("/proc/self/statm").read_text().split()[1]) * page)

    with tempfile.TemporaryDirectory() as folder, RunFolder(Path(folder)).hold():
        cpu, wall = time.process_time(), time.perf_counter()
        tally = asyncio.run(play_owed(config, RunFolder(Path(folder)), on_tally=on_tally))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(
        json.dumps(
            {
                "concurrency": concurrency,
                "steps": tally.steps,
                "cpu": cpu,
                "wall": wall,
                "early": memory[len(memory) // 2],
                "late": memory[-1],
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


def main() -> None:
    """Run every concurrency in a fresh process and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=600)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one, arguments.questions, arguments.steps)
        return
    print("| concurrency | steps | CPU ms per step | steps per second | MB half-way | MB at the end |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for concurrency in arguments.concurrency:
        command = [sys.executable, __file__, "--one", str(concurrency)]
        command += ["--questions", str(arguments.questions), "--steps", str(arguments.steps)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(
            f"| {concurrency} | {found['steps']:,} | {1000 * found['cpu'] / found['steps']:.2f} "
            f"| {found['steps'] / found['wall']:,.0f} | {found['early'] / 1e6:.0f} | {found['late'] / 1e6:.0f} |"
        )


if __name__ == "__main__":
    main()

"""What a call to a language model costs through LiteLLM, and what lrat-bench adds to it.

Against a model server on this machine, in a process of its own, that answers after a given time. Three tables: CPU per
call beside bare LiteLLM and the bare `openai` client, in turns within one process; wall time of whole runs beside the
ideal one; memory over thousands of calls. Each measurement is made in a fresh process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lrat_bench.model.lite.client import library
from lrat_bench.model.lite.model import LiteLLMModel
from lrat_bench.model.lite.payload import payload
from lrat_bench.model.seam import Message, Request, Sampling, Tool, ToolCall
from lrat_bench.model.spec import Connection, ModelSpec
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.resolve import Settings, resolve
from lrat_bench.runs.runner import play_owed
from lrat_bench.runs.tally import Tally

SERVER = Path(__file__).parent.parent / "tests" / "support" / "endpoint.py"
STEPS = 4
"""Tool calls of each question; one more completion answers it."""


@contextmanager
def server(seconds: float) -> Iterator[str]:
    """A model server; gives its address."""
    command = [sys.executable, str(SERVER), "--brain", "echo", "--steps", str(STEPS), "--seconds", str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def conversation() -> Request:
    """Ten messages of a tool loop, results of 2 kB, one tool."""
    messages = [Message("user", "Who built the bridge? " * 20)]
    for n in range(4):
        call = ToolCall(f"c{n}_0", "search", json.dumps({"query": f"bridge {n}"}))
        messages.append(Message("assistant", "", "Let me look. " * 20, (call,)))
        messages.append(Message("tool", "A bridge is a thing over a river. " * 60, call_id=call.id))
    schema = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    sampling = Sampling(temperature=1.0, top_p=1.0, max_tokens=512, seed=1)
    return Request(tuple(messages), (Tool("search", "finds documents", schema),), sampling=sampling)


def clients(model: str, url: str) -> dict[str, Callable[[], Awaitable[Any]]]:
    """One call of each client, the same on the wire."""
    import openai

    request, spec = conversation(), ModelSpec(model=model)
    given = payload(spec, request)
    bare = openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0)
    own = LiteLLMModel(spec, Connection(api_base=url))
    litellm = library()
    reach = {"api_base": url, "api_key": "none", "num_retries": 0, "max_retries": 0, "timeout": 600.0}
    plain = {**given, "model": model.partition("/")[2]}
    return {
        "openai client": lambda: bare.chat.completions.create(**plain),
        "LiteLLM": lambda: litellm.acompletion(**given, **reach),
        "lrat-bench": lambda: own.complete(request),
    }


async def cpu(model: str, url: str, calls: int, rounds: int, concurrency: int) -> dict[str, float]:
    """Median CPU seconds per call of each client."""
    ways = clients(model, url)
    found: dict[str, list[float]] = {name: [] for name in ways}
    for n in range(rounds + 1):
        for name, call in ways.items():
            left = iter(range(calls))

            async def worker(call: Callable[[], Awaitable[Any]] = call, left: Iterator[int] = left) -> None:
                for _ in left:
                    await call()

            begun = time.process_time()
            await asyncio.gather(*(worker() for _ in range(concurrency)))
            # The first round warms up.
            if n:
                found[name].append((time.process_time() - begun) / calls)
    return {name: statistics.median(values) for name, values in found.items()}


def whole(url: str, questions: int, concurrency: int) -> dict[str, float]:
    """A run, from questions to records on disk."""
    config = resolve(
        task="synth-wiki",
        agent="hosted_vllm/local",
        retriever="oracle",
        limit=min(questions, 300),
        repeats=-(-questions // 300),
        concurrency=concurrency,
        settings=Settings.of({"agent.api_base": url, "task.documents": 1000}),
    )
    memory: list[int] = []
    page = os.sysconf("SC_PAGE_SIZE")

    def on_tally(tally: Tally) -> None:
        if tally.done:
            memory.append(int(Path("/proc/self/statm").read_text().split()[1]) * page)

    async def go(folder: RunFolder) -> Tally:
        # What LiteLLM imports, with its first call too, is not what is measured.
        await LiteLLMModel(ModelSpec(model="hosted_vllm/local"), Connection(api_base=url)).complete(conversation())
        begun.extend((time.perf_counter(), time.process_time()))
        try:
            return await play_owed(config, folder, on_tally=on_tally)
        finally:
            begun.extend((time.perf_counter(), time.process_time()))
            await config.access.close()

    begun: list[float] = []
    with tempfile.TemporaryDirectory() as path:
        folder = RunFolder(Path(path))
        with folder.hold():
            tally = asyncio.run(go(folder))
    assert tally.errored == 0
    calls = tally.done * (STEPS + 1)
    return {
        "calls": calls,
        "wall": begun[2] - begun[0],
        "cpu": (begun[3] - begun[1]) / calls,
        "early": memory[len(memory) // 4],
        "half": memory[len(memory) // 2],
        "late": memory[-1],
    }


def measured(*words: str | float) -> Any:
    """What a fresh process measures."""
    command = [sys.executable, __file__, "--one", *map(str, words)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def one(words: list[str]) -> None:
    """Measure, and print JSON."""
    if words[0] == "cpu":
        print(json.dumps(asyncio.run(cpu(words[1], words[2], int(words[3]), int(words[4]), 16))))
    else:
        print(json.dumps(whole(words[1], int(words[2]), int(words[3]))))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200, help="of each client and round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory-calls", type=int, default=5000)
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one)
        return
    with server(0) as url:
        print("| provider | client | CPU ms per call | of LiteLLM's |\n| --- | --- | ---: | ---: |")
        for model in ("hosted_vllm/local", "openai/local"):
            found = measured("cpu", model, url, arguments.calls, arguments.rounds)
            for name, seconds in found.items():
                print(f"| {model.split('/')[0]} | {name} | {1000 * seconds:.2f} | {seconds / found['LiteLLM']:.2f} |")
        print("\n| concurrency | answer in, s | questions | ideal, s | wall, s | ratio | CPU ms per call |")
        print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for concurrency, seconds, questions in ((64, 1, 128), (256, 5, 256)):
        with server(seconds) as url:
            found = measured("whole", url, questions, concurrency)
        ideal = -(-questions // concurrency) * (STEPS + 1) * seconds
        print(
            f"| {concurrency} | {seconds} | {questions} | {ideal} | {found['wall']:.1f} | {found['wall'] / ideal:.2f} "
            f"| {1000 * found['cpu']:.2f} |"
        )
    with server(0) as url:
        found = measured("whole", url, arguments.memory_calls // (STEPS + 1), 64)
    print("\n| calls | MB after a quarter | MB half-way | MB at the end |\n| ---: | ---: | ---: | ---: |")
    print(f"| {found['calls']:,} | " + " | ".join(f"{found[at] / 1e6:.0f}" for at in ("early", "half", "late")) + " |")


if __name__ == "__main__":
    main()

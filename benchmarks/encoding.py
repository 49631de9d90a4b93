"""Encoding a corpus, beside bare `SentenceTransformer.encode` over the same texts; then its memory and its resume.

The product's way reads the corpus as a stream and writes checked blocks; the bare way has all texts in a list and keeps
the vectors. Without --model, both run a one-layer encoder of random weights, which makes what the product adds as large
a part as it can be. The ratio is of CPU seconds, which other work on the machine changes least: give OMP_NUM_THREADS=1.
Memory and resume are always measured with that encoder: a process encodes a corpus of a hundredth, a tenth and the
whole of the size and tells its peak; the last is killed (SIGKILL) once it has encoded a part, and started again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from tiny_model import make_encoder

from lrat_bench.api import load_task
from lrat_bench.files import cache_folder
from lrat_bench.progress import no_progress
from lrat_bench.retriever.base import BuildContext
from lrat_bench.retriever.dense import make_dense
from lrat_bench.retriever.shard import WHOLE
from lrat_bench.task.task import Task

_TOLD = "encoded"
_BARE = "SentenceTransformer.encode"


def main() -> None:
    """Measure in a cache of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="folder or hub name; a one-layer random encoder unless given")
    parser.add_argument("--documents", type=int, default=2_000, help="for the comparison")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=20_000, help="documents for memory and resume")
    parser.add_argument("--kill-at", type=float, default=0.1, help="share of them encoded before the kill")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.worker, given.large, given.tokens)
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LRAT_BENCH_CACHE"] = folder
        task = load_task("synth-wiki", set={"documents": given.documents})
        words = [document.contents for document in task.corpus]
        tiny = str(make_encoder(Path(folder) / "tiny", texts=words, dim=384, layers=1))
        print("## Speed\n")
        compare(task, given.model or tiny, given.tokens, given.batch, given.rounds, Path(folder))
        print("\n## Memory and resume\n")
        survive(tiny, given.large, given.tokens, given.kill_at)


def compare(task: Task, model: str, tokens: int, batch: int, rounds: int, folder: Path) -> None:
    """Documents per second and per CPU second, both ways in turn."""
    from sentence_transformers import SentenceTransformer

    bare = SentenceTransformer(model, device="cpu")
    bare.max_seq_length = tokens
    texts = [document.contents for document in task.corpus]
    settings = {"passage_tokens": tokens, "batch_size": batch, "device": "cpu"}
    speeds: dict[str, list[tuple[float, float]]] = {_BARE: [], "lrat-bench": []}
    for round_ in range(rounds + 1):
        dense = make_dense(model, BuildContext(task, settings, folder / f"round-{round_}"))
        dense.load()  # neither way is charged with that
        began = _now()
        dense.encode_shard(WHOLE, no_progress)
        middle = _now()
        bare.encode_document(texts, batch_size=batch, normalize_embeddings=True)
        end = _now()
        dense.close()
        if round_:
            speeds["lrat-bench"].append(_speeds(len(texts), began, middle))
            speeds[_BARE].append(_speeds(len(texts), middle, end))
    what = "one-layer random encoder" if Path(model).name == "tiny" else model
    print(f"{len(texts):,} documents, {tokens} tokens at most, batches of {batch}, {what}, {rounds} rounds\n")
    print("| | documents/s | documents per CPU second, median (range) | ratio (range) |\n| --- | ---: | ---: | ---: |")
    for way, speed in speeds.items():
        wall, cpu = ([pair[at] for pair in speed] for at in (0, 1))
        spread = f"{min(cpu):,.0f}–{max(cpu):,.0f}"
        ratios = [a / b for a, (_, b) in zip(cpu, speeds[_BARE], strict=True)]
        print(
            f"| {way} | {statistics.median(wall):,.0f} | {statistics.median(cpu):,.0f} ({spread}) "
            f"| {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}) |"
        )


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _speeds(documents: int, start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Per second of the clock, and of the processor."""
    return documents / (end[0] - start[0]), documents / (end[1] - start[1])


def survive(model: str, documents: int, tokens: int, share: float) -> None:
    """Peak memory of encoding corpora of three sizes, and what a kill costs the largest."""
    for count in sorted({max(1_000, documents // part) for part in (100, 10)}):
        said, seconds = run(model, count, tokens)
        speed = f"{count / seconds:,.0f} documents/s in all"
        print(f"- {count:,} documents: peak {said['peak_mb']:,.0f} MB, {speed}", flush=True)
    killed_at, _ = run(model, documents, tokens, kill_at=int(documents * share))
    said, seconds = run(model, documents, tokens)
    encoded = documents - said["found"]
    print(
        f"- {documents:,} documents: killed at {killed_at['done']:,}; the next start found {said['found']:,} and lost "
        f"{killed_at['done'] - said['found']:,}, and encoded {encoded:,}: peak {said['peak_mb']:,.0f} MB, "
        f"{encoded / seconds:,.0f} documents/s in all (one-layer random encoder)"
    )


def run(model: str, documents: int, tokens: int, kill_at: int | None = None) -> tuple[dict[str, float], float]:
    """A process that encodes; what it said last, and how long it took."""
    words = [sys.executable, __file__, "--worker", model, "--large", str(documents), "--tokens", str(tokens)]
    began = time.perf_counter()
    said: dict[str, float] = {}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(_TOLD):
                said = json.loads(line.removeprefix(_TOLD))
                if kill_at is not None and said["done"] >= kill_at:
                    process.send_signal(signal.SIGKILL)
                    break
    return said, time.perf_counter() - began


def work(model: str, documents: int, tokens: int) -> None:
    """The other process."""
    task = load_task("synth-wiki", set={"documents": documents})
    dense = make_dense(model, BuildContext(task, {"passage_tokens": tokens, "device": "cpu"}, cache_folder()))
    found: list[int] = []

    def tell(what: str, done: int, total: int | None) -> None:  # noqa: ARG001
        found.append(done)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(_TOLD, json.dumps({"done": done, "found": found[0], "peak_mb": peak}), flush=True)

    dense.encode_shard(WHOLE, tell)


if __name__ == "__main__":
    main()

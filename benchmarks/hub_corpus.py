"""A large benchmark of the hub, from a copy laid out as Wiki-25: preparing it, and indexes over it.

The copy is parquet with the columns `id` and `contents`, passages of synthetic words as long as Wiki-25's on average.
Each stage runs in a process of its own, so that its peak memory is its own: preparing (parquet to the task's corpus),
opening for the first time (every line checked, offsets indexed), BM25, and vectors of a one-layer encoder of random
weights. Run it at two sizes: what grows with the corpus is seen from the difference.
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
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from lrat_bench.progress import no_progress
from lrat_bench.task.card import TaskCard

_NAME = "wiki-copy"
_SHARDS = 8
_ROWS = 20_000  # of a row group
_VOCABULARY = 50_000
_TARGET = 11_200_000  # passages of Wiki-25


def card() -> TaskCard:
    """As `tasks/infoseek-eval.yaml`, for a copy."""
    part = {"dataset": "some/wiki", "revision": "0123456"}
    asked = {"dataset": "some/questions", "revision": "0123456", "files": ["questions.jsonl"]}
    return TaskCard.model_validate(
        {
            "name": _NAME,
            "summary": "a copy in the layout of Wiki-25",
            "domain": "ID",
            "license": "CC0-1.0",
            "source": "hub",
            "splits": {"test": "eval"},
            "default_split": "test",
            "default_protocol": "default",
            "protocols": {"default": {}},
            "hub": {
                "questions": {"test": {**asked, "qid": "id", "question": "question", "answers": "answer"}},
                "corpus": {**part, "docid": "id", "text": "contents"},
                "takes": {"download_gb": 0, "disk_gb": 0, "minutes": 0},
            },
        }
    )


def write_copy(root: Path, documents: int, words: int) -> None:
    """The datasets; word frequencies follow Zipf's law."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    draw = np.random.default_rng(0)
    vocabulary = np.array([f"{random.Random(n).choice('bcdfgklmnprst')}{n:x}" for n in range(_VOCABULARY)])
    share = 1 / np.arange(1, _VOCABULARY + 1)
    share /= share.sum()
    folder = root / "some" / "wiki" / "data"
    folder.mkdir(parents=True)
    schema = pa.schema([("id", pa.string()), ("contents", pa.string())])
    done = 0
    for shard in range(_SHARDS):
        until = documents * (shard + 1) // _SHARDS
        with pq.ParquetWriter(folder / f"train-{shard:05d}-of-{_SHARDS:05d}.parquet", schema) as writer:
            while done < until:
                many = min(_ROWS, until - done)
                lengths = draw.integers(words // 2, words * 3 // 2, many)
                drawn = vocabulary[draw.choice(_VOCABULARY, int(lengths.sum()), p=share)]
                ends = np.cumsum(lengths)
                texts = [" ".join(drawn[end - length : end]) for end, length in zip(ends, lengths, strict=True)]
                ids = [str(done + n) for n in range(many)]
                writer.write_table(pa.table({"id": ids, "contents": texts}, schema=schema))
                done += many
    asked = root / "some" / "questions"
    asked.mkdir()
    (asked / "questions.jsonl").write_text(json.dumps({"id": "q0", "question": "Which?", "answer": "This."}) + "\n")


def prepare(copy: Path, task: Path) -> None:
    """Parquet to a task folder."""
    from lrat_bench.task.sources.hub.copies import Sources
    from lrat_bench.task.sources.hub.prepare import prepare as prepare_hub

    prepare_hub(card(), {}, task, Sources([str(copy)]), task_card=lambda _: card(), progress=no_progress)


def open_first(task: Path) -> int:
    """Check every line and index offsets; returns how many documents there are."""
    from lrat_bench.task.sources.folder import load_folder

    return len(load_folder(task).corpus)


def index(task: Path, retriever: str, settings: dict[str, Any]) -> None:
    """Build an index."""
    import lrat_bench

    lrat_bench.load_retriever(retriever, str(task), set=settings).close()


def stage(name: str, copy: Path, task: Path, given: argparse.Namespace) -> None:
    """One stage, and what it took; making the copy is one, too: a child's peak begins at its parent's."""
    began, cpu = time.perf_counter(), time.process_time()
    if name == "copy":
        from tiny_model import make_encoder

        write_copy(copy, given.documents[0], given.words)
        make_encoder(copy.parent / "tiny", texts=[f"b{n:x}" for n in range(2000)], dim=384, layers=1)
    elif name == "prepare":
        prepare(copy, task)
    elif name == "open":
        open_first(task)
    elif name == "bm25":
        index(task, "bm25", {})
    else:
        settings = {"passage_tokens": given.tokens, "device": "cpu"}
        index(task, f"dense:{copy.parent / 'tiny'}", settings)
    took = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }
    print(json.dumps(took))


def disk(folder: Path) -> int:
    """Bytes below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main() -> None:
    """Measure every stage at each size, in a scratch folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--words", type=int, default=100, help="of a passage, on average")
    parser.add_argument("--tokens", type=int, default=64, help="that the encoder reads of a passage")
    parser.add_argument("--stages", nargs="+", default=["prepare", "open", "bm25", "dense"])
    parser.add_argument("--kill-after", type=float, help="kill the dense stage after so many seconds; start it again")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    parser.add_argument("--folders", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        copy, task = map(Path, given.folders.split(":"))
        stage(given.stage, copy, task, given)
        return
    print("| documents | stage | seconds | CPU seconds | peak MB | MB on disk | hours at 11.2 M | GB at 11.2 M |")
    print(f"|{' ---: | --- |' + ' ---: |' * 6}", flush=True)
    for documents in given.documents:
        with tempfile.TemporaryDirectory() as scratch:
            measure(Path(scratch), documents, given)


def kill(command: list[str], environment: dict[str, str], seconds: float) -> None:
    """Start a stage and kill it (SIGKILL) after a while."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()


def measure(scratch: Path, documents: int, given: argparse.Namespace) -> None:
    """The lines of one size."""
    copy, task = scratch / "copy", scratch / "tasks" / "wiki"
    task.parent.mkdir()
    environment = {**os.environ, "LRAT_BENCH_CACHE": str(scratch / "cache")}
    before = 0
    for name in ("copy", *given.stages):
        words = [f"--stage={name}", f"--folders={copy}:{task}", f"--documents={documents}", f"--words={given.words}"]
        command = [sys.executable, __file__, *words, f"--tokens={given.tokens}"]
        if name == "dense" and given.kill_after is not None:
            kill(command, environment, given.kill_after)
            kept = f"{(disk(scratch) - before) / 1e6:,.0f}"
            print(f"| {documents:,} | dense, killed | {given.kill_after:.0f} | | | {kept} | | |", flush=True)
        said = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        after = disk(scratch)
        if name == "copy":
            before = after
            continue
        took = json.loads(said.splitlines()[-1])
        cells = [f"{documents:,}", name, f"{took['seconds']:.1f}", f"{took['cpu']:.1f}", f"{took['peak_mb']:,.0f}"]
        grown = after - before
        before = after
        scale = _TARGET / documents
        cells += [f"{grown / 1e6:,.0f}", f"{took['seconds'] * scale / 3600:.1f}", f"{grown * scale / 1e9:.1f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

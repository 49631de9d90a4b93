"""A synth-wiki corpus of any size: seconds to make it, disk, peak memory, and documents looked up per second.

Every stage runs in a process of its own, so that its peak memory is its own.
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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lrat_bench.progress import no_progress

LOOK_UPS = 200_000


def generate(folder: Path, documents: int) -> dict[str, Any]:
    """Write the task folder."""
    from lrat_bench.task.sources.synth_wiki import prepare

    folder.mkdir()
    settings = {"world": "in-domain", "seed": 0, "documents": documents, "train": 300, "test": 300}
    prepare(settings, folder, no_progress)
    return {"bytes": sum(file.stat().st_size for file in folder.iterdir())}


def open_first(folder: Path, documents: int) -> dict[str, Any]:
    """Open the corpus for the first time: check every line and index it."""
    from lrat_bench.task.jsonl_corpus import JsonlCorpus

    corpus = JsonlCorpus(folder / "corpus.jsonl")
    assert len(corpus) == documents
    cache = Path(os.environ["LRAT_BENCH_CACHE"])
    return {"bytes": sum(file.stat().st_size for file in cache.rglob("*") if file.is_file())}


def open_again(folder: Path, documents: int) -> dict[str, Any]:  # noqa: ARG001 -- all stages are called alike
    """Open it again."""
    from lrat_bench.task.jsonl_corpus import JsonlCorpus

    JsonlCorpus(folder / "corpus.jsonl")
    return {}


def look_up(folder: Path, documents: int, threads: int = 1) -> dict[str, Any]:
    """Documents by id, in random order."""
    from lrat_bench.task.jsonl_corpus import JsonlCorpus

    corpus = JsonlCorpus(folder / "corpus.jsonl")
    chosen = random.Random(0)
    step = max(1, documents // LOOK_UPS)
    docids = [document.docid for n, document in enumerate(corpus) if n % step == 0]
    asked = [chosen.choice(docids) for _ in range(LOOK_UPS)]
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        parts = [asked[n::threads] for n in range(threads)]
        found = sum(pool.map(lambda part: sum(corpus.get(docid) is not None for docid in part), parts))
    assert found == LOOK_UPS
    return {"per second": LOOK_UPS / (time.perf_counter() - started)}


def look_up_together(folder: Path, documents: int) -> dict[str, Any]:
    """The same from eight threads."""
    return look_up(folder, documents, threads=8)


STAGES = {
    "generate": generate,
    "first opening": open_first,
    "opening again": open_again,
    "look-ups, 1 thread": look_up,
    "look-ups, 8 threads": look_up_together,
}


def run_stage(stage: str, folder: Path, documents: int) -> None:
    """Measure one stage and print a JSON line."""
    __import__("lrat_bench.task.jsonl_corpus")
    started, cpu = time.perf_counter(), time.process_time()
    found = STAGES[stage](folder, documents)
    found |= {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(found))


def main() -> None:
    """Run the stages and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage:
        run_stage(arguments.stage, arguments.folder, arguments.documents[0])
        return
    print("| documents | stage | seconds | CPU s | documents per second | disk MB | peak MB |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for documents in arguments.documents:
        with tempfile.TemporaryDirectory() as work:
            environment = {**os.environ, "LRAT_BENCH_CACHE": f"{work}/cache"}
            for stage in STAGES:
                command = [sys.executable, __file__, "--stage", stage, "--folder", f"{work}/task"]
                command += ["--documents", str(documents)]
                done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
                found = json.loads(done.stdout.splitlines()[-1])
                speed = found.get("per second") or documents / found["seconds"]
                speed_shown = "–" if stage == "opening again" else f"{speed:,.0f}"
                disk = f"{found['bytes'] / 1e6:,.0f}" if "bytes" in found else "–"
                print(
                    f"| {documents:,} | {stage} | {found['seconds']:.3g} | {found['cpu']:.3g} | {speed_shown} | {disk} "
                    f"| {found['peak'] / 1e6:,.0f} |"
                )


if __name__ == "__main__":
    main()

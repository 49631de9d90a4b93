"""How vector search grows with the corpus: every index in a process of its own, over the same vectors.

Vectors are random around random centres, which is kinder to an index than pure noise and harsher than real text; what
carries over is how seconds and bytes grow. What an index finds is compared with exact search. The last table is
arithmetic: bytes a vector, times documents.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from lrat_bench.progress import no_progress
from lrat_bench.retriever.embeddings import BLOCK
from lrat_bench.retriever.faiss_index import open_index
from lrat_bench.retriever.milvus import open_milvus
from lrat_bench.retriever.milvus_place import MilvusIndex
from lrat_bench.retriever.vectors import ExactSearch, StoredVectors

K = 10
WAYS = {
    "exact, float32": ("float32", None),
    "exact, float16": ("float16", None),
    "SQ8": ("float16", "SQ8"),
    "RaBitQfs,Refine(SQ8)": ("float16", "RaBitQfs,Refine(SQ8)"),
    "HNSW32,SQ8": ("float16", "HNSW32,SQ8"),
    "milvus-lite FLAT": ("float16", "milvus:FLAT"),
    "milvus-lite HNSW": ("float16", "milvus:HNSW"),
}
"""What is measured: numbers that vectors are stored in, and the index."""

SIZES = (("BrowseComp-Plus", 100_195), ("Wiki-25", 11_200_000), ("a billion", 1_000_000_000))


def main() -> None:
    """Measure every way at every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--queries", type=int, default=128)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--worker", nargs=2, metavar=("FOLDER", "WAY"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        measure(Path(given.worker[0]), given.worker[1], given.documents[0], given.dimensions)
        return
    print(f"{given.dimensions} dimensions, {given.queries} queries in batches of 64, k = {K}\n")
    print("| documents | index | build, s | MB on disk | peak MB | queries per second | recall@10 |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for documents in given.documents:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), documents, given.dimensions, given.queries)
            for way in given.ways:
                words = [sys.executable, __file__, "--documents", str(documents), "--dimensions", str(given.dimensions)]
                words += ["--queries", str(given.queries), "--worker", folder, way]
                done = subprocess.run(words, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise SystemExit(f"{way} at {documents}: {done.stderr[-2000:]}")
                said = json.loads(done.stdout.splitlines()[-1])
                print(
                    f"| {documents:,} | {way} | {said['build']:,.1f} | {said['disk']:,.0f} | {said['peak']:,.0f} "
                    f"| {said['speed']:,.0f} | {said['recall']:.3f} |",
                    flush=True,
                )
    arithmetic(1024)


def write(folder: Path, documents: int, dimensions: int, queries: int) -> None:
    """The vectors, in both kinds of numbers, and queries near some of them."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((max(16, documents // 200), dimensions)).astype(np.float32)
    asked = []
    for start in range(0, documents, BLOCK):
        count = min(BLOCK, documents - start)
        block = centres[rng.integers(len(centres), size=count)] + rng.standard_normal((count, dimensions))
        block /= np.linalg.norm(block, axis=1, keepdims=True)
        for kind in ("float32", "float16"):
            (folder / kind).mkdir(exist_ok=True)
            np.save(folder / kind / f"{start // BLOCK:05d}.npy", block.astype(kind))
        asked.append(block[:: max(1, documents // queries)])
    near = np.concatenate(asked)[:queries]
    near = near + 0.5 * rng.standard_normal(near.shape) / np.sqrt(dimensions)
    np.save(folder / "queries.npy", (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32))


def measure(folder: Path, way: str, documents: int, dimensions: int) -> None:
    """One way, in this process."""
    kind, index = WAYS[way]
    place = folder / kind
    files = sorted(place.glob("*.npy"))
    docids = ([f"{row:09d}" for row in range(s, min(s + BLOCK, documents))] for s in range(0, documents, BLOCK))
    stored = StoredVectors(files, docids, dimensions)
    asked = np.load(folder / "queries.npy")
    before = size(folder)
    began = time.perf_counter()
    search: Any
    if index is None:
        search = ExactSearch(stored)
    elif index.startswith("milvus:"):
        milvus = MilvusIndex(str(folder / f"{index[7:]}.db"), kind=index.removeprefix("milvus:"))
        search = open_milvus(milvus, stored, place, progress=no_progress)
    else:
        search = open_index(index, stored, place, search={}, progress=no_progress)
    build = time.perf_counter() - began
    search.search(asked[:64], K)  # reads the files
    began = time.perf_counter()
    found = [ranking for start in range(0, len(asked), 64) for ranking in search.search(asked[start : start + 64], K)]
    speed = len(asked) / (time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    own = sum(file.stat().st_size for file in files) if index is None else size(folder) - before
    exact = found if index is None else ExactSearch(stored).search(asked, K)
    same = [len({h.docid for h in one} & {h.docid for h in other}) for one, other in zip(found, exact, strict=True)]
    search.close()
    said = {"build": build, "disk": own / 1e6, "peak": peak, "speed": speed, "recall": sum(same) / K / len(asked)}
    print(json.dumps(said))


def size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def arithmetic(dimensions: int) -> None:
    """Gigabytes that vectors and codes take at sizes that were not measured."""
    print(f"\nGB at {dimensions} dimensions:\n")
    print(f"| | bytes a vector | {' | '.join(f'{name}, {documents:,}' for name, documents in SIZES)} |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, each in (
        ("float32", 4 * dimensions),
        ("float16", 2 * dimensions),
        ("SQ8", dimensions),
        ("RaBitQfs,Refine(SQ8)", dimensions + dimensions // 8 + 16),
        ("HNSW32,SQ8", dimensions + 2 * 32 * 4),
        ("RaBitQ (1 bit)", dimensions // 8 + 16),
    ):
        print(f"| {name} | {each:,} | {' | '.join(f'{each * documents / 1e9:,.1f}' for _, documents in SIZES)} |")


if __name__ == "__main__":
    main()

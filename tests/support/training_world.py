"""A small world to train in: a task of 40 documents, pairs over it, and a one-layer BERT."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tiny_model import make_encoder

from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.pairs_manifest import Filter, Intensity, PairsManifest, Quantiles, Scale, SourceRecord
from lrat_bench.task.corpus import Corpus

__all__ = ["World", "make_pair", "make_world", "write_pairs"]

DOCUMENTS = 40
_LENGTHS = Quantiles(low=1, q25=1, median=1, q75=1, q95=1, high=1)


@dataclass(frozen=True)
class World:
    """Where things lie.

    Attributes:
        task: folder.
        base: a model with dropout.
        steady: the same without.
        pairs: 24 kept, of two weights, and 3 rejected.
        corpus: of the task.
        texts: its documents.
    """

    task: Path
    base: Path
    steady: Path
    pairs: Path
    corpus: Corpus
    texts: dict[str, str]


def make_pair(number: int, texts: dict[str, str], *, weight: float | None, negatives: int = 4) -> Pair:
    """A query of five words of a document, and negatives drawn at random."""
    draw = random.Random(number)
    docid = f"d{number % DOCUMENTS}"
    return Pair(
        query=" ".join(draw.sample(texts[docid].split(), 5)),
        pos_id=docid,
        neg_ids=tuple(draw.sample([one for one in texts if one != docid], negatives)),
        run="r",
        question_id=f"q{number % 10}",
        turn=0,
        step=number,
        correct=True,
        satisfied=weight is not None,
        weight=weight,
    )


def write_pairs(
    folder: Path,
    world_task: Path,
    corpus: str | None,
    kept: Sequence[Pair],
    rejected: Sequence[Pair] = (),
    *,
    scale: Scale | None = None,
    retriever: str = "bm25",
) -> Path:
    """A folder as `lrat-bench mine` leaves it."""
    folder.mkdir(parents=True)
    for name, pairs in (("pairs", kept), ("rejected", rejected), ("undecided", ())):
        (folder / f"{name}.jsonl").write_text("".join(f"{pair.to_json()}\n" for pair in pairs))
    source = SourceRecord(
        name="r",
        kind="run",
        identity="i",
        task="words",
        split="train",
        role="train",
        agent="scripted",
        retriever=retriever,
    )
    manifest = PairsManifest(
        version="0",
        rule="attributed",
        filter=Filter(outcome="correct", statuses=None),
        relevance="rules",
        relevance_fingerprint="f",
        tokenizer="regex-v1",
        tokenizer_fingerprint="t",
        scale="pooled",
        sources=(source,),
        corpus=corpus,
        task=str(world_task),
        documents_checked=True,
        tainted=False,
        finished=True,
        intensity=scale and Intensity(scale="pooled", pooled=scale, lengths=_LENGTHS, by_agent={}),
    )
    (folder / "manifest.json").write_text(json.dumps(manifest.to_dict()))
    return folder


def make_world(root: Path) -> World:
    """Task, pairs and base model in an empty folder."""
    from lrat_bench.task.catalog import load_task

    draw = random.Random(0)
    words = [f"w{number}" for number in range(120)]
    texts = {f"d{number}": " ".join(draw.choices(words, k=12)) for number in range(DOCUMENTS)}
    task = root / "task"
    task.mkdir()
    lines = [json.dumps({"docid": docid, "text": text}) for docid, text in texts.items()]
    (task / "corpus.jsonl").write_text("\n".join(lines) + "\n")
    asked = [" ".join((*draw.sample(texts[f"d{n}"].split(), 3), *draw.choices(words, k=5))) for n in range(10)]
    questions = [{"qid": f"q{n}", "question": asked[n], "answers": ["a"], "split": "train"} for n in range(10)]
    (task / "questions.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in questions))
    (task / "qrels.trec").write_text("".join(f"q{n} 0 d{n} 1\n" for n in range(10)))
    corpus = load_task(str(task))[0].corpus
    kept = [make_pair(number, texts, weight=0.25 + 1.5 * (number % 2)) for number in range(24)]
    rejected = [make_pair(number, texts, weight=None) for number in range(30, 33)]
    base = make_encoder(root / "base", texts=texts.values(), vocabulary=["ask", ":"], dim=16)
    steady = make_encoder(root / "steady", texts=texts.values(), vocabulary=["ask", ":"], dim=16)
    config = json.loads((steady / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (steady / "config.json").write_text(json.dumps(config))
    pairs = write_pairs(root / "pairs", task, corpus.fingerprint, kept, rejected)
    return World(task, base, steady, pairs, corpus, texts)

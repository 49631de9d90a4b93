"""The model card: what somebody who finds the model folder has to know, as Markdown with the hub's front matter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lrat_bench.lrat.training.record import ModelRecord, PairsSource

__all__ = ["model_card"]

_STAGES = {
    "naive": "every browsed document as a positive, all of one weight",
    "filter": "browsed documents that the reasoning behind them found relevant, all of one weight",
    "reweight": "browsed documents that the reasoning behind them found relevant, weighted by its length",
}
_CONTROLS = {
    "positives": "This is a **control**: the positives were permuted among the queries, so it must not work.",
    "weights": "This is a **control**: the weights were permuted among the pairs.",
}


def model_card(record: ModelRecord, *, name: str, language: str = "en") -> str:
    """The text of README.md.

    Args:
        record: of the model.
        name: of its folder.
        language: of queries and documents, as a code of ISO 639.
    """
    return "\n".join((*_front_matter(record, language), *_body(record, name))) + "\n"


def _front_matter(record: ModelRecord, language: str) -> Iterator[str]:
    import yaml

    matter: dict[str, Any] = {
        "language": language,
        "library_name": "sentence-transformers",
        "pipeline_tag": "sentence-similarity",
        "tags": ["sentence-transformers", "feature-extraction", "dense-retrieval", "agentic-search", "lrat"],
        "base_model": record.base,
    }
    yield "---"
    yield yaml.safe_dump(matter, sort_keys=False, allow_unicode=True).rstrip()
    yield "---"


def _body(record: ModelRecord, name: str) -> Iterator[str]:
    recipe, counts = record.recipe, record.counts
    yield f"\n# {_plain(name)}\n"
    yield (
        f"A dense retriever for search agents: {_plain(record.base)}, trained with LRAT (Learning to Retrieve from "
        f"Agent Trajectories) by lrat-bench {record.versions.get('lrat-bench', '')} on {counts.rows:,} pairs of what "
        f"agents searched for and what they opened, from {counts.questions:,} questions."
    )
    if record.tainted:
        yield (
            "\n> **Trained on evaluation questions.** Some of its pairs come from an evaluation split, so its numbers "
            "on that split say nothing."
        )
    if recipe.shuffle:
        yield f"\n> {_CONTROLS[recipe.shuffle]}"
    yield "\n## Use\n"
    yield "```python"
    yield "from sentence_transformers import SentenceTransformer\n"
    yield f"model = SentenceTransformer({json.dumps(name, ensure_ascii=False)})  # the path of this folder"
    yield 'queries = model.encode_query(["which mason built the bridge"])'
    yield 'documents = model.encode_document(["The bridge was built by Aldwin Marr."])'
    yield "scores = model.similarity(queries, documents)"
    yield "```\n"
    yield (
        f"In lrat-bench: `--retriever dense:PATH`. Vectors are compared by cosine. Trained with queries of up to "
        f"{recipe.query_tokens} and documents of up to {recipe.passage_tokens} tokens."
    )
    yield f"Before a query: {_prompt(record.query_prompt)}. Before a document: {_prompt(record.document_prompt)}."
    yield "\nIntended for research on search agents: retrieval of documents for the queries that an agent issues."
    yield "\n## Training data\n"
    yield f"Stage `{recipe.stage}`: {_STAGES[recipe.stage]}.\n"
    yield "| pairs | |\n| --- | ---: |"
    for label, value in (
        ("judged relevant", counts.kept),
        ("judged not relevant", counts.rejected),
        ("could not be judged", counts.undecided),
        ("trained on", counts.rows),
        ("left out, weight unknown", counts.without_weight),
        ("without hard negatives", counts.without_negatives),
        ("documents read", counts.documents),
    ):
        yield f"| {label} | {value:,} |"
    for source in record.pairs:
        yield from _source(source)
    yield "\n## Recipe\n"
    yield "| | |\n| --- | --- |"
    for key, value in recipe.model_dump().items():
        yield f"| {key} | {'–' if value is None else value} |"
    yield f"| steps | {record.steps:,} |"
    yield f"| processes | {record.processes} |"
    if record.device and record.precision:
        yield f"| device | {_plain(record.device)}, {record.precision} |"
    yield (
        f"\nLoss, mean of the first and last tenth of the full batches: {record.loss.first:.4f} and "
        f"{record.loss.last:.4f}. Weights of step {record.kept_step}."
    )
    if record.evaluations:
        yield from _evaluations(record)


def _source(source: PairsSource) -> Iterator[str]:
    corpus = (source.corpus or "not known")[:12]
    yield f"\n**{_plain(source.name)}** (manifest `{source.manifest[:12]}`, corpus `{corpus}`)\n"
    facts = (
        ("task", source.task),
        ("rule", source.rule),
        ("answers of the trajectories", source.outcome),
        ("relevance judged by", source.relevance),
        ("reasoning measured in", source.tokenizer and f"tokens of {source.tokenizer}"),
        ("β (median length)", source.beta),
        ("µ (mean raw weight)", source.mu),
    )
    for label, value in facts:
        if value is not None:
            yield f"- {label}: {_plain(value)}"
    for run in source.runs:
        keys = ("run", "name", "task", "split", "role", "agent", "retriever", "judge")
        told = [f"{key} {_plain(run[key])}" for key in keys if isinstance(run.get(key), str | int)]
        if told:
            yield f"- {', '.join(told)}"


def _evaluations(record: ModelRecord) -> Iterator[str]:
    measures = list(record.evaluations[0].measures)
    first = record.evaluations[0]
    yield (
        f"\n## Evaluation during training\n\n{first.queries:,} recorded queries over a pool of {first.pool:,} "
        "documents; comparable with one another only.\n"
    )
    for run in record.evaluated:
        yield _plain(f"- {run.name}: task {run.task}, split {run.split}, agent {run.agent}, retriever {run.retriever}")
    if record.evaluated:
        yield ""
    yield f"| step | epoch | {' | '.join(measures)} |"
    yield f"| ---: | ---: |{' ---: |' * len(measures)}"
    for one in record.evaluations:
        yield f"| {one.step:,} | {one.epoch:.2f} | {' | '.join(f'{one.measures[m]:.4f}' for m in measures)} |"


def _prompt(text: str) -> str:
    if not text:
        return "nothing"
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{text!r}{fence}"


def _plain(value: object) -> str:
    """A name or number on one line, and without what Markdown reads as its own."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in str(value)).split())
    return re.sub(r"([\\`*\[\]<>|])", r"\\\1", line)

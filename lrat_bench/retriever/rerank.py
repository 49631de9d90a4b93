"""`rerank:MODEL@A`: what A finds, ordered anew by a cross-encoder that reads query and document together.

A finds `depth` documents (100), and the model scores each pair of query and document (Nogueira and Cho 2019,
arXiv:1901.04085). Scores are its logits: a sigmoid over them would make the best ones equal.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from lrat_bench.errors import RolloutFailure, UsageError
from lrat_bench.files import encodable, fingerprint
from lrat_bench.progress import Progress
from lrat_bench.retriever.arms import load_arms, own_settings
from lrat_bench.retriever.base import BuildContext, Ranked, Retriever, SearchContext
from lrat_bench.retriever.dense_settings import read_compute, text_setting, yes_no_setting
from lrat_bench.retriever.device import Compute, import_torch, resolve_device
from lrat_bench.retriever.fixed_shapes import can_be_fixed, run_alone, run_fixed
from lrat_bench.retriever.loading import import_sentence_transformers, load_model, longest_input, positions
from lrat_bench.retriever.model_files import ModelFiles, find_model
from lrat_bench.retriever.rankings import checked_rankings
from lrat_bench.retriever.settings import whole_setting
from lrat_bench.task.corpus import Corpus

__all__ = ["CrossScorer", "Reranked", "make_rerank"]

_DEPTH = 100
_ROWS = 17  # a query brings a hundred pairs: filler is a small part of them
_KEYS = ("depth", "pair_tokens", "revision", "device", "dtype", "trust_remote_code")


def make_rerank(argument: str | None, context: BuildContext) -> Reranked:
    """The factory of `rerank:MODEL@A`.

    Settings: `depth` (100: documents of A that are scored), `pair_tokens` (longest pair, in
    the model's tokens; its own unless set), `revision`, `device`, `dtype`, `trust_remote_code`, and those of A under
    its name, as in `bm25.k1`.

    Raises:
        UsageError: it is not of that form, a part of it cannot be made, or a setting is wrong.
    """
    model, at, arm = (argument or "").partition("@")
    if not (model and at and arm):
        raise UsageError(f"retriever 'rerank' is written rerank:MODEL@A, as in rerank:MODEL@bm25; got {argument!r}")
    settings = own_settings("rerank", context.settings, _KEYS, [arm])
    depth = whole_setting("rerank", settings, "depth") or _DEPTH
    pair_tokens = whole_setting("rerank", settings, "pair_tokens")
    trusted = yes_no_setting("rerank", settings, "trust_remote_code")
    compute = read_compute("rerank", settings)
    files = find_model(model, revision=text_setting("rerank", settings, "revision"), cache=context.cache)
    files.refuse_unsafe(trust_remote_code=trusted)
    files.refuse_other_kinds("CrossEncoder")
    _refuse_headless(files)
    scorer = CrossScorer(files, compute=compute, pair_tokens=pair_tokens, trust_remote_code=trusted)
    (first,) = load_arms([arm], context)
    return Reranked(f"rerank:{argument}", first, scorer, context.corpus, depth=depth)


def _refuse_headless(files: ModelFiles) -> None:
    """Refuse a model that does not score: transformers would add a head of random weights, and warn of it."""
    built = [str(name) for name in files.config.get("architectures") or ()]
    if files.modules is None and not any("ForSequenceClassification" in name for name in built):
        raise UsageError(
            f"model {files.name!r} is a {', '.join(built) or 'model without architectures'}, which scores no pairs: "
            "take one for sequence classification, or one that CrossEncoder has saved"
        )


class CrossScorer:
    """Scores pairs of query and document, each the same bit for bit whatever it is scored with. Loaded on first use.

    Args:
        files: the model.
        compute: where, and in which numbers.
        pair_tokens: longest pair, prompt and special tokens among them; None is the model's own.
        trust_remote_code: whether code that came with the model may run.

    Attributes:
        fingerprint: of the model and of what decides its scores; None where that cannot be known.
    """

    def __init__(
        self, files: ModelFiles, *, compute: Compute, pair_tokens: int | None = None, trust_remote_code: bool = False
    ) -> None:
        self._files = files
        self._compute = compute
        self._pair_tokens = pair_tokens
        self._trust_remote_code = trust_remote_code
        self._turn = threading.Lock()
        self._identity = {"model": files.fingerprint(), "pair_tokens": pair_tokens, "dtype": compute.dtype}
        self.fingerprint: str | None = fingerprint(self._identity) if files.pinned else None

    def load(self) -> None:
        """Load the model now, rather than with the first query."""
        _ = self._model

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The logit of each pair of query and document, behind the prompt that the model stores as its default.

        Raises:
            RolloutFailure: the model computes what is no number.
        """
        if not pairs:
            return []
        torch = import_torch()
        from sentence_transformers.util import batch_to_device

        model = self._model
        limit = self._longest()
        cut: dict[str, Any] = {} if limit is None else {"processing_kwargs": {"text": {"max_length": limit}}}

        def forward(features: dict[str, Any]) -> Any:
            return model(batch_to_device(features, model.device))["scores"].float().cpu().flatten()

        with self._turn, torch.inference_mode():
            readable = [(encodable(query), encodable(document)) for query, document in pairs]
            prepared = [model.preprocess([pair], prompt=_stored_prompt(model), **cut) for pair in readable]
            if all(map(can_be_fixed, prepared)):
                tokenizer = model.tokenizer
                rows = run_fixed(
                    prepared,
                    forward,
                    pad_id=tokenizer.pad_token_id or 0,
                    left=tokenizer.padding_side == "left",
                    longest=positions(model),
                    rows=_ROWS,
                )
            else:
                rows = run_alone(prepared, forward)
            scores = torch.stack(rows)
        if not bool(torch.isfinite(scores).all()):
            raise RolloutFailure(f"model {self._files.name!r} gives no numbers in {self._compute.dtype}")
        return [float(score) for score in scores]

    def describe(self) -> dict[str, Any]:
        """For the manifest; prompt and length that the model decides are told while it is loaded."""
        told = {**self._identity, "commit": self._files.commit, "fingerprint": self.fingerprint}
        if "_model" in self.__dict__:
            told |= {"pair_tokens": self._longest(), "prompt": _stored_prompt(self._model) or ""}
        return told

    def _longest(self) -> int | None:
        return self._pair_tokens or longest_input(self._model)

    def close(self) -> None:
        """Forget the model."""
        with self._turn:
            self.__dict__.pop("_model", None)

    @cached_property
    def _model(self) -> Any:
        library = import_sentence_transformers()
        resolve_device(self._compute)
        model = load_model(
            self._files, library.CrossEncoder, compute=self._compute, trust_remote_code=self._trust_remote_code
        )
        if model.num_labels != 1:
            raise UsageError(
                f"model {self._files.name!r} gives {model.num_labels} scores a pair, and a reranker gives one: take "
                "another model"
            )
        most = positions(model)
        if self._pair_tokens is not None and most is not None and self._pair_tokens > most:
            raise UsageError(
                f"model {self._files.name!r} has positions for {most} tokens, and pair_tokens asks for "
                f"{self._pair_tokens}: give {most} at most"
            )
        return model


def _stored_prompt(model: Any) -> str | None:
    """What `CrossEncoder.predict` puts before a pair; None where the model names no default among its prompts."""
    found: str | None = model.prompts.get(model.default_prompt_name)
    return found


class Reranked:
    """A retriever whose best documents are ordered anew.

    Args:
        name: as typed.
        first: finds documents; prepared and closed with this.
        scorer: orders them.
        corpus: their texts.
        depth: documents that are scored. Where more are asked for, what lies deeper comes behind in its own order, so
            that a ranking of ten is the beginning of one of a thousand.
    """

    def __init__(self, name: str, first: Retriever, scorer: CrossScorer, corpus: Corpus, *, depth: int) -> None:
        self.name = name
        self._first = first
        self._scorer = scorer
        self._corpus = corpus
        self._depth = depth
        parts = [scorer.fingerprint, first.fingerprint]
        self.fingerprint: str | None = (
            None
            if None in parts
            else fingerprint({"retriever": "rerank", "scorer": parts[0], "first": parts[1], "depth": depth})
        )

    def prepare(self, progress: Progress) -> None:
        """As `Retriever.prepare`."""
        # A model that cannot be loaded is told before an index is built.
        self._scorer.load()
        self._first.prepare(progress)

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        """As `Retriever.search`."""
        depth = max(k, self._depth)
        found = checked_rankings(
            self._first.search(queries, depth, contexts=contexts), retriever=self._first.name, queries=queries, k=depth
        )
        pairs = [
            (query, self._text(hit.docid))
            for query, ranking in zip(queries, found, strict=True)
            for hit in ranking[: self._depth]
        ]
        scores = iter(self._scorer.score(pairs))
        return [self._ordered(ranking, scores)[:k] for ranking in found]

    def _ordered(self, ranking: Sequence[Ranked], scores: Iterator[float]) -> list[Ranked]:
        head = [Ranked(hit.docid, next(scores)) for hit in ranking[: self._depth]]
        head.sort(key=lambda hit: (-hit.score, hit.docid))
        lowest = head[-1].score if head else 0.0
        tail = [Ranked(hit.docid, lowest - place) for place, hit in enumerate(ranking[self._depth :], start=1)]
        return head + tail

    def close(self) -> None:
        """Close the first retriever, and forget the model."""
        self._scorer.close()
        self._first.close()

    def describe(self) -> dict[str, Any]:
        """For the manifest."""
        first = getattr(self._first, "describe", dict)() | {"name": self._first.name}
        return {"depth": self._depth, "scorer": self._scorer.describe(), "first": first}

    def _text(self, docid: str) -> str:
        document = self._corpus.get(docid)
        if document is None:
            raise RolloutFailure(f"retriever {self._first.name!r} found document {docid!r}, which the corpus has not")
        return document.contents

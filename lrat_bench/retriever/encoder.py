"""A dense encoder: texts in, vectors of length 1 out. Loaded on first use.

Vectors are what `SentenceTransformer.encode_query` and `encode_document` give, normalised. Documents are encoded in
large batches; queries in batches of fixed shape (`fixed_shapes.py`), so that who else asks changes no query's vector.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lrat_bench.errors import UsageError
from lrat_bench.files import encodable
from lrat_bench.retriever.device import Compute, import_torch, resolve_device
from lrat_bench.retriever.fixed_shapes import can_be_fixed, run_alone, run_fixed
from lrat_bench.retriever.loading import import_sentence_transformers, load_model, longest_input, positions
from lrat_bench.retriever.model_files import ModelFiles

__all__ = ["POOLINGS", "Encoder", "Encoding", "Vectors"]

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimensions)."""

POOLINGS = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
"""How the vectors of tokens can be made one."""

_REMEMBERED = 4096  # queries: agents repeat themselves, and each other
_BATCHES_AT_ONCE = 8  # between two signs of life
_FILLER_PAYS_BELOW = 200_000_000  # parameters; a larger model on a CPU takes as long for filler as for a query


@dataclass(frozen=True, slots=True)
class Encoding:
    """All that decides a vector beside the model's files and the text.

    Attributes:
        query_prompt: put before every query.
        document_prompt: put before every document.
        pooling: one of `POOLINGS`; None is the model's own.
        query_tokens: length of a query at most, in tokens of the model, its prompt and special tokens among them;
            None is the model's own.
        passage_tokens: the same of a document.
        truncate_dim: the first so many dimensions are kept (Matryoshka); None is the model's own choice.
        dtype: of the weights.
    """

    query_prompt: str
    document_prompt: str
    pooling: str | None
    query_tokens: int | None
    passage_tokens: int | None
    truncate_dim: int | None
    dtype: str

    def of_documents(self) -> dict[str, Any]:
        """What decides a document's vector."""
        return {name: value for name, value in asdict(self).items() if not name.startswith("query")}


class Encoder:
    """Encodes queries and documents. Safe to use from several threads, which take turns.

    Args:
        files: the model.
        encoding: what is done with it.
        device: as torch names it.
        batch_size: documents that are encoded together.
        trust_remote_code: whether code that came with the model may run.
    """

    def __init__(
        self, files: ModelFiles, encoding: Encoding, *, device: str, batch_size: int, trust_remote_code: bool = False
    ) -> None:
        self._files = files
        self._encoding = encoding
        self._compute = Compute(device, encoding.dtype)
        self._batch_size = batch_size
        self._trust_remote_code = trust_remote_code
        self._turn = threading.Lock()
        self._remembered: OrderedDict[str, Vectors] = OrderedDict()

    @property
    def dimensions(self) -> int:
        """Length of a vector; loads the model."""
        own = self._model.get_embedding_dimension()
        if own is None:
            own = self._encode_documents(["."]).shape[1]
        return min(int(own), self._truncated or int(own))

    def in_force(self) -> dict[str, Any]:
        """What the model makes of what was left to it, by the names of `Encoding`; empty before it is loaded."""
        if "_model" not in self.__dict__:
            return {}
        from sentence_transformers.sentence_transformer.modules import Pooling

        modes = {module.pooling_mode for module in self._model.modules() if isinstance(module, Pooling)}
        return {
            "pooling": modes.pop() if len(modes) == 1 else None,
            "query_tokens": self._longest("query"),
            "passage_tokens": self._longest("document"),
            "dimensions": self.dimensions,
        }

    def documents(self, texts: Sequence[str], done: Callable[[int], None] = lambda _: None) -> Vectors:
        """Vectors of documents, each of length 1; a blank text has the zero vector, and so is like nothing.

        Args:
            texts: in any order and of any length.
            done: told how many have been encoded.

        Raises:
            UsageError: the model computes what is no number.
        """
        readable = [encodable(text) for text in texts]
        # Texts of one length together: padding is work too. The order is made good below.
        order = sorted((i for i, text in enumerate(readable) if text.strip()), key=lambda i: -len(readable[i]))
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        blank = len(texts) - len(order)
        step = self._batch_size * _BATCHES_AT_ONCE
        for start in range(0, len(order), step):
            rows = order[start : start + step]
            with self._turn:
                found = self._encode_documents([readable[i] for i in rows])
            vectors[rows] = self._normalised(found)
            done(blank + start + len(rows))
        return vectors

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries, each of length 1, and each the same bit for bit whatever it is asked with.

        Raises:
            UsageError: the model computes what is no number.
        """
        with self._turn:
            new = [text for text in dict.fromkeys(texts) if text not in self._remembered]
            known = {text: self._remembered[text] for text in dict.fromkeys(texts) if text in self._remembered}
            if new:
                known |= zip(
                    new, self._normalised(self._encode_queries([encodable(text) for text in new])), strict=True
                )
            for text, vector in known.items():
                self._remembered[text] = vector
                self._remembered.move_to_end(text)
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return np.stack([known[text] for text in texts]) if texts else np.zeros((0, self.dimensions), np.float32)

    def close(self) -> None:
        """Forget the model and what it was asked."""
        with self._turn:
            self.__dict__.pop("_model", None)
            self._remembered.clear()

    @cached_property
    def _model(self) -> Any:
        library = import_sentence_transformers()
        resolve_device(self._compute)
        if self._files.modules is None:
            model = self._assembled()
        else:
            model = load_model(
                self._files,
                library.SentenceTransformer,
                compute=self._compute,
                trust_remote_code=self._trust_remote_code,
            )
            self._override_pooling(model)
        self._check_lengths(model)
        own = model.get_embedding_dimension()
        wanted = self._encoding.truncate_dim
        if wanted is not None and own is not None and wanted > own:
            raise UsageError(
                f"model {self._files.name!r} gives {own} dimensions, and retriever.truncate_dim asks for {wanted}: "
                f"give {own} at most"
            )
        return model

    def _assembled(self) -> Any:
        """A model of plain transformers, which does not say how its tokens' vectors become one."""
        from sentence_transformers.sentence_transformer import modules

        library = import_sentence_transformers()
        pooling = self._encoding.pooling
        assert pooling is not None  # `make_dense` asked for it

        def make(folder: str, *, device: str, model_kwargs: dict[str, Any], **common: Any) -> Any:
            body = modules.Transformer(
                folder,
                model_kwargs={**common, **model_kwargs},
                processor_kwargs=dict(common),
                config_kwargs=dict(common),
            )
            pooled = modules.Pooling(body.get_embedding_dimension(), pooling_mode=pooling)
            return library.SentenceTransformer(modules=[body, pooled], device=device)

        return load_model(self._files, make, compute=self._compute, trust_remote_code=self._trust_remote_code)

    def _override_pooling(self, model: Any) -> None:
        from sentence_transformers.sentence_transformer.modules import Pooling

        wanted = self._encoding.pooling
        if wanted is None:
            return
        for name, module in model.named_children():
            if isinstance(module, Pooling):
                mode: Any = wanted
                other = Pooling(module.embedding_dimension, pooling_mode=mode, include_prompt=module.include_prompt)
                setattr(model, name, other)
                return
        raise UsageError(f"model {self._files.name!r} does not pool vectors of tokens: leave retriever.pooling out")

    def _check_lengths(self, model: Any) -> None:
        most = positions(model)
        for name in ("query_tokens", "passage_tokens"):
            tokens = getattr(self._encoding, name)
            if tokens is not None and most is not None and tokens > most:
                raise UsageError(
                    f"model {self._files.name!r} has positions for {most} tokens, and {name} asks for {tokens}: give "
                    f"{most} at most"
                )

    @property
    def _truncated(self) -> int | None:
        own: int | None = self._model.truncate_dim
        return self._encoding.truncate_dim or own

    def _longest(self, task: Literal["query", "document"]) -> int | None:
        """Tokens that are kept of a text: so many as were set, else as the model says and its positions reach."""
        given = self._encoding.query_tokens if task == "query" else self._encoding.passage_tokens
        return given if given is not None else longest_input(self._model, task)

    def _cut(self, task: Literal["query", "document"]) -> dict[str, Any]:
        limit = self._longest(task)
        return {} if limit is None else {"processing_kwargs": {"text": {"max_length": limit}}}

    def _encode_documents(self, texts: list[str]) -> npt.NDArray[Any]:
        found = self._model.encode_document(
            texts,
            prompt=self._encoding.document_prompt,
            batch_size=self._batch_size,
            show_progress_bar=False,
            truncate_dim=self._truncated,
            **self._cut("document"),
        )
        return np.asarray(found)

    def _encode_queries(self, texts: list[str]) -> npt.NDArray[Any]:
        torch = import_torch()
        from sentence_transformers.util import batch_to_device

        model = self._model
        prepared = [
            model.preprocess(
                [text],
                prompt=self._encoding.query_prompt,
                task="query",
                **self._cut("query"),
            )
            for text in texts
        ]

        def forward(features: dict[str, Any]) -> Any:
            out = model(batch_to_device(features, model.device), task="query")
            return out["sentence_embedding"].float().cpu()

        with torch.inference_mode():
            if self._filler_pays and all(map(can_be_fixed, prepared)):
                tokenizer = model.tokenizer
                rows = run_fixed(
                    prepared,
                    forward,
                    pad_id=tokenizer.pad_token_id or 0,
                    left=tokenizer.padding_side == "left",
                    longest=positions(model),
                )
            else:
                rows = run_alone(prepared, forward)
            found: npt.NDArray[Any] = torch.stack(rows).numpy()
        return found[:, : self._truncated]

    @property
    def _filler_pays(self) -> bool:
        return self._compute.device != "cpu" or sum(p.numel() for p in self._model.parameters()) < _FILLER_PAYS_BELOW

    def _normalised(self, found: npt.NDArray[Any]) -> Vectors:
        """Rows of length 1; sums in float64, each row by itself."""
        wide = found.astype(np.float64)
        if not np.isfinite(wide).all():
            mend = "" if self._compute.dtype == "float32" else ": give --set retriever.dtype=float32"
            raise UsageError(
                f"model {self._files.name!r} gives vectors that are no numbers in {self._compute.dtype}{mend}"
            )
        lengths = np.sqrt((wide * wide).sum(axis=1, keepdims=True))
        return (wide / np.where(lengths > 0, lengths, 1)).astype(np.float32)

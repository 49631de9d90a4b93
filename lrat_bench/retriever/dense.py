"""`dense:MODEL`: vectors of a sentence-transformers model, searched exactly, with FAISS, or in Milvus.

MODEL is a folder, or a name on the Hugging Face hub. A document's text is its `contents`, as for every retriever.
Scores are cosines.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import fingerprint
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import BuildContext, Ranked, SearchContext
from lrat_bench.retriever.dense_settings import EXACT, DenseSettings, read_settings
from lrat_bench.retriever.embeddings import BLOCK, Embeddings, Filled
from lrat_bench.retriever.encoder import Encoder, Encoding
from lrat_bench.retriever.faiss_index import FaissSearch, check_factory, faiss_version, open_index
from lrat_bench.retriever.milvus import MilvusSearch, check_milvus, open_milvus
from lrat_bench.retriever.model_files import ModelFiles, find_model
from lrat_bench.retriever.prompts import Prompt, document_prompt, query_prompt
from lrat_bench.retriever.shard import Shard
from lrat_bench.retriever.vectors import ExactSearch
from lrat_bench.task.corpus import Corpus
from lrat_bench.versions import installed_versions

__all__ = ["Dense", "make_dense"]

_log = logging.getLogger("lrat_bench.retriever")

_LIBRARIES = ("sentence-transformers", "transformers", "tokenizers", "torch")


def make_dense(argument: str | None, context: BuildContext) -> Dense:
    """The factory of `dense:MODEL`; settings are those of `DenseSettings`.

    Reads files of the model, and imports no library that runs one.

    Raises:
        UsageError: a setting is wrong, or there is no such model, or it is not safe to load.
    """
    if not argument:
        raise UsageError("retriever 'dense' needs a model: dense:FOLDER, or dense:ORGANISATION/NAME for one of the hub")
    settings = read_settings(context.settings, passage_tokens=context.passage_tokens)
    files = find_model(argument, revision=settings.revision, cache=context.cache)
    files.refuse_unsafe(trust_remote_code=settings.trust_remote_code)
    files.refuse_other_kinds("SentenceTransformer")
    if files.modules is None and settings.pooling is None:
        raise UsageError(
            f"model {argument!r} does not say how vectors of tokens become one, since it has no modules.json: give "
            "--set retriever.pooling=mean, cls or lasttoken, as it was trained"
        )
    if files.tainted:
        _log.warning("model %r was trained on pairs of evaluation questions: its numbers on them say nothing", argument)
    return Dense(f"dense:{argument}", files, settings, context.corpus, context.cache)


class Dense:
    """A dense retriever over one corpus.

    Args:
        name: as typed.
        files: the model.
        settings: what was set.
        corpus: what is searched.
        cache: where vectors and indexes are kept.
    """

    def __init__(self, name: str, files: ModelFiles, settings: DenseSettings, corpus: Corpus, cache: Path) -> None:
        self.name = name
        self._files = files
        self._settings = settings
        self._corpus = corpus
        self._cache = cache
        self._prompts: tuple[Prompt, Prompt] = (
            query_prompt(files, settings.query_prompt),
            document_prompt(files, settings.document_prompt),
        )
        self._encoding = Encoding(
            query_prompt=self._prompts[0].text,
            document_prompt=self._prompts[1].text,
            pooling=settings.pooling,
            query_tokens=settings.query_tokens,
            passage_tokens=settings.passage_tokens,
            truncate_dim=settings.truncate_dim,
            dtype=settings.compute.dtype,
        )
        self._model = files.fingerprint()
        self.fingerprint: str | None = fingerprint(self._identity()) if files.pinned else None
        self._encoder = Encoder(
            files,
            self._encoding,
            device=settings.compute.device,
            batch_size=settings.batch_size,
            trust_remote_code=settings.trust_remote_code,
        )
        self._search: ExactSearch | FaissSearch | MilvusSearch | None = None

    def prepare(self, progress: Progress) -> None:
        """As `Retriever.prepare`: encodes what of the corpus is not encoded yet, and builds the index if one is set."""
        if self._search is not None:
            return
        self._check_index()
        embeddings = self._embeddings()
        embeddings.fill(self._encoder.documents, trust=True, progress=progress)
        stored = embeddings.open()
        index, search, milvus = self._settings.index, self._settings.search, self._settings.milvus
        if index == EXACT:
            self._search = ExactSearch(stored, device=self._settings.compute.device)
        elif milvus is not None:
            self._search = open_milvus(milvus, stored, embeddings.folder, progress=progress)
        else:
            self._search = open_index(index, stored, embeddings.folder, search=search, progress=progress)

    def load(self) -> None:
        """Load the model now, rather than with the first text.

        Raises:
            UsageError: it cannot be loaded.
        """
        _ = self._encoder.dimensions

    def encode_shard(self, shard: Shard, progress: Progress) -> Filled:
        """Encode one part of the corpus, and say how far the whole is; what other processes encode is left to them.

        Raises:
            UsageError: the vectors cannot be computed or written.
        """
        self._check_index()
        return self._embeddings().fill(self._encoder.documents, shard=shard, progress=progress)

    def search(
        self,
        queries: Sequence[str],
        k: int,
        *,
        contexts: Sequence[SearchContext] | None = None,  # noqa: ARG002 -- for `oracle` alone
    ) -> list[list[Ranked]]:
        """As `Retriever.search`."""
        if self._search is None:
            raise RuntimeError(f"retriever {self.name!r} is not open: prepare() comes before search()")
        rankings: list[list[Ranked]] = [[] for _ in queries]
        asked = [number for number, query in enumerate(queries) if query.strip()]
        if asked:
            vectors = self._encoder.queries([queries[number] for number in asked])
            for number, ranking in zip(asked, self._search.search(vectors, k), strict=True):
                rankings[number] = ranking
        return rankings

    def close(self) -> None:
        """Forget the model and let go of the vectors."""
        search, self._search = self._search, None
        if search is not None:
            search.close()
        self._encoder.close()

    def describe(self) -> dict[str, Any]:
        """What is used, for the manifest: prompts and where they come from, lengths, numbers, versions.

        Pooling and lengths that were left to the model, and dimensions, are told from `prepare` to `close`.
        """
        query, document = self._prompts
        return {
            **self._identity(),
            **self._encoder.in_force(),
            "revision": self._settings.revision,
            "commit": self._files.commit,
            "tainted": self._files.tainted,
            "query_prompt_from": query.origin,
            "document_prompt_from": document.origin,
            "device": self._settings.compute.device,
            "versions": installed_versions(_LIBRARIES),
            **(self._search.describe() if isinstance(self._search, MilvusSearch) else {}),
        }

    def _check_index(self) -> None:
        """Before hours of encoding, not after."""
        if self._settings.milvus is not None:
            check_milvus(self._settings.milvus, self._embeddings().folder.name, self._encoder.dimensions)
        elif self._settings.index != EXACT:
            check_factory(self._settings.index, self._encoder.dimensions, self._settings.search)

    def _identity(self) -> dict[str, Any]:
        index, milvus = self._settings.index, self._settings.milvus
        if milvus is not None:
            indexed = milvus.identity()
        elif index == EXACT:
            indexed = {"index": index}
        else:
            indexed = {"index": index, "faiss": faiss_version(), "search": self._settings.search}
        return {
            "retriever": "dense",
            "model": self._model,
            "query_prompt": self._encoding.query_prompt,
            "query_tokens": self._encoding.query_tokens,
            **self._encoding.of_documents(),
            "storage": self._settings.storage,
            **indexed,
        }

    def _embeddings(self) -> Embeddings:
        decides = {
            "model": self._model,
            **self._encoding.of_documents(),
            "storage": self._settings.storage,
            "corpus": self._corpus.fingerprint,
            "block": BLOCK,
        }
        name = _slug(f"{self._corpus.name}-{Path(self._files.name).name}")
        return Embeddings(
            self._cache / "embeddings" / f"{name}-{fingerprint(decides)[:16]}",
            self._corpus,
            dimensions=self._encoder.dimensions,
            storage=self._settings.storage,
            meta={**decides, "versions": installed_versions(_LIBRARIES)},
        )


def _slug(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text)[:64]

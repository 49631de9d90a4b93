"""A Lucene index of a corpus, as Anserini builds and searches it.

Analysis, weighting, order and rounding of scores are Anserini's own classes, called in its order, so that a ranking is
the one that Pyserini's `LuceneSearcher` gives. What differs is what crosses between Python and Java: one list of ids
and one of scores per query, where `SimpleSearcher.search` hands over an object per hit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.retriever.base import Ranked
from lrat_bench.retriever.jvm import java_class, one_line, start_jvm
from lrat_bench.task.corpus import Document

__all__ = ["LuceneIndex", "build_index", "indexable"]

_FIELD = "contents"
_BATCH_DOCUMENTS = 1_000
_BATCH_CHARACTERS = 4_000_000
_SEGMENT_CHARACTERS = 128_000_000
_MOST_CLAUSES = 2**31 - 1


def indexable(text: str) -> bool:
    """Whether Anserini takes a document of that text; it refuses one of nothing but ASCII white space and controls.

    Such a document has no terms: no query can find it, and no statistic of BM25 counts it.
    """
    return any(character > " " for character in text)


def build_index(folder: Path, documents: Iterable[Document], *, threads: int, done: Callable[[int], None]) -> int:
    """Index documents by their `contents`; the text itself is not stored.

    Args:
        folder: where the index goes; made when missing.
        documents: read once, as a stream.
        threads: Java threads that analyse.
        done: told how many documents have been read.

    Returns:
        how many documents are in the index: all that are `indexable`.

    Raises:
        UsageError: a document cannot be indexed, or the index cannot be written.
    """
    start_jvm()
    from jnius import JavaException  # importing jnius starts a VM of its own, where none runs

    indexer_class = java_class("io.anserini.index.SimpleIndexer")
    read = written = characters = 0
    try:
        indexer = indexer_class(str(folder), False, threads)
        try:
            for batch in _batches(documents):
                records = [_record(document) for document in batch if indexable(document.contents)]
                added = indexer.addRawDocuments(records) if records else 0
                if added != len(records):
                    raise UsageError(
                        f"{len(records) - added} of the documents {batch[0].docid!r} to {batch[-1].docid!r} cannot be "
                        "indexed: Lucene takes ids of up to 32,766 bytes and texts of up to 20 million characters"
                    )
                read += len(batch)
                written += added
                characters += sum(map(len, records))
                if characters > _SEGMENT_CHARACTERS:
                    # Anserini lets Lucene buffer 2 GB, which can be all of Java's memory. Closing writes it out.
                    indexer.close()
                    indexer = indexer_class(str(folder), True, threads)
                    characters = 0
                done(read)
        finally:
            indexer.close()
        found = _count(folder)
    except JavaException as error:
        raise UsageError(f"the index cannot be written: {one_line(error)}") from error
    if found != written:
        # Anserini logs an error of its last writes (a full disk) and goes on.
        raise UsageError(f"the index holds {found} of {written} documents: make room on the disk of {folder.parent}")
    return written


class LuceneIndex:
    """An index that is open for search. Safe to use from several threads, best from the same few.

    Args:
        folder: an index that Anserini built.
        k1: BM25's saturation of term frequency.
        b: BM25's normalisation by document length.

    Raises:
        UsageError: there is no index in the folder, or not one that can be searched here.
    """

    def __init__(self, folder: Path, *, k1: float, b: float) -> None:
        if not any(folder.glob("segments_*")):
            raise UsageError(f"{str(folder)!r} is not a Lucene index: it must be a folder that holds a segments_N file")
        start_jvm()
        from jnius import JavaException

        try:
            self._reader = _open(folder)
            fields = java_class("org.apache.lucene.index.FieldInfos").getMergedFieldInfos(self._reader)
        except JavaException as error:
            raise UsageError(f"the index in {str(folder)!r} cannot be opened: {one_line(error)}") from error
        self.documents: int = self._reader.numDocs()
        ids = fields.fieldInfo("id")
        # An index without documents has no fields at all; it is a fine index of nothing.
        if self.documents and (ids is None or ids.getDocValuesType().toString() != "BINARY"):
            self._reader.close()
            raise UsageError(
                f"the index in {str(folder)!r} has no sortable document ids, because it was built by something else "
                "than Anserini or by a version before Lucene 9: build it again"
            )
        java_class("org.apache.lucene.search.IndexSearcher").setMaxClauseCount(_MOST_CLAUSES)
        sort_field = java_class("org.apache.lucene.search.SortField")
        string_value = java_class("org.apache.lucene.search.SortField$Type").STRING_VAL
        self._order = java_class("org.apache.lucene.search.Sort")(
            sort_field.FIELD_SCORE, sort_field("id", string_value)
        )
        self._searcher = java_class("org.apache.lucene.search.IndexSearcher")(self._reader.getContext())
        self._searcher.setSimilarity(java_class("org.apache.lucene.search.similarities.BM25Similarity")(k1, b))
        self._analyzer = java_class("io.anserini.index.IndexCollection").DEFAULT_ANALYZER
        self._queries = java_class("io.anserini.search.query.BagOfWordsQueryGenerator")()
        self._scored_documents = java_class("io.anserini.search.ScoredDocs")
        self._ties = java_class("io.anserini.rerank.lib.ScoreTiesAdjusterReranker")()

    def search(self, query: str, k: int) -> list[Ranked]:
        """The k best documents that share a term with the query, as a bag of words.

        Scores are Anserini's, rounded to four decimals with ties spread by 1e-6 in the order of their ids. Where
        float32 is too coarse to hold that spread they are made to fall by the least that a float can, so that
        sorting by score, whatever is done with ties, gives this order.
        """
        # Java's strings hold lone surrogates and Lucene's do not.
        text = query.encode("utf-8", errors="replace").decode()
        parsed = self._queries.buildQuery(_FIELD, self._analyzer, text)
        top = self._searcher.search(parsed, max(1, min(k, self.documents)), self._order, True)
        hits = self._ties.rerank(self._scored_documents.fromTopDocs(top, self._searcher), None)
        ranking = []
        bound = math.inf
        for docid, score in zip(hits.docids, hits.scores, strict=True):
            bound = min(score, math.nextafter(bound, -math.inf))
            ranking.append(Ranked(docid, bound))
        return ranking

    def statistics(self) -> dict[str, int]:
        """What BM25 counts over the whole index; the same however its files are laid out."""
        counted = self._searcher.collectionStatistics(_FIELD)
        return {
            "documents": self.documents,
            "documents_with_terms": counted.docCount() if counted else 0,
            "postings": counted.sumDocFreq() if counted else 0,
            "tokens": counted.sumTotalTermFreq() if counted else 0,
        }

    def sample_ids(self, most: int) -> list[str]:
        """The ids of documents spread evenly over the index, `most` at most."""
        stored = self._searcher.storedFields()
        count = min(most, self._reader.maxDoc())
        return [stored.document(i * self._reader.maxDoc() // count).get("id") for i in range(count)]

    def close(self) -> None:
        """Close the index's files."""
        self._reader.close()


def _open(folder: Path) -> Any:
    path = java_class("java.io.File")(str(folder)).toPath()
    directory = java_class("org.apache.lucene.store.FSDirectory").open(path)
    return java_class("org.apache.lucene.index.DirectoryReader").open(directory)


def _count(folder: Path) -> int:
    reader = _open(folder)
    try:
        return int(reader.numDocs())
    finally:
        reader.close()


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    characters = 0
    for document in documents:
        batch.append(document)
        characters += len(document.text)
        if len(batch) == _BATCH_DOCUMENTS or characters > _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _record(document: Document) -> str:
    """The document in the JSON that Anserini reads, in ASCII.

    A lone surrogate in it would make Anserini index the document without its text, and say nothing.
    """
    try:
        document.docid.encode()
    except UnicodeEncodeError:
        raise UsageError(f"document id {document.docid!r} is not valid Unicode: give the document another id") from None
    contents = document.contents.encode("utf-8", errors="replace").decode()
    return json.dumps({"id": document.docid, "contents": contents})

"""`http://…` and `https://…`: a retriever behind a network, over the documents that the task has.

The server says what it is (`GET /health` of `lrat-bench serve --retriever-only`), its corpus is compared with the
task's, and every reply carries its fingerprint: then it is known. Of any other server nothing is known, and its runs
are not rankable; what it finds for a few probe queries goes into the manifest, so that another retriever at the same
address is noticed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from lrat_bench.errors import Halt, RolloutError, RolloutFailure, UsageError
from lrat_bench.files import fingerprint
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import BuildContext, Ranked, SearchContext
from lrat_bench.retriever.by_contents import ByContents, same_text
from lrat_bench.retriever.dense_settings import choice_setting, text_setting
from lrat_bench.retriever.json_service import JsonService, cut
from lrat_bench.retriever.rankings import checked_rankings
from lrat_bench.retriever.remote_server import Health, Place, authorization, find_place, read_address
from lrat_bench.retriever.settings import number_setting, refuse_unknown_settings, whole_setting
from lrat_bench.retriever.shapes import MOST_QUERIES, SHAPES, Found, Reply
from lrat_bench.task.corpus import Corpus

__all__ = ["Remote", "make_http", "make_https", "probes_of"]

_log = logging.getLogger("lrat_bench.retriever")

_KEYS = ("shape", "batch", "timeout", "outage_seconds", "token_env", "max_reply_mb")
_BATCH, _TIMEOUT, _OUTAGE, _REPLY_MB = 32, 60.0, 120.0, 64.0
_FIRST_PATIENCE = 5.0
"""Seconds that a server may take to be there at all: nothing has been spent yet, and a person waits."""

_PROBES, _PROBE_WORDS, _PROBE_K = 4, 12, 10


def make_http(argument: str | None, context: BuildContext) -> Remote:
    """The factory of `http://…`; see `make_https`."""
    return _make("http", argument, context)


def make_https(argument: str | None, context: BuildContext) -> Remote:
    """The factory of `https://HOST/…`; asks the server what it is.

    Settings: `shape` (`lrat-bench` or `search-r1`; else told by the path, `/search` or `/retrieve`, else by what the
    server says of itself), `batch` (32: queries of one request, 1,024 at most), `timeout` (60 s a request),
    `outage_seconds` (120: how long failing requests are tried again), `token_env` (variable that holds a bearer token),
    `max_reply_mb` (64).

    Raises:
        UsageError: a setting is wrong, the server cannot be reached, or it serves another corpus.
    """
    return _make("https", argument, context)


def _make(scheme: str, argument: str | None, context: BuildContext) -> Remote:
    given = context.settings
    if "token" in given:
        raise UsageError(
            "a token is not set, since settings are written down: put it into an environment variable, and give its "
            "name, as in --set retriever.token_env=NAME"
        )
    refuse_unknown_settings(scheme, given, _KEYS)
    address = read_address(f"{scheme}:{argument or ''}")
    shape = choice_setting(scheme, given, "shape", SHAPES)
    batch = whole_setting(scheme, given, "batch", high=MOST_QUERIES) or _BATCH
    outage = number_setting(scheme, given, "outage_seconds", _OUTAGE, low=0, high=1e6)
    service = JsonService(
        f"retriever {address.geturl()!r}",
        encrypted=scheme == "https",
        headers=authorization(address, text_setting(scheme, given, "token_env")),
        timeout=number_setting(scheme, given, "timeout", _TIMEOUT, low=0.01, high=1e5),
        outage_seconds=outage,
        most_bytes=int(1e6 * number_setting(scheme, given, "max_reply_mb", _REPLY_MB, low=0.001, high=1e5)),
    )
    try:
        place = find_place(service, address, shape, patience=min(outage, _FIRST_PATIENCE))
        _refuse_another_corpus(address.geturl(), place.health, context)
    except RolloutFailure as failure:
        service.close()
        raise UsageError(f"{failure}; start the server, or give another address") from None
    except BaseException:
        service.close()
        raise
    remote = Remote(address.geturl(), service, place, context.corpus, batch=batch)
    if place.health.fingerprint is not None and remote.fingerprint is None:
        _log.warning(
            "retriever %r says what it is, %s: runs over it are not rankable",
            address.geturl(),
            "and not which corpus it searches" if place.carries_fingerprint else "and its replies do not",
        )
    return remote


def _refuse_another_corpus(name: str, health: Health, context: BuildContext) -> None:
    if health.corpus not in (None, context.corpus.fingerprint):
        raise UsageError(
            f"retriever {name!r} ({health}) searches another corpus than that of task {context.task.name!r} "
            f"({len(context.corpus):,} documents): serve that one"
        )


class Remote:
    """A retriever that another process is.

    Args:
        name: its address.
        service: reaches it; closed with this.
        place: where and how it is asked, and what it says of itself.
        corpus: what it must search.
        batch: queries of one request.
    """

    def __init__(self, name: str, service: JsonService, place: Place, corpus: Corpus, *, batch: int) -> None:
        self.name = name
        self._server = f"retriever {name!r}"
        self._service = service
        self._place = place
        self._shape = SHAPES[place.shape]
        self._corpus = corpus
        self._batch = batch
        self._by_contents: ByContents | None = None
        self._probes: list[list[str]] | None = None
        self.fingerprint: str | None = None
        if place.is_known:
            self.fingerprint = fingerprint({"retriever": "remote", "served": place.health.fingerprint})

    def prepare(self, progress: Progress) -> None:
        """As `Retriever.prepare`: searches for the first words of a few documents, and sees what the answers are.

        Raises:
            UsageError: they cannot be read, or name documents that the task's corpus lacks.
        """
        if self._probes is not None:
            return
        progress(f"trying {self.name}", 0, None)
        queries = list(_probe_queries(self._corpus))
        try:
            found = self._ask(queries, _PROBE_K)
            if any(hit.docid is None for ranking in found for hit in ranking):
                self._by_contents = ByContents(self._corpus, progress)
            self._warn_of_other_texts(found)
            rankings = self._named(queries, found, _PROBE_K)
        except RolloutError as error:
            raise UsageError(str(error)) from None
        self._probes = [[hit.docid for hit in ranking] for ranking in rankings]
        if not any(self._probes):
            _log.warning("%s finds nothing for the first words of %d documents", self._server, len(queries))
        else:
            self._warn_of_few(self._probes, _PROBE_K)

    def search(
        self,
        queries: Sequence[str],
        k: int,
        *,
        contexts: Sequence[SearchContext] | None = None,  # noqa: ARG002 -- for `oracle` alone
    ) -> list[list[Ranked]]:
        """As `Retriever.search`.

        Raises:
            RolloutFailure: the server fails, or does not answer as it must.
            Halt: it is down, or has become another one.
            UsageError: it found a document that the corpus lacks.
        """
        rankings: list[list[Ranked]] = [[] for _ in queries]
        asked = [number for number, query in enumerate(queries) if query.strip()]
        words = [queries[number] for number in asked]
        for number, ranking in zip(asked, self._named(words, self._ask(words, k), k), strict=True):
            rankings[number] = ranking
        return rankings

    def close(self) -> None:
        """Let go of connections."""
        self._service.close()

    def describe(self) -> dict[str, Any]:
        """For the manifest: what the server says of itself, and, once it was tried, what it found for the probes."""
        health = self._place.health
        return {
            "retriever": "remote",
            "shape": self._place.shape,
            "served": {"retriever": health.retriever, "fingerprint": health.fingerprint},
            **({"probes": self._probes} if self._probes is not None else {}),
        }

    def _ask(self, queries: Sequence[str], k: int) -> list[list[Found]]:
        parts = [queries[start : start + self._batch] for start in range(0, len(queries), self._batch)]
        said = self._service.post(self._place.endpoint, [self._shape.body(part, k) for part in parts])
        found: list[list[Found]] = []
        for part, one in zip(parts, said, strict=True):
            reply = self._shape.reply(one, server=self._server)
            self._refuse_another(reply)
            if len(reply.rankings) != len(part):
                raise RolloutFailure(f"{self._server} gives {len(reply.rankings)} rankings for {len(part)} queries")
            if (longest := max(map(len, reply.rankings))) > k:
                raise RolloutFailure(f"{self._server} gives {longest} documents where k = {k}")
            found += reply.rankings
        return found

    def _refuse_another(self, reply: Reply) -> None:
        known, given = self._place.health.fingerprint, reply.fingerprint
        # Where runs are not rankable anyway, a reply need not say who gives it.
        if known is None or given == known or (given is None and not self._place.is_known):
            return
        if given is None:
            raise Halt(
                f"{self._server} may have become another one: it gave fingerprint {cut(known)} at first, and gives a "
                "reply without any; serve that again, with its fingerprint in every reply"
            )
        raise Halt(
            f"{self._server} has become another one: it gives fingerprint {cut(given)} and gave {cut(known)} at first; "
            "serve that again"
        )

    def _named(self, queries: Sequence[str], found: Iterable[list[Found]], k: int) -> list[list[Ranked]]:
        """Rankings by the corpus's own ids, held to the contract of retrievers."""
        rankings = [list(zip(self._docids(hits), (hit.score for hit in hits), strict=True)) for hits in found]
        return checked_rankings(rankings, retriever=self.name, queries=queries, k=k)

    def _docids(self, hits: list[Found]) -> list[str]:
        nameless = [hit.contents or "" for hit in hits if hit.docid is None]
        if nameless and self._by_contents is None:
            # A server that has named every document of the probes, and this one not.
            raise RolloutFailure(f"{self._server} gives some documents with an id and some without")
        by_text = iter(self._by_contents.docids(nameless) if self._by_contents is not None else ())
        found: list[str] = []
        for hit in hits:
            docid = next(by_text) if hit.docid is None else hit.docid
            if docid is None:
                raise UsageError(
                    f"{self._server} gives a document without an id, whose text {cut(hit.contents)!r} no (other) "
                    f"document of corpus {self._corpus.name!r} has: serve that corpus, whole documents, or give their "
                    "ids"
                )
            if docid not in self._corpus:
                raise UsageError(
                    f"{self._server} gives document {cut(docid)!r}, which corpus {self._corpus.name!r} lacks: serve "
                    "that corpus, under its own ids"
                )
            found.append(docid)
        return found

    def _warn_of_other_texts(self, found: list[list[Found]]) -> None:
        """Ids can be the same and mean something else: numbers of rows are, as a rule."""
        both = [hit for ranking in found for hit in ranking if hit.docid is not None and hit.contents]
        if both and not any(map(self._same, both)):
            _log.warning(
                "%s gives other texts than corpus %r has under the same ids (%r, for one): check that it searches this "
                "corpus",
                *(self._server, self._corpus.name, cut(both[0].docid)),
            )

    def _warn_of_few(self, rankings: list[list[str]], k: int) -> None:
        """A server that looks at its own k alone gives too few, and recall is that of a shorter list."""
        most = max(map(len, rankings))
        if most < min(k, len(self._corpus)):
            _log.warning(
                "%s gives at most %d documents for the first words of %d documents where %d were asked for: see that "
                "it takes k from the request",
                *(self._server, most, len(rankings), k),
            )

    def _same(self, hit: Found) -> bool:
        """Whether a text is that of the corpus, or a part of it."""
        document = self._corpus.get(hit.docid or "")
        if document is None:
            return False
        mine, theirs = same_text(document.contents), same_text(hit.contents or "")
        return theirs in mine or mine in theirs


def probes_of(description: Any) -> list[Any]:
    """What was found for probe queries, in what the manifest says of a retriever and of those within it."""
    if isinstance(description, Mapping):
        own = [description["probes"]] if "probes" in description else []
        return own + [found for value in description.values() for found in probes_of(value)]
    return [found for value in description for found in probes_of(value)] if isinstance(description, list) else []


def _probe_queries(corpus: Corpus) -> Iterable[str]:
    """The first words of the first documents that have any: the same ones every time."""
    texts = (" ".join(document.contents.split()[:_PROBE_WORDS]) for document in islice(corpus, 10 * _PROBES))
    return islice((text for text in texts if text), _PROBES)

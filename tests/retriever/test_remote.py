"""`http://…`: another process searches, and nothing that it says is taken on trust."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from said import Command, refused
from searching import Asked, Said, SearchServer, own, search_r1

from lrat_bench.errors import Halt, RolloutFailure, UnknownName, UsageError
from lrat_bench.model.lite import patience
from lrat_bench.progress import no_progress
from lrat_bench.retriever.base import BuildContext, Ranked
from lrat_bench.retriever.batching import MicroBatcher
from lrat_bench.retriever.by_contents import ByContents
from lrat_bench.retriever.catalog import load_retriever
from lrat_bench.retriever.remote import probes_of

MakeContext = Callable[..., BuildContext]
Open = Callable[..., Any]

TEXTS = {f"d{n:02d}": f"title {n}\nthe {n}th text about {'river ' * (n % 5)}and mason {n * 7}" for n in range(40)}
TWINS = {"twin-a": "the same words", "twin-b": "the same words", "twin-c": "the  same\nwords"}


def rank(query: str, k: int) -> list[tuple[str, float]]:
    """By how many words are shared: a retriever that anybody can check."""
    shared = {docid: float(len(set(query.split()) & set(text.split()))) for docid, text in TEXTS.items()}
    return sorted(((docid, score) for docid, score in shared.items() if score), key=lambda hit: (-hit[1], hit[0]))[:k]


def expected(query: str, k: int) -> list[Ranked]:
    return [Ranked(*hit) for hit in rank(query, k)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are a hundredth of what they are."""
    monkeypatch.setattr(patience, "_FIRST", 0.01)


@pytest.fixture
def right(make_context: MakeContext) -> Mapping[str, Any]:
    """What a server over `TEXTS` says of itself beside its name and fingerprint."""
    return {"corpus": make_context(TEXTS).corpus.fingerprint, "documents": len(TEXTS)}


@pytest.fixture
def opened(make_context: MakeContext) -> Open:
    """Opens the retriever at an address, and closes it at the end of the `with` block."""

    @contextmanager
    def open_remote(
        address: str, texts: Mapping[str, str] = TEXTS, *, prepare: bool = True, **settings: Any
    ) -> Iterator[Any]:
        with closing(load_retriever(address, make_context(texts, settings=settings))) as retriever:
            if prepare:
                retriever.prepare(no_progress)
            yield retriever

    return open_remote


def test_our_own_server_is_found_by_its_address_alone_and_searched_in_batches(opened: Open) -> None:
    with SearchServer(own(rank)) as server, opened(server.address, batch=3) as remote:
        queries = [f"mason {n * 7} river" for n in range(8)]
        before = len(server.searches)
        found = remote.search([*queries[:4], " \n", *queries[4:]], 5)
        assert found == [expected(query, 5) for query in queries[:4]] + [[]] + [
            expected(query, 5) for query in queries[4:]
        ]
        asked = server.searches[before:]
        assert sorted(len(body["queries"]) for body in asked) == [2, 3, 3]
        assert {body["k"] for body in asked} == {5}
        assert remote.search([], 5) == [] == remote.search([], 1)


def test_what_a_server_says_of_itself_is_the_fingerprint_wherever_it_stands(
    opened: Open, right: Mapping[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with (
        SearchServer(own(rank, health=right)) as one,
        SearchServer(own(rank, health=right)) as other,
        SearchServer(own(rank, word="beef", health=right)) as third,
        opened(one.address) as a,
        opened(f"{other.address}/search/", batch=1) as b,
        opened(third.address) as c,
    ):
        assert a.fingerprint == b.fingerprint
        assert a.fingerprint not in (None, c.fingerprint, "f00d")
        assert a.describe()["served"] == {"retriever": "bm25", "fingerprint": "f00d"}
        assert a.name == one.address
    assert not caplog.records
    with SearchServer(own(rank, word=None, health=right)) as server, opened(server.address) as remote:
        assert remote.fingerprint is None


def test_a_server_that_can_become_another_one_unseen_has_no_fingerprint(
    opened: Open, right: Mapping[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    # It may search any corpus: a reply may then leave the fingerprint out, and not give another one.
    with SearchServer(own(rank)) as server, opened(server.address) as remote:
        assert remote.fingerprint is None
        assert "not which corpus it searches: runs over it are not rankable" in caplog.text
        server.answer = own(rank, word=None)
        assert remote.search(["mason 21"], 3) == [expected("mason 21", 3)]
        server.answer = own(rank, word="beef")
        with pytest.raises(Halt, match="has become another one"):
            remote.search(["mason"], 3)
    caplog.clear()
    health, retrieve = own(rank, health=right), search_r1(rank, lambda docid: {"id": docid})
    with (
        SearchServer(lambda asked: health(asked) if asked.path == "/health" else retrieve(asked)) as server,
        opened(f"{server.address}/retrieve") as remote,
    ):
        assert remote.fingerprint is None
        assert remote.describe()["served"]["fingerprint"] == "f00d"
        assert "its replies do not: runs over it are not rankable" in caplog.text


def test_of_a_server_that_says_nothing_the_rankings_of_probes_are_kept(opened: Open) -> None:
    def worse(query: str, k: int) -> list[tuple[str, float]]:
        return rank(query, k)[1:]

    answers = [search_r1(one, lambda docid: {"id": docid, "contents": TEXTS[docid]}) for one in (rank, rank, worse)]
    said = []
    for answer in answers:
        with SearchServer(answer) as server, opened(server.address, prepare=False) as remote:
            assert remote.fingerprint is None
            assert "probes" not in remote.describe()
            remote.prepare(no_progress)
            said.append(remote.describe()["probes"])
    assert said[0] == said[1] != said[2]
    within = {"arms": [{"name": "bm25"}, {"name": "http://a", "probes": said[0]}], "k0": 60.0}
    assert probes_of(within) == probes_of({"probes": said[0]}) == [said[0]]
    assert probes_of({"retriever": "bm25"}) == []
    assert said[0][0][0] == "d00"


@pytest.mark.parametrize("form", ["{}", '"{}', "  {}  \n"])
def test_documents_without_ids_are_found_by_their_text(form: str, opened: Open) -> None:
    def document(docid: str) -> dict[str, str]:
        title, _, text = TEXTS[docid].partition("\n")
        quoted = f'"{title}"' if form.startswith('"') else title
        return {"contents": form.removeprefix('"').format(f"{quoted}\n{text}")}

    with SearchServer(search_r1(rank, document)) as server, opened(f"{server.address}/retrieve") as remote:
        assert remote.search(["mason 21 river", "mason 63"], 6) == [
            expected("mason 21 river", 6),
            expected("mason 63", 6),
        ]


def test_documents_of_one_text_take_turns(make_context: MakeContext) -> None:
    by_contents = ByContents(make_context(TEXTS | TWINS).corpus, no_progress)
    same = TWINS["twin-a"]
    assert by_contents.docids([same, TEXTS["d03"], same, same]) == ["twin-a", "d03", "twin-b", "twin-c"]
    assert by_contents.docids([same, same, same, same])[3] is None
    assert by_contents.docids(["", "nowhere"]) == [None, None]


def test_a_document_that_the_corpus_lacks_is_refused_before_a_run(opened: Open) -> None:
    def other(query: str, k: int) -> list[tuple[str, float]]:
        return [("elsewhere\x1b[31m", 1.0)]

    with (
        SearchServer(own(other)) as server,
        pytest.raises(UsageError, match=r"elsewhere.* which corpus 'memory' lacks") as told,
        opened(server.address),
    ):
        pass
    assert "\x1b" not in str(told.value)
    nameless = search_r1(rank, lambda docid: {"contents": "a passage"})
    with (
        SearchServer(nameless) as server,
        pytest.raises(UsageError, match="without an id, whose text 'a passage'"),
        opened(server.address),
    ):
        pass


def test_a_server_that_keeps_to_a_k_of_its_own_is_warned_of(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    capped = search_r1(lambda query, k: rank(query, min(k, 3)), lambda docid: {"id": docid, "contents": TEXTS[docid]})
    with SearchServer(capped) as server, opened(server.address):
        assert "gives at most 3 documents" in caplog.text
        assert "where 10 were asked for: see that it takes k from the request" in caplog.text


def test_ids_that_mean_other_documents_are_warned_of(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    answer = search_r1(rank, lambda docid: {"id": docid, "contents": "something else"})
    with SearchServer(answer) as server, opened(server.address):
        assert "gives other texts than corpus 'memory'" in caplog.text
    caplog.clear()
    answer = search_r1(rank, lambda docid: {"id": docid, "contents": TEXTS[docid][:20]})
    with SearchServer(answer) as server, opened(server.address):
        assert not caplog.records


def test_a_server_over_another_corpus_is_refused_at_once(opened: Open, right: Mapping[str, Any]) -> None:
    with SearchServer(own(rank, health=right)) as server, opened(server.address):
        pass
    wrong = {"corpus": "c0ffee", "documents": 1_000_000}
    with SearchServer(own(rank, health=wrong)) as server:
        told = r"\(bm25, 1,000,000 documents\) searches another corpus than .*'memory'"
        with pytest.raises(UsageError, match=told), opened(server.address):
            pass
        assert not server.searches


@pytest.mark.parametrize(
    ("ranking", "problem"),
    [
        ([["d01", 1.0], ["d01", 0.5]], "document 'd01' twice"),
        ([["d01", float("nan")]], "score nan"),
        ([["d01", float("inf")]], "score inf"),
        ([["d01", True]], "a score is"),
        ([["d01", "1.0"]], "a score is '1.0', and must be a number"),
        ([["d01", 10**400]], "must be a number"),
        ([["d01"]], 'must be ["docid", score]'),
        ([[1, 1.0]], 'must be ["docid", score]'),
        ([{"docid": "d01"}], 'must be ["docid", score]'),
        ([[f"d{n:02d}", 1.0] for n in range(4)], "gives 4 documents where k = 3"),
        ("d01", "'rankings' is list, and must be a list of lists"),
        (None, "'rankings' is list, and must be a list of lists"),
    ],
)
def test_a_broken_ranking_is_one_clear_line(ranking: Any, problem: str, opened: Open) -> None:
    with SearchServer(own(rank)) as server, opened(server.address) as remote:
        server.answer = lambda _: Said({"fingerprint": "f00d", "rankings": [ranking]})
        with pytest.raises(RolloutFailure) as told:
            remote.search(["mason"], 3)
    assert problem in str(told.value)
    assert server.address in str(told.value)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "the reply is list, and must be an object"),
        ({}, "'rankings' is None"),
        ({"rankings": []}, "0 rankings for 1 queries"),
        ({"rankings": [[], []]}, "2 rankings for 1 queries"),
        ({"rankings": [[]], "fingerprint": {"a": 1}}, "fingerprint is dict"),
        ("\x1b]0;owned\x07" * 99, r"the reply is '\x1b]0;owned"),
    ],
)
def test_a_reply_of_another_shape_is_one_clear_line(value: Any, problem: str, opened: Open) -> None:
    with SearchServer(own(rank)) as server, opened(server.address) as remote:
        server.answer = lambda _: Said(value)
        with pytest.raises(RolloutFailure) as told:
            remote.search(["mason"], 3)
    assert problem in str(told.value)
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 300


@pytest.mark.parametrize(
    "hit",
    [
        {},
        {"document": "text", "score": 1},
        {"document": {}, "score": 1},
        {"document": {"id": []}, "score": 1},
        {"document": {"id": "d01"}},
        ["d01", 1],
    ],
)
def test_a_broken_hit_of_search_r1_is_one_clear_line(hit: Any, opened: Open) -> None:
    with SearchServer(search_r1(rank, lambda docid: {"id": docid})) as server, opened(server.address) as remote:
        server.answer = lambda _: Said({"result": [[hit]]})
        with pytest.raises(RolloutFailure, match="does not answer as it must"):
            remote.search(["mason"], 3)


def test_a_server_that_stumbles_is_asked_again(opened: Open) -> None:
    falls = iter(
        [
            None,
            Said(status=503),
            Said(status=429, headers={"Retry-After": "0.3"}),
            Said(status=503, headers={"Retry-After": "Fri, 31 Dec 99999999999999999999 23:59:59 GMT"}),
            Said(status=500),
            Said(content=b"<html>"),
            Said({"rankings": []}, cut=True),
        ]
    )
    right = own(rank)
    with SearchServer(right) as server, opened(server.address) as remote:
        server.answer = lambda asked: next(falls, right(asked))
        began = time.monotonic()
        assert remote.search(["mason 21"], 3) == [expected("mason 21", 3)]
        assert 0.3 < time.monotonic() - began < 5
        assert next(falls, "spent") == "spent"


def test_a_server_that_is_down_for_a_while_is_waited_for_and_one_that_stays_down_halts_the_run_soon(
    opened: Open,
) -> None:
    server = SearchServer(own(rank))
    server.start()
    with opened(server.address, outage_seconds=1.0) as remote:
        server.stop()
        threading.Timer(0.4, server.start).start()
        assert remote.search(["mason 21"], 3) == [expected("mason 21", 3)]
        server.stop()
        began = time.monotonic()
        with pytest.raises(Halt, match=r"failed .* times"):
            remote.search(["mason"], 3)
        assert 0.9 < time.monotonic() - began < 4
        began = time.monotonic()
        # What was asked together is asked one by one: each of them must not wait as long again.
        for _ in range(20):
            with pytest.raises(Halt, match="is down"):
                remote.search(["mason"], 3)
        assert time.monotonic() - began < 1
        server.start()
        assert remote.search(["mason 21"], 3) == [expected("mason 21", 3)]
    server.stop()


@pytest.mark.parametrize("way", ["silent", "drip"])
def test_a_request_ends_when_its_time_is_over(way: str, opened: Open) -> None:
    with SearchServer(own(rank)) as server, opened(server.address, timeout=0.3, outage_seconds=0.5) as remote:
        slow = Said({"rankings": [[]], "fill": "x" * 200}, pieces=1 if way == "silent" else 200, pause=0.05)

        def answer(asked: Asked) -> Said:
            if way == "silent":
                time.sleep(1)
            return slow

        server.answer = answer
        began = time.monotonic()
        with pytest.raises(Halt, match=r"no reply within 0\.3 s"):
            remote.search(["mason"], 3)
        assert time.monotonic() - began < 2.5


def test_a_reply_is_read_as_far_as_it_may_be_large_and_is_unpacked_by_nobody(opened: Open) -> None:
    with SearchServer(own(rank)) as server, opened(server.address, max_reply_mb=0.5) as remote:
        server.answer = lambda _: Said({"rankings": [[]], "fill": "x" * 5_000_000})
        with pytest.raises(RolloutFailure, match=r"more than 0\.5 MB: ask for fewer queries at once"):
            remote.search(["mason"], 3)
        bomb = gzip.compress(json.dumps({"rankings": [[]], "fill": "x" * 50_000_000}).encode())
        server.answer = lambda _: Said(content=bomb, headers={"Content-Encoding": "gzip"})
        with pytest.raises(RolloutFailure, match="sends gzip where plain JSON was asked for"):
            remote.search(["mason"], 3)
        server.answer = lambda _: Said(content=b"[" * 100_000)
        with pytest.raises(RolloutFailure, match="does not speak JSON"):
            remote.search(["mason"], 3)


def test_no_redirect_is_followed_and_the_token_goes_nowhere_else(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SEARCH", "opensesame-opensesame")
    with SearchServer(own(rank)) as thief, SearchServer(own(rank)) as server:
        with opened(server.address, token_env="MY_SEARCH") as remote:
            assert {one.headers["authorization"] for one in server.requests} == {"Bearer opensesame-opensesame"}
            server.answer = lambda asked: Said(status=307, headers={"Location": f"{thief.address}{asked.path}"})
            with pytest.raises(UsageError, match=f"redirects to {thief.address}/search, which is not followed"):
                remote.search(["mason"], 3)
        assert not thief.requests


def test_a_token_is_named_and_never_shown(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    token = "opensesame-opensesame"
    monkeypatch.setenv("MY_SEARCH", token)
    with SearchServer(lambda asked: Said({"you sent": asked.headers.get("authorization")}, 401)) as server:
        with (
            pytest.raises(UsageError, match="wants another token") as told,
            opened(server.address, token_env="MY_SEARCH"),
        ):
            pass
        assert token not in str(told.value)
        for settings, words in (
            ({"token_env": "NOT_THERE"}, "'NOT_THERE', .* is not set"),
            ({"token": token}, "a token is not set, since"),
        ):
            with pytest.raises(UsageError, match=words) as told, opened(server.address, **settings):
                pass
            assert token not in str(told.value)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://", "is no address"),
        ("http:", "is no address"),
        ("http://127.0.0.1:99999", "is no address"),
        ("http://[", "is no address"),
        ("http://a b", "is no address"),
        ("http://me:hunter2@127.0.0.1:1", "holds a user or a password"),
        ("http://127.0.0.1:1/search?key=abc", "must end with its path"),
    ],
)
def test_what_is_no_address_is_refused(address: str, words: str, opened: Open) -> None:
    with pytest.raises(UsageError, match=words) as told, opened(address):
        pass
    assert "hunter2" not in str(told.value)
    assert "abc" not in str(told.value)


@pytest.mark.parametrize("settings", [{"shape": "soap"}, {"bach": 1}])
def test_unknown_words_are_met_with_the_known_ones(settings: dict[str, Any], opened: Open) -> None:
    with pytest.raises(UnknownName, match=r"batch|search-r1"), opened("http://127.0.0.1:1", **settings):
        pass


@pytest.mark.parametrize(
    "settings", [{"batch": 0}, {"batch": 1025}, {"timeout": "soon"}, {"outage_seconds": -1}, {"max_reply_mb": 0}]
)
def test_numbers_that_mean_nothing_are_refused(settings: dict[str, Any], opened: Open) -> None:
    with pytest.raises(UsageError, match=f"setting '{next(iter(settings))}'"), opened("http://127.0.0.1:1", **settings):
        pass


def test_the_shape_is_told_by_the_path_or_by_the_user(opened: Open, right: Mapping[str, Any]) -> None:
    document = {docid: {"id": docid, "contents": text} for docid, text in TEXTS.items()}
    both = {
        "/health": own(rank, health=right),
        "/search": own(rank),
        "/retrieve": search_r1(rank, lambda docid: document[docid]),
    }
    with SearchServer(lambda asked: both.get(asked.path, own(rank))(asked)) as server:
        for address, settings, path in (
            ("", {}, "/search"),
            ("/retrieve", {}, "/retrieve"),
            ("", {"shape": "search-r1"}, "/retrieve"),
        ):
            with opened(f"{server.address}{address}", **settings) as remote:
                assert remote.search(["mason 21"], 3) == [expected("mason 21", 3)]
                assert (remote.fingerprint is not None) == (path == "/search")
            assert server.requests[-1].path == path
    odd = search_r1(rank, lambda docid: document[docid])
    with SearchServer(
        lambda asked: (
            odd(Asked(asked.method, "/retrieve", {}, asked.body)) if asked.path == "/v2/find" else Said(status=404)
        )
    ) as server:
        with opened(f"{server.address}/v2/find", shape="search-r1") as remote:
            assert remote.search(["mason 21"], 3) == [expected("mason 21", 3)]
        with pytest.raises(UsageError, match="nothing there"), opened(f"{server.address}/v2/find"):
            pass


@pytest.mark.parametrize(
    ("word", "told"), [("beef", "has become another one: it gives fingerprint beef"), (None, "a reply without any")]
)
def test_another_retriever_behind_the_same_address_halts_the_run(
    word: str | None, told: str, opened: Open, right: Mapping[str, Any]
) -> None:
    with SearchServer(own(rank, health=right)) as server, opened(server.address) as remote:
        server.answer = own(rank, word=word)
        with pytest.raises(Halt, match=told):
            remote.search(["mason"], 3)


def test_one_bad_query_is_alone_in_its_error(opened: Open) -> None:
    right = own(rank)

    def answer(asked: Asked) -> Said | None:
        return Said({"detail": "too strange"}, 422) if "poison" in str(asked.body) else right(asked)

    async def ask(remote: Any) -> list[Any]:
        batcher = MicroBatcher(remote)
        found = await asyncio.gather(*(batcher.search(query, 3) for query in queries), return_exceptions=True)
        await batcher.aclose()
        return list(found)

    queries = [f"mason {n * 7}" for n in range(9)] + ["poison \ud800"]
    with SearchServer(answer) as server, opened(server.address) as remote:
        *good, bad = asyncio.run(ask(remote))
    assert good == [expected(query, 3) for query in queries[:-1]]
    assert isinstance(bad, RolloutFailure)
    assert "too strange" in str(bad)


def test_a_server_that_is_not_there_is_said_before_anything_is_spent(command: Command, task_folder: Path) -> None:
    with SearchServer(own(rank)) as server:
        gone = server.address
    refused(
        command("run", "--task", task_folder, "--retriever", gone, "--set", "retriever.outage_seconds=0.1"),
        gone,
        "start the server",
    )


def test_a_run_over_http_is_the_run_of_the_retriever_that_is_served(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    from lrat_bench.api import load_run, load_task

    task = load_task(str(task_folder))

    def words(query: str, k: int) -> list[tuple[str, float]]:
        shared = {
            one.docid: float(len(set(query.lower().split()) & set(one.contents.lower().split()))) for one in task.corpus
        }
        return sorted(((docid, score) for docid, score in shared.items() if score), key=lambda hit: (-hit[1], hit[0]))[
            :k
        ]

    health = {"corpus": task.corpus.fingerprint, "documents": len(task.corpus)}
    with SearchServer(own(words, health=health)) as server:
        code, _, err = command(
            "run", "--task", task_folder, "--retriever", server.address, "--out", tmp_path / "run", "--json"
        )
    assert code == 0, err
    run = load_run(tmp_path / "run")
    assert run.manifest.rankable
    assert run.manifest.retriever["shape"] == "lrat-bench"
    assert run.manifest.retriever["probes"][0][0] == "d1"
    searches = [step for one in run.trajectories for step in one.steps if step.kind == "search"]
    assert searches
    for step in searches:
        assert [(hit.docid, hit.score) for hit in step.hits] == words(step.query, len(step.hits))

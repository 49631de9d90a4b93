"""What each worker of a cluster is given, and what is refused before one is started."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from said import Command, refused

from lrat_bench.agent.episode import Episode
from lrat_bench.errors import UsageError
from lrat_bench.model.budget import Budget
from lrat_bench.runs.resolve import resolve
from lrat_bench.scale.cluster import Node, Share, share
from lrat_bench.scale.encoding import on_gpu
from lrat_bench.scale.logs import Logged
from lrat_bench.scale.rollouts import Played, Playing, Pool, RunWords
from lrat_bench.scale.words import Place
from lrat_bench.trajectory import Usage


@pytest.mark.parametrize(
    ("nodes", "workers", "gpu", "expected"),
    [
        ([(2, 0)], None, True, (1, Share(2, 0))),
        ([(2, 0)], 2, True, (2, Share(1, 0))),
        ([(16, 0), (16, 0)], None, False, (2, Share(16, 0))),
        # Two of eight on each machine, and not 32 / 3 = 10, of which only two would find room.
        ([(16, 0), (16, 0)], 3, False, (3, Share(8, 0))),
        ([(16, 0), (4, 0)], 3, False, (3, Share(5, 0))),
        ([(64, 8), (64, 8)], None, True, (16, Share(8, 1))),
        ([(64, 8), (64, 8)], None, False, (2, Share(64, 0))),
        ([(32, 0), (16, 2)], None, True, (2, Share(8, 1))),
        ([(16, 2)], 4, True, (4, Share(4, 0.5))),
        ([(16, 2)], 5, True, (5, Share(3, 1 / 3))),
    ],
)
def test_workers_share_what_there_is(
    nodes: list[tuple[int, int]], workers: int | None, gpu: bool, expected: tuple[int, Share]
) -> None:
    assert share(tuple(Node(*node) for node in nodes), workers, gpu=gpu) == expected


def test_more_workers_than_there_is_room_for_are_refused() -> None:
    with pytest.raises(UsageError, match="9 workers were asked for, and the cluster has room for 8"):
        share((Node(4, 0), Node(4.5, 0)), 9, gpu=False)


def test_a_retriever_within_a_retriever_says_that_it_is_on_a_gpu() -> None:
    class Says:
        def __init__(self, said: Any) -> None:
            self.said = said

        def describe(self) -> Any:
            return self.said

    assert on_gpu(Says({"arms": [{"retriever": "bm25"}, {"device": "cuda:1"}]}))  # type: ignore[arg-type]
    assert not on_gpu(Says({"arms": [{"device": "cpu"}], "device": None}))  # type: ignore[arg-type]
    assert not on_gpu(object())  # type: ignore[arg-type]


def test_what_makes_no_sense_on_a_cluster_is_refused_before_it_is_started(command: Command, task_folder: Path) -> None:
    index = ("index", "--task", task_folder, "--retriever")
    refused(command(*index, "none", "--engine", "ray"), "'none' is built in one piece", "--engine ray")
    refused(command(*index, "dense:x", "--engine", "ray", "--shard", "0/2"), "leave --shard out")
    refused(command(*index, "none", "--workers", 2), "--workers are those of --engine ray")
    refused(command("run", "--task", task_folder, "--engine", "ray", "--workers", 0), "at least 1")
    assert "ray" in command("run", "--task", task_folder, "--engine", "spark")[2]


def test_a_cache_that_another_machine_does_not_see_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    with Place.here().signed() as place:
        monkeypatch.delenv("LRAT_BENCH_CACHE")
        place.enter()
        assert os.environ["LRAT_BENCH_CACHE"] == str(tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())
    with pytest.raises(UsageError, match=r"does not see the cache .*: put LRAT_BENCH_CACHE on a file system"):
        place.enter()


@pytest.fixture
def words(task_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., RunWords]:
    """The words of a run over the bridge task, with another identity where it is given."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LRAT_BENCH_CACHE", os.environ["LRAT_BENCH_CACHE"])

    def make(**other: Any) -> RunWords:
        config = resolve(task=str(task_folder), agent="heuristic", retriever="oracle", seed=3)
        assert config.settings is not None
        return RunWords(config.settings, config.split, 3, {**config.identity, **other}, None)

    return make


def test_a_worker_plays_what_the_run_would_play(words: Callable[..., RunWords]) -> None:
    ends: list[Logged] = []

    async def played() -> Any:
        worker = Playing(words(), Place.here())
        found = await worker.play("q2", "Which town lies on the Ostrel?", 7)
        logging.getLogger("lrat_bench.serve").warning("%s said %s", "q2", "at the end")
        ends.extend(await worker.close_agent())
        await worker.close()
        logging.getLogger("lrat_bench.serve").warning("after the end")
        return found

    found = asyncio.run(played())
    assert found.problem is None
    assert found.episode.status == "answered"
    assert found.episode.answer is not None
    # What an agent has to say when it is closed is sent as well.
    assert ends == [("lrat_bench.serve", logging.WARNING, "q2 said at the end")]


def test_a_worker_that_makes_another_run_of_the_words_plays_nothing(words: Callable[..., RunWords]) -> None:
    found = asyncio.run(Playing(words(retriever="beef", seed=4), Place.here()).play("q2", "Which town?", 7))
    assert found.episode is None
    assert "makes another run of the same words (differs in: retriever, seed)" in str(found.problem)


class Died(Exception):
    """What Ray raises both where a worker dies over a call, and while it is being started again."""


class Late(Exception):
    """What Ray raises where a call takes too long."""


class Worker:
    """Dies over its first questions, and is then away for a while.

    Args:
        deaths: questions that it dies over.
        away: looks that find it away after each.
    """

    def __init__(self, deaths: int = 0, away: int = 0) -> None:
        self.deaths, self.looks, self.away = deaths, away, 0
        self.asked = self.refused = 0
        self.play = SimpleNamespace(remote=self._play)
        self.__ray_ready__ = SimpleNamespace(remote=lambda: self)

    async def _play(self, qid: str, question: str, seed: int) -> Played:
        self.asked += 1
        if self.away:
            self.refused += 1
            raise Died("is being started again")
        await asyncio.sleep(0.01)
        if self.deaths:
            self.deaths -= 1
            self.away = self.looks
            raise Died("socket closed")
        return Played(Episode("answered", qid, (), (), Usage(), 0.0), None, ())


def ready(worker: Worker, timeout: float) -> None:
    if worker.away:
        worker.away -= 1
        raise Died("is being started again")


RAY = SimpleNamespace(get=ready, exceptions=SimpleNamespace(RayActorError=Died, GetTimeoutError=Late))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at a worker follow each other quickly, and for half a second."""
    monkeypatch.setattr("lrat_bench.scale.cluster._LOOK", 0.02)
    monkeypatch.setattr("lrat_bench.scale.cluster._PATIENCE", 0.5)


def played_by(*workers: Worker, questions: int) -> list[Episode]:
    async def play() -> list[Episode]:
        pool = Pool(RAY, list(workers), Budget())
        return await asyncio.gather(*(pool.play(f"q{n}", "Which?", n) for n in range(questions)))

    return asyncio.run(play())


@pytest.mark.usefixtures("quick")
def test_a_worker_that_is_being_started_again_is_waited_for_and_has_not_died_once_more() -> None:
    alone = Worker(deaths=1, away=12)
    assert [one.answer for one in played_by(alone, questions=1)] == ["q0"]
    assert (alone.asked, alone.refused) == (2, 0)
    # Meanwhile the questions are another worker's, and none is given to the one that is away.
    away, there = Worker(deaths=4, away=12), Worker()
    assert [one.answer for one in played_by(away, there, questions=8)] == [f"q{n}" for n in range(8)]
    assert (away.asked, away.refused, there.asked) == (4, 0, 8)


@pytest.mark.usefixtures("quick")
def test_a_question_that_kills_whoever_takes_it_is_given_up() -> None:
    killed = Worker(deaths=99, away=1)
    (found,) = played_by(killed, questions=1)
    assert (found.status, found.halt, killed.asked) == ("error", None, 5)
    assert "workers died 5 times over this question: socket closed" in str(found.error)


@pytest.mark.usefixtures("quick")
def test_where_no_worker_is_left_the_run_stops() -> None:
    found = played_by(Worker(deaths=99, away=9999), Worker(deaths=99, away=9999), questions=4)
    assert {one.halt for one in found} == {"no worker is left: none could be started again"}

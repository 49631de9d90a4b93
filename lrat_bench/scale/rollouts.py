"""Playing the questions of a run on a cluster: workers play, and this process alone writes the run folder.

What is spread is the agent: to the runner it is one like any other, which happens to think elsewhere. Each worker makes
agent, task and retriever of the same words, and is refused where that gives another run.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from lrat_bench.agent.agent import Agent
from lrat_bench.agent.episode import Episode, Player
from lrat_bench.agent.reader import Reader
from lrat_bench.agent.session import Session
from lrat_bench.errors import Halt, LratBenchError, UsageError
from lrat_bench.model.access import Access
from lrat_bench.model.budget import Budget
from lrat_bench.model.cassette import Cassette, CassetteMode
from lrat_bench.progress import no_progress
from lrat_bench.retriever.batching import MicroBatcher
from lrat_bench.runs.command import close, prepare
from lrat_bench.runs.config import RunConfig
from lrat_bench.runs.resolve import Settings, resolve
from lrat_bench.scale.cluster import is_there_again, joined, share
from lrat_bench.scale.encoding import on_gpu
from lrat_bench.scale.logs import Logged, WorkerLog, log_again
from lrat_bench.scale.words import Place
from lrat_bench.trajectory import Usage

__all__ = ["Played", "Playing", "Pool", "RunWords", "spread"]

_log = logging.getLogger("lrat_bench.scale")

_TRIES = 5
"""How often a question is handed out before it is held to kill whoever takes it."""

_PAUSE = 1.0
"""Seconds that a worker waits at its end for what is being searched."""

_CLOSING = 10.0
"""Seconds that a worker may take to close its agent."""


@dataclass(frozen=True, slots=True)
class RunWords:
    """A run, as another process can resolve it.

    Attributes:
        settings: the words of the command, as the manifest has them.
        split: of the task.
        seed: of sampling.
        identity: what it must come to.
        cassette: file of recorded calls, and what is done with it.
    """

    settings: dict[str, Any]
    split: str
    seed: int
    identity: dict[str, Any]
    cassette: tuple[str, CassetteMode] | None


@dataclass(frozen=True, slots=True)
class Played:
    """What a worker sends back.

    Attributes:
        episode: the question, played; None where it could not be.
        problem: why not.
        paid: model and USD of every call that was paid for since the last reply.
        logged: since then.
    """

    episode: Episode | None
    problem: str | None
    paid: tuple[tuple[str, float | None], ...]
    logged: tuple[Logged, ...] = ()


class Playing:
    """The other process: plays questions side by side, as a run does.

    Args:
        words: of the run.
        place: where the command was given.
    """

    def __init__(self, words: RunWords, place: Place) -> None:
        self._words = words
        self._place = place
        self._opening = asyncio.Lock()
        self._config: RunConfig | None = None
        self._paid: list[tuple[str, float | None]] = []
        self._log = WorkerLog()

    async def play(self, qid: str, question: str, seed: int) -> Played:
        """Play one question."""
        try:
            async with self._opening:
                config = self._config or await self._open()
            rollout = config.protocol.rollout
            session = Session(qid, rollout, self._batcher.search, self._reader)
            episode = await config.agent.play(question, session, seed=seed)
        except LratBenchError as error:
            return Played(None, str(error), self._drained(), self._log.drained())
        return Played(episode, None, self._drained(), self._log.drained())

    async def close_agent(self) -> tuple[Logged, ...]:
        """Let go of the agent, once all questions are played; gives what it has to say at that, and all before it."""
        if self._config is not None:
            await self._config.agent.close()
        return self._log.drained()

    async def close(self) -> None:
        """Let go of models and of the cassette, which is then sorted."""
        if self._config is not None:
            await self._config.access.close()
            await self._batcher.aclose(patience=_PAUSE)
            close(self._config.retriever)
        self._log.close()

    async def _open(self) -> RunConfig:
        words = self._words
        self._place.enter()
        given = {name: value for name, value in words.settings.items() if name in ("judge", "rubric")}
        tape = None if words.cassette is None else Cassette(Path(words.cassette[0]), words.cassette[1])
        config = resolve(
            task=words.settings["task"],
            agent=words.settings["agent"],
            retriever=words.settings["retriever"],
            **given,
            split=words.split,
            seed=words.seed,
            settings=Settings.of(words.settings.get("set", {})),
            access=Access(budget=_Told(self._paid), cassette=tape),
        )
        if differing := sorted(name for name in words.identity if words.identity[name] != config.identity.get(name)):
            raise UsageError(
                f"a worker on {socket.gethostname()!r} makes another run of the same words (differs in: "
                f"{', '.join(differing)}): give it the same files and versions, and set retriever.device and "
                "retriever.dtype where its hardware is another"
            )
        await config.access.warm_up()
        prepare(config.retriever, no_progress)
        self._batcher = MicroBatcher(config.retriever)
        self._reader = Reader(config.task.corpus, config.protocol.rollout)
        self._config = config
        # What was said before, every worker and the command itself say alike.
        self._log.open()
        return config

    def _drained(self) -> tuple[tuple[str, float | None], ...]:
        paid = tuple(self._paid)
        self._paid.clear()
        return paid


class _Told(Budget):
    """Keeps what was paid until it is told; the cap is kept by whoever hands out the questions."""

    def __init__(self, paid: list[tuple[str, float | None]]) -> None:
        super().__init__()
        self._paid = paid

    def pay(self, model: str, usd: float | None) -> None:
        self._paid.append((model, usd))


class Pool:
    """Workers, each with as many questions as any other.

    Args:
        ray: the library.
        workers: that were started.
        budget: of the command, which pays for what they spend.
    """

    def __init__(self, ray: Any, workers: list[Any], budget: Budget) -> None:
        self._ray = ray
        self._load = dict.fromkeys(range(len(workers)), 0)
        self._starting: dict[int, asyncio.Task[None]] = {}
        self._workers = workers
        self._budget = budget

    async def play(self, qid: str, question: str, seed: int) -> Episode:
        """Let a worker play a question, and another one where that dies; one that is being started again is left alone.

        The episode halts the run where no worker is left.
        """
        reason = ""
        for _ in range(_TRIES):
            number = await self._least_busy()
            if number is None:
                return _unplayed("no worker is left: none could be started again", halts=True)
            self._load[number] += 1
            try:
                played: Played = await self._workers[number].play.remote(qid, question, seed)
            except self._ray.exceptions.RayActorError as died:
                reason = " ".join(str(died).split())[:200]
                _log.warning("worker %d died over question %s, which is played again", number, qid)
                self._await(number)
            else:
                return self.counted(played)
            finally:
                if number in self._load:
                    self._load[number] -= 1
        return _unplayed(f"workers died {_TRIES} times over this question: {reason}")

    async def close_agents(self) -> None:
        """Let workers close their agents, and log what these have to say at the end."""
        closing = [asyncio.wait_for(worker.close_agent.remote(), _CLOSING) for worker in self._workers]
        for said in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(said, BaseException):
                _log.warning("a worker could not close its agent (%s); its answers are kept", type(said).__name__)
            else:
                log_again(said)

    async def _least_busy(self) -> int | None:
        """A worker that is there, once one is; None where none will be."""
        while not (there := [number for number in self._load if number not in self._starting]):
            if not self._starting:
                return None
            await asyncio.wait(self._starting.values(), return_when=asyncio.FIRST_COMPLETED)
        return min(there, key=lambda number: (self._load[number], number))

    def _await(self, number: int) -> None:
        """Give a worker no question until it is there again; for good, where it is not in time."""

        async def looking() -> None:
            try:
                if not await asyncio.to_thread(is_there_again, self._ray, self._workers[number]):
                    _log.warning("worker %d could not be started again; the others go on", number)
                    del self._load[number]
            finally:
                del self._starting[number]

        # All of its questions are told at once that it died.
        if number in self._load and number not in self._starting:
            self._starting[number] = asyncio.create_task(looking())

    def counted(self, played: Played) -> Episode:
        """The question that was played, after what its worker has paid was counted, and what it logged was logged here.

        Raises:
            UsageError: the worker could not play it.
        """
        log_again(played.logged)
        for model, usd in played.paid:
            self._budget.pay(model, usd)
        if played.episode is None:
            raise UsageError(str(played.problem))
        try:
            self._budget.check()
        except Halt as halt:
            return replace(played.episode, halt=played.episode.halt or str(halt))
        return played.episode


@dataclass(frozen=True)
class _SpreadAgent(Agent):
    """An agent whose questions are played elsewhere; of its model, this process asks what it is, and no more."""

    pool: Any = None

    async def play(self, question: str, session: Session, *, seed: int | None = None) -> Episode:
        return await _play(self.pool, question, session, seed)


class _SpreadPlayer:
    """The same of a player that brings its own models."""

    def __init__(self, player: Player, pool: Pool) -> None:
        self._player = player
        self._pool = pool
        self.name = player.name
        self.fingerprint = player.fingerprint

    def describe(self) -> dict[str, Any]:
        return self._player.describe()

    async def play(self, question: str, session: Session, *, seed: int | None) -> Episode:
        return await _play(self._pool, question, session, seed)

    async def close(self) -> None:
        await self._pool.close_agents()
        await self._player.close()


@contextmanager
def spread(config: RunConfig, *, workers: int | None = None) -> Iterator[RunConfig]:
    """The same run, its questions played by workers on a cluster while the block lasts.

    Args:
        config: the resolved run, of words.
        workers: how many; None is one for each GPU, or for each machine.

    Raises:
        UsageError: a part of it was made in Python, the cluster cannot be joined, or has no room.
    """
    settings = dict(config.settings or {})
    if not {"task", "agent", "retriever"} <= settings.keys():
        raise UsageError("--engine ray plays what is named in words, and a part of this run is an object")
    tape = config.access.cassette
    words = RunWords(
        settings=settings,
        split=config.split,
        seed=config.seed,
        identity=config.identity,
        cassette=None if tape is None else (str(tape.path.resolve()), tape.mode),
    )
    with joined() as cluster:
        count, each = share(cluster.nodes, workers, gpu=on_gpu(config.retriever))
        there = cluster.start(Playing, each, count, words, Place.here(), at_once=config.concurrency)
        pool = Pool(cluster.ray, there, config.access.budget)
        agent = config.agent
        player: Player = _SpreadPlayer(agent, pool)
        if isinstance(agent, Agent):
            player = _SpreadAgent(**{one.name: getattr(agent, one.name) for one in fields(Agent)}, pool=pool)
        try:
            yield replace(config, agent=player)
        finally:
            cluster.ray.wait([worker.close.remote() for worker in there], num_returns=count, timeout=10 * _PAUSE)


async def _play(pool: Pool, question: str, session: Session, seed: int | None) -> Episode:
    assert seed is not None
    return await pool.play(session.question_id, question, seed)


def _unplayed(error: str, *, halts: bool = False) -> Episode:
    """A question that nobody could play; the next run of the folder tries it again."""
    return Episode("error", None, (), (), Usage(), 0.0, error=error, halt=error if halts else None)

"""Tasks and retrievers, served to agents and clients that come over a network."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lrat_bench.api.parts import DEFAULTS, access, close, load_retriever, load_task
from lrat_bench.errors import UsageError
from lrat_bench.files import writing
from lrat_bench.guard import refuse_plain
from lrat_bench.model.cassette import CassetteMode
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.base import Retriever
from lrat_bench.retriever.batching import MicroBatcher
from lrat_bench.runs.command import carry_out
from lrat_bench.runs.config import RunConfig
from lrat_bench.runs.event_loop import EventLoop
from lrat_bench.runs.resolve import Settings, resolve
from lrat_bench.runs.run import Run
from lrat_bench.runs.tally import OnTally
from lrat_bench.serve.desk import Traffic
from lrat_bench.serve.fence import hosts_of, is_loopback
from lrat_bench.serve.host import Host
from lrat_bench.serve.libraries import require_serve
from lrat_bench.serve.reception import Reception
from lrat_bench.serve.retrieval import ServedRetriever, retriever_app
from lrat_bench.serve.waiting import Invitation, WaitingAgent
from lrat_bench.task.task import Task

__all__ = ["Invitation", "serve", "serve_retriever"]

OnInvitation = Callable[[Invitation], None]


def serve(
    task: str | Task = DEFAULTS["task"],
    retriever: str | Retriever = DEFAULTS["retriever"],
    *,
    agent: str = "external",
    judge: str | None = None,
    rubric: str | None = None,
    verdict_cache: bool = True,
    split: str | None = None,
    limit: int | None = None,
    repeats: int = 1,
    seed: int = 0,
    concurrency: int | None = None,
    set: Mapping[str, Any] | None = None,  # noqa: A002 -- the name of the flag
    out: str | Path | None = None,
    fresh: bool = False,
    max_cost: float | None = None,
    cassette: str | Path | None = None,
    cassette_mode: CassetteMode = "replay",
    preflight: bool = True,
    host: str = "127.0.0.1",
    port: int = 0,
    url: str | None = None,
    token: str | None = None,
    seats: str | Path | None = None,
    timeout: float | None = None,
    on_invitation: OnInvitation | None = None,
    progress: Progress = no_progress,
    on_tally: OnTally | None = None,
) -> Run:
    """Open the questions that are owed to whoever has their addresses, and wait until all of them are answered.

    Args:
        task: a name, `name@protocol`, a folder, or a loaded task.
        retriever: a name, `name:argument`, `module:object`, or a retriever.
        agent: name of the agent that is expected; `set={"agent.version": …}` says which, and makes a run rankable.
        judge: another judge than the protocol's: exact, contains, a preset, a LiteLLM id, `module:object`.
        rubric: another rubric than the judge's own: a name or a file.
        verdict_cache: take an LLM judge's earlier verdicts from the cache, and keep new ones there.
        split: which questions; the task's default split unless given.
        limit: the first so many of them.
        repeats: how often each question is asked.
        seed: of sampling.
        concurrency: questions that are open at a time; all unless given.
        set: `{"protocol.k": 5, "retriever.b": 0.5}`.
        out: the run folder; `runs/<what>-<hash>` unless given.
        fresh: discard what the folder holds of this run.
        max_cost: cap in USD on what the judge may cost, all invocations together.
        cassette: file that holds recorded model calls.
        cassette_mode: `record`, `replay` or `strict`; see `access`.
        preflight: try the judge's model with one call first.
        host: address that is listened on.
        port: 0 takes any that is free.
        url: address under which agents know the server, where it is another one.
        token: that `/metrics` asks for; without one it is shown on this machine only.
        seats: file that the addresses are written to, one JSON line each, readable for its owner alone.
        timeout: seconds without a request, after the first, that end a question as an error.
        on_invitation: is given the addresses of each question that is opened.
        progress: told how tasks and indexes are prepared.
        on_tally: told after each question.

    Returns:
        the run.

    Raises:
        UsageError: something does not exist, or does not fit; nothing was started.
        RunIncomplete: it had to stop early; what is done is kept, and the same call goes on.
    """
    require_serve()
    if timeout is not None and not timeout > 0:
        raise UsageError(f"--timeout is a number of seconds above 0, got {timeout:g}")
    _require_address(host, url)
    given = Settings.of(set or {})
    version = _version(given)
    known: dict[tuple[str, int], int] = {}
    written = _Seats(None if seats is None else Path(seats))

    def invite(invitation: Invitation) -> None:
        written.add(invitation)
        if on_invitation is not None:
            on_invitation(invitation)

    # Before anything that takes time: nobody is to take the addresses of an earlier server for this one's.
    written.forget()
    reception = Reception(host=host, port=port, base=url, token=token, drains=True)
    player = WaitingAgent(
        reception=reception, invite=invite, repeats=known, name=agent, version=version, patience=timeout
    )
    try:
        config = resolve(
            task=task,
            agent=player,
            retriever=retriever,
            judge=judge,
            rubric=rubric,
            verdict_cache=verdict_cache,
            split=split,
            limit=limit,
            repeats=repeats,
            seed=seed,
            concurrency=1 if concurrency is None else concurrency,
            settings=replace(given, agent={}),
            access=access(max_cost=max_cost, cassette=cassette, cassette_mode=cassette_mode),
            progress=progress,
        )
        if seats is not None and config.task.canary is not None:
            refuse_plain("the addresses of questions", Path(seats), mend="give --seats a file outside of it")
        # All of it is ours to close, the player included.
        config = replace(config, owns_agent=True, concurrency=concurrency or len(config.questions) * repeats)
        known.update(_repeats(config))
        try:
            return carry_out(config, out=out, fresh=fresh, preflight=preflight, progress=progress, on_tally=on_tally)
        finally:
            if isinstance(retriever, str):
                close(config.retriever)
    finally:
        written.close()
        reception.abandon()


def serve_retriever(
    task: str | Task = DEFAULTS["task"],
    retriever: str = DEFAULTS["retriever"],
    *,
    set: Mapping[str, Any] | None = None,  # noqa: A002
    host: str = "127.0.0.1",
    port: int = 0,
    url: str | None = None,
    token: str | None = None,
    on_ready: Callable[[str], None] | None = None,
    progress: Progress = no_progress,
) -> None:
    """Serve a retriever over the corpus of a task, until it is interrupted.

    Args:
        task: a name or a folder, or a loaded task.
        retriever: a name, `name:argument`, or `module:object`.
        set: `{"retriever.b": 0.5, "task.documents": 1000}`.
        host: address that is listened on.
        port: 0 takes any that is free.
        url: address under which clients know the server, where it is another one.
        token: that clients must carry; None lets all in, and is refused where others than this machine can reach it.
        on_ready: is given the address.
        progress: told how tasks and indexes are prepared.

    Raises:
        UsageError: something does not exist, or does not fit; nothing was served.
    """
    require_serve()
    if token is None and not is_loopback(host):
        raise UsageError(f"a server that listens on {host} wants a token: give one, or listen on 127.0.0.1")
    _require_address(host, url)
    given = Settings.of(set or {})
    if wrong := [room for room in given.to_dict() if room not in ("task", "retriever")]:
        raise UsageError(f"{wrong[0]}.… cannot be set on a retriever that is served alone")
    over = load_task(task, set=given.task, progress=progress) if isinstance(task, str) else task
    listening = Host(host=host, port=port)
    try:
        found = load_retriever(retriever, over, set=given.retriever, progress=progress)
        try:
            with EventLoop() as loop, suppress(KeyboardInterrupt):
                served = ServedRetriever(found, over.corpus, token)
                loop.run(_serve_retriever(listening, served, url, on_ready))
        finally:
            close(found)
    finally:
        listening.close()


async def _serve_retriever(
    listening: Host, served: ServedRetriever, url: str | None, on_ready: Callable[[str], None] | None
) -> None:
    address = (url or listening.url).rstrip("/")
    traffic = Traffic()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(ValueError, RuntimeError, NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
    batcher = MicroBatcher(served.retriever)
    try:
        # One that must know who asks says so now.
        await batcher.search("test", 1)
        app = retriever_app(served, batcher, hosts=hosts_of([listening.host, address]), traffic=traffic)
        await listening.start(app)
        if on_ready is not None:
            on_ready(address)
        await told.wait()
    finally:
        await listening.stop()
        await batcher.aclose(patience=2.0)


def _require_address(host: str, url: str | None) -> None:
    if host in ("0.0.0.0", "::", "") and url is None:  # noqa: S104 -- what is asked for
        raise UsageError(
            f"--host {host or chr(39) * 2} listens on all addresses of this machine: say with --url under which one it "
            "is known to others, as in http://NAME:8765"
        )
    if url is not None and not url.startswith(("http://", "https://")):
        raise UsageError(f"--url is an address like http://NAME:8765, got {url!r}")


def _version(given: Settings) -> str | None:
    if unknown := [key for key in given.agent if key != "version"]:
        raise UsageError(f"agent.{unknown[0]} cannot be set on an agent that comes over the network: there is version")
    version = given.agent.get("version")
    return None if version is None else str(version)


def _repeats(config: RunConfig) -> dict[tuple[str, int], int]:
    """Which repeat a seed belongs to: a player is told the seed alone."""
    return {
        (question.qid, config.sampling_seed(question.qid, repeat)): repeat
        for question in config.questions
        for repeat in range(config.repeats)
    }


class _Seats:
    """A new file, for its owner alone, that grows by a line with each question that is opened.

    Args:
        path: None is no file.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._handle: int | None = None

    def forget(self) -> None:
        """Remove what an earlier server has left, and nothing else."""
        if self._path is None:
            return
        with suppress(OSError, ValueError, TypeError):
            with self._path.open("rb") as stream:
                first = json.loads(stream.readline(65536))
            if first.keys() == Invitation.__dataclass_fields__.keys():
                self._path.unlink()

    def add(self, invitation: Invitation) -> None:
        """One line more.

        Raises:
            UsageError: it cannot be written.
        """
        if self._path is None:
            return
        with writing(f"the file of seats {self._path}"):
            if self._handle is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                # Never through a link, nor into a file that others may read.
                self._path.unlink(missing_ok=True)
                self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            line = json.dumps(invitation.to_dict(), ensure_ascii=False) + "\n"
            os.write(self._handle, line.encode())

    def close(self) -> None:
        """Write no more."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

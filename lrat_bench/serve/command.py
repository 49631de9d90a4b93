"""An agent that is a command: started once for every question, with the address of its question in the environment."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lrat_bench.agent.episode import Episode
from lrat_bench.agent.function import FunctionAgent
from lrat_bench.agent.function_tools import Tools
from lrat_bench.agent.session import Session
from lrat_bench.errors import Halt, RolloutFailure, UsageError
from lrat_bench.guard import work_tree
from lrat_bench.model.clock import stopped
from lrat_bench.serve.command_settings import Command, read_command
from lrat_bench.serve.confinement import OUTSIDE, Launch
from lrat_bench.serve.libraries import require_serve
from lrat_bench.serve.process import Process
from lrat_bench.serve.reception import Reception
from lrat_bench.serve.seat import CALL_LIMIT, Seat
from lrat_bench.serve.unread import Unread

__all__ = ["CommandAgent", "command_agent"]

_log = logging.getLogger("lrat_bench.serve")

_LEAVING = 5.0
"""Seconds that a command may go on when its answer is in."""
_CUT = "the answer is the end of what was printed: its beginning is gone, there was too much of it"


def command_agent(text: str, settings: Mapping[str, Any]) -> CommandAgent:
    """The agent of `--agent command:TEXT`.

    Raises:
        UsageError: it cannot be started, or a setting does not fit.
        MissingLibrary: the extra `serve` is not installed.
    """
    require_serve()
    return CommandAgent(read_command(text, settings))


class CommandAgent:
    """A `Player` that starts a command for every question.

    Args:
        command: as read.

    Attributes:
        name: as it stands in tables and folder names.
        fingerprint: of the command, its settings, and the files that it names; None where nothing says what is started.
    """

    def __init__(self, command: Command) -> None:
        self.name = command.name
        self.fingerprint = command.fingerprint
        self._command = command
        self._reception: Reception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening = asyncio.Lock()
        self._unread = Unread()

    def describe(self) -> dict[str, Any]:
        """What the manifest says of it; no secrets. What it does with its question, nobody but itself decides."""
        return {
            "kind": "command",
            "name": self.name,
            "fingerprint": self.fingerprint,
            "scaffold": "custom",
            "call_limit": CALL_LIMIT,
            **self._command.describe(),
        }

    async def play(self, question: str, session: Session, *, seed: int | None = None) -> Episode:
        """Let the command work on one question.

        The question ends as `error` where the command ends with another exit code than 0 and no answer, or takes longer
        than `agent.timeout`; as `time_limit` when the protocol's seconds are used up.

        Raises:
            UsageError: the parts do not fit together, or there is no folder that it may start in.
        """
        reception = await self._open()

        async def work(_: str, tools: Tools) -> str | None:
            with reception.seat(question, session, tools, self._command.settings.answer) as seat:
                return await self._answer(reception, seat, session)

        return await FunctionAgent(self.name, work, self.fingerprint).play(question, session, seed=seed)

    async def close(self) -> None:
        """End the server."""
        self._unread.report()
        if self._reception is not None:
            await self._reception.close()
            self._reception = None

    async def _open(self) -> Reception:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # An agent that its owner keeps plays one run after the other, each in a loop of its own.
            self._loop, self._opening = loop, asyncio.Lock()
            if self._reception is not None:
                self._reception.abandon()
                self._reception = None
        async with self._opening:
            if self._reception is None:
                reception = Reception(on_file=self._command.confinement.needs_socket)
                await reception.open()
                self._reception = reception
            return self._reception

    async def _answer(self, reception: Reception, seat: Seat, session: Session) -> str | None:
        with _own_folder() as own:
            with stopped():
                launch, environment = await asyncio.to_thread(self._prepared, reception, seat, own)
            process = await Process.start(launch, environment=environment, folder=own, mark=seat.token)
            try:
                answer = await self._outcome(process, seat)
                if answer is not None and process.cut and not seat.settled:
                    session.notice(_CUT)
            finally:
                try:
                    with stopped():
                        await process.end()
                finally:
                    process.kill()
                    _keep(session, process)
        self._unread.look_at(answer, session)
        return answer

    async def _outcome(self, process: Process, seat: Seat) -> str | None:
        settings = self._command.settings
        ending, answering = asyncio.create_task(process.wait()), asyncio.create_task(seat.answer())
        try:
            await asyncio.wait({ending, answering}, return_when=asyncio.FIRST_COMPLETED, timeout=settings.timeout)
            if not (ending.done() or answering.done()):
                raise RolloutFailure(f"agent: no answer within {settings.timeout:g} seconds (agent.timeout)")
            # What was sent last may not have been looked at yet.
            await seat.finish()
            if seat.settled:
                answer = await answering
                with stopped():
                    await asyncio.wait({ending}, timeout=_LEAVING)
                return answer
            return self._printed(process, ending.result())
        finally:
            for task in (ending, answering):
                task.cancel()

    def _printed(self, process: Process, code: int) -> str | None:
        if code != 0:
            said = _last_line(process.stderr)
            if code > 0 and not process.started:
                # Of what confines it, and not its own: so will it be with the next question.
                raise Halt(f"agent: {said or f'what confines it ended with exit code {code}'}")
            how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise RolloutFailure(f"agent: the command {how} and gave no answer{f': {said}' if said else ''}")
        if self._command.settings.answer == "endpoint":
            return None
        return process.stdout.strip() or None

    def _prepared(self, reception: Reception, seat: Seat, own: Path) -> tuple[Launch, dict[str, str]]:
        command, confinement = self._command, self._command.confinement
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": os.environ.get("LANG", "C.UTF-8"),
            "HOME": str(own),
            "TMPDIR": str(own),
            **command.passed,
            "LRAT_BENCH_QUESTION": seat.question.replace("\0", " "),
            "LRAT_BENCH_PROMPT": seat.prompt.replace("\0", " "),
            "LRAT_BENCH_SEED": str(seat.seed),
        }
        names = [*environment, "LRAT_BENCH_URL", "LRAT_BENCH_MCP_URL"]
        launch = confinement.launch(
            command.words,
            own=own,
            socket_file=reception.socket_file,
            files=list(command.files.values()),
            names=names,
        )
        url = f"{launch.url or reception.url}/s/{seat.token}"
        given = {**environment, "LRAT_BENCH_URL": url, "LRAT_BENCH_MCP_URL": f"{url}/mcp"}
        if launch.hands_on:
            return launch, {**os.environ, **{name: value for name, value in given.items() if name not in OUTSIDE}}
        return launch, given


@contextmanager
def _own_folder() -> Iterator[Path]:
    """An empty folder outside of any git work tree, with another one beside it; both are gone afterwards."""
    places = (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 -- made by mkdtemp, for us alone
    place = next((one for one in places if Path(one).is_dir() and work_tree(Path(one)) is None), None)
    if place is None:
        raise UsageError("agents start in an empty folder outside of any git work tree: set TMPDIR to one")
    try:
        above = Path(tempfile.mkdtemp(prefix="lrat-bench-", dir=place))
        for name in ("own", "root"):
            (above / name).mkdir()
    except OSError as error:
        raise RolloutFailure(f"agent: no folder can be made in {place}: {error.strerror or error}") from error
    try:
        yield above / "own"
    finally:
        # It may have filled it; nobody needs to wait for that.
        with contextlib.suppress(RuntimeError):
            work = functools.partial(shutil.rmtree, above, ignore_errors=True)
            asyncio.get_running_loop().run_in_executor(None, work)


def _keep(session: Session, process: Process) -> None:
    """Put what it printed into the run's log, which keeps the text of guarded tasks as records are kept."""
    for name, text in (("stdout", process.stdout), ("stderr", process.stderr)):
        if text.strip():
            _log.info("%s: %s of the agent:\n%s", session.question_id, name, text.rstrip())


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""

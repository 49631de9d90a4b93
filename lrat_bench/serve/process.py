"""One external program: started in a process group of its own, listened to within bounds, and ended for certain."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from lrat_bench.errors import RolloutFailure
from lrat_bench.serve.confinement import STARTING, Launch

__all__ = ["Process"]

_STDOUT = 512 * 1024
_STDERR = 64 * 1024
"""Bytes of what is printed that are kept: the last ones."""
_LOOKING = 0.02
"""Seconds between looks at whether it has ended."""
_GRACE = 1.0
"""Seconds that a program which is asked to end may take."""
_SWEEPS = 5
"""Looks for programs that it has left behind, which may start others meanwhile."""


class Process:
    """A program under way.

    Args:
        process: as started.
        launch: what it was started by.
        mark: words that only its environment has, and so that of whatever it starts.
    """

    def __init__(self, process: asyncio.subprocess.Process, launch: Launch, mark: str) -> None:
        self._process = process
        self._launch = launch
        self._mark = mark
        self._swept = False
        assert process.stdout is not None
        assert process.stderr is not None
        self._out = _Tail(_STDOUT)
        self._err = _Tail(_STDERR, after=STARTING.encode() if launch.confined else b"")
        self._readers = [
            asyncio.create_task(self._out.read(process.stdout)),
            asyncio.create_task(self._err.read(process.stderr)),
        ]

    @classmethod
    async def start(cls, launch: Launch, *, environment: Mapping[str, str], folder: Path, mark: str) -> Process:
        """Start a command line.

        Args:
            launch: the command line.
            environment: all of it.
            folder: where it starts.
            mark: words in the environment that no other program has.

        Raises:
            RolloutFailure: it cannot be started.
        """
        words = (*_dying_with_us(), *launch.words)
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise RolloutFailure(f"agent: the command cannot be started: {error}") from error
        return cls(process, launch, mark)

    @property
    def stdout(self) -> str:
        """What it has printed, or the end of it."""
        return self._out.text

    @property
    def stderr(self) -> str:
        """What it has said beside, or the end of it."""
        return self._err.text

    @property
    def cut(self) -> bool:
        """Whether the beginning of what it printed is gone."""
        return self._out.cut

    @property
    def started(self) -> bool:
        """Whether the agent itself was started, and not only what confines it."""
        return self._err.begun

    async def wait(self) -> int:
        """Its exit code, once it has ended and all it printed is read; minus a signal's number where that ended it."""
        code = await self._exited()
        # Whatever it has left behind may hold the other end open.
        await asyncio.wait(self._readers, timeout=_GRACE)
        return code

    async def end(self) -> None:
        """End it, and what it started: politely first."""
        if self._process.returncode is None:
            self._signal(signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE):
                    await self._exited()
        self._kill_group()
        await asyncio.to_thread(self._sweep)
        if self._launch.ended is not None:
            await _run(self._launch.ended)
        for reader in self._readers:
            reader.cancel()

    def kill(self) -> None:
        """End it and its group at once, whatever they do; a group whose leader has ended may have members left.

        Those who have left the group are found by their environment, where the system shows it (Linux).
        """
        self._kill_group()
        if not self._swept:
            self._sweep()

    def _kill_group(self) -> None:
        self._signal(signal.SIGKILL)
        # The pipes of one that was left behind are closed, too.
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()

    def _sweep(self) -> None:
        for _ in range(_SWEEPS):
            if not _kill_marked(self._mark.encode()):
                break
        self._swept = True

    async def _exited(self) -> int:
        # `wait` of asyncio waits for the pipes, too, which a child that was left behind holds open.
        while (code := self._process.returncode) is None:  # noqa: ASYNC110 -- nothing else tells
            await asyncio.sleep(_LOOKING)
        return code

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


class _Tail:
    """The last bytes of a stream.

    Args:
        most: that are kept.
        after: bytes after which those of the agent begin; what was kept before is dropped then.
    """

    def __init__(self, most: int, *, after: bytes = b"") -> None:
        self.cut = False
        self.begun = not after
        self._after = after
        self._most = most
        self._length = 0
        self._parts: deque[bytes] = deque()

    @property
    def text(self) -> str:
        return b"".join(self._parts)[-self._most :].decode("utf-8", "replace")

    async def read(self, stream: asyncio.StreamReader) -> None:
        while data := await stream.read(65536):
            self._parts.append(data)
            self._length += len(data)
            if not self.begun:
                self._begin()
            while self._length - len(self._parts[0]) >= self._most:
                self._length -= len(self._parts.popleft())
                self.cut = True

    def _begin(self) -> None:
        before, found, data = b"".join(self._parts).partition(self._after)
        if found:
            self.begun, self.cut = True, False
            self._parts, self._length = deque([data]), len(data)
        else:
            self._parts, self._length = deque([before]), len(before)


def _kill_marked(mark: bytes) -> int:
    """Kill programs of this user whose environment has the mark; gives how many there were."""
    killed = 0
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in environment.read_bytes():
                # Held on to, and looked at again: the number may be another program's by now.
                held = os.pidfd_open(int(environment.parent.name))
                try:
                    if mark in environment.read_bytes():
                        signal.pidfd_send_signal(held, signal.SIGKILL)
                        killed += 1
                finally:
                    os.close(held)
    return killed


async def _run(words: tuple[str, ...]) -> None:
    with suppress(OSError, TimeoutError):
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(_GRACE):
            await process.wait()


@cache
def _dying_with_us() -> tuple[str, ...]:
    """Words that make the kernel end a program with the one that started it, also where that is killed.

    By a small program of util-linux: code of ours between fork and exec is not safe beside a Java machine.
    """
    setpriv = shutil.which("setpriv")
    return () if setpriv is None else (setpriv, "--pdeathsig", "KILL", "--")

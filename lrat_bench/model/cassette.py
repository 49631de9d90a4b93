"""Cassettes: model calls recorded at the seam, and played back without a model.

A call is known by its canonical request: everything that the completion depends on (messages, tools, sampling with
its seed, the model's fingerprint) and nothing that it does not (addresses, keys, time). What tools returned is in the
messages, so another retriever asks for calls that are not on the tape: a replay tests the harness.

One JSON line per call, sorted by key when the file is closed, so that a tape can be committed and compared. A request
is kept as hashes of its parts, enough to say in what a call that is missing differs from those that are there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from lrat_bench.errors import DataError, Halt, UsageError
from lrat_bench.files import append_line, fingerprint, locked, mend_tail, write_atomic
from lrat_bench.model.redact import redact
from lrat_bench.model.seam import Model, Request, Sampling, Turn

__all__ = ["Cassette", "CassetteMode"]

_log = logging.getLogger("lrat_bench.model")

CassetteMode = Literal["record", "replay", "strict"]
"""Call every model and write; call where nothing is recorded, and write that; never call."""

_SCHEMA = "lrat-bench/cassette/1"
_BEGIN = '{"key": "'
"""How every line begins, its fields being sorted."""
_HASH = 16
"""Hex digits by which a part of a request is known."""

_TURN: TypeAdapter[Turn] = TypeAdapter(Turn)

Parts = dict[str, Any]


class Cassette:
    """A tape in a file.

    Several processes may write to one tape at a time. A tape that cannot be written loses no turn: the one at hand is
    given, and no further call is made.

    Args:
        path: the file; a tape that is only read must exist.
        mode: what is done with a call.

    Raises:
        UsageError: there is no such file, in `strict` mode.
        DataError: a line holds no call; the file is left as it is.
    """

    def __init__(self, path: Path, mode: CassetteMode) -> None:
        self.path = path
        self.mode = mode
        if mode == "strict" and not path.is_file():
            raise UsageError(f"there is no cassette {path}: record one with --cassette-mode record")
        self._lines: dict[str, str] = {}
        self._parts: dict[str, Parts] = {}
        for key, parts, line in _read(path):
            self._lines[key], self._parts[key] = line, parts
        self._written = False
        self._failure: str | None = None

    def wrap(self, model: Model) -> Model:
        """The model, its calls recorded or replayed."""
        return _Taped(model, self)

    def close(self) -> None:
        """Sort what was written, by whatever process."""
        if not self._written:
            return
        self._written = False
        try:
            with self._locked():
                lines = {key: line for key, _, line in _read(self.path)}
                write_atomic(self.path, "".join(f"{lines[key]}\n" for key in sorted(lines)))
        except OSError as error:
            _log.warning("cassette %s could not be sorted: %s; every call is on it", self.path, error.strerror or error)

    def find(self, key: str) -> Turn | None:
        """The recorded turn of a call."""
        line = self._lines.get(key)
        return None if line is None else _TURN.validate_python(json.loads(line)["turn"])

    def check(self) -> None:
        """See that calls can still be recorded.

        Raises:
            Halt: one could not.
        """
        if self._failure is not None:
            raise Halt(self._failure)

    def put(self, key: str, parts: Parts, turn: Turn) -> None:
        """Record a call; on disk when this returns, unless `check` says otherwise from now on."""
        record = {"schema": _SCHEMA, "key": key, "request": parts, "turn": _TURN.dump_python(turn, mode="json")}
        line = redact(json.dumps(record, ensure_ascii=False, sort_keys=True), guess=False)
        try:
            with self._locked():
                # Cut off what a kill has left of a line; `_read` has seen that it is one of ours.
                mend_tail(self.path)
                append_line(self.path, line)
        except OSError as error:
            self._failure = f"cannot write cassette {self.path}: {error.strerror or error}"
            return
        self._lines[key], self._parts[key], self._written = line, parts, True

    def _locked(self) -> AbstractContextManager[None]:
        return locked(self.path.with_name(f".{self.path.name}.lock"), wait=True)

    def missing(self, parts: Parts) -> UsageError:
        """Why a call is not on the tape: in what it differs from the one that is most like it."""
        ending = "record it again with --cassette-mode record, or let it be completed with --cassette-mode replay"
        if not self._parts:
            return UsageError(f"cassette {self.path} is empty; {ending}")
        nearest = max(self._parts.values(), key=lambda known: _likeness(known, parts))
        return UsageError(
            f"a call is not on cassette {self.path}: {_difference(nearest, parts)} differs from the nearest one that "
            f"is; {ending}"
        )


class _Taped:
    def __init__(self, inner: Model, cassette: Cassette) -> None:
        self.inner = inner
        self.name = inner.name
        self.fingerprint = inner.fingerprint
        self._cassette = cassette

    async def complete(self, request: Request) -> Turn:
        parts = _split(self.fingerprint, request)
        key = fingerprint(parts)
        if self._cassette.mode != "record" and (known := self._cassette.find(key)) is not None:
            return known
        if self._cassette.mode == "strict":
            raise self._cassette.missing(parts)
        self._cassette.check()
        turn = await self.inner.complete(request)
        self._cassette.put(key, parts, turn)
        return turn

    async def close(self) -> None:
        await self.inner.close()


def _split(model: str, request: Request) -> Parts:
    """The request, part by part: texts as hashes, sampling values as they are."""
    return {
        "model": model[:_HASH],
        "messages": [message.fingerprint[:_HASH] for message in request.messages],
        "tools": [tool.fingerprint[:_HASH] for tool in request.tools],
        "tool_choice": request.tool_choice,
        "sampling": _sampling(request.sampling),
        "raw": request.raw,
    }


def _sampling(sampling: Sampling) -> dict[str, Any]:
    values = {field.name: getattr(sampling, field.name) for field in fields(sampling)}
    return {name: list(value) if name == "stop" else value for name, value in values.items()}


def _likeness(known: Parts, wanted: Parts) -> tuple[int, int]:
    same = sum(known[name] == wanted[name] for name in wanted)
    return _common(known["messages"], wanted["messages"]), same


def _common(one: list[str], other: list[str]) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _difference(known: Parts, wanted: Parts) -> str:
    """The first part in which two requests differ, for a person."""
    for name in wanted:
        if known[name] == wanted[name]:
            continue
        if name == "messages":
            at = _common(known[name], wanted[name])
            return f"messages[{at}] (of {len(wanted[name])})"
        if name == "sampling":
            value = next(value for value in wanted[name] if known[name].get(value) != wanted[name][value])
            return f"sampling.{value} ({wanted[name][value]!r} for {known[name].get(value)!r})"
        return f"{name} ({wanted[name]!r} for {known[name]!r})" if name in ("tool_choice", "raw") else name
    return "nothing that is kept"


def _read(path: Path) -> Iterator[tuple[str, Parts, str]]:
    if not path.exists():
        return
    try:
        # Not splitlines: texts may hold line separators of other kinds.
        *lines, tail = path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except OSError as error:
        raise DataError(f"cannot be read as a cassette: {error.strerror or error}", file=path) from None
    # The end of a line that a kill has torn is no call, and begins as one.
    if tail and not tail.startswith(_BEGIN[: len(tail)]):
        lines.append(tail)
    for number, line in enumerate(lines, 1):
        call = _call(line)
        if call is None:
            problem = f"no recorded call of {_SCHEMA}; delete the line, or record the cassette again"
            raise DataError(problem, file=path, line=number)
        yield (*call, line)


def _call(line: str) -> tuple[str, Parts] | None:
    """Key and request of a line; None where it holds no call."""
    try:
        record = json.loads(line)
        key, parts = record["key"], record["request"]
        _TURN.validate_python(record["turn"])
        return (key, parts) if record["schema"] == _SCHEMA and fingerprint(parts) == key else None
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
        return None

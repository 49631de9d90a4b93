"""From files to records, one at a time, whatever is in them: a problem is one line, and what follows is still read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from lrat_bench.errors import LratBenchError, UsageError
from lrat_bench.exchange.lrat_files import by_number
from lrat_bench.exchange.record import Decrypt, Imported
from lrat_bench.exchange.registry import TREC, reader_of
from lrat_bench.exchange.transcript import is_transcript, read_transcript
from lrat_bench.exchange.trec import is_trec, read_trec
from lrat_bench.files import encodable

__all__ = ["LARGEST", "Read", "read_source", "sources"]

Read = Imported | UsageError
"""A record, or what is wrong with one, in one line."""

LARGEST = 512 * 1024 * 1024
"""Bytes of one record: a larger one is passed over, so that one bad file does not take the memory of the machine."""

_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson", ".txt", ".trec", ".run"})
_LEFT_BY_OTHERS = ("_eval.json", "evaluation_summary.json")
"""Ends of names that BrowseComp-Plus's evaluation leaves beside run files."""


def sources(path: Path) -> list[Path]:
    """The files at a path: itself, or those of a folder that may hold records, in the order of their names.

    Raises:
        UsageError: there is none, or it is a folder that this program writes.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UsageError(f"{path} is not there: give files, or folders of files, that hold trajectories")
    if (path / "manifest.json").is_file():
        raise UsageError(f"{path} is a folder of lrat-bench already: score, mine and analyze read it as it is")
    found = [
        file
        for file in path.iterdir()
        if file.suffix.lower() in _SUFFIXES
        and not file.name.startswith(".")
        and not file.name.endswith(_LEFT_BY_OTHERS)
        and file.is_file()
    ]
    if not found:
        raise UsageError(f"{path} holds no file that may be a record ({', '.join(sorted(_SUFFIXES))})")
    return sorted(found, key=by_number)


def read_source(
    path: Path,
    *,
    format: str | None = None,  # noqa: A002
    decrypt: Decrypt | None = None,
) -> Iterator[Read]:
    """The records of a file as a stream, and what is wrong with each that cannot be read.

    Args:
        path: a file: one JSON object, a list of them, one a line, or a text.
        format: name of the format; told by the content unless given.
        decrypt: for what is encrypted.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
            stream.seek(0)
            if head[:1] in (b"{", b"["):
                yield from _objects(stream, path, format, decrypt)
            else:
                yield from _text(stream, path, format)
    except OSError as error:
        yield UsageError(f"{path}: cannot be read: {error.strerror or error}")


def _objects(stream: IO[bytes], path: Path, name: str | None, decrypt: Decrypt | None) -> Iterator[Read]:
    if name == TREC:
        yield UsageError(f"{path}: not a TREC run but JSON")
        return
    for place, content in _documents(stream, path):
        yield content if isinstance(content, UsageError) else _record(content, place, name, decrypt)


def _record(content: Any, place: str, name: str | None, decrypt: Decrypt | None) -> Read:
    if not isinstance(content, dict):
        return UsageError(f"{place}: a record must be an object, got {type(content).__name__}")
    try:
        return reader_of(content, name).read(content, place, origin=name, decrypt=decrypt)
    except LratBenchError as error:
        return UsageError(str(error) if str(error).startswith(place) else f"{place}: {error}")
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        # Whoever wrote it may have put anything anywhere.
        return _not_understood(place, error)


def _documents(stream: IO[bytes], path: Path) -> Iterator[tuple[str, Any]]:
    """The JSON values of a file: of its lines where the first line is one, of a list its members, else the whole."""
    first, more = _line(stream), bool(stream.read(1))
    stream.seek(0)
    lines = path.suffix.lower() in (".jsonl", ".ndjson") or (more and _is_json(first or b""))
    if lines and not (first or b"").lstrip().startswith(b"["):
        yield from _of_lines(stream, path)
        return
    if path.stat().st_size > LARGEST:
        yield str(path), UsageError(f"{path}: larger than {LARGEST >> 20} MiB: give one record a line (.jsonl)")
        return
    content = _value(stream.read(), str(path))
    if isinstance(content, list):
        yield from ((f"{path}[{at}]", one) for at, one in enumerate(content))
    else:
        yield str(path), content


def _of_lines(stream: IO[bytes], path: Path) -> Iterator[tuple[str, Any]]:
    number = 0
    while (line := _line(stream)) != b"":
        number += 1
        place = f"{path}:{number}"
        if line is None:
            yield place, UsageError(f"{place}: larger than {LARGEST >> 20} MiB")
        elif line.strip():
            yield place, _value(line, place)


def _line(stream: IO[bytes]) -> bytes | None:
    """The next line; empty at the end, None for one that is too long to be held."""
    line = stream.readline(LARGEST)
    if len(line) < LARGEST or line.endswith(b"\n"):
        return line
    while (rest := stream.readline(1 << 20)) and not rest.endswith(b"\n"):
        pass
    return None


def _is_json(data: bytes) -> bool:
    return not isinstance(_value(data, ""), UsageError)


def _value(data: bytes, place: str) -> Any:
    try:
        return json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        return UsageError(f"{place}: not JSON: {' '.join(str(error).split())[:200]}")


def _text(stream: IO[bytes], path: Path, name: str | None) -> Iterator[Read]:
    first = next((line for line in iter(lambda: stream.readline(1 << 20), b"") if line.strip()), b"")
    stream.seek(0)
    if name == TREC or (name is None and is_trec(_decoded(first))):
        # No line of a run is that long; of what is no run a piece at a time is held.
        yield from read_trec((_decoded(line) for line in iter(lambda: stream.readline(1 << 20), b"")), str(path))
        return
    if path.stat().st_size > LARGEST:
        yield UsageError(f"{path}: larger than {LARGEST >> 20} MiB, and not a TREC run")
        return
    text = _decoded(stream.read())
    if name not in (None, "search-r1", "r1-searcher") or not is_transcript(text):
        what = "of no known format" if name is None else f"not of format {name}"
        yield UsageError(f"{path}: {what}: neither JSON, nor a TREC run, nor a transcript with <search> in it")
        return
    try:
        yield read_transcript(text, str(path), question_id=encodable(path.stem), origin=name)
    except ValueError as error:
        yield _not_understood(str(path), error)


def _not_understood(place: str, error: Exception) -> UsageError:
    said = " ".join(str(error).split())[:200] if isinstance(error, ValueError) else ""
    return UsageError(f"{place}: cannot be understood: {said or 'a field is missing, or of another type than it must'}")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")

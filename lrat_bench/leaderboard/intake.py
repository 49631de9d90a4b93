"""The intake: how a folder of a stranger is read. Nothing in it is followed, unpacked, run or trusted.

A file is opened once, never through a link, and only where it is a regular file with one name. What is read is bounded
in bytes before it is parsed, is UTF-8, and is JSON without numbers that JSON has not and without a key twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lrat_bench.files import encodable
from lrat_bench.leaderboard.submission import FileMark
from lrat_bench.report import numbers
from lrat_bench.report.text import printable
from lrat_bench.values import plainly

__all__ = ["LIMITS", "Finding", "Intake", "Limits", "parse"]

M = TypeVar("M", bound=BaseModel)

_SAID = 240
_DIGITS = 18
"""Characters of one finding, since what a stranger wrote must not fill a screen; and digits of a whole number."""

_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a submission is read.

    Attributes:
        manifest: bytes of `submission.json` and of `attestations.json`.
        records: bytes of one file of records.
        line: bytes of one record.
        files: how many files and folders are looked at.
    """

    manifest: int = 4_000_000
    records: int = 32_000_000
    line: int = 4_000_000
    files: int = 100


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        place: file, or field, within the submission.
        text: what is wrong with it, on one line.
    """

    place: str
    text: str

    def __str__(self) -> str:
        return _clipped(f"{self.place}: {self.text}")


@dataclass
class Intake:
    """The files of one folder.

    Attributes:
        folder: what is read.
        findings: what was wrong; reading goes on where it can.
    """

    folder: Path
    findings: list[Finding] = field(default_factory=list)
    _safe: set[str] = field(default_factory=set)

    def find(self, place: str, text: str) -> None:
        """Note something wrong."""
        self.findings.append(Finding(_clipped(place), _clipped(text)))

    def inventory(self, expected: Iterable[str]) -> None:
        """Look at what is there; each file that is unsafe, or has no place in a submission, is a finding.

        Only what was found safe here is read later.

        Args:
            expected: paths within the folder that may be there.
        """
        if self.folder.is_symlink() or not self.folder.is_dir():
            self.find(".", "is no folder, or a link to one")
            return
        wanted = set(expected)
        folders = {str(Path(path).parent) for path in wanted} - {"."}
        for seen, (path, entry) in enumerate(self._walk("", folders), 1):
            if seen > LIMITS.files:
                self.find(".", f"holds more than {LIMITS.files} files: a submission holds its records and nothing else")
                break
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                self.find(path, f"cannot be looked at: {error.strerror}")
                continue
            if stat.S_ISLNK(status.st_mode):
                self.find(path, "is a symbolic link: a submission holds plain files")
            elif stat.S_ISDIR(status.st_mode):
                if path not in folders:
                    self.find(path, "is no folder of a submission: remove it")
            elif not stat.S_ISREG(status.st_mode):
                self.find(path, "is a device, pipe or socket: a submission holds plain files")
            elif path not in wanted:
                self.find(path, "is no file of a submission: remove it")
            elif status.st_nlink > 1:
                self.find(path, "is a hard link, so that it has another name elsewhere: give a copy")
            else:
                self._safe.add(path)

    def has(self, path: str) -> bool:
        """Whether a file is there, and safe."""
        return path in self._safe

    def read(self, path: str, *, most: int) -> bytes | None:
        """The content of a file; None where it is not there, unsafe or too large, which is a finding.

        Args:
            path: within the folder; one that we chose, never one that a submission names.
            most: bytes.
        """
        if path not in self._safe:
            if not any(path == one.place or path.startswith(f"{one.place}/") for one in self.findings):
                self.find(path, "is not there")
            return None
        try:
            handle = os.open(self.folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self.find(path, f"cannot be read: {error.strerror}")
            return None
        with os.fdopen(handle, "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                self.find(path, "is no plain file")
                return None
            content = stream.read(most + 1)
        if len(content) > most:
            self.find(path, f"is larger than {numbers.size(most)}, the most that is read")
            return None
        if content.startswith(_ARCHIVES):
            self.find(path, "is an archive: a submission holds its files as they are")
            return None
        return content

    def record(self, path: str, model: type[M]) -> tuple[M, bytes] | None:
        """The record in a file, and its bytes; None where there is none, which is a finding."""
        content = self.read(path, most=LIMITS.manifest)
        if content is None:
            return None
        found = self.parsed(content, model, path)
        return None if found is None else (found, content)

    def lines(self, path: str, model: type[M], mark: FileMark) -> Iterator[tuple[int, M]]:
        """Line number and record of each line of a file; what is wrong is a finding.

        A file that is not the one that the submission names has no records.
        """
        content = self.read(path, most=LIMITS.records)
        if content is None:
            return
        if hashlib.sha256(content).hexdigest() != mark.sha256 or len(content) != mark.bytes:
            self.find(path, "is not the file that submission.json names: its SHA-256 or its size differs")
            return
        for number, raw in enumerate(content.split(b"\n"), 1):
            if not raw:
                continue
            if len(raw) > LIMITS.line:
                self.find(f"{path}:{number}", f"is longer than {numbers.size(LIMITS.line)}, the most that is read")
                continue
            found = _as_written(raw, model) or self.parsed(raw, model, f"{path}:{number}")
            if found is not None:
                yield number, found

    def parsed(self, content: bytes, model: type[M], place: str) -> M | None:
        """A record; None of what is none, which is a finding."""
        try:
            return parse(content, model)
        except ValueError as error:
            self.find(place, str(error))
            return None

    def _walk(self, below: str, folders: set[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
        try:
            with os.scandir(self.folder / below) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.find(below or ".", f"cannot be listed: {error.strerror}")
            return
        for entry in listed:
            path = f"{below}/{entry.name}" if below else entry.name
            yield encodable(path), entry
            if path in folders and entry.is_dir(follow_symlinks=False):
                yield from self._walk(path, folders)


def parse(content: bytes, model: type[M]) -> M:
    """A record of JSON that a stranger wrote.

    Raises:
        ValueError: it is none; the message is one line.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 (byte {error.start})") from None
    if text.startswith("\ufeff"):
        raise ValueError("begins with a byte-order mark: remove it")
    try:
        # Read twice: the second reader would take the last of two equal keys, and NaN where any value may stand.
        value = json.loads(
            text, object_pairs_hook=_each_once, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} (character {error.pos + 1})") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 -- of a file, not of a caller
    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise ValueError(plainly(error)) from None


def _as_written(content: bytes, model: type[M]) -> M | None:
    """The record, where the content is to the letter what we write of it; None where it is not, for whatever reason.

    Then no key is there twice and no number is none of JSON: it need not be read twice. Models whose numbers
    all have bounds alone are read so.
    """
    try:
        record = model.model_validate_json(content, strict=True)
    except ValidationError:
        return None
    return record if record.model_dump_json().encode() == content else None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"has the key {twice[:_SAID]!r} twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"holds {name}, which is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"holds {text[:_SAID]}, which is too large for a number")
    return number


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"holds a number of {len(text)} digits")
    return int(text)


def _clipped(text: str) -> str:
    """One printable line, and not a long one."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= _SAID else f"{line[: _SAID - 1]}…"

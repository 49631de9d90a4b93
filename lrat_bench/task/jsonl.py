"""Lines of text files that people write: UTF-8, one JSON object each, and errors that name the line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from lrat_bench.errors import DataError
from lrat_bench.guard import opened

__all__ = ["Line", "decode", "open_lines", "parse"]

# TREC files are split at whitespace, and an id ends up in file names, logs and web pages.
_LONGEST_ID = 1024
_NOT_IN_AN_ID = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")


class Line(NamedTuple):
    """The JSON object of one line, and where it stands.

    Attributes:
        file: for messages.
        number: 1-based.
        record: the object; keys that nobody asks for are ignored.
    """

    file: Path
    number: int
    record: dict[str, Any]

    def error(self, problem: str) -> DataError:
        """An error at this line."""
        return DataError(problem, file=self.file, line=self.number)

    def text(self, key: str, *, default: str | None = None) -> str:
        """The string under `key`, or `default` where there is one and the key is absent or null.

        Raises:
            DataError: the key is missing, or its value is not a string of Unicode characters.
        """
        value = self.record.get(key)
        if value is None and default is not None:
            return default
        if key not in self.record:
            raise self.error(f"{key!r} is missing; the line has {', '.join(map(repr, self.record)) or 'no keys'}")
        return self.checked(key, value)

    def identifier(self, key: str) -> str:
        """The id under `key`: a non-empty string without whitespace and control characters.

        Raises:
            DataError: it is missing or not such a string.
        """
        value = self.text(key)
        if not value:
            raise self.error(f"{key!r} is empty")
        if len(value) > _LONGEST_ID:
            raise self.error(
                f"{key!r} {value[:40] + '…'!r} has {len(value)} characters; ids have {_LONGEST_ID} at most"
            )
        if bad := _NOT_IN_AN_ID.search(value):
            raise self.error(
                f"{key!r} {value!r} holds {bad.group()!r}: ids are free of whitespace and control characters, "
                "because TREC files are split at whitespace"
            )
        return value

    def checked(self, key: str, value: object) -> str:
        """`value`, found to be a string that can be written as UTF-8."""
        if not isinstance(value, str):
            shown = json.dumps(value, ensure_ascii=False)
            mend = ": put it in quotes" if isinstance(value, int | float) and not isinstance(value, bool) else ""
            raise self.error(f"{key!r} must be a string, not {shown if len(shown) <= 40 else shown[:40] + '…'}{mend}")
        try:
            # JSON can escape half a surrogate pair; nothing that receives the text later could write it.
            value.encode()
        except UnicodeEncodeError as error:
            escape = ascii(value[error.start])[1:-1]
            raise self.error(
                f"{key!r} holds an unpaired surrogate ({escape}): remove it, or write it as \\ufffd"
            ) from None
        return value


def open_lines(file: Path) -> BinaryIO:
    r"""Open a text file, to be read line by line as bytes (`\n` alone ends a line).

    Raises:
        DataError: there is no such file, or its first bytes are not those of plain UTF-8.
    """
    try:
        stream = file.open("rb")
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", file=file) from None
    start = stream.peek(4)[:4]
    problem = ""
    if start.startswith(b"\x1f\x8b"):
        problem = "is compressed with gzip: unpack it first (gunzip)"
    elif start.startswith(b"\x28\xb5\x2f\xfd"):
        problem = "is compressed with zstandard: unpack it first (unzstd)"
    elif start.startswith((b"\xff\xfe", b"\xfe\xff")):
        problem = "is UTF-16: save it as UTF-8"
    elif start.startswith(b"\xef\xbb\xbf"):
        problem = "starts with a byte order mark: save it as UTF-8 without one"
    if problem:
        stream.close()
        raise DataError(problem, file=file)
    return stream


def decode(raw: bytes, file: Path, number: int) -> str:
    """The text of one line.

    Raises:
        DataError: it is not UTF-8.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8: byte 0x{raw[error.start]:02x} at position {error.start + 1}; save the file as UTF-8",
            file=file,
            line=number,
        ) from None


def parse(raw: bytes, file: Path, number: int) -> Line | None:
    """One line of a JSON Lines file, guarded (`lrat_bench.guard`) or open; None where it is blank.

    Raises:
        DataError: it is not UTF-8, not JSON, or not an object.
    """
    if not raw or raw.isspace():
        return None
    text = decode(raw, file, number)
    try:
        text = opened(text)
    except ValueError:
        raise DataError("guarded, and damaged: its text is not what its canary opens", file=file, line=number) from None
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        problem = f"not valid JSON: {error.msg} at column {error.pos + 1}; every line holds one whole JSON object"
        raise DataError(problem, file=file, line=number) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"not readable as JSON: {error}", file=file, line=number) from None
    if not isinstance(record, dict):
        raise DataError(
            f'holds a JSON {type(record).__name__}, not an object like {{"key": …}}', file=file, line=number
        )
    return Line(file, number, record)

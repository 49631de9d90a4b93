"""Files that survive a kill: whole or absent, appended or unchanged, and hashed the same way everywhere."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs

from lrat_bench.errors import DataError, UsageError

__all__ = [
    "CACHE_MEND",
    "append_line",
    "build_once",
    "cache_folder",
    "canonical_json",
    "encodable",
    "fingerprint",
    "locked",
    "mend_tail",
    "read_value",
    "read_yaml",
    "sha256_file",
    "write_atomic",
    "write_json",
    "writing",
]


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, no spaces, no NaN: equal values give equal text on every machine."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def encodable(text: str) -> str:
    """The text with lone surrogates, which JSON may spell and no file can hold, replaced by question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def fingerprint(value: Any) -> str:
    """SHA-256 (64 hex digits) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def read_value(text: str) -> Any:
    """A value as users write it, read as YAML: `5`, `0.4`, `null`, `[search]`, `text`; a date stays a text.

    What is no YAML is the text itself.
    """
    import yaml

    try:
        return yaml.load(text, _plain_loader())  # noqa: S506 -- a safe loader
    except yaml.YAMLError:
        return text


def sha256_file(path: Path) -> str:
    """SHA-256 (64 hex digits) of a file's bytes, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file that is complete or not there: to a temporary neighbour first, then renamed over `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files private; results are meant to be shared as any other file is.
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write `value` atomically as indented JSON with a final newline."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def build_once(path: Path, build: Callable[[Path], None]) -> bool:
    """Let `build` fill a folder that appears at `path` only when it is complete, and only once.

    Processes that want the same folder wait for the first one's and use it. A killed build leaves a `.tmp`
    neighbour that nothing reads and the next build removes.

    Returns:
        whether it was built now; false where it was there already.
    """
    if path.exists():
        return False
    with locked(path.with_name(f".{path.name}.lock"), wait=True):
        if path.exists():
            return False
        for stale in path.parent.glob(f".{path.name}.*.tmp"):
            shutil.rmtree(stale, ignore_errors=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"))
        try:
            build(temporary)
            temporary.chmod(0o777 & ~_umask())
            temporary.rename(path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    return True


def append_line(path: Path, line: str) -> None:
    """Append one line and hand it to the operating system; on failure (a full disk) the file is as it was.

    Args:
        path: the file, created when missing.
        line: text without line breaks.
    """
    data = line.encode() + b"\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        before = os.fstat(handle).st_size
        try:
            written = 0
            while written < len(data):
                written += os.write(handle, data[written:])
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle, before)
            raise
    finally:
        os.close(handle)


def mend_tail(path: Path) -> int:
    """Cut a torn last line, left by a kill in mid-write, off a line-based file.

    Returns:
        how many bytes were cut; 0 where the file is whole or missing.
    """
    if not path.exists():
        return 0
    with path.open("r+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        end = size
        while end > 0:
            step = min(4096, end)
            stream.seek(end - step)
            newline = stream.read(step).rfind(b"\n")
            if newline >= 0:
                end = end - step + newline + 1
                break
            end -= step
        if end < size:
            stream.truncate(end)
        return size - end


@contextmanager
def locked(path: Path, *, wait: bool = False, busy: str = "") -> Iterator[None]:
    """Hold an exclusive lock on `path`; the kernel lets go of it however the process ends.

    Args:
        path: the lock file, created when missing and left behind.
        wait: wait for another holder instead of refusing.
        busy: the message of the refusal.

    Raises:
        UsageError: another process holds the lock and `wait` is false.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise UsageError(busy or f"{path} is held by another process") from None
        yield


@contextmanager
def writing(what: str, *, errors: tuple[type[Exception], ...] = (OSError,), mend: str = "") -> Iterator[None]:
    """Around writes of files: a disk that refuses is one line for the user.

    Args:
        what: is written.
        errors: what the writer raises when the disk refuses.
        mend: what the user can do.

    Raises:
        UsageError: "cannot write WHAT: REASON; MEND".
    """
    try:
        yield
    except errors as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot write {what}: {reason}{f'; {mend}' if mend else ''}") from error


CACHE_MEND = "set LRAT_BENCH_CACHE to a writable folder with room for it"
"""What to do when the cache cannot be written."""


def cache_folder() -> Path:
    """Where corpora and indexes are kept: `$LRAT_BENCH_CACHE`, else the platform's cache folder."""
    chosen = os.environ.get("LRAT_BENCH_CACHE")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("lrat-bench"))


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; dates stay texts.

    Raises:
        DataError: it cannot be read, or is not YAML; the message names the line.
    """
    import yaml

    try:
        return yaml.load(path.read_text(encoding="utf-8"), _plain_loader())  # noqa: S506 -- a safe loader
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", file=path) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        raise DataError(f"not valid YAML: {reason}", file=path, line=mark and mark.line + 1) from None


@cache
def _plain_loader() -> Any:
    """YAML's safe loader, which would make a date of `2026-01-31`, without that."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Safe, and blind to dates."""

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask

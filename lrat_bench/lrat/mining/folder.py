"""The folder of pairs while it is mined into: one writer at a time, and one configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lrat_bench.errors import LratBenchError, UsageError
from lrat_bench.files import locked, write_json, writing
from lrat_bench.lrat.mining.harvest import FILES
from lrat_bench.lrat.pairs import NAMES, Pairs
from lrat_bench.lrat.pairs_manifest import PairsManifest

__all__ = ["claimed", "held"]


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Keep other processes from writing to the folder; it vanishes again where nothing was mined into it.

    Raises:
        UsageError: one is writing, or the folder cannot be written to.
    """
    busy = f"another process is mining into {out}: wait for it, or give another folder with -o"
    with ExitStack() as stack:
        if not out.exists():
            stack.callback(_vanish, out)
        with writing(f"the pairs in {out}"):
            out.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(out / ".lock", busy=busy))
        yield


def _vanish(out: Path) -> None:
    with suppress(OSError):
        if {path.name for path in out.iterdir()} <= {".lock"}:
            (out / ".lock").unlink()
            out.rmdir()


@contextmanager
def claimed(out: Path, manifest: PairsManifest, *, fresh: bool) -> Iterator[None]:
    """The folder as that of this manifest; a first try that came to nothing leaves no manifest behind.

    Raises:
        UsageError: it holds other pairs; the message names the options that differ.
    """
    file = out / "manifest.json"
    if fresh:
        _discard(out)
    elif file.exists():
        there = Pairs(out).manifest.identity
        if differing := sorted(key for key, value in manifest.identity.items() if there.get(key) != value):
            raise UsageError(
                f"{out} holds other pairs (differs in: {', '.join(differing)}); give another folder with -o, or "
                "--fresh to discard what is there"
            )
    elif any((out / name).exists() for name in (*FILES, "judgements.jsonl")):
        raise UsageError(f"{out} holds pairs but no manifest.json: give another folder with -o, or --fresh")
    whole = file.exists() and Pairs(out).manifest.finished
    if not file.exists():
        with writing(f"the pairs in {out}"):
            write_json(file, manifest.to_dict())
    try:
        yield
    except LratBenchError:
        journal = out / "judgements.jsonl"
        if not (whole or Pairs(out).manifest.finished or (journal.exists() and journal.stat().st_size)):
            _discard(out)
        raise


def _discard(out: Path) -> None:
    """Delete what mining leaves, by name, and nothing else.

    Raises:
        UsageError: the folder is something else than one of pairs.
    """
    manifest = out / "manifest.json"
    if manifest.exists() and b'"lrat-bench/pairs/' not in manifest.read_bytes():
        raise UsageError(f"{manifest} is not one of pairs, so nothing is discarded: give another folder with -o")
    for name in NAMES:
        (out / name).unlink(missing_ok=True)

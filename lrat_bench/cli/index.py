"""`lrat-bench index`."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from lrat_bench.cli.engine import check_workers, engine_options
from lrat_bench.cli.options import json_option, print_json, set_option, stdout
from lrat_bench.cli.watch import watch

if TYPE_CHECKING:
    from lrat_bench.progress import Progress
    from lrat_bench.retriever.base import Retriever
    from lrat_bench.retriever.embeddings import Filled
    from lrat_bench.retriever.shard import Shard

__all__ = ["index"]


@click.command()
@click.option("--task", metavar="NAME|FOLDER", default="synth-wiki", show_default=True, help="Whose corpus.")
@click.option("--retriever", metavar="NAME[:ARGUMENT]", default="bm25", show_default=True, help="Which retriever.")
@click.option(
    "--shard",
    metavar="I/N",
    help="Encode part I of N, counted from 0, of what `dense` encodes; torchrun and srun say it by themselves. "
    "0/1 is the whole.",
)
@engine_options
@set_option
@json_option
def index(
    task: str, retriever: str, shard: str | None, engine: str, workers: int | None, set: tuple[str, ...], json: bool
) -> None:
    """Build a retriever's index over a task's corpus; one that is there already is used.

    What was encoded before an interruption is kept, and the same command goes on. All that `dense` encoded is compared
    with its checksums, and what is damaged is encoded anew; `run` looks at sizes alone.
    """
    from lrat_bench.api import close
    from lrat_bench.errors import UsageError
    from lrat_bench.files import cache_folder
    from lrat_bench.report import numbers
    from lrat_bench.retriever.base import BuildContext
    from lrat_bench.retriever.catalog import load_retriever
    from lrat_bench.retriever.shard import WHOLE, Shard
    from lrat_bench.runs.command import prepare
    from lrat_bench.runs.resolve import Settings, customise
    from lrat_bench.scale.encoding import encode_on_ray
    from lrat_bench.scale.words import Words
    from lrat_bench.task.catalog import load_task

    settings = Settings.parse(set)
    check_workers(engine, workers)
    if engine == "ray" and shard is not None:
        raise UsageError("--engine ray deals out all parts: leave --shard out")
    asked = None if shard is None else Shard.parse(shard)
    started = time.monotonic()
    with watch() as shown:
        loaded, protocol = load_task(task, settings=settings.task, progress=shown.work)
        pinned = customise(protocol, settings.protocol).rollout.passage_tokens
        context = BuildContext(loaded, dict(settings.retriever), cache_folder(), passage_tokens=pinned)
        found = load_retriever(retriever, context)
        try:
            if engine == "ray":
                words = Words(task, retriever, settings.to_dict(), found.fingerprint, loaded.corpus.fingerprint)
                encode_on_ray(found, words, documents=len(loaded.corpus), workers=workers, progress=shown.work)
                asked = WHOLE
            part, remark = _part(found, asked)
            if remark:
                shown.console.print(remark, markup=False, soft_wrap=True)
            filled = _encode(found, part, shown.work)
            if part == WHOLE:
                prepare(found, shown.work)
        finally:
            close(found)
    seconds = time.monotonic() - started
    if json:
        print_json(
            {
                "task": loaded.name,
                "documents": len(loaded.corpus),
                "retriever": found.name,
                "fingerprint": found.fingerprint,
                "seconds": round(seconds, 3),
                **_state(filled, part),
            }
        )
        return
    if filled is None or part == WHOLE:
        done = f"{numbers.count(len(loaded.corpus))} documents ready after {numbers.duration(seconds)}"
    else:
        done = (
            f"part {part} done after {numbers.duration(seconds)}; of the whole, "
            f"{numbers.count(filled.documents)} of {numbers.count(filled.of_documents)} documents are encoded "
            f"({filled.blocks} of {filled.of_blocks} blocks). {_next(filled, settings.retriever.get('index'))}"
        )
    stdout().print(f"{found.name} over {loaded.name}: {done}", markup=False, soft_wrap=True)


def _part(found: Retriever, asked: Shard | None) -> tuple[Shard, str]:
    """What was asked for, else what a launcher says, which asks for no parts of what has none; and a remark on that."""
    from lrat_bench.errors import UsageError
    from lrat_bench.retriever.shard import WHOLE, Shard

    if hasattr(found, "encode_shard"):
        part = asked or Shard.from_environment()
        told = part.origin and part != WHOLE
        return part, f"part {part}, as {part.origin} say; --shard 0/1 is the whole" if told else ""
    if asked not in (None, WHOLE):
        raise UsageError(f"retriever {found.name!r} is built in one piece, and has no part {asked}: leave --shard out")
    launched = WHOLE
    if asked is None:
        with suppress(UsageError):  # nonsense names no part either
            launched = Shard.from_environment()
    remark = f"the whole, whatever {launched.origin} say: retriever {found.name!r} is built in one piece"
    return WHOLE, remark if launched != WHOLE else ""


def _encode(found: Retriever, part: Shard, progress: Progress) -> Filled | None:
    """Encode a part, and check what of it is there; None where nothing is encoded."""
    from lrat_bench.errors import foreign

    encode: Any = getattr(found, "encode_shard", None)
    if encode is None:
        return None
    with foreign(f"retriever {found.name!r} cannot be encoded"):
        filled: Filled = encode(part, progress)
    return filled


def _next(filled: Filled, index: Any) -> str:
    """What is left to do after a part."""
    built = "" if index in (None, "exact") else f"builds {index}"
    if filled.complete:
        return f"All parts are there.{built and f' `index --shard 0/1` {built}.'}"
    return f"`index --shard 0/1` encodes what is missing{built and f', and {built}'}, once the other parts are done."


def _state(filled: Filled | None, part: Shard) -> dict[str, Any]:
    if filled is None:
        return {}
    encoded = {
        "documents": filled.documents,
        "blocks": filled.blocks,
        "of_blocks": filled.of_blocks,
        "mended": filled.mended,
    }
    return {"shard": str(part), "encoded": encoded, "complete": filled.complete}

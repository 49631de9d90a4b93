"""`lrat-bench index`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

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
@set_option
@json_option
def index(task: str, retriever: str, shard: str | None, set: tuple[str, ...], json: bool) -> None:
    """Build a retriever's index over a task's corpus; one that is there already is used.

    What was encoded before an interruption is kept, and the same command goes on.
    """
    from lrat_bench.api import close
    from lrat_bench.files import cache_folder
    from lrat_bench.report import numbers
    from lrat_bench.retriever.base import BuildContext
    from lrat_bench.retriever.catalog import load_retriever
    from lrat_bench.runs.command import prepare
    from lrat_bench.runs.resolve import Settings, customise
    from lrat_bench.task.catalog import load_task

    settings = Settings.parse(set)
    part = _part(shard)
    started = time.monotonic()
    filled: Filled | None = None
    with watch() as shown:
        loaded, protocol = load_task(task, settings=settings.task, progress=shown.work)
        pinned = customise(protocol, settings.protocol).rollout.passage_tokens
        context = BuildContext(loaded, dict(settings.retriever), cache_folder(), passage_tokens=pinned)
        found = load_retriever(retriever, context)
        try:
            filled = _encode(found, part, asked=shard is not None, progress=shown.work)
            if filled is None:
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
    if filled is None:
        done = f"{numbers.count(len(loaded.corpus))} documents ready after {numbers.duration(seconds)}"
    else:
        done = (
            f"part {part} done after {numbers.duration(seconds)}; of the whole, "
            f"{numbers.count(filled.documents)} of {numbers.count(filled.of_documents)} documents are encoded "
            f"({filled.blocks} of {filled.of_blocks} blocks). "
        )
        done += (
            "All parts are there."
            if filled.complete
            else "`index --shard 0/1` encodes what is missing, once the other parts are done."
        )
    stdout().print(f"{found.name} over {loaded.name}: {done}", markup=False, soft_wrap=True)


def _part(shard: str | None) -> Shard:
    from lrat_bench.retriever.shard import Shard

    return Shard.from_environment() if shard is None else Shard.parse(shard)


def _encode(found: Retriever, part: Shard, *, asked: bool, progress: Progress) -> Filled | None:
    """Encode a part; None where the whole is to be prepared."""
    from lrat_bench.errors import UsageError, foreign
    from lrat_bench.retriever.shard import WHOLE

    encode: Any = getattr(found, "encode_shard", None)
    # A launcher that says which process this is does not ask for parts of what has none.
    if part == WHOLE or (encode is None and not asked):
        return None
    if encode is None:
        raise UsageError(f"retriever {found.name!r} is built in one piece, and has no part {part}: leave --shard out")
    with foreign(f"retriever {found.name!r} cannot be encoded"):
        filled: Filled = encode(part, progress)
    return filled


def _state(filled: Filled | None, part: Shard) -> dict[str, Any]:
    if filled is None:
        return {}
    encoded = {"documents": filled.documents, "blocks": filled.blocks, "of_blocks": filled.of_blocks}
    return {"shard": str(part), "encoded": encoded, "complete": filled.complete}

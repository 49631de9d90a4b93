"""`lrat-bench train`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lrat_bench.cli.options import config_file, json_option, print_json, stdout
from lrat_bench.cli.watch import Watch, time_left, watch

if TYPE_CHECKING:
    from lrat_bench.lrat.training.record import Evaluation, Step
    from lrat_bench.lrat.training.train import TrainedModel

__all__ = ["train"]

_RECIPE = (
    click.option("--epochs", type=int, help="How often the pairs are gone through.  [paper: 2; small: 1]"),
    click.option("--lr", type=float, help="Peak learning rate.  [paper: 1e-6; small: 2e-5]"),
    click.option("--batch", type=int, help="Rows of a step, over all processes.  [paper: 32; small: 16]"),
    click.option("--mini-batch", type=int, help="GradCache: encode so many texts at a time, for less memory."),
    click.option("--group", type=int, help="Documents of a row: a positive and hard negatives.  [paper: 10; small: 4]"),
    click.option("--temperature", type=float, help="τ of InfoNCE.  [paper: 0.02; small: 0.05]"),
    click.option("--query-tokens", type=int, help="Longest query.  [paper: 512; small: 48]"),
    click.option("--passage-tokens", type=int, help="Longest document.  [paper: 512; small: 96]"),
    click.option(
        "--normaliser",
        type=click.Choice(["mean", "weight-sum"]),
        help="Divide the weighted losses by their number, as in the paper, or by Σw, as in its code.  [default: mean]",
    ),
    click.option("--in-batch/--no-in-batch", default=None, help="Other rows' documents are negatives.  [default: yes]"),
    click.option(
        "--cross-device/--no-cross-device",
        default=None,
        help="So are those of other processes' rows.  [default: yes]",
    ),
    click.option("--warmup", type=float, help="Share of the steps in which the learning rate rises.  [default: 0.1]"),
    click.option("--weight-decay", type=float, help="Of AdamW.  [default: 0]"),
    click.option("--max-grad-norm", type=float, help="Gradients are clipped to it; 0 does not clip.  [default: 1]"),
    click.option(
        "--precision",
        type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
        help="Of the arithmetic.  [default: auto, bfloat16 on a GPU]",
    ),
    click.option("--gradient-checkpointing", is_flag=True, default=None, help="Less memory, more time."),
    click.option("--seed", type=int, help="Of the order, the negatives and dropout.  [default: 0]"),
    click.option(
        "--shuffle",
        type=click.Choice(["positives", "weights"]),
        help="A control: permute them among the pairs before training.",
    ),
    click.option(
        "--keep",
        type=click.Choice(["last", "best"]),
        help="Save the weights of the last step, or of the best evaluation.  [default: last]",
    ),
)
"""Options that set a field of the recipe; not given, they leave the preset's value."""


def _recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_RECIPE):
        command = option(command)
    return command


@click.command()
@click.argument("pairs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PAIRS…")
@click.option("--base", required=True, metavar="FOLDER|ORG/NAME", help="The sentence-transformers model to train.")
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), metavar="MODEL", help="Folder of the trained model."
)
@click.option(
    "--stage",
    type=click.Choice(["naive", "filter", "reweight"]),
    help="All browsed documents; those found relevant; those, weighted.  [default: reweight]",
)
@click.option(
    "--preset",
    type=click.Choice(["paper", "small"]),
    default="paper",
    show_default=True,
    help="Where values come from.",
)
@_recipe_options
@click.option("--query-prompt", help="Put before queries.  [default: the model's own]")
@click.option("--document-prompt", help="Put before documents.  [default: the model's own]")
@click.option("--task", metavar="NAME|FOLDER", help="Where the task of the pairs lies now, if it moved.")
@click.option(
    "--eval",
    "evals",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Replay the queries of this run during training. Repeatable.",
)
@click.option("--eval-steps", type=int, help="How often.  [default: once an epoch]")
@click.option(
    "--checkpoint-steps", type=int, default=500, show_default=True, help="Steps between checkpoints, beside epochs."
)
@click.option("--language", default="en", show_default=True, help="Of the texts, for the model card.")
@click.option("--fresh", is_flag=True, help="Discard what the folder holds of a training.")
@config_file
@json_option
def train(
    pairs: tuple[Path, ...],
    base: str,
    out: Path,
    preset: str,
    query_prompt: str | None,
    document_prompt: str | None,
    task: str | None,
    evals: tuple[Path, ...],
    eval_steps: int | None,
    checkpoint_steps: int,
    language: str,
    fresh: bool,
    json: bool,
    **changes: Any,
) -> None:
    """Train a dense retriever on pairs that `lrat-bench mine` made.

    The loss is InfoNCE, weighted by relevance intensity. The same command again goes on from the last checkpoint.
    With several GPUs: torchrun --nproc-per-node 8 -m lrat_bench.cli train PAIRS …
    """
    from lrat_bench.lrat.training.processes import Processes
    from lrat_bench.lrat.training.recipe import make_recipe
    from lrat_bench.lrat.training.train import train as carry_out
    from lrat_bench.progress import no_progress

    here = Processes.here()
    with watch() as shown, nullcontext() if here.first else _speaking_of(here.rank):
        done = carry_out(
            pairs=pairs,
            base=base,
            out=out,
            recipe=here.agree(lambda: make_recipe(preset, changes)),
            task=task,
            evals=evals,
            eval_steps=eval_steps,
            query_prompt=query_prompt,
            document_prompt=document_prompt,
            checkpoint_steps=checkpoint_steps,
            language=language,
            fresh=fresh,
            progress=shown.work if here.first else no_progress,
            on_line=_Steps(shown),
        )
    if not here.first:
        return
    if json:
        print_json({"path": str(done.path), "trained": done.trained, **done.record.to_dict()})
    else:
        _show(done)


@contextmanager
def _speaking_of(rank: int) -> Iterator[None]:
    """What the first process refused it says itself; any other one says what it alone has met, and who it is."""
    from lrat_bench.errors import LratBenchError
    from lrat_bench.lrat.training.processes import Refused

    try:
        yield
    except Refused as error:
        raise click.exceptions.Exit(error.exit_code) from None
    except LratBenchError as error:
        click.echo(f"lrat-bench: rank {rank}: {error}", err=True)
        raise click.exceptions.Exit(error.exit_code) from error


@dataclass
class _Steps:
    """Shows steps: the loss, the time left and the last evaluation."""

    shown: Watch
    _first: int | None = None
    _started: float = field(default_factory=time.monotonic)
    _measured: str = ""

    def __call__(self, line: Step | Evaluation, total: int) -> None:
        console = self.shown.console
        if line.kind == "evaluation":
            self._measured = _measures(line)
            if not console.is_terminal:
                console.print(f"step {line.step}/{total}  {self._measured}", markup=False)
            return
        if self._first is None:
            self._first, self._started = line.step, time.monotonic()
        left = time_left(time.monotonic() - self._started, line.step - self._first, total, line.step)
        measured = self._measured if console.is_terminal else ""
        said = (f"loss {line.loss:.4f}", f"{left} left" if left else "", measured)
        self.shown.state("step", line.step, total, "  ".join(filter(None, said)))


def _show(done: TrainedModel) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from lrat_bench.report import numbers
    from lrat_bench.report.text import printable

    record, counts = done.record, done.record.counts
    console = stdout()
    if not done.trained:
        console.print(f"{done.path} was trained already; nothing was done (--fresh trains it anew)", markup=False)
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="left")
    left_out = [
        f"{numbers.count(counts.without_weight)} without weight left out" if counts.without_weight else "",
        f"{numbers.count(counts.without_negatives)} without hard negatives" if counts.without_negatives else "",
    ]
    kept = "" if record.kept_step == record.steps else f", weights of step {numbers.count(record.kept_step)}"
    rows = (
        ("base", record.base),
        ("stage", record.recipe.stage + (f", {record.recipe.shuffle} shuffled" if record.recipe.shuffle else "")),
        ("pairs", ", ".join(filter(None, (numbers.count(counts.rows), *left_out)))),
        ("steps", f"{numbers.count(record.steps)} in {numbers.duration(record.seconds)}{kept}"),
        ("loss", f"{record.loss.first:.4f} → {record.loss.last:.4f}"),
        *(
            (f"eval, step {one.step}", _measures(one))
            for one in record.evaluations
            if one.step in (record.evaluations[0].step, record.kept_step)
        ),
        ("model", str(done.path)),
    )
    for name, value in rows:
        table.add_row(name, Text(printable(value), overflow="fold"))
    console.print(table)
    if record.tainted:
        console.print("Trained on evaluation questions: its numbers on them say nothing.", style="yellow")


def _measures(one: Evaluation) -> str:
    return "  ".join(f"{name} {value:.3f}" for name, value in one.measures.items())

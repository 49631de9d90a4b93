"""`lrat-bench mine`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lrat_bench.cli.options import access_options, config_file, json_option, print_json, set_option, stdout
from lrat_bench.cli.watch import watch

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lrat_bench.lrat.flag_embedding import Exported
    from lrat_bench.lrat.pairs import Pairs
    from lrat_bench.lrat.pairs_manifest import PairsManifest
    from lrat_bench.model.cassette import CassetteMode

__all__ = ["mine"]


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN…")
@click.option(
    "-o", "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the pairs."
)
@click.option(
    "--rule",
    type=click.Choice(["attributed", "paper", "lrat-code"]),
    default="attributed",
    show_default=True,
    help="How a browse is attributed to a query: to the list that held its document; to a search right before it; or "
    "as LRAT's released builder does.",
)
@click.option(
    "--outcome",
    type=click.Choice(["correct", "incorrect", "all"]),
    default="correct",
    show_default=True,
    help="Trajectories whose answer was judged so; all takes those that nobody judged, too.",
)
@click.option(
    "--status",
    metavar="NAME[,NAME]|all",
    default="answered",
    show_default=True,
    help="Trajectories that ended so: within their limits, unless others are named (forced, turn_limit, …).",
)
@click.option(
    "--filter",
    "relevance",
    metavar="rules|none|PRESET|PROVIDER/MODEL|MODULE:OBJECT",
    default="rules",
    show_default=True,
    help="Who judges relevance by the reasoning behind a browse: English cues, offline; nobody; or a model. LRAT's is "
    "qwen3-30b-a3b-thinking.",
)
@click.option(
    "--tokenizer",
    metavar="NAME",
    default="regex-v1",
    show_default=True,
    help="What reasoning is measured in: regex-v1, a tokenizer.json, or NAME@REVISION of the hub.",
)
@click.option(
    "--scale",
    type=click.Choice(["pooled", "agent"]),
    default="pooled",
    show_default=True,
    help="One β and µ for all pairs, or one for each agent's.",
)
@click.option("--task", metavar="NAME|FOLDER", help="Where the task lies now, if it moved.")
@click.option("--verdicts", metavar="JUDGE", help="Whose verdicts on answers count.  [default: each run's own judge's]")
@click.option("--allow-eval", is_flag=True, help="Mine runs on evaluation questions, too; marks the pairs as tainted.")
@click.option(
    "--relevance-cache/--no-relevance-cache",
    default=True,
    show_default=True,
    help="Take what a model has said of a reasoning before from the cache, and keep what it says now.",
)
@click.option("--concurrency", type=int, default=16, show_default=True, help="Browses judged at once.")
@set_option
@config_file
@access_options
@click.option("--fresh", is_flag=True, help="Discard what the folder holds of earlier mining.")
@click.option("--plot/--no-plot", default=True, show_default=True, help="Draw lengths and weights (lengths.png).")
@click.option(
    "--export",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.jsonl",
    help="Also write the kept pairs with their texts, as FlagEmbedding reads them.",
)
@json_option
def mine(
    runs: tuple[Path, ...],
    out: Path,
    rule: str,
    outcome: str,
    status: str,
    relevance: str,
    tokenizer: str,
    scale: str,
    task: str | None,
    verdicts: str | None,
    allow_eval: bool,
    relevance_cache: bool,
    concurrency: int,
    set: tuple[str, ...],
    max_cost: float | None,
    cassette: Path | None,
    cassette_mode: CassetteMode,
    fresh: bool,
    plot: bool,
    export: Path | None,
    json: bool,
) -> int:
    """Mine training pairs from the trajectories of runs, or of a folder of LRAT's run files.

    A search that is followed by a browse gives a query, the document that was opened, and those of the same list that
    were passed over. The same command again asks the relevance judge only what it has not answered yet.
    """
    from lrat_bench.api import access
    from lrat_bench.errors import UsageError
    from lrat_bench.lrat.flag_embedding import refuse_export
    from lrat_bench.lrat.mining.mine import mine_runs
    from lrat_bench.runs.resolve import Settings

    settings = Settings.parse(set)
    if wrong := [room for room in settings.to_dict() if room != "filter"]:
        raise UsageError(f"{wrong[0]}.… cannot be set when mining: the trajectories are what they are")
    if export is not None:
        refuse_export(export, out, runs)
    with watch() as shown:
        pairs = mine_runs(
            runs,
            out,
            rule=rule,
            outcome=outcome,
            statuses=status,
            relevance=relevance,
            tokenizer=tokenizer,
            scale=scale,
            task=task,
            verdicts=verdicts,
            allow_eval=allow_eval,
            settings=settings.filter,
            relevance_cache=relevance_cache,
            concurrency=concurrency,
            access=access(max_cost=max_cost, cassette=cassette, cassette_mode=cassette_mode),
            fresh=fresh,
            progress=shown.work,
        )
        if plot:
            _draw(pairs)
        manifest = pairs.manifest
        exported = None
        if export is not None and manifest.counts.kept:
            exported = _export(pairs, export, task, shown.work)
        elif export is not None:
            click.echo(f"no {export}: nothing is kept", err=True)
    if json:
        print_json({"pairs": str(out), "manifest": manifest.to_dict(), "export": _as_json(exported)})
    else:
        stdout().print(_summary(pairs, manifest, exported))
    if manifest.counts.owed:
        click.echo(_owed(pairs, manifest), err=True)
        return 3
    return 0


def _draw(pairs: Pairs) -> None:
    from lrat_bench.errors import MissingLibrary
    from lrat_bench.report.lengths_plot import plot_lengths

    try:
        plot_lengths(pairs, pairs.path / "lengths.png")
    except MissingLibrary as error:
        click.echo(f"no lengths.png: {error}", err=True)


def _export(pairs: Pairs, file: Path, task: str | None, progress: Any) -> Exported:
    from lrat_bench.errors import UsageError
    from lrat_bench.lrat.flag_embedding import export
    from lrat_bench.task.catalog import load_task

    manifest = pairs.manifest
    spec = task or manifest.task
    if spec is None:
        raise UsageError("--export needs the texts: give the task whose corpus the documents are of with --task")
    loaded, _ = load_task(spec, settings=manifest.task_settings or None, progress=progress)
    return export(pairs, loaded.corpus, file)


def _as_json(exported: Exported | None) -> dict[str, Any] | None:
    from dataclasses import asdict

    return None if exported is None else {**asdict(exported), "file": str(exported.file)}


def _summary(pairs: Pairs, manifest: PairsManifest, exported: Exported | None) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from lrat_bench.report import numbers
    from lrat_bench.report.fitting import FittingTable
    from lrat_bench.report.text import printable

    counts = manifest.counts
    table = FittingTable()
    table.name()
    table.number("")
    table.text(style="dim")
    for row in _rows(manifest):
        table.row(*row)
    lines = [f"{printable(pairs.path)}"]
    if counts.unreadable:
        could = "record could not be read and was" if counts.unreadable == 1 else "records could not be read and were"
        lines.append(f"{numbers.count(counts.unreadable)} {could} passed over")
    if manifest.tainted:
        lines.append("tainted: mined from evaluation questions, whose numbers are void for a retriever trained on this")
    if exported is not None:
        left_out = f"{exported.without_weight} without weight, {exported.without_negatives} without negatives left out"
        lines.append(f"{printable(exported.file)}: {numbers.count(exported.rows)} rows ({left_out})")
    return Group(table, Text("\n".join(lines), style="dim"))


def _rows(manifest: PairsManifest) -> list[tuple[str, str, str]]:
    """(what, how many, remark) of each stage, and of the fit."""
    from lrat_bench.report import numbers

    counts, fit = manifest.counts, manifest.intensity
    statuses = "any status" if manifest.filter.statuses is None else ", ".join(manifest.filter.statuses)
    passed = {
        "of no document": counts.not_found,
        "of none that a list held": counts.from_no_list,
        "not right after their search": counts.not_adjacent,
        "repeated": counts.repeated,
        "dropped by the rule": counts.dropped,
        "of documents that the corpus lacks": counts.absent,
    }
    undecided = {
        "nothing was thought": counts.without_reasoning,
        "the judge failed": counts.owed,
    }
    rows = [
        ("trajectories", numbers.count(counts.trajectories), _listed(counts.by_verdict)),
        ("  mined", numbers.count(counts.mined), f"outcome {manifest.filter.outcome}, {statuses}"),
        ("browses", numbers.count(counts.browses), _listed(passed)),
        ("candidates", numbers.count(counts.candidates), f"rule {manifest.rule}"),
        ("  kept", numbers.count(counts.kept), f"filter {manifest.relevance}"),
        ("  rejected", numbers.count(counts.rejected), ""),
        ("  undecided", numbers.count(counts.undecided), _listed(undecided) if counts.undecided else ""),
    ]
    if fit is None:
        return [
            *rows,
            ("weights", numbers.NULL, "no reasoning could be measured" if counts.kept else "nothing is kept"),
        ]
    q = fit.lengths
    spread = f"{q.low:,.0f} · {q.q25:,.0f} · {q.median:,.0f} · {q.q75:,.0f} · {q.q95:,.0f} · {q.high:,.0f}"
    rows += [
        (
            "β",
            numbers.mean(fit.pooled.beta),
            f"median tokens of {manifest.tokenizer}, {numbers.count(fit.pooled.n)} pairs",
        ),
        ("µ", numbers.mean(fit.pooled.mu), "mean raw weight"),
    ]
    if len(fit.by_agent) > 1:
        rows += [
            (f"  {name}", numbers.mean(own.beta), f"µ {numbers.mean(own.mu)}, {numbers.count(own.n)} pairs")
            for name, own in fit.by_agent.items()
        ]
    odd = {"cut off": counts.censored, "shared": counts.shared, "kept without weight": counts.without_weight}
    rows.append(("lengths", "", f"min · 25 · 50 · 75 · 95 % · max: {spread}"))
    return [*rows, ("", "", _listed(odd))] if any(odd.values()) else rows


def _listed(parts: dict[str, int]) -> str:
    return ", ".join(f"{many:,} {what}" for what, many in parts.items() if many)


def _owed(pairs: Pairs, manifest: PairsManifest) -> str:
    reason = next((one.reason for one in pairs.undecided() if one.owed), "no reason given")
    owed = "1 candidate is" if manifest.counts.owed == 1 else f"{manifest.counts.owed} candidates are"
    return f"{owed} owed ({reason[:200]}); the same command asks again"

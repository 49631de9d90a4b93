"""`lrat-bench leaderboard`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lrat_bench.cli.options import json_option, print_json, set_option, stdout
from lrat_bench.cli.watch import watch

if TYPE_CHECKING:
    from lrat_bench.leaderboard.validate import Validated

__all__ = ["leaderboard"]

F = TypeVar("F", bound=Callable[..., Any])

_LISTED = 20
"""Findings of one submission that are printed; --json has all."""


def _tracks_option(command: F) -> F:
    return click.option(
        "--tracks",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE.yaml",
        help="The tracks of another board than the project's own.",
    )(command)


@click.group()
def leaderboard() -> None:
    """Prepare and validate submissions; build the board.

    leaderboard/README.md in the repository walks through a submission in five commands.
    """


@leaderboard.command("tracks")
@_tracks_option
@json_option
def list_tracks(tracks: Path | None, json: bool) -> None:
    """What can be entered, and what each track pins."""
    from lrat_bench.leaderboard.tracks import load_tracks

    found = load_tracks(tracks)
    if json:
        print_json([track.model_dump(mode="json") for track in found])
        return
    from rich.text import Text

    from lrat_bench.report.fitting import FittingTable
    from lrat_bench.report.text import printable

    table = FittingTable()
    table.name("track", style="bold")
    for heading in ("enters", "on", "fixed"):
        table.number(heading, left=True)
    for track in found:
        enters = Text(f"{track.entered}\n(demonstration)" if track.demonstration else track.entered)
        tasks = Text("\n".join(printable(pin.name) for pin in track.pins))
        table.row(track.name, enters, tasks, "" if track.fixed is None else track.fixed.name)
    stdout().print(table)


@leaderboard.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN…")
@click.option("--track", required=True, metavar="NAME", help="Where it enters: `lrat-bench leaderboard tracks`.")
@click.option(
    "--config",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.yaml",
    help="What the runs cannot say: what is entered, contact, training data.",
)
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), help="The submission's folder; its name is its own."
)
@click.option(
    "--pairs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Pairs that the retriever was trained on; scanned for questions of the track. Repeatable.",
)
@_tracks_option
@json_option
def prepare(
    runs: tuple[Path, ...],
    track: str,
    config: Path,
    out: Path,
    pairs: tuple[Path, ...],
    tracks: Path | None,
    json: bool,
) -> None:
    """Make a submission of runs: a run, or a retrieval, for each task of the track."""
    from lrat_bench.api.leaderboard import prepare_submission

    with watch() as shown:
        found = prepare_submission(
            runs, track=track, config=config, out=out, pairs=pairs, tracks=tracks, progress=shown.work
        )
    if json:
        print_json(_described(found))
        return
    click.echo(_headline(found))
    click.echo(f"next: lrat-bench leaderboard validate {out}")


@leaderboard.command()
@click.argument("submissions", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SUBMISSION…")
@click.option(
    "--attested", is_flag=True, help="attestations.json may be there: for maintainers, never for what others send."
)
@click.option(
    "--board",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The submissions that are on the board: a copy of one does not hold.",
)
@_tracks_option
@json_option
def validate(submissions: tuple[Path, ...], attested: bool, board: Path | None, tracks: Path | None, json: bool) -> int:
    """Recompute every number of submissions from their records, and check the rules of their tracks.

    Reads the folders, and the board's, and nothing else. Exit code 1 where anything is wrong, a line each.
    """
    from lrat_bench.api.leaderboard import validate_submissions
    from lrat_bench.report.text import printable

    found = validate_submissions(submissions, tracks=tracks, attested=attested, board=board)
    if json:
        print_json([_described(one) for one in found])
    for one in found:
        if not json and one.holds:
            click.echo(_headline(one))
            for notice in one.notices:
                click.echo(f"{printable(one.path)}: look at this: {printable(notice)}")
        elif not json:
            _tell(one, err=False)
    return 0 if all(one.holds for one in found) else 1


@leaderboard.command()
@click.argument("submission", type=click.Path(path_type=Path))
@click.option("--judge", is_flag=True, help="Have the pinned judge grade every answer anew: recomputed.")
@click.option(
    "--retriever", metavar="NAME", help="Search the logged queries anew with the submission's: retrieval-verified."
)
@click.option(
    "--run",
    "runs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Hold a run of your own against it, one for each task: verified. Repeatable.",
)
@click.option("--attest", metavar="WHO", help="Write down, beside the submission, that it passed, and who says so.")
@click.option("--max-cost", type=float, metavar="USD", help="Start no further call once the judge has cost this much.")
@set_option
@_tracks_option
@json_option
def verify(
    submission: Path,
    judge: bool,
    retriever: str | None,
    runs: tuple[Path, ...],
    attest: str | None,
    max_cost: float | None,
    set: tuple[str, ...],
    tracks: Path | None,
    json: bool,
) -> int:
    """Check a submission beyond its arithmetic, as maintainers do before they give it a higher tier.

    Exit code 1 where it does not pass.
    """
    from lrat_bench.api.leaderboard import attest_checked, verify_submission
    from lrat_bench.report.text import printable
    from lrat_bench.runs.resolve import Settings

    with watch() as shown:
        found, checked = verify_submission(
            submission,
            judge=judge,
            retriever=retriever,
            runs=runs,
            tracks=tracks,
            set=Settings.parse(set).to_dict(),
            max_cost=max_cost,
            progress=shown.work,
        )
    passed = all(one.holds for one in checked)
    made = attest_checked(found, checked, by=attest) if attest is not None and passed else None
    if json:
        print_json(
            {
                "submission": str(submission),
                "tier": checked[0].tier if passed else None,
                "passed": passed,
                "attested": None if made is None else made.model_dump(mode="json"),
                "checks": [
                    {
                        "task": one.task,
                        "holds": one.holds,
                        "agreed": one.agreed,
                        "of": one.of,
                        "evidence": one.evidence,
                        "differs": list(one.differs),
                    }
                    for one in checked
                ],
            }
        )
        return 0 if passed else 1
    for one in checked:
        click.echo(f"{'holds' if one.holds else 'does not hold'}: {printable(one.evidence)}")
        for line in one.differs:
            click.echo(f"  {printable(line)}")
    if made is not None:
        click.echo(f"attested: {made.tier}, by {printable(made.by)}")
    elif passed:
        click.echo(f"it would be {checked[0].tier}: --attest WHO writes that down")
    return 0 if passed else 1


@leaderboard.command()
@click.argument("submissions", required=False, type=click.Path(path_type=Path), metavar="[SUBMISSIONS]")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The folder of the site.")
@click.option("--plots/--no-plots", default=True, show_default=True, help="Draw success against steps and cost.")
@click.option("--keep-going", is_flag=True, help="Exit with 0 although a submission is left out: it is a warning.")
@_tracks_option
@json_option
def build(submissions: Path | None, out: Path, plots: bool, keep_going: bool, tracks: Path | None, json: bool) -> int:
    """Build the board as static pages: the folder of submissions, and what papers published.

    The pages open from a disk and from any file server, below any path. A submission that does not hold is left out,
    and the exit code is 1, unless --keep-going is given.
    """
    from lrat_bench.leaderboard.site import build as build_site
    from lrat_bench.leaderboard.tracks import load_tracks

    with watch() as shown:
        built = build_site(out, submissions, load_tracks(tracks), plots=plots, progress=shown.work)
    for one in built.refused:
        _tell(one, err=True)
    if built.refused and keep_going:
        many = len(built.refused)
        click.echo(f"warning: {many} submission{'s' * (many > 1)} left out of the board", err=True)
    entries = sum(len(track.entries) for track in built.board.tracks)
    published = sum(len(track.rows) for track in built.board.tracks) - entries
    if json:
        print_json(
            {
                "site": str(out),
                "entries": entries,
                "published": published,
                "plots": built.plots,
                "refused": [_described(one) for one in built.refused],
            }
        )
    else:
        noun = "entry" if entries == 1 else "entries"
        click.echo(f"{out / 'index.html'}: {entries} {noun}, {published} published rows")
        if plots and not built.plots:
            click.echo('without plots: pip install "lrat-bench[plots]"', err=True)
    return 1 if built.refused and not keep_going else 0


def _headline(found: Validated) -> str:
    """A submission that holds, on one line."""
    from lrat_bench.report import numbers
    from lrat_bench.report.text import printable

    assert found.submission is not None
    assert found.track is not None
    parts = []
    for task, measured in found.numbers.items():
        metric = measured.metric(found.track.rank)
        if metric is not None:
            parts.append(f"{task} {numbers.metric(metric)}")
    what = printable(f"{found.submission.name}, {found.track.name}")
    return f"{what}: holds (self-reported). {found.track.rank}: {'; '.join(parts)}"


def _tell(found: Validated, *, err: bool) -> None:
    from lrat_bench.report.text import printable

    for finding in found.findings[:_LISTED]:
        click.echo(f"{printable(found.path)}/{finding}", err=err)
    if len(found.findings) > _LISTED:
        click.echo(f"{printable(found.path)}: {len(found.findings) - _LISTED} more (--json has all)", err=err)


def _described(found: Validated) -> dict[str, Any]:
    submission = found.submission
    return {
        "path": str(found.path),
        "name": None if submission is None else submission.name,
        "track": None if found.track is None else found.track.name,
        "holds": found.holds,
        "tier": "self-reported" if found.holds else None,
        "digest": found.digest or None,
        "notices": found.notices,
        "findings": [{"place": one.place, "text": one.text} for one in found.findings],
        "scores": {
            task: [metric.model_dump(mode="json") for metric in measured.metrics]
            for task, measured in found.numbers.items()
        },
    }

"""`lrat-bench view`."""

from __future__ import annotations

from pathlib import Path

import click

from lrat_bench.cli.options import json_option, print_json, stdout
from lrat_bench.cli.watch import watch

__all__ = ["view"]


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN…")
@click.option(
    "--out",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where to write; an earlier view there is replaced.  [default: views/<run>]",
)
@click.option("--task", metavar="NAME|FOLDER", help="Where the task lies now, if it moved.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N questions.")
@click.option(
    "--texts/--no-texts",
    default=True,
    show_default=True,
    help="Show what the task adds: questions, evidence, titles, texts of documents. Without, the task is not loaded.",
)
@click.option("--serve", is_flag=True, help="Write nothing; show it from a server on this machine until Ctrl-C.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Of --serve; a free one unless given."
)
@json_option
def view(
    runs: tuple[Path, ...],
    out: Path | None,
    task: str | None,
    limit: int | None,
    texts: bool,
    serve: bool,
    port: int,
    json: bool,
) -> None:
    """Trajectories as web pages: what an agent thought, asked, was shown and read, step by step, and how it was judged.

    The folder opens from disk: open its index.html. Several runs over one task are shown side by side on the same
    question, with where they part. Runs over a guarded task are shown with --serve alone, which decrypts in memory.
    """
    from lrat_bench.errors import UsageError

    if serve and out is not None:
        raise UsageError("--serve writes nothing, so there is no --out for it: give one of the two")
    if port and not serve:
        raise UsageError("--port is of --serve: give both or neither")
    if serve:
        _serve(runs, port=port, task=task, limit=limit, texts=texts, json=json)
    else:
        _write(runs, out=out, task=task, limit=limit, texts=texts, json=json)


def _write(
    runs: tuple[Path, ...], *, out: Path | None, task: str | None, limit: int | None, texts: bool, json: bool
) -> None:
    from lrat_bench.api.view import view_runs as write
    from lrat_bench.report import numbers

    with watch() as shown:
        written = write(runs, out=out, task=task, limit=limit, texts=texts, progress=shown.work)
    if json:
        print_json(
            {
                "index": str(written.index),
                "folder": str(written.folder),
                "lines": written.lines,
                "trajectories": written.trajectories,
                "files": written.files,
                "bytes": written.size,
                "missing": written.missing,
            }
        )
        return
    if written.missing is not None:
        _say_missing(written.missing)
    console = stdout()
    console.print(written.index, markup=False, soft_wrap=True, highlight=False)
    made = f"{numbers.count(written.trajectories)} trajectories in {numbers.count(written.files)} files"
    console.print(f"{made}, {numbers.size(written.size)}", style="dim")


def _serve(runs: tuple[Path, ...], *, port: int, task: str | None, limit: int | None, texts: bool, json: bool) -> None:
    from lrat_bench.api.view import serve

    with watch() as shown:
        server = serve(runs, port=port, task=task, limit=limit, texts=texts, progress=shown.work)
    try:
        if json:
            print_json({"url": server.url, "missing": server.missing})
        else:
            if server.missing is not None:
                _say_missing(server.missing)
            stdout().print(server.url, markup=False, soft_wrap=True, highlight=False)
            click.echo("Open this address; Ctrl-C ends it.", err=True)
        server.serve()
    except KeyboardInterrupt:
        pass  # the usual way to end it
    finally:
        server.close()


def _say_missing(reason: str) -> None:
    from lrat_bench.report.text import printable

    click.echo(f"lrat-bench: shown by ids alone: {printable(reason)}", err=True)

"""`lrat-bench serve`."""

from __future__ import annotations

import json as jsonlib
import os
import secrets
from typing import TYPE_CHECKING, Any

import click

from lrat_bench.cli.options import json_option, print_json, stderr, stdout
from lrat_bench.cli.run_options import run_options
from lrat_bench.cli.watch import watch

if TYPE_CHECKING:
    from lrat_bench.serve.waiting import Invitation

__all__ = ["serve"]

_TOKEN = "LRAT_BENCH_SERVE_TOKEN"  # noqa: S105 -- the name of a variable


@click.command()
@run_options(
    agent=click.option(
        "--agent", metavar="NAME", default="external", show_default=True, help="Name of the agent that will come."
    ),
    concurrency=click.option("--concurrency", type=int, help="Questions that are open at a time.  [default: all]"),
    preflight="Try the judge's model first.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address that is listened on.")
@click.option("--port", type=int, default=8765, show_default=True, help="0 takes any that is free.")
@click.option("--url", metavar="URL", help="Address under which agents know the server, behind a proxy or by a name.")
@click.option(
    "--seats",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="-",
    show_default="stdout",
    metavar="FILE",
    help="Where the addresses of the questions go, one JSON line each.",
)
@click.option(
    "--timeout", type=float, metavar="SECONDS", help="Without a request, after the first, until a question is an error."
)
@click.option("--retriever-only", is_flag=True, help="Serve the retriever alone: no questions, no run.")
@click.option(
    "--no-token", is_flag=True, help="With --retriever-only, let all on this machine in; not where others reach it."
)
@json_option
def serve(
    set: tuple[str, ...],
    host: str,
    port: int,
    url: str | None,
    seats: str,
    timeout: float | None,
    retriever_only: bool,
    no_token: bool,
    json: bool,
    **named: Any,
) -> int:
    """Open a task's questions to agents that come over HTTP or MCP, and record what they do.

    Every question has an address of its own, which nobody can guess. The command ends when all are answered; the same
    command again opens those that are left. With --retriever-only it serves rankings until it is interrupted.
    """
    from lrat_bench.api.serve import serve as open_questions
    from lrat_bench.errors import UsageError
    from lrat_bench.runs.resolve import Settings

    settings = Settings.parse(set).to_dict()
    if retriever_only:
        return _serve_retriever(named["task"], named["retriever"], settings, host, port, url, no_token=no_token)
    if no_token:
        raise UsageError("--no-token goes with --retriever-only: the address of a question is its key")
    if json and seats == "-":
        raise UsageError("--json wants stdout for itself: give the addresses a file, with --seats FILE")
    console = stderr()
    told = False

    def invited(invitation: Invitation) -> None:
        nonlocal told
        if not told:
            told = True
            where = "stdout" if seats == "-" else seats
            server = invitation.url.rpartition("/s/")[0]
            console.print(f"serving at {server}; addresses of questions go to {where}", markup=False)
        if seats == "-":
            click.echo(jsonlib.dumps(invitation.to_dict(), ensure_ascii=False))

    with watch() as shown:
        done = open_questions(
            **named,
            set=settings,
            host=host,
            port=port,
            url=url,
            token=os.environ.get(_TOKEN),
            seats=None if seats == "-" else seats,
            timeout=timeout,
            on_invitation=invited,
            progress=shown.work,
            on_tally=shown.run,
        )
    from lrat_bench.report.summary import summary, to_json

    if json:
        print_json(to_json(done.path, done.manifest, done.metrics))
    else:
        # Addresses went to stdout, which may be a file of theirs.
        (console if seats == "-" else stdout()).print(summary(done, done.manifest, done.metrics))
    return 3 if done.metrics.unresolved else 0


def _serve_retriever(
    task: str,
    retriever: str,
    settings: dict[str, dict[str, Any]],
    host: str,
    port: int,
    url: str | None,
    *,
    no_token: bool,
) -> int:
    from lrat_bench.api.serve import serve_retriever
    from lrat_bench.model.redact import remember

    console = stderr()
    given = os.environ.get(_TOKEN)
    token = None if no_token else given or secrets.token_urlsafe(24)
    remember(token)

    def ready(address: str) -> None:
        console.print(f"serving {retriever} at {address}", markup=False, soft_wrap=True)
        if token is not None and given is None:
            console.print(f"token: {token} (set {_TOKEN} to choose it)", markup=False, soft_wrap=True)

    with watch() as shown:
        serve_retriever(
            task, retriever, set=settings, host=host, port=port, url=url, token=token, on_ready=ready,
            progress=shown.work,
        )  # fmt: skip
    return 0

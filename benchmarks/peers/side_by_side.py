"""Harnesses side by side: the same questions, index and model server, one after the other, in one run.

    python benchmarks/peers/side_by_side.py --checkout lrat=LRAT --python lrat=LRAT/.venv/bin/python

README.md beside this file says what is measured and how to get the peers. Prints a Markdown table for each scenario,
and writes every number to `--json`. Exit code 1 where our own harness lost a question or asked for more than it had to.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clients import Checkout, Client, known_clients, read_checkout
from measure import Measured, run
from model_server import ModelServer
from records import Left, left_by_ours, left_by_peer
from script import Script, read_questions

if TYPE_CHECKING:
    from material import Material

__all__ = ["Row", "Scenario", "main"]

OURS = "lrat-bench"


@dataclass(frozen=True)
class Scenario:
    """What happens to a harness while it works.

    Attributes:
        name: of the table.
        faults: share of calls whose first try fails.
        kill: share of the calls after which it is killed, to be started again; None is never.
    """

    name: str
    faults: float = 0.0
    kill: float | None = None


@dataclass(frozen=True)
class Row:
    """One harness in one scenario."""

    scenario: str
    client: str
    measured: list[Measured]
    left: Left
    stats: dict[str, Any]
    needed: int
    ideal: float

    @property
    def working(self) -> float | None:
        """Seconds from the first call to the last reply."""
        first, last = self.stats["first"], self.stats["last"]
        return None if first is None or last is None else float(last - first)

    @property
    def per_second(self) -> float | None:
        """Questions answered per second of work."""
        return self.left.answered / self.working if self.working else None


class Arena:
    """All that the harnesses share, and what they are run with."""

    def __init__(self, given: argparse.Namespace, material: Material, server: ModelServer, work: Path) -> None:
        self._given = given
        self._material = material
        self._server = server
        self._work = work

    def compete(self, client: Client, scenario: Scenario, checkout: Checkout | None, python: str) -> Row:
        """Run one harness in one scenario, from an empty folder."""
        given = self._given
        home = self._work / scenario.name / client.name.replace("/", "-")
        shutil.rmtree(home, ignore_errors=True)
        (home / "out").mkdir(parents=True)
        places = {
            "url": self._server.url,
            "port": self._server.server_port,
            "queries": self._material.queries,
            "index": self._material.index,
            "task": self._material.task,
            "out": home / "out",
            "concurrency": given.concurrency,
            "k": given.k,
            "tokenizer": given.tokenizer,
        }
        command = client.start(places, root=checkout.root if checkout else None, python=python)
        for name, there in command.folders.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).symlink_to(Path(there).resolve())
        self._server.reset(faults=scenario.faults)
        needed = len(self._material.ids) * (given.steps + 1)
        stop = None if scenario.kill is None else _after(self._server, scenario.kill * needed)
        measured = [run(command, folder=home, log=home / "log.txt", limit=given.limit, until=stop)]
        if measured[0].killed:
            measured.append(run(command, folder=home, log=home / "log.txt", limit=given.limit))
        read = left_by_ours if client.name == OURS else left_by_peer
        left = read(home / "out", self._material.ids)
        ideal = needed * given.seconds / given.concurrency
        return Row(scenario.name, client.name, measured, left, self._server.counted(), needed, ideal)


def _after(server: ModelServer, calls: float) -> Callable[[], bool]:
    return lambda: sum(server.stats.answered.values()) >= calls


def table(rows: list[Row], questions: int) -> Iterator[str]:
    """One scenario as Markdown."""
    yield (
        "| client | answered | questions/s | × ideal time | start, s | CPU s | peak MB | calls made / needed | lost "
        "| unfinished | doubled | unreadable |"
    )
    yield "| --- |" + " ---: |" * 11
    for row in rows:
        last = row.measured[-1]
        start = None if row.stats["first"] is None else max(0.0, row.stats["first"] - row.measured[0].started)
        cells = [
            row.client,
            f"{row.left.answered}/{questions}",
            _number(row.per_second, 2),
            _number(None if row.working is None else row.working / row.ideal, 2) if row.ideal else "–",
            _number(start, 1),
            _number(sum(one.cpu for one in row.measured), 1),
            f"{max(one.peak_mb for one in row.measured):.0f}",
            f"{row.stats['requests']}/{row.needed}",
            *map(str, (row.left.lost, row.left.unfinished, row.left.doubled, row.left.unreadable)),
        ]
        code = "" if last.code == 0 else f" (exit {last.code})"
        yield "| " + " | ".join([cells[0] + code, *cells[1:]]) + " |"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def main() -> int:
    """Run, print, and say whether our own side held."""
    given = _arguments()
    clients, repositories = known_clients()
    checkouts = {name: read_checkout(Path(path)) for name, path in given.checkout.items()}
    _check(given, clients, repositories, checkouts)
    chosen = given.clients or [name for name, one in clients.items() if _ready(one, checkouts, given)]
    known = [
        Scenario("clean"),
        Scenario("faults", faults=given.faults),
        Scenario("kill", kill=0.5),
        Scenario("both", faults=given.faults, kill=0.5),
    ]
    scenarios = [one for one in known if one.name in given.scenarios]
    # Behind the checks, which must not wait for it.
    from material import make_material

    work = Path(given.work) if given.work else Path(tempfile.mkdtemp(prefix="side-by-side-"))
    work = work.resolve()
    material = make_material(work / "material", questions=given.questions, documents=given.documents)
    script = Script(read_questions(material.queries), given.steps)
    rows: list[Row] = []
    with ModelServer(script, seconds=given.seconds) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        arena = Arena(given, material, server, work)
        for scenario in scenarios:
            for name in chosen:
                client = clients[name]
                home = client.checkout
                python = given.python.get(home, sys.executable) if home else sys.executable
                print(f"{scenario.name}: {name} …", file=sys.stderr, flush=True)
                rows.append(arena.compete(client, scenario, checkouts[home] if home else None, python))
        server.shutdown()
    _report(given, rows, checkouts, scenarios, work)
    ours = [row for row in rows if row.client == OURS]
    # One call tries the endpoint before anything is spent; after a kill, what was in flight is asked again.
    again = 2 + given.concurrency * (given.steps + 1)
    return int(any(_failed(row, len(material.ids), again if len(row.measured) > 1 else 1) for row in ours))


def _failed(row: Row, questions: int, spare: int) -> bool:
    tried_again = sum(row.stats["faults"].values())
    whole = row.left.answered == questions and not row.left.doubled and not row.left.unreadable
    return not whole or row.stats["requests"] > row.needed + tried_again + spare or row.measured[-1].code != 0


def _report(
    given: argparse.Namespace, rows: list[Row], checkouts: dict[str, Checkout], scenarios: list[Scenario], work: Path
) -> None:
    print(
        f"{given.questions} questions of {given.steps} searches, {given.documents:,} documents, {given.concurrency} at"
        f" a time, replies in {given.seconds:g} s, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    for name, checkout in checkouts.items():
        changed = {True: ", with changes", False: "", None: ", changes unknown"}[checkout.changed]
        print(f"{name} at {checkout.commit or 'no known commit'}{changed}")
    for scenario in scenarios:
        print(f"\n### {scenario.name}\n")
        print("\n".join(table([row for row in rows if row.scenario == scenario.name], given.questions)))
    if given.json:
        settings = {key: value for key, value in vars(given).items() if key not in ("json", "work", "python")}
        commits = {name: {"commit": one.commit, "changed": one.changed} for name, one in checkouts.items()}
        taken = {"settings": {**settings, "checkout": commits}, "rows": [asdict(row) for row in rows]}
        Path(given.json).write_text(json.dumps(taken, indent=2, default=str), encoding="utf-8")
    print(f"\nwhat they wrote and printed: {work}", file=sys.stderr)


def _ready(client: Client, checkouts: dict[str, Checkout], given: argparse.Namespace) -> bool:
    has_all = all(getattr(given, need) is not None for need in client.needs)
    return has_all and (client.checkout is None or client.checkout in checkouts)


def _check(
    given: argparse.Namespace,
    clients: dict[str, Client],
    repositories: dict[str, dict[str, str]],
    checkouts: dict[str, Checkout],
) -> None:
    """Refuse what cannot be compared, before anything is run."""
    for name, checkout in checkouts.items():
        if name not in repositories:
            raise SystemExit(f"no checkout {name!r} is known: {', '.join(repositories)}")
        if not checkout.root.is_dir():
            raise SystemExit(f"{checkout.root} is no folder")
        meant = repositories[name]["commit"]
        if not (checkout.commit or "").startswith(meant) and not given.any_commit:
            raise SystemExit(
                f"{checkout.root} is at {checkout.commit or 'no commit'}, and {meant} is meant: "
                f"git -C {checkout.root} checkout {meant}; or --any-commit, which the report then says"
            )
        if checkout.changed and not given.any_commit:
            raise SystemExit(f"{checkout.root} has changes: they would be measured. Take them back, or --any-commit")
    for name in given.clients:
        if name not in clients:
            raise SystemExit(f"no client {name!r} is known: {', '.join(clients)}")
        if not _ready(clients[name], checkouts, given):
            wants = [
                f"--checkout {clients[name].checkout}=FOLDER",
                *(f"--{need} FOLDER" for need in clients[name].needs),
            ]
            raise SystemExit(f"{name} wants {' and '.join(wants)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--checkout", action=_Pairs, default={}, metavar="NAME=FOLDER", help="a peer's repository")
    parser.add_argument("--python", action=_Pairs, default={}, metavar="NAME=PATH", help="interpreter of a peer's venv")
    parser.add_argument("--clients", nargs="+", default=[], metavar="NAME", help="all that can be run unless given")
    names = ["clean", "faults", "kill", "both"]
    parser.add_argument(
        "--scenarios", nargs="+", default=names[:3], choices=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--tokenizer", metavar="FOLDER", help="of the clients that count tokens")
    parser.add_argument("--any-commit", action="store_true", help="measure whatever commit is there, changed or not")
    parser.add_argument("--questions", type=_at_least_one, default=100)
    parser.add_argument("--documents", type=_at_least_one, default=5000)
    parser.add_argument("--steps", type=_at_least_one, default=8, help="searches of a question")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a reply")
    parser.add_argument("--faults", type=float, default=0.05, help="share of calls whose first try fails")
    parser.add_argument("--concurrency", type=_at_least_one, default=16)
    parser.add_argument("--k", type=_at_least_one, default=5)
    parser.add_argument("--limit", type=float, default=3600, help="seconds that one run may take")
    parser.add_argument("--work", metavar="FOLDER", help="where records and logs go; a new folder unless given")
    parser.add_argument("--json", metavar="FILE", help="every number")
    return parser.parse_args()


def _at_least_one(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


class _Pairs(argparse.Action):
    """NAME=VALUE, repeatable."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        name, equals, value = str(values).partition("=")
        if not equals:
            parser.error(f"{option_string} wants NAME=VALUE, got {values!r}")
        setattr(namespace, self.dest, {**getattr(namespace, self.dest), name: value})


if __name__ == "__main__":
    sys.exit(main())

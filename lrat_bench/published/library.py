"""The library: tables of published figures by name, read from the YAML files beside this one or from the user's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from lrat_bench.agent.catalog import AGENTS, find_backbone
from lrat_bench.errors import DataError, UnknownName, UsageError
from lrat_bench.files import read_yaml
from lrat_bench.published.figure import Figure, Kind, Party, TableFile
from lrat_bench.score.metrics.catalogue import MEASURES
from lrat_bench.score.peers.catalogue import BESIDE
from lrat_bench.score.retrieval import QUESTION_MEASURES
from lrat_bench.score.retrieval import Kind as Judged
from lrat_bench.task.card import TaskCard
from lrat_bench.task.catalog import known_names, task_card
from lrat_bench.task.protocol import Protocol
from lrat_bench.values import plainly

__all__ = ["PublishedRow", "PublishedTable", "card_of", "judges", "known_tables", "load_table", "protocol_of"]

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """The figures of one agent and retriever.

    Attributes:
        agent_key: of the agent; None of a retriever alone.
        retriever_key: of the retriever.
        figures: in the order of the columns; at least one.
        cost_usd: published, of all questions.
    """

    agent_key: str | None
    retriever_key: str
    figures: tuple[Figure, ...]
    cost_usd: float | None

    @property
    def agent(self) -> Party | None:
        """Who answers."""
        return self.figures[0].agent

    @property
    def retriever(self) -> Party:
        """What is searched with."""
        return self.figures[0].retriever

    @property
    def label(self) -> str:
        """As the paper names agent and retriever."""
        return self.retriever.label if self.agent is None else f"{self.agent.label}, {self.retriever.label}"


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A table or a plot of a paper.

    Attributes:
        name: what `reproduce` takes.
        about: what its file says.
        rows: all of it.
    """

    name: str
    about: TableFile
    rows: tuple[PublishedRow, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every number, row by row."""
        return tuple(figure for row in self.rows for figure in row.figures)

    def select(self, *, agent: str | None = None, retriever: str | None = None) -> PublishedTable:
        """The rows of one agent, of one retriever, or both.

        Args:
            agent: key, label or name of it, in any case of letters.
            retriever: the same.

        Raises:
            UnknownName: the table has no such agent or retriever.
            UsageError: it has no row of both.
        """
        agents = {row.agent_key: row.agent for row in self.rows if row.agent_key is not None and row.agent is not None}
        agent_keys = _meant(f"agent of {self.name}", agent, agents)
        retriever_keys = _meant(
            f"retriever of {self.name}", retriever, {row.retriever_key: row.retriever for row in self.rows}
        )
        rows = tuple(
            row
            for row in self.rows
            if (agent_keys is None or row.agent_key in agent_keys)
            and (retriever_keys is None or row.retriever_key in retriever_keys)
        )
        if not rows:
            raise UsageError(f"{self.name} has no row of agent {agent!r} over retriever {retriever!r}")
        return PublishedTable(self.name, self.about, rows)


class _Parties(BaseModel):
    """The content of `parties.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    agents: dict[str, Party]
    retrievers: dict[str, Party]
    judges: dict[str, Party]


def known_tables() -> list[PublishedTable]:
    """The tables that are shipped, by name."""
    return [_shipped(name) for name in _files()]


def load_table(spec: str) -> PublishedTable:
    """The table that a user names: one that is shipped, or a YAML file of the same form.

    Raises:
        UnknownName: there is no such table; a task or protocol that a file names does not exist.
        DataError: the file does not hold what it must.
    """
    if spec in _files():
        return _shipped(spec)
    if spec.endswith((".yaml", ".yml")):
        return _read(Path(spec))
    raise UnknownName("table of figures", spec, _files(), hint="A YAML file of your own works too.")


def judges() -> Mapping[str, Party]:
    """What is known of judges."""
    return _parties().judges


@cache
def card_of(task: str) -> TaskCard:
    """The card of a task, read once."""
    return task_card(task)


def protocol_of(figure: Figure) -> Protocol:
    """The protocol that a figure was made under."""
    return card_of(figure.measures.task).protocols[figure.measures.protocol]


def _files() -> dict[str, Path]:
    folder = Path(str(resources.files("lrat_bench"))) / "published" / "tables"
    return {file.stem: file for file in sorted(folder.glob("*.yaml"), key=lambda file: file.stem)}


@cache
def _shipped(name: str) -> PublishedTable:
    return _read(_files()[name])


@cache
def _parties() -> _Parties:
    return _validated(_Parties, Path(str(resources.files("lrat_bench"))) / "published" / "parties.yaml")


def _validated(kind: type[M], file: Path) -> M:
    content: Any = read_yaml(file)
    try:
        return kind.model_validate({} if content is None else content)
    except ValidationError as error:
        raise DataError(plainly(error), file=file) from None


def _read(file: Path) -> PublishedTable:
    about = _validated(TableFile, file)
    protocols = _check_columns(about, file)
    agents = {**_parties().agents, **about.agents}
    retrievers = {**_parties().retrievers, **about.retrievers}
    rows: list[PublishedRow] = []
    ids: set[str] = set()
    for row in about.rows:
        if unknown := [name for name in row.values if name not in about.columns]:
            raise DataError(f"a row has a value of {unknown[0]!r}, which is no column", file=file)
        agent = None if row.agent is None else _party(row.agent, agents)
        retriever = _party(row.retriever, retrievers)
        _check_agent(agent, file)
        figures = tuple(
            Figure(
                id="/".join(part for part in (file.stem, row.agent, row.retriever, name) if part is not None),
                paper=about.paper,
                place=about.place,
                source=about.source,
                column=name,
                measures=column,
                agent=agent,
                retriever=retriever,
                judge=column.judge or protocols[name].scoring.judge,
                value=row.values[name],
            )
            for name, column in about.columns.items()
            if name in row.values
        )
        for figure in figures:
            if (figure.measures.by == "run") != (agent is not None):
                raise DataError(f"{figure.id}: a run has an agent, and a retrieval has none", file=file)
            most = {"%": 100.0, "share": 1.0}.get(figure.measures.unit)
            if figure.value < 0 or (most is not None and figure.value > most):
                raise DataError(
                    f"{figure.id} is {figure.value:g}, which is no value in {figure.measures.unit}", file=file
                )
            if figure.id in ids:
                raise DataError(f"{figure.id} is there twice", file=file)
            ids.add(figure.id)
        rows.append(PublishedRow(row.agent, row.retriever, figures, row.cost_usd))
    return PublishedTable(file.stem, about, tuple(rows))


def _check_columns(about: TableFile, file: Path) -> dict[str, Protocol]:
    found: dict[str, Protocol] = {}
    for name, column in about.columns.items():
        if column.task not in known_names():
            raise DataError(
                f"columns.{name}.task: the catalog has no {column.task!r} (`lrat-bench tasks list`)", file=file
            )
        protocols = card_of(column.task).protocols
        if column.protocol not in protocols:
            raise DataError(
                f"columns.{name}.protocol: {column.task!r} has no {column.protocol!r}; known: {', '.join(protocols)}",
                file=file,
            )
        found[name] = protocols[column.protocol]
        for key, metric, known in (("metric", column.metric, _metrics(column.by)), ("peer", column.peer, BESIDE)):
            if metric is not None and metric not in known:
                problem = UnknownName(f"metric of a {column.by}", metric, known)
                raise DataError(f"columns.{name}.{key}: {problem}", file=file)
    return found


def _metrics(by: Kind) -> list[str]:
    """The metrics that a run, or a retrieval, may have."""
    if by == "run":
        return [*(measure.name for measure in MEASURES), "calibration_error"]
    return [f"{kind}_{measure}" for kind in get_args(Judged) for measure in QUESTION_MEASURES]


def _check_agent(agent: Party | None, file: Path) -> None:
    name = None if agent is None else agent.name
    if name is not None and name not in AGENTS and find_backbone(name) is None and ":" not in name:
        raise DataError(f"there is no agent {name!r} (`lrat-bench agents list`)", file=file)


def _party(key: str, known: Mapping[str, Party]) -> Party:
    """What a key stands for; one that is not described is the name itself."""
    return known[key] if key in known else Party(label=key, name=key)


def _meant(kind: str, given: str | None, parties: Mapping[str, Party]) -> set[str] | None:
    if given is None:
        return None
    wanted = given.casefold()
    found = {
        key
        for key, party in parties.items()
        if wanted in (key.casefold(), party.label.casefold(), (party.name or key).casefold())
    }
    if not found:
        raise UnknownName(kind, given, parties)
    return found

"""Published figures on one screen: what there is, what it takes, and ours beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from lrat_bench.published.comparison import Comparison, Unanswered
from lrat_bench.published.figure import Figure
from lrat_bench.published.library import PublishedTable
from lrat_bench.published.needs import Needs, needs_of
from lrat_bench.report import numbers
from lrat_bench.report.fitting import FittingTable
from lrat_bench.report.text import printable
from lrat_bench.score.metric import Metric

__all__ = [
    "comparisons_json",
    "comparisons_view",
    "needs_commands",
    "needs_view",
    "published_json",
    "published_list",
    "published_view",
]

_STYLES = {"OK": "green", "within noise": "yellow", "off": "bold red", None: "dim"}
_COMMANDS_OF = 2
"""Rows up to which the commands of each are printed; of more, those of the first."""
_COLUMNS = 8
"""Numbers that stand abreast."""


def published_list(tables: Sequence[PublishedTable]) -> RenderableType:
    """What `reproduce` prints: a line for each table."""
    shown = FittingTable()
    shown.name("table", style="bold")
    shown.number("figures")
    shown.text("of")
    for table in tables:
        about = table.about
        shown.row(table.name, numbers.count(len(table.figures)), f"{about.short}, {about.place}: {about.summary}")
    return shown


def published_view(table: PublishedTable) -> RenderableType:
    """The figures of a table, as published."""
    about = table.about
    columns = [name for name in about.columns if any(figure.column == name for figure in table.figures)]
    head = Text.assemble((f"{about.paper}: {about.place}", "bold"), (f"\n{about.source}", "dim"))
    parts = [part for some in _abreast(columns) for part in (Text(), _figures(table, some))]
    return Group(head, *parts, *_notes(table))


def needs_view(table: PublishedTable, calls_per_second: float | None = None) -> RenderableType:
    """What the figures take, in numbers."""
    needs = [
        (row, one) for row in table.rows for one in needs_of(row, table=table.name, calls_per_second=calls_per_second)
    ]
    amounts = [_amounts(one) for _, one in needs]
    known = [at for at, heading in enumerate(_AMOUNTS) if heading in _ALWAYS or any(_known(row[at]) for row in amounts)]
    shown = FittingTable()
    for heading in ("it takes, by estimate", "", "on"):
        shown.name(heading)
    for at in known:
        shown.number(_AMOUNTS[at])
    last = ("", "")
    for (row, one), cells in zip(needs, amounts, strict=True):
        agent, retriever = "" if row.agent is None else row.agent.label, row.retriever.label
        shown.row(
            "" if agent == last[0] else agent,
            "" if (agent, retriever) == last else retriever,
            one.task.partition("@")[0],
            *(cells[at] for at in known),
        )
        last = (agent, retriever)
    lines = [
        *dict.fromkeys(f"{one.task.partition('@')[0]}: {one.fetching}" for _, one in needs if one.fetching),
        *dict.fromkeys(_judging(one) for _, one in needs if one.judge is not None),
        *(f"assumed: {text}" for text in dict.fromkeys(text for _, one in needs for text in one.assumptions)),
    ]
    if calls_per_second is None and any(one.completions for _, one in needs):
        lines.append("hours hang on your endpoint: --calls-per-second N")
    return Group(shown, *(Text(line, style="dim") for line in lines))


def needs_commands(table: PublishedTable) -> list[str]:
    """The commands that produce the figures, of one or two rows, as lines to be copied."""
    several = len(table.rows) > _COMMANDS_OF
    lines: list[str] = []
    for row in table.rows[:1] if several else table.rows:
        for one in needs_of(row, table=table.name):
            lines += [f"# {row.label}, on {one.task}", *one.commands, ""]
    return [*lines, "# of another row: --agent, --retriever"] if several else lines[:-1]


def comparisons_view(
    comparisons: Sequence[Comparison], unanswered: Sequence[Unanswered], table: PublishedTable
) -> RenderableType:
    """Ours beside the published figures, folder by folder; a line for each folder that answers none."""
    parts: list[RenderableType] = []
    rows = {figure.id: row for row in table.rows for figure in row.figures}
    for (path, label), found in groupby(comparisons, lambda one: (one.path, rows[one.figure.id].label)):
        group = list(found)
        parts.append(Text.assemble((printable(path), "bold"), f"  {label}"))
        if differs := _common(group):
            parts.append(Text(f"although it has {'; '.join(differs)}", style="yellow"))
        parts += [_compared(group, differs), Text()]
    parts += [_unanswered(one, table) for one in unanswered]
    return Group(*parts)


def published_json(table: PublishedTable, calls_per_second: float | None = None) -> dict[str, Any]:
    """The figures of a table and what they take, for machines."""
    return {
        **_about(table),
        "notes": list(table.about.notes),
        "figures": [figure.model_dump(mode="json") for figure in table.figures],
        "needs": [
            {"row": row.label, **asdict(one)}
            for row in table.rows
            for one in needs_of(row, table=table.name, calls_per_second=calls_per_second)
        ],
    }


def comparisons_json(
    table: PublishedTable, comparisons: Sequence[Comparison], unanswered: Sequence[Unanswered]
) -> dict[str, Any]:
    """The comparisons for machines; `difference` is ours minus published, in the published unit."""
    return {
        **_about(table),
        "comparisons": [
            {
                "figure": one.figure.model_dump(mode="json"),
                "tolerance": one.figure.tolerance,
                "run": str(one.path),
                "ours": None if one.ours is None else one.ours.model_dump(mode="json"),
                "difference": {"low": one.difference.low, "high": one.difference.high},
                "outcome": one.outcome,
                "differs": [difference._asdict() for difference in one.differs],
                "reason": one.reason or None,
            }
            for one in comparisons
        ],
        "unanswered": [
            {
                "run": str(one.path),
                "nearest": one.row.label,
                "differs": [difference._asdict() for difference in one.differs],
            }
            for one in unanswered
        ],
    }


def _abreast(columns: Sequence[str]) -> list[Sequence[str]]:
    """The columns in as many tables as they need: of many, those together that have one word before their dot."""
    if len(columns) <= _COLUMNS:
        return [columns]
    groups = (list(group) for _, group in groupby(columns, lambda name: name.partition(".")[0] if "." in name else ""))
    return [group[start : start + _COLUMNS] for group in groups for start in range(0, len(group), _COLUMNS)]


def _figures(table: PublishedTable, columns: Sequence[str]) -> FittingTable:
    with_agent = any(row.agent is not None for row in table.rows)
    shown = FittingTable()
    if with_agent:
        shown.name("agent")
    shown.name("retriever")
    for name in columns:
        shown.number(table.about.columns[name].header)
    last = None
    for row in table.rows:
        cells = {figure.column: _published(figure) for figure in row.figures}
        agent = "" if row.agent is None else row.agent.label
        names = [agent if agent != last else "", row.retriever.label] if with_agent else [row.retriever.label]
        shown.row(*names, *(cells.get(name, "") for name in columns))
        last = agent
    return shown


def _about(table: PublishedTable) -> dict[str, Any]:
    about = table.about.model_dump(mode="json", include={"paper", "place", "summary", "source"})
    return {"table": table.name, **about}


def _compared(group: Sequence[Comparison], common: Sequence[str]) -> FittingTable:
    shown = FittingTable()
    shown.name()
    for heading in ("published", "ours", "95 %", "n", "difference, 95 %"):
        shown.number(heading, below=heading == "95 %")
    shown.number("", left=True)
    shown.text(style="dim")
    for one in group:
        measured = one.ours is not None and one.ours.value is not None
        outcome = Text(one.outcome or ("undecided" if measured else "not compared"), style=_STYLES[one.outcome])
        ours = (numbers.NULL, numbers.NULL, "") if one.ours is None else _ours(one.figure, one.ours)
        own = [difference.text for difference in one.differs if difference.text not in common] if measured else []
        remark = "; ".join(dict.fromkeys((*own, *((one.reason,) if one.reason else ()))))
        shown.row(one.figure.measures.header, _published(one.figure), *ours, _difference(one), outcome, remark)
    return shown


def _ours(figure: Figure, ours: Metric) -> tuple[str, str, str]:
    """Value, 95 % interval and n, with the decimals that are published."""
    if ours.value is None:
        return numbers.NULL, numbers.NULL, numbers.count(ours.n)
    unit = "%" if figure.measures.unit == "%" else ""
    interval = numbers.NULL
    if ours.low is not None and ours.high is not None:
        interval = f"[{_fixed(figure, figure.scale * ours.low)}, {_fixed(figure, figure.scale * ours.high)}]"
    return f"{_fixed(figure, figure.scale * ours.value)}{unit}", interval, numbers.count(ours.n)


def _common(group: Sequence[Comparison]) -> list[str]:
    """What all comparisons of a group have otherwise."""
    texts = [[difference.text for difference in one.differs] for one in group]
    return (
        [text for text in texts[0] if all(text in others for others in texts)]
        if any(one.outcome for one in group)
        else []
    )


def _unanswered(one: Unanswered, table: PublishedTable) -> Text:
    head = ((printable(one.path), "bold"), f" answers none of {table.name}: ")
    if any(difference.part == "kind" for difference in one.differs):
        verb = {"run": "run", "retrieval": "retrieve"}[one.row.figures[0].measures.by]
        return Text.assemble(*head, f"its figures are of folders that `lrat-bench {verb}` makes")
    differs = printable(", ".join(difference.text for difference in one.differs))
    return Text.assemble(*head, f"the nearest row is {one.row.label}, but it has ", (differs, "yellow"), " (--anyway)")


def _notes(table: PublishedTable) -> list[Text]:
    parties = [party for row in table.rows for party in (row.agent, row.retriever) if party is not None and party.note]
    said = dict.fromkeys([*table.about.notes, *(f"{party.label}: {party.note}" for party in parties)])
    return [Text(f"· {note}", style="dim") for note in said]


_AMOUNTS = ("n", "calls", "agent GB", "encoded", "hours", "cost")
_ALWAYS = ("n", "hours", "cost")


def _known(cell: str) -> bool:
    return cell != numbers.NULL


def _judging(one: Needs) -> str:
    weights = "" if one.judge_gb is None else f", weights of {numbers.mean(one.judge_gb)} GB"
    return f"judge {one.judge}: one call an answer{weights}"


def _amounts(one: Needs) -> tuple[str, ...]:
    return (
        numbers.count(one.questions),
        numbers.count(one.completions),
        numbers.mean(one.agent_gb),
        numbers.NULL if one.encoded_tokens is None else f"{one.encoded_tokens / 1e6:,.0f} M",
        numbers.NULL if one.hours is None else numbers.duration(3600 * one.hours),
        numbers.usd(one.cost_usd),
    )


def _published(figure: Figure) -> str:
    read = figure.measures.plus_minus
    text = f"{_fixed(figure, figure.value)}{'%' if figure.measures.unit == '%' else ''}"
    return text if read is None else f"{text} ± {read:g}"


def _fixed(figure: Figure, number: float) -> str:
    """A number in the published unit, with the decimals that are published."""
    return f"{number:,.{figure.measures.decimals}f}"


def _difference(one: Comparison) -> str:
    low, high = one.difference
    if low is None or high is None:
        return numbers.NULL
    decimals = one.figure.measures.decimals
    return f"[{low:+,.{decimals}f}, {high:+,.{decimals}f}]"

"""From the file of a sweep to its cells: every combination, without those that are excluded, and what is included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeVar

from lrat_bench.errors import UsageError
from lrat_bench.files import canonical_json, read_value
from lrat_bench.sweep.spec import AXES, Entry, RetrieverEntry, Rule, SweepSpec, TaskEntry

__all__ = ["Cell", "cells_of", "read_only"]

E = TypeVar("E", bound=Entry)


@dataclass(frozen=True)
class Cell:
    """One combination: a run that is to be made.

    Attributes:
        task: what is asked.
        agent: who answers.
        retriever: what it searches with.
        seed: of sampling.
        knobs: `room.key` → the value that it has here.
    """

    task: TaskEntry
    agent: Entry
    retriever: RetrieverEntry
    seed: int
    knobs: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Equal for equal cells."""
        parts = (self.task.called, self.agent.called, self.retriever.called, self.seed, dict(self.knobs))
        return canonical_json(parts)

    def name(self, *, with_seed: bool) -> str:
        """`synth-wiki · heuristic · bm25 · protocol.k=5`."""
        knobs = [f"{key}={plain(value)}" for key, value in self.knobs.items()]
        seed = [f"seed={self.seed}"] if with_seed else []
        return " · ".join((self.task.called, self.agent.called, self.retriever.called, *knobs, *seed))

    def settings(self, spec: SweepSpec) -> dict[str, Any]:
        """What is set in this cell, the nearer before the farther: knobs, retriever, agent, task, sweep."""
        return {**spec.set, **self.task.set, **self.agent.set, **self.retriever.set, **self.knobs}

    def matches(self, rule: Rule) -> bool:
        """Whether it has one of the values of every axis and knob that a rule names."""
        return all(any(self._has(key, value) for value in values) for key, values in rule.items())

    def _has(self, key: str, value: Any) -> bool:
        if key == "seed":
            return bool(self.seed == value)
        if key in AXES:
            entry = {"task": self.task, "agent": self.agent, "retriever": self.retriever}[key]
            return value in (entry.name, entry.called)
        return key in self.knobs and _same(self.knobs[key], value)


def cells_of(spec: SweepSpec) -> list[Cell]:
    """The cells of a sweep, each once.

    Raises:
        UsageError: a rule excludes nothing, or nothing is left.
    """
    grid = list(_grid(spec, {}))
    for number, rule in enumerate(spec.exclude, 1):
        if not any(cell.matches(rule) for cell in grid):
            raise UsageError(f"rule {number} of exclude matches no combination of the grid: {_text(rule)}")
    kept = [cell for cell in grid if not any(cell.matches(rule) for rule in spec.exclude)]
    for rule in spec.include:
        kept += _grid(spec, rule)
    if not kept:
        raise UsageError("the sweep has no cell: exclude leaves nothing of the grid")
    return list({cell.key: cell for cell in kept}.values())


def read_only(assignments: Sequence[str], cells: Sequence[Cell]) -> Rule:
    """`KEY=VALUE` texts as a rule; a key given again adds a value.

    Raises:
        UsageError: one is not of that form, or no cell has such a value.
    """
    rule: dict[str, tuple[Any, ...]] = {}
    known = [*AXES, *dict.fromkeys(key for cell in cells for key in cell.knobs)]
    for assignment in assignments:
        key, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals or key not in known:
            raise UsageError(f"--only takes KEY=VALUE with a key of {', '.join(known)}; got {assignment!r}")
        values = (read_value(text), text)
        if not any(cell.matches({key: values}) for cell in cells):
            raise UsageError(f"--only {assignment}: no cell of the sweep has that")
        rule[key] = (*rule.get(key, ()), *values)
    if rule and not any(cell.matches(rule) for cell in cells):
        raise UsageError(f"no cell of the sweep has all that --only names: {', '.join(assignments)}")
    return rule


def plain(value: Any) -> str:
    """A value on one line."""
    return value if isinstance(value, str) else canonical_json(value)


def _grid(spec: SweepSpec, rule: Rule) -> Iterable[Cell]:
    tasks = _entries(spec.tasks, rule.get("task"), TaskEntry)
    agents = _entries(spec.agents, rule.get("agent"), Entry)
    retrievers = _entries(spec.retrievers, rule.get("retriever"), RetrieverEntry)
    seeds = rule.get("seed", spec.seed)
    knobs = {**spec.knobs, **{key: values for key, values in rule.items() if key not in AXES}}
    for task, agent, retriever, seed, *values in product(tasks, agents, retrievers, seeds, *knobs.values()):
        yield Cell(task, agent, retriever, seed, dict(zip(knobs, values, strict=True)))


def _entries(there: Sequence[E], wanted: Sequence[Any] | None, kind: type[E]) -> Sequence[E]:
    """The entries of an axis; those that a rule names, which may be new ones."""
    if wanted is None:
        return there
    known = {**{entry.name: entry for entry in there}, **{entry.called: entry for entry in there}}
    return [known.get(str(name)) or kind(name=str(name)) for name in wanted]


def _same(one: Any, other: Any) -> bool:
    return canonical_json(one) == canonical_json(other)


def _text(rule: Rule) -> str:
    return ", ".join(f"{key}: {' or '.join(map(plain, values))}" for key, values in rule.items())

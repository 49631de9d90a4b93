"""Agents by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lrat_bench.agent.agent import Agent
from lrat_bench.errors import UnknownName, UsageError, foreign
from lrat_bench.model.seam import Model
from lrat_bench.registry import Entry, Registry, load_object

__all__ = ["AGENTS", "load_agent"]

AGENTS = Registry(
    "agent",
    {
        "heuristic": Entry(
            "lrat_bench.agent.catalog:heuristic",
            "reads, searches and browses by rules, without a language model: a floor that needs no key",
        )
    },
    group="lrat_bench.agents",
)


def heuristic(settings: Mapping[str, Any]) -> Agent:
    """The `heuristic` model in the `native` format."""
    if settings:
        raise UsageError(f"agent 'heuristic' has no settings; got {', '.join(map(repr, settings))}")
    from lrat_bench.model.heuristic import Heuristic

    return Agent("heuristic", Heuristic())


def load_agent(spec: str, settings: Mapping[str, Any] | None = None) -> Agent:
    """The agent that `spec` names.

    Args:
        spec: a registered name, or `module:object`, where the object is an `Agent`, a `Model`, a class of one, or a
            function that takes the settings and returns one.
        settings: what `--set agent.key=value` gave.

    Raises:
        UnknownName: no such agent.
        UsageError: the object is none of these, or refuses the settings.
    """
    given = dict(settings or {})
    if spec in AGENTS:
        found = AGENTS.load(spec)
    elif ":" in spec:
        found = load_object(spec)
    else:
        raise UnknownName("agent", spec, AGENTS, hint="An agent of your own is given as module:object.")
    if isinstance(found, type) or (callable(found) and not isinstance(found, Agent | Model)):
        found = _made(spec, found, given)
    elif given:
        raise UsageError(f"agent {spec!r} is an object and takes no settings; got {', '.join(map(repr, given))}")
    if isinstance(found, Agent):
        return found
    if isinstance(found, Model):
        return Agent(found.name, found)
    raise UsageError(f"agent {spec!r} gave a {type(found).__name__}; it must give an Agent or a Model")


def _made(spec: str, factory: Any, settings: dict[str, Any]) -> Any:
    with foreign(f"agent {spec!r} cannot be made"):
        return factory(settings) if settings or not isinstance(factory, type) else factory()

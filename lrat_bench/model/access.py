"""How the models of one command are reached: over the network, under a cost cap, through a cassette.

None of it changes what a run is; so it is kept apart from what models are (`ModelSpec`).
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from lrat_bench.errors import UsageError
from lrat_bench.guard import refuse_plain
from lrat_bench.model.budget import Budget
from lrat_bench.model.cassette import Cassette
from lrat_bench.model.lite.client import library, require_library
from lrat_bench.model.lite.model import LiteLLMModel, Served
from lrat_bench.model.seam import Model
from lrat_bench.model.spec import Connection, ModelSpec

__all__ = ["Access", "Remote", "remote"]


_ADDRESSES = {
    "hosted_vllm": ("HOSTED_VLLM_API_BASE",),
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
}
"""Provider → environment variables from which LiteLLM takes an address, first one first."""


@runtime_checkable
class Remote(Protocol):
    """A model behind a network: what can be asked of it before a run spends anything."""

    spec: ModelSpec
    connection: Connection
    reported: str | None

    async def probe(self) -> Served:
        """What the endpoint says of itself."""
        ...

    def price(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """What so many tokens cost, in USD; None where no price is known."""
        ...


@dataclass
class Access:
    """Opens models, and closes those it opened.

    Attributes:
        budget: what may be spent, and what has been.
        cassette: where calls are recorded or replayed.
    """

    budget: Budget = field(default_factory=Budget)
    cassette: Cassette | None = None
    _opened: list[Model] = field(default_factory=list)

    def open(self, spec: ModelSpec, connection: Connection | None = None) -> Model:
        """A model by its LiteLLM id; nothing is imported or connected before its first call.

        Raises:
            MissingLibrary: LiteLLM is not installed, and is needed.
        """
        if not self.replays:
            require_library()
        model = LiteLLMModel(spec, _found(spec, connection or Connection()))
        self._opened.append(model)
        return self.wrap(model)

    def refuse_plain(self) -> None:
        """See that no call about a guarded task is recorded where it would be published.

        Raises:
            UsageError: the cassette lies in a git work tree.
        """
        if self.cassette is not None and self.cassette.mode != "strict":
            refuse_plain("model calls", self.cassette.path, mend="give a --cassette outside of it")

    def wrap(self, model: Model) -> Model:
        """Any model under this command's budget and cassette; what the cassette replays costs nothing."""
        model = self.budget.wrap(model)
        return model if self.cassette is None else self.cassette.wrap(model)

    @property
    def replays(self) -> bool:
        """Whether calls are answered from a cassette, so that no endpoint need be there."""
        return self.cassette is not None and self.cassette.mode != "record"

    @property
    def offline(self) -> bool:
        """Whether no endpoint is reached whatever is asked: neither LiteLLM nor an address is needed."""
        return self.cassette is not None and self.cassette.mode == "strict"

    async def warm_up(self) -> None:
        """Import what calls need, so that no question waits for it."""
        if not self.replays and any(isinstance(model, Remote) for model in self._opened):
            await asyncio.to_thread(library)

    def require_prices(self) -> None:
        """See that the cost of every model opened can be known, where it is capped.

        Raises:
            UsageError: one has no price.
        """
        if not self.budget.capped or self.replays:
            return
        for model in self._opened:
            if isinstance(model, Remote) and model.price(1, 1) is None:
                raise UsageError(
                    f"--max-cost needs a price, and none is known for {model.name}: give agent.input_price and "
                    "agent.output_price (or judge.…) with --set, in USD per million tokens"
                )

    async def close(self) -> None:
        """Close every model that was opened here, and the cassette."""
        for model in self._opened:
            await model.close()
        if self.cassette is not None:
            self.cassette.close()


def _found(spec: ModelSpec, connection: Connection) -> Connection:
    """The connection with the address that LiteLLM would take from the environment, so that it is ours to show."""
    names = _ADDRESSES.get(spec.model.partition("/")[0], ())
    address = next(filter(None, map(os.environ.get, names)), None)
    if connection.api_base is not None or not address:
        return connection
    return connection.model_copy(update={"api_base": address})


def remote(model: Model) -> Remote | None:
    """The model behind a network that stands at the bottom of wrappers, if one does."""
    inner: object = model
    while hasattr(inner, "inner"):
        inner = inner.inner
    return inner if isinstance(inner, Remote) else None

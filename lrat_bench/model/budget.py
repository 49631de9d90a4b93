"""The cost cap: counts what models cost, and lets no call start once the cap is reached."""

from __future__ import annotations

from dataclasses import dataclass

from lrat_bench.errors import Halt
from lrat_bench.model.seam import Model, Request, Turn

__all__ = ["Budget"]


@dataclass
class Budget:
    """What may be spent, and what has been.

    Attributes:
        limit_usd: the cap.
        spent: in USD, by every model under this budget.
    """

    limit_usd: float
    spent: float = 0.0

    def wrap(self, model: Model) -> Model:
        """The model under this budget."""
        return _Capped(model, self)

    def check(self) -> None:
        """See that something is left.

        Raises:
            Halt: the cap is reached.
        """
        if self.spent >= self.limit_usd:
            raise Halt(
                f"the cost cap of ${self.limit_usd:,.2f} is reached (${self.spent:,.2f} spent); "
                "a larger --max-cost goes on"
            )


class _Capped:
    """Calls that are in flight when the cap is reached are finished and counted: they are paid for anyway."""

    def __init__(self, inner: Model, budget: Budget) -> None:
        self.inner = inner
        self.name = inner.name
        self.fingerprint = inner.fingerprint
        self._budget = budget

    async def complete(self, request: Request) -> Turn:
        self._budget.check()
        turn = await self.inner.complete(request)
        if turn.usage.cost_usd is None:
            raise Halt(f"the reply of {self.name} has no known cost, so --max-cost cannot be kept: give its prices")
        self._budget.spent += turn.usage.cost_usd
        return turn

    async def close(self) -> None:
        await self.inner.close()

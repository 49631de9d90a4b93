"""What models cost: counted call by call, written down as it is paid, and capped where the user says so."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lrat_bench.errors import Halt
from lrat_bench.files import append_line, mend_tail
from lrat_bench.model.seam import Model, Request, Turn

__all__ = ["Budget", "read_costs"]


@dataclass
class Budget:
    """What may be spent, and what has been.

    The ledger is a file of lines `{"model": …, "usd": …}`, one per paid call. It holds what no record does: calls of
    questions that were not finished, and of the preflight.

    Attributes:
        limit_usd: the cap; infinite where there is none.
        spent: in USD, by every model under this budget, and by what the ledger held before.
    """

    limit_usd: float = math.inf
    spent: float = 0.0
    _ledger: Path | None = None
    _unwritten: list[str] = field(default_factory=list)
    _unpriced: str | None = None

    @property
    def capped(self) -> bool:
        """Whether there is a cap, so that every price must be known."""
        return self.limit_usd < math.inf

    def wrap(self, model: Model) -> Model:
        """The model under this budget."""
        return _Counted(model, self)

    def resume(self, ledger: Path) -> None:
        """Count what a ledger holds."""
        self.spent += sum(read_costs(ledger))

    def keep_in(self, ledger: Path) -> None:
        """Write what is paid to a ledger from now on, and what was paid before there was one."""
        mend_tail(ledger)
        self._ledger = ledger
        self._write()

    def check(self) -> None:
        """See that something is left.

        Raises:
            Halt: the cap is reached, or cannot be kept.
        """
        if not self.capped:
            return
        if self._unpriced is not None:
            raise Halt(
                f"what {self._unpriced} has answered has no known cost, so --max-cost cannot be kept: its prices must "
                "be known, and its tokens reported"
            )
        if self.spent >= self.limit_usd:
            raise Halt(
                f"the cost cap of {self.amount(self.limit_usd)} is reached ({self.amount(self.spent)} spent); "
                "a larger --max-cost goes on"
            )

    @staticmethod
    def amount(usd: float) -> str:
        """Money for a message: cents, and of less the first digits."""
        return f"${usd:,.2f}" if usd >= 1 or not usd else f"${usd:.2g}"

    def pay(self, model: str, usd: float | None) -> None:
        """Count one call; its reply is kept even where its cost is unknown."""
        if usd is None:
            self._unpriced = model
        elif 0 < usd < math.inf:
            self.spent += usd
            self._unwritten.append(json.dumps({"model": model, "usd": usd}, ensure_ascii=False))
            self._write()

    def _write(self) -> None:
        # A disk that refuses ends the run where its records are written; what is owed here is tried again.
        while self._ledger is not None and self._unwritten:
            try:
                append_line(self._ledger, self._unwritten[0])
            except OSError:
                return
            del self._unwritten[0]


def read_costs(ledger: Path) -> Iterator[float]:
    """The amounts in a ledger, in USD; lines that hold none are passed over."""
    if not ledger.exists():
        return
    with ledger.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                amount = json.loads(line)["usd"]
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            if isinstance(amount, int | float) and math.isfinite(amount) and amount > 0:
                yield float(amount)


class _Counted:
    """Calls that are in flight when the cap is reached are finished and counted: they are paid for anyway."""

    def __init__(self, inner: Model, budget: Budget) -> None:
        self.inner = inner
        self.name = inner.name
        self.fingerprint = inner.fingerprint
        self._budget = budget

    async def complete(self, request: Request) -> Turn:
        self._budget.check()
        turn = await self.inner.complete(request)
        self._budget.pay(self.name, turn.usage.cost_usd)
        return turn

    async def close(self) -> None:
        await self.inner.close()

"""A model on trial before anything is spent on it; each failure says what to change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lrat_bench.errors import (
    BadRequest,
    ContextOverflow,
    FatalModelError,
    ModelRefusal,
    RolloutError,
    RunIncomplete,
    UsageError,
)
from lrat_bench.model.access import Remote
from lrat_bench.model.lite.model import LiteLLMModel

__all__ = ["Canary"]

_PATIENCE = 20.0
"""Seconds for which a failing call is tried again: someone is waiting, and nothing is lost."""


@dataclass(frozen=True)
class Canary:
    """One endpoint on trial.

    Attributes:
        role: what the model is for, in messages.
        model: behind a network.
    """

    role: str
    model: Remote

    async def context(self) -> int | None:
        """The window that the endpoint states, in tokens.

        Raises:
            UsageError: it refuses requests.
            RunIncomplete: it cannot be reached.
        """
        try:
            return (await self.model.probe()).context_tokens
        except FatalModelError as failure:
            raise self.refused(failure) from None
        except RolloutError as failure:
            raise self.unreachable(failure) from None

    @asynccontextmanager
    async def trial(self) -> AsyncIterator[LiteLLMModel]:
        """The same model, which gives up soon, for the calls of the block; whatever it fails with says what to change.

        Raises:
            UsageError: it refuses requests.
            RunIncomplete: it cannot be reached.
        """
        patience = min(_PATIENCE, self.model.connection.outage_seconds)
        trial = LiteLLMModel(self.model.spec, self.model.connection.model_copy(update={"outage_seconds": patience}))
        try:
            yield trial
        except (BadRequest, FatalModelError, ContextOverflow, ModelRefusal) as failure:
            raise self.refused(failure) from None
        except RolloutError as failure:
            raise self.unreachable(failure) from None
        finally:
            await trial.close()

    def unreachable(self, failure: Exception) -> RunIncomplete:
        """What is raised of an endpoint that does not answer."""
        return RunIncomplete(f"{self.role} {self.name} cannot be reached, nothing was started: {failure}")

    def refused(self, failure: Exception) -> UsageError:
        """What is raised of one that answers no."""
        return UsageError(f"{self.role} {self.name} refuses requests: {failure}")

    @property
    def name(self) -> str:
        """The model and its address."""
        address = self.model.connection.public_api_base
        return f"{self.model.spec.model}{f' at {address}' if address else ''}"

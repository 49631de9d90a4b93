"""A model behind LiteLLM: one call of the library per attempt, and all else is ours."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from lrat_bench.errors import FatalModelError, RolloutFailure
from lrat_bench.model import clock
from lrat_bench.model.lite.client import close_clients, library
from lrat_bench.model.lite.failures import Transient, classify, malformed
from lrat_bench.model.lite.patience import Patience
from lrat_bench.model.lite.payload import payload
from lrat_bench.model.lite.reply import EmptyReply, read_reply, reported_model
from lrat_bench.model.redact import MASK, redact, remember
from lrat_bench.model.seam import Request, Turn
from lrat_bench.model.spec import Connection, ModelSpec

__all__ = ["LiteLLMModel", "Served"]

_PROBE_SECONDS = 10.0
_SHORTEST_KEY = 8
"""Characters of the shortest key that is looked for in replies: a shorter one may be an ordinary word."""
_TURN: TypeAdapter[Turn] = TypeAdapter(Turn)


@dataclass(frozen=True, slots=True)
class Served:
    """What an endpoint says of itself; None where it does not."""

    context_tokens: int | None = None


class LiteLLMModel:
    """Any model that LiteLLM can reach.

    LiteLLM is imported, and a connection made, with the first call. The clock of a rollout stands during a call and
    is charged afterwards with the attempt that succeeded, so that waiting for infrastructure costs no time of the
    protocol's.

    Args:
        spec: which model.
        connection: how it is reached.

    Attributes:
        reported: the model id in the latest reply.
    """

    def __init__(self, spec: ModelSpec, connection: Connection) -> None:
        self.spec = spec
        self.connection = connection
        self.name = spec.model
        self.fingerprint = spec.fingerprint
        self.reported: str | None = None
        self._patience = Patience(spec.model, connection.outage_seconds)
        self._raw_client: Any = None
        self._used = False

    async def complete(self, request: Request) -> Turn:
        """One completion; see `Model.complete`."""
        arguments = payload(self.spec, request)
        with clock.stopped():
            # The first import takes seconds in which no other question could go on.
            litellm = library() if self._used else await asyncio.to_thread(library)
            self._used = True
            reach = self._reach()
            if request.raw:
                reach["client"] = self._raw()

            async def ask(resampled: int) -> Turn:
                given = {**arguments, **reach}
                if resampled and "seed" in given:
                    given["seed"] += 1_000_003 * resampled
                call = litellm.atext_completion if request.raw else litellm.acompletion
                return await self._ask(call, given)

            answered = await self._patience.until_answered(ask)
            clock.charge(answered.seconds)
        return replace(answered.value, attempts=answered.attempts)

    async def _ask(self, call: Any, given: dict[str, Any]) -> Turn:
        try:
            # LiteLLM's own limit is one between bytes for some providers: a body that trickles would never end.
            async with asyncio.timeout(self.connection.timeout_seconds):
                response = await call(**given)
        except TimeoutError:
            raise Transient(f"no answer in {self.connection.timeout_seconds:g} s") from None
        except Exception as error:  # noqa: BLE001 -- whatever LiteLLM raises is read by `classify`
            # From None: the original holds the request, and may hold the key.
            raise classify(error) from None
        try:
            turn = self._without_key(read_reply(response, self.spec, self.connection))
        except EmptyReply as error:
            raise classify(error) from None
        except Exception as error:  # noqa: BLE001 -- of whatever shape a reply is
            raise malformed(f"{type(error).__name__}: {error}") from None
        self.reported = reported_model(response)
        return turn

    def _without_key(self, turn: Turn) -> Turn:
        """The turn, should the server have put the key that it was sent into it."""
        key = self._key() or self._usual_key()
        if not key or len(key) < _SHORTEST_KEY or key not in repr(turn):
            return turn
        hidden: Turn = _TURN.validate_json(_TURN.dump_json(turn).replace(key.encode(), MASK.encode()))
        return hidden

    def _reach(self) -> dict[str, Any]:
        """Address, key and patience of a call."""
        found: dict[str, Any] = {"num_retries": 0, "max_retries": 0, "timeout": self.connection.timeout_seconds}
        if self.connection.api_base is not None:
            found["api_base"] = self.connection.api_base
        if (key := self._key()) is not None:
            found["api_key"] = key
        return found

    def _key(self) -> str | None:
        name = self.connection.api_key_env
        if name is None:
            # A server of one's own usually wants none, and OpenAI's client insists on having one.
            own = self.connection.api_base is not None and self.spec.model.startswith(("openai/", "hosted_vllm/"))
            return "none" if own and not self._usual_key() else None
        key = os.environ.get(name)
        if not key:
            raise FatalModelError(f"the environment variable {name} is not set; it is to hold the key of {self.name}")
        remember(key)
        return key

    def _usual_key(self) -> str | None:
        """What LiteLLM takes where no variable is named."""
        return os.environ.get(f"{self.spec.model.partition('/')[0].upper()}_API_KEY")

    def _raw(self) -> Any:
        """A client for raw completions: LiteLLM would make one for every call, and close none."""
        if self._raw_client is None:
            import httpx
            import openai

            self._raw_client = openai.AsyncOpenAI(
                api_key=self._key() or self._usual_key() or "none",
                base_url=self.connection.api_base,
                max_retries=0,
                timeout=self.connection.timeout_seconds,
                http_client=httpx.AsyncClient(
                    limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
                    timeout=self.connection.timeout_seconds,
                ),
            )
        return self._raw_client

    async def probe(self) -> Served:
        """What the endpoint says of itself: an OpenAI-compatible server is asked, of others LiteLLM's map knows.

        Raises:
            RolloutFailure: nothing answers at the address.
        """
        if self.connection.api_base is None:
            info = await asyncio.to_thread(_mapped, self.spec.model)
            return Served(info.get("max_input_tokens"))
        import httpx

        key = self._key() or self._usual_key()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            async with httpx.AsyncClient(timeout=min(_PROBE_SECONDS, self.connection.timeout_seconds)) as client:
                listed = await client.get(f"{self.connection.api_base.rstrip('/')}/models", headers=headers)
            return Served(_window(listed.json(), self.spec.model.partition("/")[2]))
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise RolloutFailure(redact(f"{type(error).__name__}: {error}".rstrip(": "))) from None
        except ValueError:
            return Served()

    def price(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """What so many tokens cost, in USD; None where no price is known."""
        per_prompt, per_completion = self.connection.input_price, self.connection.output_price
        if per_prompt is None or per_completion is None:
            info = _mapped(self.spec.model)
            if not info.get("input_cost_per_token") or not info.get("output_cost_per_token"):
                return None
            per_prompt, per_completion = 1e6 * info["input_cost_per_token"], 1e6 * info["output_cost_per_token"]
        return (prompt_tokens * per_prompt + completion_tokens * per_completion) / 1e6

    async def close(self) -> None:
        """Close the connections of this event loop."""
        if self._raw_client is not None:
            await self._raw_client.close()
            self._raw_client = None
        if self._used:
            await close_clients()


def _mapped(model: str) -> dict[str, Any]:
    """What LiteLLM's map knows of a model; empty where it does not."""
    # The map prices a model once, whatever route it is reached by.
    name = model.replace("openai/responses/", "openai/", 1)
    try:
        return dict(library().get_model_info(name))
    except Exception:  # noqa: BLE001 -- it raises plain exceptions for what it does not know
        return {}


def _window(listed: Any, name: str) -> int | None:
    """`max_model_len` of the model in a server's list, or of the only one."""
    models = listed.get("data") if isinstance(listed, dict) else None
    found = [model for model in models or () if isinstance(model, dict)]
    named = [model for model in found if model.get("id") == name] or (found if len(found) == 1 else [])
    window = named[0].get("max_model_len") if named else None
    return window if isinstance(window, int) and window > 0 else None

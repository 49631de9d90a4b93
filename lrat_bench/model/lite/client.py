"""LiteLLM itself: imported on first use, with everything switched off that acts behind our back."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import warnings
from functools import cache
from typing import Any

from lrat_bench.errors import MissingLibrary
from lrat_bench.files import canonical_json
from lrat_bench.model.redact import RedactingFilter

__all__ = ["close_clients", "library", "price_map_hash", "require_library"]


def require_library() -> None:
    """See that LiteLLM is installed, without the seconds that importing it takes.

    Raises:
        MissingLibrary: it is not.
    """
    if importlib.util.find_spec("litellm") is None:
        raise MissingLibrary("LiteLLM, which reaches language models,", install='"lrat-bench[models]"')


@cache
def library() -> Any:
    """The module `litellm`; the first call takes seconds.

    Its retries, cache, router and parameter dropping are off (the first two per call, too), the price map is the one
    that it ships, and it neither reports home nor prints.

    Raises:
        MissingLibrary: it is not installed.
    """
    require_library()
    # Read while it is imported; without it, the price map is fetched from the network.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    # The concurrency of the run is the limit. (0, which aiohttp takes for none, falls back to its default of 100.)
    os.environ.setdefault("AIOHTTP_CONNECTOR_LIMIT", "100000")
    os.environ.setdefault("AIOHTTP_CONNECTOR_LIMIT_PER_HOST", "100000")
    import litellm

    # Of a call that is cancelled, and of a reply of an odd shape: neither is for the user to read.
    warnings.filterwarnings("ignore", r"coroutine 'BaseLLMHTTPHandler.* was never awaited", RuntimeWarning)
    warnings.filterwarnings("ignore", "Pydantic serializer warnings", UserWarning)
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False
    litellm.modify_params = False
    litellm.num_retries = None
    litellm.cache = None
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "httpx", "openai"):
        log = logging.getLogger(name)
        log.setLevel(logging.ERROR)
        for handler in log.handlers:
            handler.addFilter(RedactingFilter())
    return litellm


@cache
def price_map_hash() -> str:
    """SHA-256 of the price map that costs are taken from."""
    return hashlib.sha256(canonical_json(library().model_cost).encode()).hexdigest()


async def close_clients() -> None:
    """Close the connections of this event loop; later calls open new ones."""
    litellm = library()
    await litellm.close_litellm_async_clients()
    # A closed client that stays in the cache would be handed out again.
    litellm.in_memory_llm_clients_cache.flush_cache()

"""A brain that costs next to nothing, for benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lrat_bench.model.scripted import answers, calls
from lrat_bench.model.seam import Turn

__all__ = ["echo"]


def echo(steps: int) -> Callable[[dict[str, Any]], Turn]:
    """Calls the first tool on offer so many times, then answers; costs next to nothing."""

    def play(body: dict[str, Any]) -> Turn:
        done = sum(message["role"] == "assistant" for message in body["messages"])
        tools = body.get("tools")
        if done >= steps or not tools or body.get("tool_choice") == "none":
            return answers("Exact Answer: nothing", reasoning="That is all. " * 20)
        asked = str(body["messages"][0]["content"])[-60:]
        function = tools[0]["function"]
        argument = next(iter(function["parameters"]["properties"]))
        return calls(function["name"], reasoning="Let me look. " * 20, **{argument: f"{asked} {done}"})

    return play

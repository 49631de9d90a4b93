"""The heuristic as a custom provider of LiteLLM: its own way to run a model without any network."""

from __future__ import annotations

from typing import Any

from lrat_bench.model.heuristic import Heuristic
from lrat_bench.model.seam import Message, Request, Tool, ToolCall

__all__ = ["heuristic_plug"]


def heuristic_plug() -> Any:
    """A handler for `litellm.custom_provider_map`."""
    from litellm import CustomLLM
    from litellm.types.utils import Choices, ModelResponse
    from litellm.types.utils import Message as Reply
    from litellm.types.utils import Usage as Spent

    class Plug(CustomLLM):  # type: ignore[misc]
        async def acompletion(self, *args: Any, **given: Any) -> Any:
            turn = await Heuristic().complete(_request(given["messages"], given["optional_params"]))
            calls = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in turn.calls
            ]
            reply = Reply(content=turn.text, tool_calls=calls or None, reasoning_content=turn.reasoning)
            used = turn.usage
            spent = Spent(
                prompt_tokens=used.prompt_tokens,
                completion_tokens=used.completion_tokens,
                total_tokens=(used.prompt_tokens or 0) + (used.completion_tokens or 0),
                completion_tokens_details={"reasoning_tokens": used.reasoning_tokens},
            )
            choice = Choices(finish_reason=turn.finish_reason, index=0, message=reply)
            response = ModelResponse(choices=[choice], model="heuristic")
            response.usage = spent
            return response

    return Plug()


def _request(messages: list[dict[str, Any]], parameters: dict[str, Any]) -> Request:
    tools = tuple(
        Tool(one["function"]["name"], one["function"]["description"], one["function"]["parameters"])
        for one in parameters.get("tools") or ()
    )
    return Request(tuple(map(_message, messages)), tools, parameters.get("tool_choice", "auto"))


def _message(message: dict[str, Any]) -> Message:
    calls = tuple(
        ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls") or ()
    )
    return Message(
        message["role"],
        message.get("content") or "",
        message.get("reasoning_content"),
        calls,
        message.get("tool_call_id"),
    )

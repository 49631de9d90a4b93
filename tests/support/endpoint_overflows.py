"""The wordings in which servers say that a conversation does not fit; clients know it by them."""

from __future__ import annotations

from typing import Any

__all__ = ["OVERFLOWS", "error_body"]


def error_body(
    message: str, kind: str | None, code: str | int | None = None, *, param: str | None = None
) -> dict[str, Any]:
    """An error in the envelope of the OpenAI protocol."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _flat(message: str) -> dict[str, Any]:
    """An error as SGLang and older vLLM write it: without the envelope."""
    return {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400}


OVERFLOWS: dict[str, tuple[int, dict[str, Any]]] = {
    "vllm": (
        400,
        error_body(
            "This model's maximum context length is 32768 tokens. However, your request has 41021 input tokens. "
            "Please reduce the length of the input messages.",
            "BadRequestError",
            400,
        ),
    ),
    "vllm_max_tokens": (
        400,
        error_body(
            "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 32768 "
            "tokens and your request has 30011 input tokens (8192 > 32768 - 30011).",
            "BadRequestError",
            400,
            param="max_tokens",
        ),
    ),
    "vllm_prompt": (
        400,
        error_body(
            "The decoder prompt (length 41021) is longer than the maximum model length of 32768. Make sure that "
            "`max_model_len` is no smaller than the number of text tokens.",
            "BadRequestError",
            400,
        ),
    ),
    "vllm_old": (
        400,
        _flat(
            "This model's maximum context length is 32768 tokens. However, you requested 41021 tokens (31021 in the "
            "messages, 10000 in the completion). Please reduce the length of the messages or completion."
        ),
    ),
    "sglang": (400, _flat("The input (41021 tokens) is longer than the model's context length (32768 tokens).")),
    "sglang_requested": (
        400,
        _flat(
            "Requested token count exceeds the model's maximum context length of 32768 tokens. You requested a total "
            "of 41021 tokens: 31021 tokens from the input messages and 10000 tokens for the completion. Please reduce "
            "the number of tokens in the input messages or the completion to fit within the limit."
        ),
    ),
    "openai": (
        400,
        error_body(
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 130021 tokens. "
            "Please reduce the length of the messages.",
            "invalid_request_error",
            "context_length_exceeded",
            param="messages",
        ),
    ),
    "openai_responses": (
        400,
        error_body(
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
            "invalid_request_error",
            "context_length_exceeded",
            param="input",
        ),
    ),
    "llama_cpp": (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 41021,
                "n_ctx": 32768,
            }
        },
    ),
    "tgi": (
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 32768. Given: 31021 "
            "`inputs` tokens and 10000 `max_new_tokens`",
            "error_type": "validation",
        },
    ),
    "anthropic": (
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "prompt is too long: 210021 tokens > 200000 maximum"},
        },
    ),
    "gemini": (
        400,
        {
            "error": {
                "code": 400,
                "message": "The input token count (1100021) exceeds the maximum number of tokens allowed (1048576).",
                "status": "INVALID_ARGUMENT",
            }
        },
    ),
}
"""Server and case → status and body."""

"""What the scripted model says: so many searches about the question, then an answer, in whichever form it is asked.

It is a function of the conversation alone, so that a call that is tried again gets the same reply, and every harness
makes as many calls. Nothing but the standard library is needed.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["PATHS", "Said", "Script", "read_questions"]

PATHS = ("/v1/chat/completions", "/v1/responses")
"""What is answered: chat completions (with tools, or with tags where a request names none), and the Responses API."""

_ANSWER = "Explanation: nothing was found that settles it.\nExact Answer: unknown\nConfidence: 10%"
_TAGGED = "<tool_response>"


@dataclass(frozen=True)
class Said:
    """A reply, and which call it is of which question; a question of nobody's is None."""

    question_id: str | None
    step: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Script:
    """The model.

    Attributes:
        questions: id → text; a conversation is about the one that its first user message holds.
        steps: searches before the answer.
        words: how many words it reasons before each of them.
    """

    questions: Mapping[str, str]
    steps: int = 8
    words: int = 100

    def reply(self, path: str, request: Mapping[str, Any]) -> Said:
        """The reply to a request.

        Args:
            path: one of `PATHS`.
            request: its JSON body.

        Raises:
            AttributeError, LookupError, StopIteration, TypeError, ValueError: it is none of that API.
        """
        if path not in PATHS:
            raise ValueError(f"{path} is not spoken here: {', '.join(PATHS)}")
        if path == "/v1/responses":
            turns = [turn for turn in request["input"] if turn.get("role") == "user"]
            step = sum(turn.get("type") == "function_call_output" for turn in request["input"])
        else:
            turns = [turn for turn in request["messages"] if turn["role"] == "user"]
            step = sum(turn["role"] == "tool" or _is_result(turn) for turn in request["messages"])
        first = _text(turns[0]["content"])
        question_id = next((qid for qid, text in self.questions.items() if text in first), None)
        words = (self.questions[question_id] if question_id is not None else first[:200]).split()
        at = 3 * step % len(words)
        query = " ".join((words + words)[at : at + 8])
        done = step >= self.steps or request.get("tool_choice") == "none"
        thought = " ".join((words * (self.words // len(words) + 1))[: self.words])
        write = _response if path == "/v1/responses" else _completion
        return Said(question_id, step, write(request, None if done else query, thought, step))


def read_questions(file: Path) -> dict[str, str]:
    """Ids and texts of a .tsv without a header, as the peers' clients read it."""
    with file.open(encoding="utf-8", newline="") as lines:
        return {row[0].strip(): row[1].strip() for row in csv.reader(lines, delimiter="\t") if len(row) > 1}


def _completion(request: Mapping[str, Any], query: str | None, thought: str, step: int) -> dict[str, Any]:
    tools = [tool["function"] for tool in request.get("tools") or ()]
    message: dict[str, Any] = {"role": "assistant", "content": _ANSWER}
    finish = "stop"
    if not tools:
        call = json.dumps({"name": "search", "arguments": {"query": query}})
        said = f"<answer>{_ANSWER}</answer>" if query is None else f"<tool_call>\n{call}\n</tool_call>"
        message["content"] = f"<think>\n{thought}\n</think>\n{said}"
    elif query is not None:
        name, arguments = _call(tools, query)
        called = {"id": f"call_{step}", "type": "function", "function": {"name": name, "arguments": arguments}}
        message |= {"content": "", "reasoning_content": thought, "tool_calls": [called]}
        finish = "tool_calls"
    usage = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    about = {"id": f"chatcmpl-{step}", "object": "chat.completion", "created": 0, "model": request.get("model")}
    return {**about, "choices": [choice], "usage": usage}


def _response(request: Mapping[str, Any], query: str | None, thought: str, step: int) -> dict[str, Any]:
    output: list[dict[str, Any]] = [
        {"type": "reasoning", "id": f"rs_{step}", "summary": [{"type": "summary_text", "text": thought}]}
    ]
    if query is None:
        text = {"type": "output_text", "text": _ANSWER, "annotations": []}
        about = {"id": f"msg_{step}", "role": "assistant", "status": "completed"}
        output.append({"type": "message", **about, "content": [text]})
    else:
        name, arguments = _call(request["tools"], query)
        about = {"id": f"fc_{step}", "call_id": f"call_{step}", "status": "completed"}
        output.append({"type": "function_call", **about, "name": name, "arguments": arguments})
    usage = {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1050,
    }
    return {
        "id": f"resp_{step}",
        "object": "response",
        "created_at": 0,
        "model": request.get("model"),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage,
    }


def _call(tools: list[dict[str, Any]], query: str) -> tuple[str, str]:
    """The tool that searches, whatever it is called, and its arguments: `search(query)`, `…retrieval(user_query)`."""
    tool = next(tool for tool in tools if "search" in tool["name"] or "retrieval" in tool["name"])
    properties = tool["parameters"]["properties"]
    name = next(name for name in properties if "query" in name)
    several = "string" not in json.dumps(properties[name].get("type", "string"))
    return tool["name"], json.dumps({name: [query] if several else query})


def _is_result(turn: Mapping[str, Any]) -> bool:
    return turn["role"] == "user" and _text(turn["content"]).lstrip().startswith(_TAGGED)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)

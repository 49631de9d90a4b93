"""A stand-in for a peer's client: speaks its documented command line and API, and writes its files. None of its code.

Copied into a checkout under the names that the peers' clients have. It searches nothing, and tries no call twice, like
the clients whose `responses.create` stands in a loop without a pause.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_LISTS = json.dumps([{"docid": "d1", "score": 1.0, "snippet": "nothing"}])
_lock = threading.Lock()


def _ask(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json", "Authorization": "Bearer none"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        said: dict[str, Any] = json.loads(reply.read())
    return said


def _by_responses(url: str, question: str, most: int) -> tuple[list[dict[str, Any]], str]:
    schema = {"type": "object", "properties": {"user_query": {"type": "string"}}, "required": ["user_query"]}
    tool = {"type": "function", "name": "local_knowledge_base_retrieval", "parameters": schema}
    items: list[dict[str, Any]] = [{"role": "user", "content": f"You are an agent.\nQuestion: {question}\n"}]
    result: list[dict[str, Any]] = []
    for _ in range(most):
        try:
            reply = _ask(f"{url}/responses", {"model": "scripted", "input": items, "tools": [tool]})
        except (OSError, urllib.error.URLError):
            continue
        items += reply["output"]
        last = reply["output"][-1]
        if last["type"] == "message":
            result.append({"type": "output_text", "output": last["content"][0]["text"]})
            return result, "completed"
        items.append({"type": "function_call_output", "call_id": last["call_id"], "output": _LISTS})
        result.append(
            {"type": "tool_call", "tool_name": last["name"], "arguments": last["arguments"], "output": _LISTS}
        )
    return result, "incomplete"


def _by_chat(url: str, question: str, most: int) -> tuple[list[dict[str, Any]], str]:
    schema = {"type": "object", "properties": {"query": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "search", "parameters": schema}}
    messages: list[dict[str, Any]] = [{"role": "user", "content": question}]
    result: list[dict[str, Any]] = []
    for _ in range(most):
        reply = _ask(f"{url}/chat/completions", {"model": "scripted", "messages": messages, "tools": [tool]})
        message = reply["choices"][0]["message"]
        messages.append(message)
        if not message.get("tool_calls"):
            result.append({"type": "output_text", "output": message["content"]})
            return result, "completed"
        call = message["tool_calls"][0]
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": _LISTS})
        result.append({"type": "tool_call", "tool_name": "search", "arguments": call["function"], "output": _LISTS})
    return result, "incomplete"


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--model", "--model-url", "--query", "--output-dir", "--searcher-type", "--index-path"):
        parser.add_argument(name)
    for name in ("--k", "--snippet-max-tokens", "--num-threads", "--max-iterations"):
        parser.add_argument(name, type=int)
    given = parser.parse_args()
    assert given.searcher_type == "bm25"
    assert Path(given.index_path).is_dir()
    out = Path(given.output_dir)
    done = {json.loads(file.read_text())["query_id"] for file in out.glob("run_*.json")}
    with Path(given.query).open(newline="") as file:
        asked = [row for row in csv.reader(file, delimiter="\t") if row[0] not in done]
    play = _by_responses if given.model_url else _by_chat
    url = given.model_url or os.environ["BASE_URL"]

    def one(row: list[str]) -> None:
        result, status = play(url, row[1], given.max_iterations)
        record = {"metadata": {"model": "scripted"}, "query_id": row[0], "status": status, "result": result}
        with _lock:
            (out / f"run_{time.time_ns()}.json").write_text(json.dumps(record))

    with ThreadPoolExecutor(given.num_threads) as pool:
        # An error in a thread is the pool's: its question has no record.
        list(pool.map(lambda row: _quietly(one, row), asked))


def _quietly(one: Any, row: list[str]) -> None:
    try:
        one(row)
    except OSError as error:
        print(f"[Error] Query id={row[0]} failed: {error}")  # noqa: T201


if __name__ == "__main__":
    main()

r"""smolagents: a tool-calling agent with the two tools of the benchmark. `pip install "smolagents[openai]"`.

As a command, one process a question; MODEL, and a key or the address of a server of yours, are handed on by name:

    lrat-bench run --agent "command:python examples/agents/smolagents_agent.py" \
        --set 'agent.env=[MODEL, OPENAI_API_KEY, OPENAI_BASE_URL]'

In the process of the benchmark, where what the agent thinks is recorded, too:

    PYTHONPATH=examples/agents lrat-bench run --agent smolagents_agent:agent
"""

import asyncio
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from smolagents import Model, Tool, ToolCallingAgent
from smolagents.memory import ActionStep

Call = Callable[[str, dict[str, Any]], str]
"""(tool, arguments) → the text of its result."""


class Search(Tool):
    """`search(query)`."""

    name = "search"
    description = "Finds the documents that fit a query best: docid, score and the beginning of each."
    inputs = {"query": {"type": "string", "description": "what to look for, in words"}}  # noqa: RUF012
    output_type = "string"

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.call = call

    def forward(self, query: str) -> str:
        """One call."""
        return self.call("search", {"query": query})


class GetDocument(Tool):
    """`get_document(docid)`."""

    name = "get_document"
    description = "Shows a document, by the docid that a search gave."
    inputs = {"docid": {"type": "string", "description": "id of the document"}}  # noqa: RUF012
    output_type = "string"

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.call = call

    def forward(self, docid: str) -> str:
        """One call."""
        return self.call("get_document", {"docid": docid})


def make_model() -> Model:
    """Any OpenAI-compatible server."""
    from smolagents import OpenAIModel

    return OpenAIModel(os.environ.get("MODEL", "gpt-4.1-mini"), api_base=os.environ.get("OPENAI_BASE_URL"))


def solve(prompt: str, call: Call, model: Model, *, steps: int = 20) -> tuple[str, list[str]]:
    """Let the agent work; gives its answer, and what it said on the way."""
    worker = ToolCallingAgent([Search(call), GetDocument(call)], model, max_steps=steps, verbosity_level=0)
    answer = str(worker.run(prompt))
    said = [step.model_output for step in worker.memory.steps if isinstance(step, ActionStep)]
    return answer, [text for text in said if isinstance(text, str) and text.strip()]


def aloud(model: Model, think: Callable[[str], object]) -> Model:
    """The model, what it says beside its calls of tools told before they are carried out."""
    generate = model.generate

    def heard(*arguments: Any, **named: Any) -> Any:
        message = generate(*arguments, **named)
        # Without tools, it was asked for the answer alone.
        if named.get("tools_to_call_from") and isinstance(message.content, str) and message.content.strip():
            think(message.content)
        return message

    model.generate = heard
    return model


def over_http(name: str, arguments: dict[str, Any]) -> str:
    """A call of the seat whose address stands in the environment."""
    path = {"search": "search", "get_document": "document"}[name]
    request = urllib.request.Request(  # noqa: S310 -- the address of the benchmark
        f"{os.environ['LRAT_BENCH_URL']}/{path}",
        json.dumps(arguments).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=600) as reply:  # noqa: S310
            return str(reply.read().decode())
    except urllib.error.HTTPError as refused:
        # A budget that is spent, for one: the model is to read it.
        return refused.read().decode()


async def agent(question: str, tools: Any) -> str:
    """`--agent smolagents_agent:agent`: smolagents works in a thread, its calls come back to the loop."""
    loop = asyncio.get_running_loop()

    def call(name: str, arguments: dict[str, Any]) -> str:
        return asyncio.run_coroutine_threadsafe(tools.call(name, arguments), loop).result()

    def think(text: str) -> None:
        loop.call_soon_threadsafe(tools.think, text)

    answer, _ = await asyncio.to_thread(solve, question, call, aloud(make_model(), think))
    return answer


if __name__ == "__main__":
    print(solve(os.environ["LRAT_BENCH_PROMPT"], over_http, make_model())[0])  # noqa: T201 -- this is the answer

"""The prompts an agent can be started with, by name. A changed text gets a new name."""

from __future__ import annotations

from types import MappingProxyType

from lrat_bench.errors import UnknownName
from lrat_bench.files import fingerprint

__all__ = ["PROMPTS", "prompt_fingerprint", "render_prompt"]

_RESEARCH_V1 = """\
You answer a hard question by research in a fixed collection of documents. You have these tools:
{tools}
Work step by step: take the question apart, look for the parts that can be found, read the documents that matter, and \
use what they say to look further. One search rarely suffices. Rely on what the documents say, not on memory.
{date}
When you know the answer, or can find out no more, reply without calling a tool, in exactly this form:
Explanation: how the documents lead to the answer, naming their ids in square brackets
Exact Answer: the answer alone, as short as it can be
Confidence: how sure you are, from 0% to 100%

Question: {question}"""

PROMPTS = MappingProxyType({"research-v1": _RESEARCH_V1})
"""Name → template with `{tools}`, `{date}` and `{question}`; the question comes last."""


def render_prompt(name: str, *, question: str, tools: str, current_date: str | None) -> str:
    """The first user message.

    Args:
        name: key of `PROMPTS`.
        question: the question's text, put in last and not interpreted.
        tools: one line per tool on offer.
        current_date: told to the agent as it stands, or not at all.

    Raises:
        UnknownName: there is no such prompt.
    """
    if name not in PROMPTS:
        raise UnknownName("prompt", name, PROMPTS)
    date = f"Today is {current_date}.\n" if current_date else ""
    head, _, tail = PROMPTS[name].partition("{question}")
    return head.replace("{tools}", tools).replace("{date}\n", date) + question + tail


def prompt_fingerprint(name: str) -> str:
    """SHA-256 of the template."""
    if name not in PROMPTS:
        raise UnknownName("prompt", name, PROMPTS)
    return fingerprint(PROMPTS[name])

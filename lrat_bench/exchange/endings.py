"""How a question ended: the words of others, and what they are to us."""

from __future__ import annotations

import re
from typing import Any, get_args

from lrat_bench.trajectory import Status

__all__ = ["status_of"]

_ENDINGS: dict[str, Status] = {
    # Tongyi DeepResearch and its kin
    "answer not found": "no_answer",
    "generate an answer as token limit reached": "forced",
    "format error: generate an answer as token limit reached": "forced",
    "exceed available llm calls": "turn_limit",
    "max_turns_reached": "turn_limit",
    # Anthropic's and Google's reasons for stopping, as the clients of BrowseComp-Plus pass them on
    "max_tokens": "token_limit",
    "model_context_window_exceeded": "context_limit",
    "pause_turn": "turn_limit",
    "refusal": "refused",
    "safety": "refused",
    "recitation": "refused",
    "blocklist": "refused",
    "prohibited_content": "refused",
    "spii": "refused",
    "malformed_function_call": "format_error",
    # LRAT's client for Tongyi, where it failed
    "": "error",
    # ours
    **{status: status for status in get_args(Status) if status != "answered"},
}
"""Words for an end that is none of one's own accord. What they do not say, `incomplete` above all, is not here."""

_ENUM = re.compile(r"^finishreason\.")
_TIME = re.compile(r"after \d+\s*h|\d+\s*min")


def status_of(word: Any, *, finished: str, answered: bool) -> Status:
    """The status that a word states.

    Whatever is not the one word for a finished run says that it was not finished, be it a word that nobody knows or
    null. Where it does not say why, the status is `forced` with an answer and `no_answer` without: neither is taken
    for an answer that was given of the agent's own accord.

    Args:
        word: as it stands in a record.
        finished: the word for an end of the agent's own accord, as their evaluators compare it.
        answered: whether there is an answer.
    """
    status = "answered" if word == finished else _known(word)
    if status in ("answered", "forced", "no_answer", None):
        return "no_answer" if not answered else "answered" if status == "answered" else "forced"
    return status


def _known(word: Any) -> Status | None:
    if not isinstance(word, str):
        return None
    said = _ENUM.sub("", word.strip().lower())
    return _ENDINGS.get(said) or ("time_limit" if _TIME.search(said[:100]) else None)

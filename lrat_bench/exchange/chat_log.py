"""Logs of chats, as Tongyi DeepResearch, WebDancer and their kin write them: one JSON object a question.

An object holds `question`, `messages`, `prediction` and `termination`. Assistants think in `<think>`, call in
`<tool_call>` (a JSON object with `name` and `arguments`) and answer in `<answer>`; a tool answers in the next message,
in `<tool_response>`. Of several calls in a message their agents carry out the first. Calls and reasoning that stand in
fields of their own (`tool_calls`, `reasoning_content`), answered in messages of the role `tool`, are read too. A turn
is a message of the assistant. Source: Alibaba-NLP/DeepResearch, `inference/react_agent.py`, by what it writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import json_repair

from lrat_bench.errors import UsageError
from lrat_bench.exchange.endings import status_of
from lrat_bench.exchange.record import NOT_CARRIED_OUT, Decrypt, Imported, id_in
from lrat_bench.exchange.results import arguments_of, document_errors, lists_of, text_in, with_returned
from lrat_bench.files import encodable
from lrat_bench.trajectory import UNLISTED, Answer, Browse, Search, Step, Think, Trajectory, TurnRecord

__all__ = ["ChatLog"]

_CALL = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_ANSWERED = re.compile(r"<tool_response>\n?(.*?)\n?(?:</tool_response>|\Z)", re.DOTALL)
_THOUGHT = re.compile(r"<think>(.*?)(?:</think>|\Z)", re.DOTALL)
_NONE_FOUND = re.compile(r"no answer found|\[failed\]", re.IGNORECASE)
"""What their agents put in the place of a prediction that they do not have."""

_SEARCHES = frozenset({"search", "google_scholar", "local_knowledge_base_retrieval"})
_BROWSES = frozenset({"visit", "get_document", "open", "browse"})


class _Call(NamedTuple):
    name: str
    arguments: Mapping[str, Any]
    carried_out: bool
    output: Any


class ChatLog:
    """The reader of the format `chat-log`."""

    def recognises(self, record: Mapping[str, Any]) -> bool:
        """Whether an object is a log of this form."""
        messages = record.get("messages")
        return isinstance(messages, list) and any(_role(message) == "assistant" for message in messages)

    def read(
        self,
        record: Mapping[str, Any],
        place: str,
        *,
        origin: str | None,
        decrypt: Decrypt | None,  # noqa: ARG002 -- nobody publishes these encrypted
    ) -> Imported:
        """The chat as a trajectory.

        Raises:
            UsageError: it holds no messages.
        """
        messages = record.get("messages")
        if not isinstance(messages, list):
            raise UsageError(f"{place}: no chat log: it must be an object with a list `messages`")
        reading = _Reading([message for message in messages if isinstance(message, dict)])
        steps = tuple(reading.steps())
        said = [step.text for step in steps if isinstance(step, Answer)]
        termination, prediction = record.get("termination"), text_in(record.get("prediction")).strip()
        if not said and prediction and termination is not None and not _NONE_FOUND.match(prediction):
            said = [prediction]
            steps = (*steps, Answer(turn=reading.turns - 1 if reading.turns else None, text=prediction))
        status = None if termination is None else status_of(termination, finished="answer", answered=bool(said))
        question = record.get("question")
        model = str(record.get("model") or "").rstrip("/").rpartition("/")[2]
        return Imported(
            place,
            Trajectory(
                task="unknown",
                protocol="unknown",
                question_id=id_in(record),
                agent=encodable(model) or "unknown",
                retriever="unknown",
                origin=f"{origin or 'chat-log'}{UNLISTED if reading.unnamed else ''}",
                status=status,
                answer=said[-1] if said else None,
                steps=steps,
                turns=tuple(TurnRecord(turn=turn) for turn in range(reading.turns)),
            ),
            encodable(question) if isinstance(question, str) else None,
        )


class _Reading:
    """The steps of one chat, as they are read."""

    def __init__(self, messages: Sequence[Mapping[str, Any]]) -> None:
        self._messages = messages
        self.turns = 0
        self.unnamed = False

    def steps(self) -> Iterator[Step]:
        for at, message in enumerate(self._messages):
            if _role(message) != "assistant":
                continue
            turn, self.turns = self.turns, self.turns + 1
            thoughts, text = _apart(message)
            for thought in thoughts:
                yield Think(turn=turn, text=thought)
            calls = list(self._calls(at, text))
            for number, call in enumerate(calls):
                yield from self._steps_of(call, turn, number)
            _, opened, inside = _CALL.sub("", text).rpartition("<answer>")
            answer = inside.partition("</answer>")[0].strip()
            if opened and answer and not calls:
                yield Answer(turn=turn, text=answer)

    def _calls(self, at: int, text: str) -> Iterator[_Call]:
        """The calls of a message, with what answered them."""
        own = self._messages[at].get("tool_calls")
        if isinstance(own, list) and own:
            answers = self._by_id(at)
            for number, call in enumerate(one for one in own if isinstance(one, dict)):
                function = call.get("function", call)
                if isinstance(function, dict):
                    output = answers.get(str(call.get("id")), answers.get(str(number)))
                    arguments = arguments_of(function.get("arguments"))
                    yield _Call(str(function.get("name")), arguments, output is not None, output)
            return
        answers_in_text = self._following(at)
        for number, written in enumerate(_CALL.findall(text)):
            call = _repaired(written)
            name, arguments = str(call.get("name")), arguments_of(call.get("arguments"))
            output = answers_in_text[number] if number < len(answers_in_text) else None
            yield _Call(name, arguments, number < max(len(answers_in_text), 1), output)

    def _following(self, at: int) -> list[str]:
        """The answers in the message behind one."""
        if at + 1 >= len(self._messages) or _role(self._messages[at + 1]) not in ("user", "tool"):
            return []
        return _ANSWERED.findall(_content(self._messages[at + 1]))

    def _by_id(self, at: int) -> dict[str, str]:
        """The messages of tools behind one, by the id of the call and by their number."""
        found: dict[str, str] = {}
        for number, message in enumerate(self._messages[at + 1 :]):
            if _role(message) != "tool":
                break
            found[str(message.get("tool_call_id", number))] = _content(message)
            found.setdefault(str(number), _content(message))
        return found

    def _steps_of(self, call: _Call, turn: int, number: int) -> Iterator[Step]:
        if call.name in _SEARCHES:
            queries = _texts(call.arguments, ("query", "queries", "user_query"))
            lists = lists_of(call.output, len(queries)) if queries and call.carried_out else []
            self.unnamed = self.unnamed or any(one.unnamed for one in lists)
            failed = "no output" if call.output is None else None
            for at, query in enumerate(queries):
                error = failed if at < len(lists) else NOT_CARRIED_OUT
                hits = with_returned(lists[at], None, None) if at < len(lists) else ()
                yield Search(turn=turn, call=number, query=query, hits=hits, error=error)
        elif call.name in _BROWSES:
            docids = _texts(call.arguments, ("docid", "url", "id", "doc_id"))
            errors = document_errors(call.output, len(docids)) if call.carried_out else [NOT_CARRIED_OUT] * len(docids)
            for docid, error in zip(docids, errors, strict=True):
                yield Browse(turn=turn, call=number, docid=docid, found=error is None, error=error)


def _apart(message: Mapping[str, Any]) -> tuple[list[str], str]:
    """The thoughts of a message, and the rest of it."""
    content = _content(message)
    reasoning = (text_in(message.get(key)) for key in ("reasoning_content", "reasoning"))
    thoughts = [text for text in reasoning if text][:1]
    before, closed, behind = content.partition("</think>")
    if closed and "<think>" not in before:
        # The template had opened it.
        thoughts, content = [*thoughts, before], behind
    thoughts = [*thoughts, *_THOUGHT.findall(content)]
    return [encodable(text.strip()) for text in thoughts if text.strip()], _THOUGHT.sub("", content)


def _content(message: Mapping[str, Any]) -> str:
    return text_in(message.get("content"))


def _repaired(written: str) -> dict[str, Any]:
    """A call as its agent reads it: JSON that may be somewhat wrong."""
    found = arguments_of(written)
    if found or len(written) > _LONGEST:
        return found
    try:
        repaired = json_repair.loads(written)
    except (ValueError, RecursionError):
        return {}
    return repaired if isinstance(repaired, dict) else {}


_LONGEST = 4_000
"""Characters of a call that is worth repairing."""


def _texts(arguments: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    given = next((arguments[key] for key in keys if arguments.get(key) is not None), None)
    return [
        encodable(str(one).strip())
        for one in (given if isinstance(given, list) else [given])
        if isinstance(one, str | int) and str(one).strip()
    ]


def _role(message: Any) -> Any:
    return message.get("role") if isinstance(message, dict) else None

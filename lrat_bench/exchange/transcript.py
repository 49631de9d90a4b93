"""Transcripts of models that write their searches into one continuous text: Search-R1 and R1-Searcher.

- Search-R1: `<think>`, `<search>query</search>`, then `<information>` with what was found, and `<answer>`.
- R1-Searcher: the same with `<|begin_of_query|>query<|end_of_query|>` and `<|begin_of_documents|>`.

Documents are shown by title, as a rule, and not named; where a list does name them they are read. A turn ends with
each search. The prompt, which shows the tags too, is cut off where it can be told. Sources: PeterGriffinJin/Search-R1
(`infer.py`), RUCAIBox/R1-Searcher, by what they write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.exchange.record import Decrypt, Imported, id_in
from lrat_bench.exchange.results import lists_of, text_in, with_returned
from lrat_bench.files import encodable
from lrat_bench.trajectory import UNLISTED, Answer, Search, Step, Think, Trajectory, TurnRecord

__all__ = ["Transcript", "is_transcript", "read_transcript"]

_TEXTS = (
    "output",
    "response",
    "completion",
    "sequence",
    "transcript",
    "trajectory",
    "gen_text_store",
    "solution",
    "text",
)

_SEARCH_R1 = ("<search>", "</search>")
_R1_SEARCHER = ("<|begin_of_query|>", "<|end_of_query|>")
_FOUND = re.compile(
    r"\s*(?:<information>(.*?)(?:</information>|\Z)|<\|begin_of_documents\|>(.*?)(?:<\|end_of_documents\|>|\Z))",
    re.DOTALL,
)
_PROMPT = re.compile(
    r"\A(?:.*?(?:<\|im_start\|>assistant\s*|\n?Assistant:\s*)|Answer the given question.*?Question:[^\n]*\n)", re.DOTALL
)
_TAG = re.compile(r"</?think>|<answer>.*?(?:</answer>|\Z)", re.DOTALL)


class Transcript:
    """The reader of the formats `search-r1` and `r1-searcher`, in objects that hold the text in one of their fields."""

    def recognises(self, record: Mapping[str, Any]) -> bool:
        """Whether an object holds such a text."""
        return _text_of(record) is not None

    def read(
        self,
        record: Mapping[str, Any],
        place: str,
        *,
        origin: str | None,
        decrypt: Decrypt | None,  # noqa: ARG002 -- nobody publishes these encrypted
    ) -> Imported:
        """The transcript as a trajectory.

        Raises:
            UsageError: it holds none.
        """
        text = _text_of(record)
        if text is None:
            raise UsageError(f"{place}: no transcript: none of {', '.join(_TEXTS)} holds a text with <search> in it")
        question = next((record[key] for key in ("question", "query") if isinstance(record.get(key), str)), None)
        found = id_in(record)
        return read_transcript(text, place, question_id=found, question=question, origin=origin)


def is_transcript(text: str) -> bool:
    """Whether a text has the tags of one."""
    return any(opening in text for opening, _ in (_SEARCH_R1, _R1_SEARCHER)) or (
        "<think>" in text and "<answer>" in text
    )


def read_transcript(
    text: str, place: str, *, question_id: str = "", question: str | None = None, origin: str | None = None
) -> Imported:
    """A text as a trajectory; what it cannot say, how it ended without an answer above all, is null.

    Args:
        text: with or without the prompt.
        place: of the text, for messages.
        question_id: empty where it is not known.
        question: its text, where it is known.
        origin: `search-r1` or `r1-searcher`, as the tags show, unless given.
    """
    said = _without_prompt(encodable(text))
    tags = _tags_of(said)
    shown = origin or ("r1-searcher" if tags == _R1_SEARCHER else "search-r1")
    unnamed: list[bool] = []
    steps = tuple(_steps(said, tags, unnamed))
    answers = [step.text for step in steps if isinstance(step, Answer)]
    turns = sorted({step.turn for step in steps if step.turn is not None})
    return Imported(
        place,
        Trajectory(
            task="unknown",
            protocol="unknown",
            question_id=question_id,
            agent="unknown",
            retriever="unknown",
            origin=f"{shown}{UNLISTED if any(unnamed) else ''}",
            status="answered" if answers else None,
            answer=answers[-1] if answers else None,
            steps=steps,
            turns=tuple(TurnRecord(turn=turn) for turn in turns),
        ),
        None if question is None else encodable(question),
    )


def _tags_of(text: str) -> tuple[str, str]:
    """The tags that its searches stand in: those that come first."""
    first, other = text.find(_SEARCH_R1[0]), text.find(_R1_SEARCHER[0])
    return _R1_SEARCHER if other >= 0 and not 0 <= first < other else _SEARCH_R1


def _steps(text: str, tags: tuple[str, str], unnamed: list[bool]) -> Iterator[Step]:
    opening, closing = tags
    at = turn = 0
    while (start := text.find(opening, at)) >= 0 and (end := text.find(closing, start)) >= 0:
        yield from _said(text[at:start], turn)
        behind = end + len(closing)
        found = _FOUND.match(text, behind)
        output = None if found is None else found[1] if found[1] is not None else found[2]
        at = behind if found is None else found.end()
        # What was opened and not closed is no query.
        query = text[start + len(opening) : end].rpartition(opening)[2].strip()
        if query:
            listed = lists_of(output, 1)[0]
            unnamed.append(listed.unnamed)
            error = "no output" if output is None else None
            yield Search(turn=turn, call=0, query=query, hits=with_returned(listed, None, None), error=error)
            turn += 1
    yield from _said(text[at:], turn, last=True)


def _said(text: str, turn: int, *, last: bool = False) -> Iterator[Step]:
    """What stands between two searches: reasoning, with or without tags around it; at the end, the answer."""
    thought = _TAG.sub("\n", text).strip().removesuffix("<|im_end|>").removesuffix("<|endoftext|>").strip()
    if thought:
        yield Think(turn=turn, text=thought)
    _, opened, inside = text.rpartition("<answer>")
    answer = inside.partition("</answer>")[0].strip()
    if last and opened and answer:
        yield Answer(turn=turn, text=answer)


def _without_prompt(text: str) -> str:
    """The model's own text. A prompt that shows the tags ends where the model's turn begins, or with the question."""
    if text.lstrip().startswith(("<think>", "<search>", "<|begin_of_query|>")):
        return text
    prompt = _PROMPT.match(text)
    return text if prompt is None else text[prompt.end() :]


def _text_of(record: Mapping[str, Any]) -> str | None:
    texts = (text_in(record.get(key)) for key in _TEXTS)
    return next((text for text in texts if is_transcript(text)), None)

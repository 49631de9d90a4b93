"""Run files of BrowseComp-Plus and of LRAT, in every variant that their clients write: one JSON object a question.

An object holds `query_id`, `status` and `result`, a list of steps `{type, tool_name, arguments, output}` of type
`reasoning`, `tool_call` or `output_text`. There are no turns in it, so steps have none. Sources: the clients of
texttron/BrowseComp-Plus (`search_agent/`) and of Yuqi-Zhou/LRAT (`search_agent/`), by what they write. ITER's step
holds `returned` and `hidden` beside these: what the retriever gave, and what of it the agent was not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.exchange.endings import status_of
from lrat_bench.exchange.guarded import decrypted
from lrat_bench.exchange.record import NOT_CARRIED_OUT, Claims, Decrypt, Imported, as_id, as_usage
from lrat_bench.exchange.results import arguments_of, document_errors, lists_of, text_in, with_returned
from lrat_bench.files import encodable
from lrat_bench.trajectory import UNLISTED, Answer, Browse, Search, Status, Step, Think, Trajectory

__all__ = ["RunJson", "read_run", "steps_of"]

_SEARCHES = frozenset({"search", "local_knowledge_base_retrieval"})
_BROWSES = frozenset({"get_document", "visit"})
_FAILED = "no output"
"""`error` of a search whose output is null: the clients write that when a tool raised or never answered."""


class RunJson:
    """The reader of the formats `lrat` and `browsecomp-plus`."""

    def recognises(self, record: Mapping[str, Any]) -> bool:
        """Whether an object is a run of this form."""
        return isinstance(record.get("result"), list) and "messages" not in record

    def read(self, record: Mapping[str, Any], place: str, *, origin: str | None, decrypt: Decrypt | None) -> Imported:
        """The run; which of the two formats it is shows in it unless `origin` says so."""
        return read_run(record, place, origin=origin, decrypt=decrypt)


def read_run(
    record: Mapping[str, Any], place: str, *, origin: str | None = None, decrypt: Decrypt | None = None
) -> Imported:
    """One run as a trajectory.

    Every query of a list is kept. Where the client carried out the first alone, the others are `NOT_CARRIED_OUT`.

    Args:
        record: the JSON object.
        place: of the object, for messages.
        origin: `Trajectory.origin`; `lrat` or `browsecomp-plus`, as it shows, unless given.
        decrypt: for outputs that are encrypted, as those of the published runs are.

    Raises:
        UsageError: it is no run, or is encrypted and cannot be read.
    """
    result = record.get("result")
    if not isinstance(result, list):
        raise UsageError(
            f"{place}: not a run file of LRAT or BrowseComp-Plus: it must be an object with a list `result`"
        )
    reading = _Reading(place, decrypted(result, decrypt, place))
    steps = tuple(reading.steps())
    answers = [step.text for step in steps if isinstance(step, Answer)]
    metadata = _mapping(record.get("metadata"))
    shown = origin or ("lrat" if reading.blocks or "searcher_type" in metadata else "browsecomp-plus")
    usage = _mapping(record.get("usage"))
    asked = record.get("query")
    trajectory = Trajectory(
        task="unknown",
        protocol="unknown",
        question_id=as_id(record.get("query_id")),
        agent=encodable(str(metadata.get("model") or "").rstrip("/").rpartition("/")[2]) or "unknown",
        retriever=encodable(str(metadata.get("searcher_type") or metadata.get("retriever") or "unknown")),
        origin=f"{shown}{UNLISTED if reading.unnamed else ''}",
        status=_status(record, bool(answers)),
        answer=answers[-1] if answers else None,
        steps=steps,
        usage=as_usage(usage.get("input_tokens"), usage.get("output_tokens"), usage.get("included_reasoning_tokens")),
    )
    return Imported(place, trajectory, encodable(asked) if isinstance(asked, str) else None, _claims(record))


def steps_of(result: list[Any]) -> list[Step]:
    """The steps of a `result`, as `read_run` reads them."""
    return list(_Reading("result", result).steps())


class _Reading:
    """The steps of one run, as they are read.

    Attributes:
        blocks: whether a list came in LRAT's text form.
        unnamed: whether a list shows documents that it does not name.
    """

    def __init__(self, place: str, result: list[Any]) -> None:
        self._place = place
        self._result = result
        self._call = 0
        self.blocks = False
        self.unnamed = False

    def steps(self) -> Iterator[Step]:
        last = max((at for at, step in enumerate(self._result) if _kind(step) == "tool_call"), default=-1)
        for number, step in enumerate(self._result):
            if not isinstance(step, dict):
                raise UsageError(f"{self._place}: result[{number}] must be an object, got {type(step).__name__}")
            output = step.get("output")
            if _kind(step) == "reasoning":
                yield _thought(output)
            elif _kind(step) == "output_text":
                text = text_in(output)
                # What is said between calls is no answer.
                yield from (final_text(text) if number > last else _said_between(text))
            elif _kind(step) == "tool_call":
                found = list(self._tool_call(step))
                self._call += bool(found)
                yield from found

    def _tool_call(self, step: dict[str, Any]) -> Iterator[Step]:
        name, arguments = step.get("tool_name", step.get("name")), arguments_of(step.get("arguments"))
        if name in _SEARCHES or (name is None and _first(arguments, _QUERY) is not None):
            yield from self._searches(step, arguments)
        elif name in _BROWSES or (name is None and _first(arguments, _DOCID) is not None):
            yield from self._browses(step, arguments)

    def _searches(self, step: dict[str, Any], arguments: Mapping[str, Any]) -> Iterator[Search]:
        given, output = _first(arguments, _QUERY), step.get("output")
        queries = [encodable(one) for one in (given if isinstance(given, list) else [given]) if isinstance(one, str)]
        if not queries:
            return
        self.blocks = self.blocks or (isinstance(output, str) and "DocID:" in output)
        lists = lists_of(output, len(queries))
        self.unnamed = self.unnamed or any(one.unnamed for one in lists)
        errors = _errors(step, len(queries))
        if errors is None:
            first = _FAILED if output is None else None
            errors = [first if at < len(lists) else NOT_CARRIED_OUT for at in range(len(queries))]
        elif len(lists) < len(queries):
            lists = [*lists, *([lists[0]._replace(hits=[])] * (len(queries) - len(lists)))]
        returned, hidden = _per_list(step, "returned", len(lists)), _per_list(step, "hidden", len(lists))
        for at, (query, error) in enumerate(zip(queries, errors, strict=True)):
            hits = with_returned(lists[at], returned[at], hidden[at]) if at < len(lists) else ()
            yield Search(turn=None, call=self._call, query=query, hits=hits, error=error)

    def _browses(self, step: dict[str, Any], arguments: Mapping[str, Any]) -> Iterator[Browse]:
        given = _first(arguments, _DOCID)
        docids = [
            encodable(str(one).strip())
            for one in (given if isinstance(given, list) else [given])
            if isinstance(one, str | int) and str(one).strip()
        ]
        errors = _errors(step, len(docids)) or document_errors(step.get("output"), len(docids))
        for docid, error in zip(docids, errors, strict=True):
            yield Browse(turn=None, call=self._call, docid=docid, found=error is None, error=error)


_QUERY = ("query", "user_query", "queries", "query_list")
_DOCID = ("docid", "doc_id", "id", "url")


def final_text(text: str) -> Iterator[Step]:
    """A last message: its thought where it holds one, and the answer, without tags."""
    thought, closed, rest = text.rpartition("</think>")
    if closed and (thinking := thought.strip().removeprefix("<think>").strip()):
        yield Think(turn=None, text=thinking)
    _, opened, inside = rest.rpartition("<answer>")
    said = (inside.partition("</answer>")[0] if opened else rest).strip()
    if said:
        yield Answer(turn=None, text=said)


def _said_between(text: str) -> Iterator[Step]:
    if text.strip():
        yield Think(turn=None, text=text)


def _thought(output: Any) -> Think:
    """A text, or a list of texts, of objects with a `text`, or of objects of a summary; an empty list withholds it."""
    if isinstance(output, list):
        if not output:
            return Think(turn=None, text="", source="hidden")
        if all(isinstance(part, dict) and str(part.get("type", "")).startswith("summary") for part in output):
            return Think(turn=None, text=text_in(output), source="summary")
    return Think(turn=None, text=text_in(output))


def _kind(step: Any) -> Any:
    return step.get("type") if isinstance(step, dict) else None


def _first(arguments: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((arguments[key] for key in keys if arguments.get(key) is not None), None)


def _errors(step: Mapping[str, Any], many: int) -> list[str | None] | None:
    """Our own exports say what became of each entry where outputs cannot."""
    given = step.get("errors")
    if not isinstance(given, list) or len(given) != many:
        return None
    if not all(one is None or isinstance(one, str) for one in given):
        return None
    return [None if one is None else encodable(one) for one in given]


def _per_list(step: Mapping[str, Any], key: str, many: int) -> list[Any]:
    """What a step says of each of its lists: a list of lists, or the list of the only one."""
    given = step.get(key)
    if isinstance(given, list) and many > 1 and len(given) == many and all(isinstance(one, list) for one in given):
        return given
    return [given, *([None] * (many - 1))]


def _status(record: Mapping[str, Any], answered: bool) -> Status | None:
    """None only where nothing is stated: their evaluator stops at that, and takes null for unfinished."""
    return status_of(record["status"], finished="completed", answered=answered) if "status" in record else None


def _claims(record: Mapping[str, Any]) -> Claims:
    counts, docids = record.get("tool_call_counts"), record.get("retrieved_docids")
    searches = None
    if isinstance(counts, dict):
        numbers = [n for name, n in counts.items() if "search" in name or "retrieval" in name]
        searches = sum(n for n in numbers if isinstance(n, int))
    return Claims(searches, frozenset(encodable(str(docid)) for docid in docids) if isinstance(docids, list) else None)


def _mapping(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, dict) else {}

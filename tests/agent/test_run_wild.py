"""A model that repeats itself without end is read in no time: all rollouts share one event loop."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from lrat_bench.agent.formats.base import WireFormat
from lrat_bench.agent.formats.markup import defused
from lrat_bench.agent.formats.native import Native
from lrat_bench.agent.formats.search_r1 import SearchR1
from lrat_bench.agent.formats.tags import Tags
from lrat_bench.agent.formats.thinking import part
from lrat_bench.agent.formats.tool_calls import find_calls
from lrat_bench.agent.reading import read_call
from lrat_bench.model.seam import ToolCall, Turn

LENGTH = 300_000
SECONDS = 2.0
"""Generous: reading takes a tenth of one, and with work that grows with the square of the length, half a minute."""

REPEATED = [
    *("<search>", "<answer>", "<search></answer>", "<search><answer>"),
    *("<tool_call>", "<tool_call>{", "<tool_call>{}", "<tool_call></tool_call>", "{}", '{"name": "a"}', "name:", "a("),
    *("<think>", "</think>", "<think></think>", "<think><tool_call>"),
    *("<", "< ", " ", "\n", "{", "[", '"', '{"a":', "'", "\\"),
]


def repeated(piece: str, length: int = LENGTH) -> str:
    return piece * (length // len(piece))


def quickly(work: Callable[[], object]) -> None:
    started = time.process_time()
    work()
    assert time.process_time() - started < SECONDS


def decode(wire_format: WireFormat, text: str) -> None:
    for finish in ("stop", "length"):
        wire_format.decode(Turn(text=text, finish_reason=finish, reasoning_source="none"), number=0)


@pytest.mark.parametrize("piece", REPEATED)
@pytest.mark.parametrize("wire_format", [Native(), Tags(), SearchR1()], ids=lambda one: one.name)
def test_every_format_reads_it(wire_format: WireFormat, piece: str) -> None:
    text = repeated(piece)
    quickly(lambda: decode(wire_format, text))
    quickly(lambda: decode(wire_format, f"<tool_call>{text}think>"))


@pytest.mark.parametrize("piece", REPEATED)
def test_reasoning_is_parted_from_it_and_results_are_made_harmless(piece: str) -> None:
    text = repeated(piece)
    quickly(lambda: part(text))
    quickly(lambda: defused(f"<{text}"))


@pytest.mark.parametrize("piece", [*REPEATED, '{"a":[', 'name:"'])
@pytest.mark.parametrize("length", [4_900, LENGTH])
@pytest.mark.parametrize("begin", ["", '{"query": "', '{"query": ['])
def test_arguments_are_mended_only_where_that_is_quick(begin: str, length: int, piece: str) -> None:
    text = repeated(piece, length)
    quickly(lambda: read_call(ToolCall("c", "search", begin + text), ("search",)))
    quickly(lambda: read_call(ToolCall("c", "search", json.dumps({"query": f"[{text}]"})), ("search",)))


@pytest.mark.parametrize("piece", ['<tool_call>{"name": "search"}</tool_call>', "<tool_call>"])
def test_calls_without_end_are_not_all_made(piece: str) -> None:
    text = repeated(piece)
    found = find_calls(text)
    assert len(found.calls) == 200
    assert found.text == text[200 * len(piece) :]


def test_objects_without_end_in_one_block_are_one_call_that_cannot_be_read() -> None:
    objects = repeated('{"name": "search"}')
    found = find_calls(f"<tool_call>{objects}</tool_call>")
    assert [call.name for call in found.calls] == ["search"]
    assert found.text == ""

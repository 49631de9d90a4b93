"""Whatever a file holds, it is a record or one line about what is wrong; and nothing else is lost."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from foreign import blocks, call, entry, objects, run_file, write

from lrat_bench.errors import UsageError
from lrat_bench.exchange import reading
from lrat_bench.exchange.reading import read_source
from lrat_bench.exchange.record import Imported
from lrat_bench.trajectory import Trajectory

RUN = run_file(
    entry("reasoning", [{"type": "summary_text", "text": "Look."}]),
    call("search", {"query": ["one", "two"]}, blocks("a b"), returned=["a", "b"], hidden=["b"]),
    call("search", '{"query": "q"}', objects("a b")),
    call("get_document", {"docid": ["a", 7]}, "[Document not found]"),
    entry("output_text", "<think>So.</think><answer>Tarn</answer>"),
    tool_call_counts={"search": 2},
    retrieved_docids=["a", "b"],
    usage={"input_tokens": 5, "output_tokens": 1},
)
CHAT = {
    "question": "Which?",
    "messages": [
        {"role": "user", "content": "Which?"},
        {
            "role": "assistant",
            "content": '<think>x</think><tool_call>{"name": "search", "arguments": {"query": ["q"]}}',
        },
        {"role": "user", "content": f"<tool_response>\n{blocks('a')}\n</tool_response>"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c", "function": {"name": "visit", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "text"},
        {"role": "assistant", "content": "<answer>Tarn</answer>"},
    ],
    "prediction": "Tarn",
    "termination": "answer",
}
TEXT = {
    "id": 1,
    "output": "<think>x</think><search>q</search><information>Doc 1(Title: x) y</information><answer>z</answer>",
}
BAD: tuple[Any, ...] = (
    None, True, -1, 10**400, 1.5, "", "x", "\ud800\udfff", "\x00", "[" * 5000, "{" * 5000, [], {}, [[]], [None],
    {"docid": None}, "<tool_call>" * 200, "<answer>" * 200, "A search for '" * 200, [{"docid": "a"}, {"docid": "a"}],
    {"docid": {"x": 1}}, {"": ""}, "DocID:" * 50, "<think>" * 200, "</think>" * 200, {"text": ["x"]}, {"type": 7},
    "error", "[Document not found",
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value within a value."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def spoilt(record: Any, draw: random.Random) -> Any:
    """A record with up to three values replaced, taken out, or added to."""
    changed = copy.deepcopy(record)
    for _ in range(draw.randrange(1, 4)):
        ways = [one for one in places(changed) if one]
        if not ways:
            break
        way = draw.choice(ways)
        holder = changed
        for key in way[:-1]:
            holder = holder[key]
        if draw.random() < 0.2:
            del holder[way[-1]]
        else:
            holder[way[-1]] = copy.deepcopy(draw.choice(BAD))
    return changed


def sound(found: list[Imported | UsageError]) -> None:
    """What is read can be written and read again; what is wrong is one line."""
    for one in found:
        if isinstance(one, UsageError):
            assert len(str(one)) < 1000
            assert "\n" not in str(one)
        else:
            line = one.trajectory.to_json()
            assert Trajectory.model_validate_json(line.encode()) == one.trajectory
            one.claims.hold(one.trajectory)


@pytest.mark.parametrize("record", [RUN, CHAT, TEXT], ids=["run", "chat", "text"])
def test_values_of_any_kind_may_stand_anywhere(record: Any, tmp_path: Path) -> None:
    draw = random.Random(7)
    lines = [json.dumps(spoilt(record, draw)) for _ in range(400)]
    file = write(tmp_path / "a.jsonl", "\n".join([*lines, json.dumps(record)]))
    found = list(read_source(file))
    sound(found)
    assert len(found) == 401
    assert isinstance(found[-1], Imported)
    for name in ("lrat", "chat-log", "search-r1", "trec"):
        sound(list(read_source(file, format=name)))


def test_bytes_of_any_kind_may_stand_anywhere(tmp_path: Path) -> None:
    draw = random.Random(8)
    whole = json.dumps(RUN).encode()
    for number in range(150):
        data = bytearray(whole[: draw.randrange(len(whole))] if number % 3 == 0 else whole)
        for _ in range(draw.randrange(1, 20)):
            if data:
                data[draw.randrange(len(data))] = draw.randrange(256)
        file = tmp_path / f"{number}.{draw.choice(['json', 'jsonl', 'txt', 'run'])}"
        file.write_bytes(bytes(data))
        sound(list(read_source(file)))


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"\xff\xfe{\x00", b"\xef\xbb\xbf{}", b"[" * 100_000, b"[1, 2", b"{}\n{}", b"null", b"[]",
     b"\x00" * 5000, b"q Q0 d 1 2 t", b'{"result": []}\ngarbage\n{"result": []}'],
)  # fmt: skip
def test_files_that_are_not_what_they_seem_are_read_or_said(content: bytes, tmp_path: Path) -> None:
    for suffix in ("json", "jsonl", "txt"):
        file = tmp_path / f"a.{suffix}"
        file.write_bytes(content)
        sound(list(read_source(file)))


def test_a_line_between_two_records_costs_neither(tmp_path: Path) -> None:
    good = json.dumps(RUN)
    file = write(tmp_path / "a.jsonl", f"{good}\n{good[:50]}\n{good}\n")
    assert [isinstance(one, Imported) for one in read_source(file)] == [True, False, True]


def test_a_record_that_is_too_large_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = json.dumps(RUN)
    monkeypatch.setattr(reading, "LARGEST", 4 * len(good))
    huge = json.dumps({**RUN, "raw_messages": "x" * (8 * len(good))})
    file = write(tmp_path / "a.jsonl", f"{good}\n{huge}\n{good}\n")
    assert [isinstance(one, Imported) for one in read_source(file)] == [True, False, True]
    sound(list(read_source(write(tmp_path / "b.json", huge))))
    assert not any(isinstance(one, Imported) for one in read_source(tmp_path / "b.json"))
    (only,) = read_source(write(tmp_path / "c.txt", "<search>" + "x" * (8 * len(good))))
    assert isinstance(only, UsageError)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (found,) = read_source(tmp_path / "gone.json")
    assert str(found).endswith("gone.json: cannot be read: No such file or directory")


@pytest.mark.parametrize(
    "text",
    [
        lambda n: "<search>" * n,
        lambda n: "<|begin_of_query|>" * n,
        lambda n: "<search>q</search>" + "<information>" * n,
        lambda n: "<think>" * n + "<search>q</search>",
        lambda n: "Answer the given question" * n + "<search>q</search>",
        lambda n: "1. [" * n + "<search>q</search>",
    ],
)
def test_time_grows_with_a_transcript_and_not_with_its_square(text: Callable[[int], str], tmp_path: Path) -> None:
    import time

    start = time.perf_counter()
    sound(list(read_source(write(tmp_path / "a.txt", text(40_000)))))
    assert time.perf_counter() - start < 10

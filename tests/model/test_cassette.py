"""A tape gives back what was recorded, says what it lacks, and holds nothing that it should not."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lrat_bench.errors import DataError, Halt, UsageError
from lrat_bench.model.cassette import Cassette, CassetteMode
from lrat_bench.model.scripted import ScriptedModel, answers
from lrat_bench.model.seam import Message, Request, Sampling, Tool, ToolCall, Turn
from lrat_bench.trajectory import Usage

RICH = Turn(
    text="é\u2028",
    reasoning="because",
    reasoning_source="summary",
    calls=(ToolCall("c0_0", "search", '{"query": "a'),),
    finish_reason="tool_calls",
    usage=Usage(prompt_tokens=3, completion_tokens=4, llm_calls=1, cost_usd=0.5),
    extra={"message": {"signature": "x"}},
    attempts=2,
)
ASK = Request((Message("user", "Who?"),), (Tool("search", "d", {}),), sampling=Sampling(temperature=0.5, seed=1))


class Counting(ScriptedModel):
    asked = 0

    async def complete(self, request: Request) -> Turn:
        self.asked += 1
        return await super().complete(request)


def model(turn: Turn = RICH) -> Counting:
    return Counting(lambda request: turn, name="m")


def ask(path: Path, mode: str, inner: Counting, request: Request = ASK) -> Turn:
    tape = Cassette(path, mode)  # type: ignore[arg-type]
    try:
        return asyncio.run(tape.wrap(inner).complete(request))
    finally:
        tape.close()


def test_what_was_recorded_comes_back_whole(tmp_path: Path) -> None:
    tape, inner = tmp_path / "deep" / "tape.jsonl", model()
    recorded = ask(tape, "record", inner)
    assert ask(tape, "strict", inner) == ask(tape, "replay", inner) == recorded
    assert inner.asked == 1


def test_record_asks_again_and_replay_only_for_what_is_missing(tmp_path: Path) -> None:
    tape, inner = tmp_path / "tape.jsonl", model()
    other = replace(ASK, tool_choice="none")
    ask(tape, "record", inner)
    ask(tape, "record", inner)
    assert inner.asked == 2
    ask(tape, "replay", inner, other)
    ask(tape, "replay", inner, other)
    assert inner.asked == 3
    assert tape.read_text().count("\n") == 2


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (replace(ASK, messages=(Message("user", "Who else?"),)), r"messages\[0\] \(of 1\)"),
        (replace(ASK, messages=(*ASK.messages, Message("assistant", "I"))), r"messages\[1\] \(of 2\)"),
        (replace(ASK, tools=()), "tools"),
        (replace(ASK, tool_choice="none"), "tool_choice"),
        (replace(ASK, sampling=Sampling(temperature=0.5, seed=2)), r"sampling\.seed \(2 for 1\)"),
        (replace(ASK, sampling=Sampling(temperature=0.7, seed=1)), r"sampling\.temperature"),
        (replace(ASK, raw=True), "raw"),
    ],
)
def test_a_call_that_is_missing_is_named_by_what_differs(tmp_path: Path, request_: Request, said: str) -> None:
    tape = tmp_path / "tape.jsonl"
    ask(tape, "record", model())
    with pytest.raises(UsageError, match=said):
        ask(tape, "strict", model(), request_)


def test_another_model_is_another_call(tmp_path: Path) -> None:
    tape = tmp_path / "tape.jsonl"
    ask(tape, "record", model())
    other = Counting([answers("x")], name="other")
    with pytest.raises(UsageError, match="model differs"):
        ask(tape, "strict", other)


def test_the_file_does_not_depend_on_the_order_of_calls(tmp_path: Path) -> None:
    requests = [replace(ASK, sampling=Sampling(seed=n)) for n in range(5)]
    for name, order in (("a", requests), ("b", requests[::-1])):
        tape = Cassette(tmp_path / name, "record")
        for request in order:
            asyncio.run(tape.wrap(model()).complete(request))
        tape.close()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_was_recorded_before_a_kill_is_there(tmp_path: Path) -> None:
    tape = Cassette(tmp_path / "tape", "record")
    asyncio.run(tape.wrap(model()).complete(ASK))
    with tape.path.open("a") as file:
        file.write('{"key": "0a1b')
    assert ask(tape.path, "replay", model()) == replace(RICH, calls=RICH.calls)


def test_there_must_be_a_tape_to_play(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no cassette"):
        Cassette(tmp_path / "none", "strict")


@pytest.mark.parametrize(
    "damage", ["not json", "{}", '{"schema": "lrat-bench/cassette/1", "key": "x", "request": {}, "turn": {}}', "[1]"]
)
def test_a_damaged_line_is_named(tmp_path: Path, damage: str) -> None:
    tape = tmp_path / "tape"
    ask(tape, "record", model())
    tape.write_text(f"{tape.read_text()}{damage}\n")
    with pytest.raises(DataError, match=r"tape:2: no recorded call"):
        Cassette(tape, "strict")


@pytest.mark.parametrize("content", ["my notes", "my notes\nand more", "[1, 2", "{}\n"])
def test_a_file_that_is_no_cassette_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    file = tmp_path / "notes.txt"
    file.write_text(content)
    modes: tuple[CassetteMode, ...] = ("record", "replay", "strict")
    for mode in modes:
        with pytest.raises(DataError, match="no recorded call"):
            Cassette(file, mode)
    assert file.read_text() == content


def test_commands_that_record_on_one_tape_lose_no_call_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "tape"
    tapes = [Cassette(path, "replay") for _ in range(2)]
    for number in range(6):
        request = replace(ASK, sampling=Sampling(seed=number))
        asyncio.run(tapes[number % 2].wrap(model()).complete(request))
        if number == 3:
            tapes[0].close()
    tapes[1].close()
    tapes[0].close()
    inner = model()
    for number in range(6):
        ask(path, "strict", inner, replace(ASK, sampling=Sampling(seed=number)))
    assert inner.asked == 0


def test_a_disk_that_refuses_loses_no_turn_and_ends_the_calls(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    tape, inner = Cassette(path, "record"), model()
    path.mkdir()  # what is written to is a folder by now
    taped = tape.wrap(inner)
    assert asyncio.run(taped.complete(ASK)).text == RICH.text
    with pytest.raises(Halt, match="cannot write cassette"):
        asyncio.run(taped.complete(replace(ASK, raw=True)))
    assert inner.asked == 1
    tape.close()


def test_an_edited_request_is_noticed(tmp_path: Path) -> None:
    tape = tmp_path / "tape"
    ask(tape, "record", model())
    tape.write_text(tape.read_text().replace('"tool_choice": "auto"', '"tool_choice": "none"'))
    with pytest.raises(DataError):
        Cassette(tape, "strict")


def test_a_key_does_not_get_onto_the_tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "very-private-value")
    tape = tmp_path / "tape"
    ask(tape, "record", model(answers("my key is very-private-value and sk-looks-like-one")))
    assert "very-private" not in tape.read_text()
    # What only looks like a key is data, and a replay must not change it.
    assert "sk-looks-like-one" in json.loads(tape.read_text())["turn"]["text"]

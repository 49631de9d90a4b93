"""LRAT's run files become trajectories, in each of the forms that its clients write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mining_world import write_lrat_file

from lrat_bench.errors import DataError
from lrat_bench.exchange.lrat_files import lrat_files, read_lrat_file
from lrat_bench.trajectory import Answer, Browse, Search, Think


def read(file: Path, *steps: tuple[Any, ...], **more: Any) -> Any:
    return read_lrat_file(write_lrat_file(file, steps, **more))


def test_a_file_of_the_tongyi_client_is_read_step_by_step(tmp_path: Path) -> None:
    found = read(
        tmp_path / "17.json",
        ("think", "Begin."),
        ("search", ["stone bridge", "bridge of stone"], "9358159 17"),
        ("read", "17"),
        ("end", "<think>It is Tarn.</think>\n<answer>Tarn</answer>"),
    )
    assert [step.kind for step in found.steps] == ["think", "search", "search", "browse", "think", "answer"]
    begin, search, second, browse, last, answer = found.steps
    assert isinstance(begin, Think)
    assert isinstance(search, Search)
    assert isinstance(second, Search)
    assert isinstance(browse, Browse)
    assert isinstance(last, Think)
    assert isinstance(answer, Answer)
    assert (search.query, [(hit.docid, hit.rank) for hit in search.hits]) == (
        "stone bridge",
        [("9358159", 1), ("17", 2)],
    )
    # The client carried out the first query of the list alone.
    assert (second.query, second.hits, second.error) == ("bridge of stone", (), "not carried out")
    assert (second.turn, second.call) == (search.turn, search.call)
    assert (browse.docid, browse.found, browse.turn) == ("17", True, None)
    assert (last.text, answer.text, found.answer) == ("It is Tarn.", "Tarn", "Tarn")
    assert (found.question_id, found.agent, found.retriever) == ("17", "Some-Agent-30B", "bm25")
    assert (found.status, found.origin) == ("answered", "lrat")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("completed", "answered"),
        ("generate an answer as token limit reached", "forced"),
        ("exceed available llm calls", "turn_limit"),
        ("No answer found after 2h30mins", "time_limit"),
        ("", "error"),
        ("incomplete", "forced"),
        ("format error: generate an answer as token limit reached", "forced"),
    ],
)
def test_their_words_for_an_ending_are_ours(tmp_path: Path, theirs: str, ours: str) -> None:
    assert read(tmp_path / "1.json", ("end", "x"), status=theirs).status == ours


def test_a_document_that_was_not_there_is_not_found(tmp_path: Path) -> None:
    found = read(tmp_path / "1.json", ("read", "5", "[Document not found]"), ("read", "6", "Document 6:\nnot found"))
    assert [step.found for step in found.steps] == [False, True]


def test_objects_lists_and_json_are_read_too(tmp_path: Path) -> None:
    file = tmp_path / "q.json"
    hits = json.dumps([{"docid": 5, "score": 2.5, "snippet": "x"}, {"docid": "6", "snippet": "y"}, "odd"])
    steps = [
        {"type": "reasoning", "output": ["One.", {"type": "summary", "text": "Two."}]},
        {"type": "tool_call", "tool_name": "search", "arguments": {"query": "q"}, "output": hits},
        {"type": "tool_call", "tool_name": "get_document", "arguments": {"docid": [5, "6"]}, "output": "{}"},
        {"type": "tool_call", "tool_name": "search", "arguments": "no json", "output": None},
        {"type": "tool_call", "tool_name": "python", "arguments": "{}", "output": None},
        {"type": "output_text", "output": "Fin."},
    ]
    file.write_text(json.dumps({"query_id": 17.0, "result": steps}))
    found = read_lrat_file(file)
    assert [step.kind for step in found.steps] == ["think", "search", "browse", "browse", "answer"]
    assert found.steps[0].text == "One.\nTwo."  # type: ignore[union-attr]
    assert [(hit.docid, hit.score) for hit in found.steps[1].hits] == [("5", 2.5), ("6", None)]  # type: ignore[union-attr]
    assert (found.question_id, found.status) == ("17", None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "must be an object with a list `result`"),
        ('{"result": [5]}', r"result\[0\] must be an object, got int"),
    ],
)
def test_what_is_no_run_file_is_said_in_one_line(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(content)
    with pytest.raises(DataError, match=said) as refused:
        read_lrat_file(file)
    assert "\n" not in str(refused.value)


def test_lone_surrogates_do_not_stop_a_reading(tmp_path: Path) -> None:
    found = read(tmp_path / "1.json", ("think", "a \ud800 b"), ("search", "q \udfff", "1"), ("end", "\ud800"))
    assert found.to_json().encode()


def test_files_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("10", "9", "run_b", "1"):
        write_lrat_file(tmp_path / f"{name}.json", [("end", "x")])
    (tmp_path / "expected.json").mkdir()
    assert [file.stem for file in lrat_files(tmp_path)] == ["1", "9", "10", "run_b"]


def test_a_score_that_no_float_holds_is_not_known(tmp_path: Path) -> None:
    hits = f'[{{"docid": "a", "score": {"9" * 400}}}, {{"docid": "b", "score": NaN}}, {{"docid": "c", "score": 7}}]'
    step = {"type": "tool_call", "tool_name": "search", "arguments": {"query": "q"}, "output": hits}
    (tmp_path / "1.json").write_text(json.dumps({"result": [step]}))
    (search,) = read_lrat_file(tmp_path / "1.json").steps
    assert isinstance(search, Search)
    assert [(hit.docid, hit.score) for hit in search.hits] == [("a", None), ("b", None), ("c", 7.0)]


def test_signs_that_look_like_numbers_are_none(tmp_path: Path) -> None:
    for name in ("²1", "10", "٣", "2"):
        write_lrat_file(tmp_path / f"{name}.json", [("end", "x")])
    assert [file.stem for file in lrat_files(tmp_path)] == ["2", "٣", "10", "²1"]

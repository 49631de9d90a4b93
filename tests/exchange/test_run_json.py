"""Run files of BrowseComp-Plus and LRAT become trajectories, whichever client wrote them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from foreign import blocks, browses, call, entry, hits, objects, read, run_file, searches

from lrat_bench.errors import UsageError
from lrat_bench.exchange.record import Claims
from lrat_bench.exchange.run_json import read_run
from lrat_bench.guard import Guard
from lrat_bench.trajectory import Answer, Think, Trajectory


def thoughts(found: Trajectory) -> list[tuple[str, str]]:
    return [(step.text, step.source) for step in found.steps if isinstance(step, Think)]


def test_the_openai_client_writes_arguments_as_json_and_summaries_as_objects() -> None:
    found = read(
        entry("reasoning", [{"type": "summary_text", "text": "Look."}, {"type": "summary_text", "text": "Then."}]),
        entry("reasoning", []),
        call("search", '{"query": "stone bridge"}', objects("7 3")),
        call("get_document", '{"docid": "3"}', json.dumps({"docid": "3", "text": "Of stone."})),
        call("get_document", '{"docid": "9"}', json.dumps({"error": "Document with docid '9' not found"})),
        entry("output_text", "Exact Answer: Tarn [3]"),
        usage={"input_tokens": 90, "output_tokens": 20, "included_reasoning_tokens": 8, "total_tokens": 110},
    )
    assert thoughts(found) == [("Look.\nThen.", "summary"), ("", "hidden")]
    (search,) = searches(found)
    assert [(hit.docid, hit.score, hit.rank) for hit in search.hits] == [("7", 2.0, 1), ("3", 1.0, 2)]
    assert [(one.docid, one.found, one.error) for one in browses(found)] == [
        ("3", True, None),
        ("9", False, "not found"),
    ]
    assert (found.answer, found.status, found.agent, found.origin) == (
        "Exact Answer: Tarn [3]", "answered", "Agent-7B", "browsecomp-plus",
    )  # fmt: skip
    assert (found.usage.prompt_tokens, found.usage.completion_tokens, found.usage.reasoning_tokens) == (90, 20, 8)


def test_the_oss_client_has_its_own_names_for_tool_and_argument() -> None:
    found = read(
        entry("reasoning", ["We need a bridge."]),
        call("local_knowledge_base_retrieval", '{"user_query": "bridge"}', objects("a b", scores=False)),
        status="incomplete",
    )
    assert (searches(found)[0].query, hits(searches(found)[0])) == ("bridge", [("a", 1, True), ("b", 2, True)])
    assert (found.status, found.answer, thoughts(found)) == ("no_answer", None, [("We need a bridge.", "text")])


@pytest.mark.parametrize(
    ("status", "with_an_answer", "without"),
    [
        ("completed", "answered", "no_answer"),
        *((word, "forced", "no_answer") for word in ("incomplete", "answer", "stop", "Completed", "failed", "OTHER")),
        *((word, "forced", "no_answer") for word in ("answered", "answer not found", None, 7, True, ["completed"])),
        ("format error: generate an answer as token limit reached", "forced", "no_answer"),
        ("exceed available llm calls", "turn_limit", "turn_limit"),
        ("No answer found after 2h30mins", "time_limit", "time_limit"),
        ("FinishReason.MAX_TOKENS", "token_limit", "token_limit"),
        ("refusal", "refused", "refused"),
        ("PROHIBITED_CONTENT", "refused", "refused"),
        ("pause_turn", "turn_limit", "turn_limit"),
    ],
)
def test_only_their_word_for_it_is_a_finished_run_and_any_other_is_an_unfinished_one(
    status: Any, with_an_answer: str, without: str
) -> None:
    assert read(entry("output_text", "Tarn"), status=status).status == with_an_answer
    assert read(entry("reasoning", "Hm."), status=status).status == without


@pytest.mark.parametrize(("status", "ours"), [("max_tokens", "token_limit"), ("MAX_TOKENS", "token_limit")])
def test_clients_of_messages_write_objects_and_text_between_calls(status: str, ours: str) -> None:
    found = read(
        entry("output_text", "I will look it up."),
        call("search", {"query": "bridge"}, objects("a")),
        call(None, None, "an answer to nothing"),
        entry("output_text", "It is Tarn."),
        status=status,
    )
    assert [step.kind for step in found.steps] == ["think", "search", "answer"]
    assert (found.answer, found.status) == ("It is Tarn.", ours)


def test_a_run_that_ends_with_a_call_has_no_answer() -> None:
    found = read(entry("output_text", "I will look it up."), call("search", {"query": "bridge"}, objects("a")))
    assert (found.answer, found.status) == (None, "no_answer")


def test_a_search_that_gave_nothing_back_is_no_search_that_succeeded() -> None:
    (search,) = searches(read(call("search", {"query": "bridge"}, None)))
    assert (search.hits, search.error) == ((), "no output")


def test_lrats_openai_client_writes_no_status_and_its_zeros_are_no_counts() -> None:
    record = run_file({"type": "reasoning", "output": "Hm."}, usage={"input_tokens": 0, "output_tokens": 0})
    del record["status"]
    found = read_run(record, "here").trajectory
    assert (found.status, found.usage.prompt_tokens, found.usage.completion_tokens) == (None, None, None)


def test_the_minimal_contract_gives_an_answer_and_no_steps_to_count() -> None:
    read_back = read_run(
        run_file(entry("output_text", "Tarn"), tool_call_counts={"search": 3}, retrieved_docids=["a"]), "here"
    )
    assert [type(step) for step in read_back.trajectory.steps] == [Answer]
    assert read_back.claims == Claims(3, frozenset("a"))
    assert not read_back.claims.hold(read_back.trajectory)


def test_claims_are_compared_by_every_way_of_counting() -> None:
    steps = [call("search", {"query": "q"}, objects("a b")), call("search", {"query": "r"}, None)]
    steps.append(call("get_document", {"docid": "c"}, "{}"))
    for counts, docids, holds in ((1, "a b", True), (2, "a b c", True), (3, "a b", False), (1, "a", False)):
        found = read_run(run_file(*steps, tool_call_counts={"search": counts}, retrieved_docids=docids.split()), "here")
        assert found.claims.hold(found.trajectory) is holds


def test_every_query_of_a_list_is_kept_and_those_not_carried_out_are_no_queries() -> None:
    found = read(
        call("search", '{"query": ["one", "two", "three"]}', blocks("a b", "one")), call("search", {"query": "x"}, "")
    )
    one, two, three, after = searches(found)
    assert [(step.query, step.error) for step in (one, two, three)] == [
        ("one", None), ("two", "not carried out"), ("three", "not carried out"),
    ]  # fmt: skip
    assert {(step.turn, step.call) for step in (one, two, three)} == {(None, 0)}
    assert (after.call, len(one.hits), two.hits, found.origin) == (1, 2, (), "lrat")


def test_lists_of_several_queries_that_were_carried_out_are_told_apart() -> None:
    both = f"{blocks('a b', 'one')}\n=======\n{blocks('c', 'two')}"
    one, two = searches(read(call("search", {"query": ["one", "two"]}, both)))
    assert ([hit.docid for hit in one.hits], [hit.docid for hit in two.hits]) == (["a", "b"], ["c"])
    assert (one.error, two.error) == (None, None)


def test_what_was_returned_and_hidden_is_known_beside_what_was_shown() -> None:
    shown = call("search", {"query": "q"}, objects("c a"), returned=["a", "b", "c"], hidden=["b"])
    objects_too = call(
        "search", {"query": "q"}, "three", returned=[{"docid": "a", "score": 2.0}, {"docid": "b"}], hidden=[]
    )
    one, two = searches(read(shown, objects_too))
    assert hits(one) == [("c", 3, True), ("a", 1, True), ("b", 2, False)]
    assert hits(two) == [("a", 1, True), ("b", 2, True)]
    assert two.hits[0].score == 2.0


def test_documents_that_a_list_does_not_name_are_said_to_be_unnamed() -> None:
    found = read(call("search", {"query": "q"}, "1. [A bridge]\nOf stone.\n\n2. [A mason]\nOf Tarn."))
    assert (searches(found)[0].hits, found.origin) == ((), "browsecomp-plus+unlisted")
    linked = read(call("search", {"query": "q"}, "1. [A bridge](https://x.example/a)\nOf stone."))
    assert [hit.docid for hit in searches(linked)[0].hits] == ["https://x.example/a"]


def test_a_text_in_several_parts_is_whole() -> None:
    found = read(
        entry("reasoning", [["One."], {"text": ["Two.", {"text": "Three."}]}]), entry("output_text", ["Tarn", "[3]"])
    )
    assert thoughts(found) == [("One.\nTwo.\nThree.", "text")]
    assert found.answer == "Tarn\n[3]"


def test_a_list_in_several_parts_is_whole() -> None:
    for parts in (
        [blocks("a b"), blocks("c")],
        [{"type": "text", "text": blocks("a b")}, blocks("c")],
        [{"type": "text", "text": objects("a b")}, {"type": "text", "text": objects("c")}],
    ):
        (search,) = searches(read(call("search", {"query": "q"}, parts)))
        assert [hit.docid for hit in search.hits] == ["a", "b", "c"]
        one, two = searches(read(call("search", {"query": ["q", "r"]}, parts)))
        assert ([hit.docid for hit in one.hits], [hit.docid for hit in two.hits]) == (["a", "b"], ["c"])
    unnamed = read(call("search", {"query": "q"}, [{"title": "A bridge", "text": "Of stone."}]))
    assert unnamed.origin == "browsecomp-plus+unlisted"


def test_each_part_says_what_became_of_its_document() -> None:
    both = ["Document a:\nText.", {"type": "text", "text": "[Document not found]"}]
    found = read(call("get_document", {"docid": ["a", "b"]}, both), call("get_document", {"docid": "c"}, both[1:]))
    assert [(one.docid, one.found) for one in browses(found)] == [("a", True), ("b", False), ("c", False)]


@pytest.mark.parametrize(
    ("output", "there"),
    [
        ("Error-correcting codes add redundancy.", True),
        ("Errors of the press, collected", True),
        ("Documents on the bridge that were not found before 1990 are listed here.", True),
        ("Error: no such document", False),
        ("error", False),
        ("Error executing tool get_document: timed out", False),
        ("Error 404", False),
        ("Document 9 not found", False),
        ("Document with docid '9' not found.", False),
    ],
)
def test_a_page_on_errors_is_a_page_and_an_error_is_none(output: str, there: bool) -> None:
    assert [one.found for one in browses(read(call("get_document", {"docid": "9"}, output)))] == [there]


def test_documents_in_the_form_of_a_python_object_are_found() -> None:
    (read_one,) = browses(
        read(call("visit", '{"docid": 5}', "Document 5:\n{'docid': '5', 'text': 'error: not found'}"))
    )
    assert (read_one.docid, read_one.found) == ("5", True)


CANARY = Guard("a canary of these tests")


def encrypted(*steps: dict[str, Any]) -> dict[str, Any]:
    outputs = [
        [{**part, "text": CANARY.encrypt(part["text"])} for part in step["output"]]
        if isinstance(step["output"], list)
        else CANARY.encrypt(step["output"])
        for step in steps
    ]
    return run_file(*({**step, "output": output} for step, output in zip(steps, outputs, strict=True)))


def test_encrypted_outputs_are_read_with_the_canary_and_refused_without() -> None:
    steps = (
        entry("reasoning", [{"type": "summary_text", "text": "ok"}]),
        call("search", '{"query": "bridge"}', objects("a b")),
        entry("output_text", "Tarn"),
    )
    found = read_run(encrypted(*steps), "here", decrypt=CANARY.decrypt).trajectory
    assert found == read(*steps)
    with pytest.raises(UsageError, match="here: its outputs are encrypted"):
        read_run(encrypted(*steps), "here")
    with pytest.raises(UsageError, match="not encrypted under the canary"):
        read_run(encrypted(*steps), "here", decrypt=Guard("another").decrypt)
    assert read_run(run_file(*steps), "here", decrypt=CANARY.decrypt).trajectory == read(*steps)


def deciphered(*steps: dict[str, Any], canary: str) -> list[tuple[str, str]]:
    found = read_run(run_file(*steps), "here", decrypt=Guard(canary).decrypt).trajectory
    return [(step.kind, step.text) for step in found.steps if isinstance(step, Think | Answer)]


@pytest.mark.parametrize("canary", [f"canary {number}" for number in range(20)])
def test_short_texts_are_known_for_encrypted_by_what_they_become(canary: str) -> None:
    key = Guard(canary)
    steps = entry("reasoning", [key.encrypt("ok")]), entry("output_text", key.encrypt("Tarn"))
    assert deciphered(*steps, canary=canary) == [("think", "ok"), ("answer", "Tarn")]
    assert deciphered(steps[1], canary=canary) == [("answer", "Tarn")]
    for plain in ("Tarn", "1984", "GPT4", "TOWN", "Philadelphia"):
        assert deciphered(entry("output_text", plain), canary=canary) == [("answer", plain)]
        steps = entry("reasoning", "It is so."), entry("output_text", plain)
        assert deciphered(*steps, canary=canary)[-1] == ("answer", plain)


@pytest.mark.parametrize("canary", [f"canary {number}" for number in range(20)])
def test_what_lies_open_among_encrypted_texts_stays_as_it_is(canary: str) -> None:
    key = Guard(canary)
    steps = (
        entry("reasoning", ["In the open.", key.encrypt("Behind the fence.")]),
        entry("reasoning", key.encrypt("a\x0cb" * 20)),
        entry("output_text", {"text": key.encrypt("Tarn")}),
    )
    assert deciphered(*steps, canary=canary) == [
        ("think", "In the open.\nBehind the fence."), ("think", "a\x0cb" * 20), ("answer", "Tarn"),
    ]  # fmt: skip


def test_a_text_that_is_damaged_among_encrypted_ones_is_refused() -> None:
    broken = base64.b64encode(b"\xff" * 60).decode()
    steps = entry("reasoning", CANARY.encrypt("Behind the fence.")), entry("output_text", broken)
    with pytest.raises(UsageError, match="here: its outputs were not encrypted under the canary"):
        read_run(run_file(*steps), "here", decrypt=CANARY.decrypt)


def test_most_of_a_run_that_is_encrypted_is_enough_to_ask_for_its_task() -> None:
    steps = entry("reasoning", "In the open."), entry("output_text", CANARY.encrypt("It lies on the Ostrel. " * 3))
    with pytest.raises(UsageError, match="here: its outputs are encrypted"):
        read_run(run_file(*steps), "here")


def test_a_word_that_could_be_base64_is_not_taken_for_encrypted() -> None:
    word = base64.b64encode(b"Tarn").decode()
    assert read_run(run_file(entry("output_text", word)), "here", decrypt=CANARY.decrypt).trajectory.answer == word

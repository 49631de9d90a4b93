"""The reasoning behind a browse is that of the next turn that thinks, whatever it does then."""

from __future__ import annotations

import time

import pytest
from mining_world import answer, browse, search, think, trajectory

from lrat_bench.lrat.mining.rules import load_rule
from lrat_bench.lrat.reasoning import Reasoning, post_browse
from lrat_bench.trajectory import Notice, Step


def behind(*steps: Step, at: int = 1) -> Reasoning | None:
    return post_browse(trajectory(*steps), at)


LIST = search(0, "q", "d1 d2 d3")


def test_it_is_the_thought_of_the_next_turn() -> None:
    found = behind(LIST, browse(1, "d1"), think(2, " It helps.\n"), search(2, "more", "d4"), think(3, "And on."))
    assert found == Reasoning("It helps.", "text", False, 1, 2)


def test_a_thought_that_leads_straight_to_the_answer_counts() -> None:
    found = behind(LIST, browse(1, "d1"), think(2, "So it is Tarn."), answer(2))
    assert found is not None
    assert (found.text, found.turn) == ("So it is Tarn.", 2)


def test_the_thought_before_the_browse_is_not_the_one_behind_it() -> None:
    assert behind(LIST, think(1, "I open d1."), browse(1, "d1"), answer(2), at=2) is None


def test_turns_that_think_nothing_are_passed_by() -> None:
    format_error = Notice(turn=2, text="neither a call nor an answer")
    found = behind(LIST, browse(1, "d1"), think(2, "  "), format_error, think(3, "At last."), answer(3))
    assert found is not None
    assert found.text == "At last."


def test_all_that_a_turn_thinks_counts() -> None:
    found = behind(LIST, browse(1, "d1"), think(2, "One."), think(2, "Two."), search(2, "x", ""), think(2, "Three."))
    assert found is not None
    assert found.text == "One.\n\nTwo.\n\nThree."


def test_documents_read_in_one_turn_share_a_thought() -> None:
    steps = (LIST, browse(1, "d1"), browse(1, "d2"), browse(1, "d1", duplicate_of=1), think(2, "Both help."))
    assert [post_browse(trajectory(*steps), at).shared for at in (1, 2, 3)] == [2, 2, 2]  # type: ignore[union-attr]


def test_a_document_that_there_is_not_shares_nothing() -> None:
    found = behind(LIST, browse(1, "d1"), browse(1, "zz", found=False), think(2, "It helps."))
    assert found is not None
    assert found.shared == 1


def test_turns_without_a_thought_leave_their_documents_to_the_same_one() -> None:
    steps = (LIST, browse(1, "d1"), browse(2, "d2"), think(3, "Both help."))
    assert [post_browse(trajectory(*steps), at).shared for at in (1, 2)] == [2, 2]  # type: ignore[union-attr]


def test_a_summary_and_a_withheld_thought_are_no_text() -> None:
    withheld = behind(LIST, browse(1, "d1"), think(2, "", source="hidden", tokens=300), answer(2))
    summary = behind(LIST, browse(1, "d1"), think(2, "Thinks of d1.", source="summary"), answer(2))
    none = behind(LIST, browse(1, "d1"), think(2, "", source="none"), answer(2))
    assert withheld == Reasoning("", "hidden", False, 1, 2)
    assert summary == Reasoning("Thinks of d1.", "summary", False, 1, 2)
    assert none is None


def test_a_thought_that_was_cut_off_is_said_to_be() -> None:
    found = behind(LIST, browse(1, "d1"), think(2, "It hel", censored=True), think(3, "Whole."))
    assert found is not None
    assert (found.text, found.censored) == ("It hel", True)


def test_without_turns_the_order_of_the_steps_decides() -> None:
    steps = (
        search(None, "q", "d1 d2"),
        think(None, "I open d1."),
        browse(None, "d1"),
        think(None, "One."),
        think(None, "Two."),
        browse(None, "d2"),
        think(None, "Three."),
    )
    texts = [post_browse(trajectory(*steps), at) for at in (2, 5)]
    assert [(one.text, one.shared, one.turn) for one in texts if one] == [
        ("One.\n\nTwo.", 1, None),
        ("Three.", 1, None),
    ]


def test_only_a_browse_has_one() -> None:
    with pytest.raises(ValueError, match="step 0 is no browse but a search"):
        behind(LIST, browse(1, "d1"), at=0)


def test_what_is_thought_after_another_search_is_about_its_list() -> None:
    steps = (
        LIST,
        browse(1, "d1"),
        search(2, "second", "x y"),
        browse(3, "x"),
        search(4, "third", "z"),
        think(5, "None of these."),
        answer(5),
    )
    assert [post_browse(trajectory(*steps), at) for at in (1, 3)] == [None, None]


def test_a_turn_that_thinks_and_then_searches_has_thought_of_what_was_read() -> None:
    found = behind(LIST, browse(1, "d1"), think(2, "It helps."), search(2, "more", "d4"))
    assert found is not None
    assert found.text == "It helps."


def test_a_search_of_the_browses_own_turn_takes_nothing_from_it() -> None:
    found = behind(LIST, browse(1, "d1"), search(1, "beside it", "d4", call=1), think(2, "It helps."))
    assert found == Reasoning("It helps.", "text", False, 1, 2)


def test_without_turns_a_silent_search_ends_the_waiting_too() -> None:
    assert behind(search(None, "q", "d1"), browse(None, "d1"), search(None, "p", "d2"), think(None, "Of p.")) is None


def test_many_browses_before_one_thought_cost_no_seconds() -> None:
    many = 600
    docids = [f"d{n}" for n in range(many)]
    reads = [browse(1 + n, docid) for n, docid in enumerate(docids)]
    found = trajectory(search(0, "q", " ".join(docids)), *reads, think(9999, "So."))
    start = time.perf_counter()
    candidates = load_rule("attributed").find(found).candidates
    assert time.perf_counter() - start < 5
    assert {one.reasoning and one.reasoning.shared for one in candidates} == {many}

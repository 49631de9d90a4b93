"""What each rule set makes of a trajectory: which query a browse belongs to, and which documents were passed over."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from mining_world import Fixed, answer, browse, search, think, trajectory, write_lrat_file

import lrat_bench
from lrat_bench.errors import UnknownName
from lrat_bench.exchange.lrat_files import lrat_files, read_lrat_file
from lrat_bench.lrat.mining.candidate import Candidate
from lrat_bench.lrat.mining.lrat_code import LratCode
from lrat_bench.lrat.mining.rules import RULES, load_rule
from lrat_bench.lrat.relevance.base import Outcome
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.task.task import Task
from lrat_bench.trajectory import Browse, Notice, Search, Step, Trajectory, same_query

DATA = os.environ.get("LRAT_BENCH_TEST_DATA")
"""A folder with `lrat_trajectories`; read here since no test sees the user's variables."""

Row = tuple[str, str, str]


def rows(candidates: Sequence[Candidate]) -> list[Row]:
    """(query, document, negatives)."""
    return [(one.query, one.docid, " ".join(one.neg_ids)) for one in candidates]


def mined(rule: str, *steps: Step) -> tuple[list[Row], tuple[str, ...]]:
    found = load_rule(rule).find(trajectory(*steps))
    return rows(found.candidates), found.passed


TWO_LISTS = (
    search(0, "old", "a b c"),
    browse(1, "a"),
    think(2, "It helps."),
    search(2, "new", "d e a"),
    browse(3, "b"),
    think(4, "No."),
    browse(4, "e"),
    think(5, "Yes."),
    answer(5),
)


def test_the_default_attributes_each_browse_to_the_list_that_held_its_document() -> None:
    assert mined("attributed", *TWO_LISTS) == ([("old", "a", "c"), ("old", "b", "c"), ("new", "e", "d")], ())


def test_the_paper_takes_a_browse_in_the_turn_after_its_search_alone() -> None:
    found, passed = mined("paper", *TWO_LISTS)
    assert found == [("old", "a", "b c")]
    assert passed == ("not right after its search", "not right after its search")


def see_that_pairs_are_of_one_list(rule: str, found: Trajectory) -> int:
    """Look each pair of a trajectory up in its lists; gives how many pairs there are."""
    candidates = load_rule(rule).find(found).candidates
    opened = {step.docid for step in found.steps if isinstance(step, Browse)}
    for candidate in candidates:
        before = found.steps[: candidate.step]
        lists = [
            {hit.docid for hit in step.hits if hit.shown}
            for step in before
            if isinstance(step, Search) and same_query(step.query) == same_query(candidate.query)
        ]
        pair = {candidate.docid, *candidate.neg_ids}
        assert any(pair <= listed for listed in lists), (found.question_id, candidate)
        assert candidate.docid not in candidate.neg_ids
        if rule == "attributed":
            assert not opened & set(candidate.neg_ids)
    return len(candidates)


@pytest.mark.parametrize("rule", ["attributed", "paper"])
def test_no_negative_comes_from_another_querys_list(rule: str) -> None:
    assert see_that_pairs_are_of_one_list(rule, trajectory(*TWO_LISTS))


class Words(Fixed):
    """A retriever: the documents that share the most words with the query, of a small corpus."""

    name = "words"

    def __init__(self, task: Task) -> None:
        super().__init__([])
        self.texts = {document.docid: set(document.contents.lower().split()) for document in task.corpus}

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        rankings = []
        for query in queries:
            words = set(query.lower().split())
            scores = {docid: float(len(words & text)) for docid, text in self.texts.items()}
            best = sorted(scores, key=lambda docid: (-scores[docid], docid))[:k]
            rankings.append([Ranked(docid, scores[docid]) for docid in best])
        return rankings


@pytest.fixture(scope="module")
def heuristic(tmp_path_factory: pytest.TempPathFactory) -> list[Trajectory]:
    """What the heuristic agent did on questions of a small world."""
    task = lrat_bench.load_task("synth-wiki", set={"documents": 1000, "train": 30, "test": 10})
    out = tmp_path_factory.mktemp("heuristic") / "run"
    done = lrat_bench.run(task=task, retriever=Words(task), split="train", limit=15, out=out)
    return [
        Trajectory.model_validate_json(line) for line in (done.path / "trajectories.jsonl").read_text().splitlines()
    ]


@pytest.mark.parametrize("rule", ["attributed", "paper"])
def test_no_negative_of_a_whole_run_comes_from_another_querys_list(rule: str, heuristic: list[Trajectory]) -> None:
    assert sum(see_that_pairs_are_of_one_list(rule, found) for found in heuristic) > 30


@pytest.mark.skipif(DATA is None, reason="LRAT_BENCH_TEST_DATA names no folder with LRAT's trajectories")
@pytest.mark.parametrize("rule", ["attributed", "paper"])
def test_no_negative_of_lrats_trajectories_comes_from_another_querys_list(rule: str) -> None:
    files = lrat_files(Path(DATA or "") / "lrat_trajectories")
    assert sum(see_that_pairs_are_of_one_list(rule, read_lrat_file(file)) for file in files) > 0


@pytest.mark.parametrize("rule", ["attributed", "paper"])
def test_negatives_are_shown_documents_best_rank_first(rule: str) -> None:
    shuffled = search(0, "q", "c:3 a:1 (x:5) d:4 b:2")
    assert mined(rule, shuffled, browse(1, "a"), think(2, "Yes."))[0] == [("q", "a", "b c d")]


@pytest.mark.parametrize("rule", ["attributed", "paper"])
def test_a_browse_of_nothing_or_from_nowhere_is_counted_and_not_mined(rule: str) -> None:
    nowhere = "from no list" if rule == "attributed" else "not right after its search"
    steps = (search(0, "q", "a b"), browse(1, "zz", found=False), browse(1, "far"), think(2, "Hm."))
    assert mined(rule, *steps) == ([], ("not found", nowhere))


@pytest.mark.parametrize("rule", ["attributed", "paper"])
def test_a_failed_search_has_no_list(rule: str) -> None:
    steps = (search(0, "q", "a b", error="timed out"), browse(1, "a"), think(2, "Yes."))
    assert mined(rule, *steps)[0] == []


def test_a_list_that_was_not_there_yet_does_not_count() -> None:
    together = (search(0, "old", "a b"), search(1, "new", "a c", call=0), browse(1, "a", call=1), think(2, "Yes."))
    assert mined("attributed", *together)[0] == [("old", "a", "b")]


def test_the_most_recent_list_counts_a_repeated_search_too() -> None:
    again = (search(0, "Q", "a b"), search(1, "other", "c"), search(2, "q ", "a b", duplicate_of=0), browse(3, "a"))
    assert mined("attributed", *again)[0] == [("q ", "a", "b")]


def test_the_same_document_for_the_same_query_counts_once() -> None:
    steps = (
        search(0, "Stone bridge", "a b"),
        browse(1, "a"),
        think(2, "First."),
        search(2, "stone  bridge", "a b"),
        browse(3, "a", duplicate_of=1),
        think(4, "Second."),
        search(4, "builder", "a c"),
        browse(5, "a", duplicate_of=1),
        think(6, "Third."),
    )
    for rule in ("attributed", "paper"):
        found = load_rule(rule).find(trajectory(*steps))
        assert [(one.query, one.reasoning and one.reasoning.text) for one in found.candidates] == [
            ("Stone bridge", "First."),
            ("builder", "Third."),
        ]
        assert found.passed == ("repeated",)


def test_what_is_read_later_is_no_negative_by_default_and_is_one_in_the_paper() -> None:
    steps = (search(0, "q", "a b c"), browse(1, "a"), think(2, "Yes."), browse(2, "b"), think(3, "Yes."))
    assert mined("attributed", *steps)[0] == [("q", "a", "c"), ("q", "b", "c")]
    assert mined("paper", *steps)[0] == [("q", "a", "b c")]


def test_the_paper_takes_documents_read_together_out_of_each_others_negatives() -> None:
    steps = (search(0, "q", "a b c"), browse(1, "a"), browse(1, "b", call=1), think(2, "Yes."))
    assert mined("paper", *steps)[0] == [("q", "a", "c"), ("q", "b", "c")]


def test_the_paper_takes_no_turn_for_the_next_that_is_not() -> None:
    late = (search(0, "q", "a b"), think(1, "Hm."), Notice(turn=1, text="no call"), browse(2, "a"), think(3, "Yes."))
    assert mined("paper", *late) == ([], ("not right after its search",))
    assert mined("attributed", *late)[0] == [("q", "a", "b")]


def test_the_paper_reads_the_order_of_steps_where_there_are_no_turns() -> None:
    steps = (
        search(None, "q", "a b c", call=0),
        think(None, "Open a."),
        browse(None, "a", call=1),
        think(None, "Yes."),
        browse(None, "b", call=2),
        think(None, "Yes."),
    )
    assert mined("paper", *steps) == ([("q", "a", "b c")], ("not right after its search",))


def test_a_pair_may_have_no_negatives() -> None:
    assert mined("attributed", search(0, "q", "a"), browse(1, "a"), think(2, "Yes."))[0] == [("q", "a", "")]


def test_an_unknown_rule_set_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownName, match="did you mean 'attributed'"):
        load_rule("atributed")
    assert list(RULES) == ["attributed", "paper", "lrat-code"]


def code(found: Trajectory, *outcomes: Outcome) -> list[Row]:
    """What `lrat-code` yields, given what the judge says of each browse in turn."""
    rule = LratCode()
    candidates = rule.find(found).candidates
    said = dict(zip((one.step for one in candidates), outcomes, strict=True))
    return rows(rule.settle(found, candidates, said))


LONG = (
    ("think", "Begin."),
    ("search", ["old", "never asked"], "a b c"),
    ("think", "Open a."),
    ("read", "a"),
    ("think", "On a."),
    ("search", "new", "d e"),
    ("read", "b"),
    ("think", "On b."),
    ("read", "e"),
    ("think", "On e."),
    ("read", "c"),
    ("think", "On c."),
    ("end", "<think>Last.</think><answer>It is so.</answer>"),
)


@pytest.fixture
def long(tmp_path: Path) -> Trajectory:
    return read_lrat_file(write_lrat_file(tmp_path / "7.json", LONG))


def test_the_released_builder_accumulates_lists_while_nothing_is_relevant(long: Trajectory) -> None:
    assert code(long, "irrelevant", "irrelevant", "irrelevant", "irrelevant") == [
        ("old", "a", "b c"),
        ("new", "b", "c e a d"),
        ("new", "e", "c b a d"),
        ("new", "c", "e b a d"),
    ]


def test_the_released_builder_forgets_everything_once_one_is_relevant(long: Trajectory) -> None:
    # b and c were listed before the reset, so their browses give nothing.
    assert code(long, "relevant", "relevant", "irrelevant", "relevant") == [("old", "a", "b c"), ("new", "e", "d")]


def test_the_released_builder_spares_the_relevant_members_of_a_group(long: Trajectory) -> None:
    assert code(long, "irrelevant", "relevant", "irrelevant", "irrelevant") == [
        ("old", "a", "b c"),
        ("new", "b", "c e a d"),
        ("new", "e", "c a d"),
        ("new", "c", "e a d"),
    ]


def test_what_cannot_be_judged_is_neither_sample_nor_negative_nor_reset(long: Trajectory) -> None:
    assert code(long, "irrelevant", "undecided", "irrelevant", "irrelevant") == [
        ("old", "a", "b c"),
        ("new", "e", "c a d"),
        ("new", "c", "e a d"),
    ]


def test_the_released_builder_reads_the_thought_right_behind_the_browse(tmp_path: Path) -> None:
    steps = (("search", "q", "a b"), ("read", "a"), ("read", "b"), ("think", "On b."), ("end", "Tarn."))
    found = read_lrat_file(write_lrat_file(tmp_path / "1.json", steps))
    texts = {one.docid: one.reasoning and one.reasoning.text for one in LratCode().find(found).candidates}
    assert texts == {"a": None, "b": "On b."}


@pytest.mark.skipif(DATA is None, reason="LRAT_BENCH_TEST_DATA names no folder with LRAT's trajectories")
@pytest.mark.parametrize("which", ["all", "none"])
def test_the_released_builders_samples_come_out_one_by_one(which: str) -> None:
    folder = Path(DATA or "") / "lrat_trajectories"
    expected: dict[str, list[dict[str, Any]]] = json.loads((folder / "expected" / f"{which}_relevant.json").read_text())
    outcome: Outcome = "relevant" if which == "all" else "irrelevant"
    rule = LratCode()
    got = {}
    for file in lrat_files(folder):
        found = read_lrat_file(file)
        candidates = rule.find(found).candidates
        settled = rule.settle(found, candidates, {one.step: outcome for one in candidates})
        got[file.name] = [
            {
                "query": one.query,
                "pos_id": one.docid,
                "neg_ids": list(one.neg_ids),
                "satisfied": outcome == "relevant",
                "reasoning_words": len(one.reasoning.text.split()) if one.reasoning else 0,
            }
            for one in settled
        ]
    assert got == expected

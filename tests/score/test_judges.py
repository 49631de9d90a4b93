"""The offline judges: `exact` compares final answers, `contains` looks for one in the text."""

from __future__ import annotations

import asyncio
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.score.judges.base import Judge
from lrat_bench.score.judges.normalise import normalise, words
from lrat_bench.score.judges.registry import JUDGES, load_judge
from lrat_bench.task.protocol import Scoring
from lrat_bench.task.question import Question

NAMES = st.lists(st.text(alphabet="bcdéñøß数かが०๑Яй9", min_size=1, max_size=6), min_size=1, max_size=4)
GAPS = st.sampled_from([" ", "  ", "\t", "\n", " - ", ", ", "; ", "\u00a0"])


def grade(judge: str, accepted: tuple[str, ...], answer: str) -> str:
    question = Question("q", "?", accepted, "test")
    return asyncio.run(load_judge(Scoring(judge=judge)).judge(question, answer)).outcome


@given(st.text())
@example('x"-5')
@example("1,000.5.,'6")
@example("the a")
@example("j. the r.")
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(NAMES, st.data())
def test_case_space_and_punctuation_make_no_difference(name: list[str], data: st.DataObject) -> None:
    written = "".join(data.draw(GAPS) + word.upper() for word in name)
    ending = data.draw(st.sampled_from(["", ".", "!", '"', ")", " …"]))
    # Case folding cannot undo an upper case that is another letter altogether.
    assume(all(word.upper().casefold() == word.casefold() for word in name))
    assert normalise(written + ending) == normalise(" ".join(name))


@given(NAMES, st.sampled_from(["the", "The", "a", "AN"]))
def test_articles_make_no_difference(name: list[str], article: str) -> None:
    assert normalise(" ".join([article, *name])) == normalise(" ".join(name))


@given(st.text())
def test_unicode_form_makes_no_difference(text: str) -> None:
    forms = {normalise(unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    assume(normalise(text))
    assert len(forms) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Beatles", "beatles"),
        ("Beyoncé", "Beyonce"),
        ("Gödel", "Godel"),
        ("Straße", "STRASSE"),
        ("U.S.A.", "USA"),
        ("J. R. R. Tolkien", "J.R.R. Tolkien"),
        ("O’Brien", "O'Brien"),
        ("Jean-Paul", "Jean Paul"),
        ("AC/DC", "AC DC"),
        ("1,000,000", "1000000"),
        ("1990–1995", "1990-1995"),
        ("−5 °C", "-5 °C"),
        ("½", "1/2"),
        ("Henry Ⅳ", "Henry IV"),
        ("ＴＯＫＹＯ", "tokyo"),
        ("soft\u00adware", "software"),
        ("?!", " ?! "),
    ],
)
def test_spellings_of_one_answer_are_equal(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3.5", "35"),
        ("-5", "5"),
        ("1,5", "15"),
        ("Vitamin A", "Vitamin"),
        ("C++", "C"),
        ("か", "が"),
        ("की", "क"),
        ("Paris, France", "Paris"),
        ("1/12", "11/2"),
        ("?!", "..."),
    ],
)
def test_different_answers_stay_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


def test_exact_compares_the_final_answer_with_every_accepted_one() -> None:
    text = "Explanation: Samuel Clemens, known as\nExact Answer: **Mark Twain.**\nConfidence: 80%"
    assert grade("exact", ("Samuel Langhorne Clemens", "mark twain"), text) == "correct"
    assert grade("exact", ("Samuel Clemens",), text) == "incorrect"


def test_contains_is_satisfied_by_the_answer_in_passing() -> None:
    text = "I think it was Mark Twain, perhaps."
    assert grade("exact", ("Mark Twain",), text) == "incorrect"
    assert grade("contains", ("Mark Twain",), text) == "correct"
    assert grade("contains", ("The Mark Twain",), text) == "correct"


def test_contains_looks_for_whole_words_in_order() -> None:
    assert grade("contains", ("art",), "It started.") == "incorrect"
    assert grade("contains", ("Twain Mark",), "Mark Twain") == "incorrect"
    assert grade("contains", ("Vitamin A",), "Vitamin A is it.") == "correct"


@given(st.text(min_size=1))
def test_what_is_exact_is_contained(answer: str) -> None:
    assume(words(answer))
    if grade("exact", (answer,), answer) == "correct":
        assert grade("contains", (answer,), answer) == "correct"


@pytest.mark.parametrize("judge", list(JUDGES))
def test_an_accepted_answer_of_nothing_accepts_nothing(judge: str) -> None:
    assert grade(judge, ("", "  "), "Exact Answer:") == "incorrect"
    assert grade(judge, (), "Paris") == "incorrect"


@pytest.mark.parametrize("judge", ["exact", "contains"])
def test_a_judgement_carries_what_was_read_and_costs_nothing(judge: str) -> None:
    question = Question("q", "?", ("Paris",), "test")
    said = asyncio.run(load_judge(Scoring(judge=judge)).judge(question, "Exact Answer: Paris\nConfidence: 60%"))
    assert (said.extracted_answer, said.confidence, said.error) == ("Paris", 0.6, None)
    assert (said.usage.completion_tokens, said.usage.cost_usd) == (0, 0.0)


def test_judges_have_fingerprints_of_their_own() -> None:
    judges = [load_judge(Scoring(judge=name)) for name in ("exact", "contains")]
    assert all(isinstance(judge, Judge) for judge in judges)
    assert len({judge.fingerprint for judge in judges}) == 2


def test_a_judge_is_also_named_by_module_and_object() -> None:
    assert load_judge(Scoring(judge="lrat_bench.score.judges.exact:Exact")).name == "exact"


def test_an_unknown_judge_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'exact'"):
        load_judge(Scoring(judge="exakt"))


def test_settings_that_a_judge_does_not_know_are_refused() -> None:
    with pytest.raises(UsageError, match=r"'exact' takes no settings, got rubric, parameters\.model: remove them"):
        load_judge(Scoring(rubric="strict", parameters={"model": "m"}))


def test_what_is_no_judge_is_refused() -> None:
    with pytest.raises(UsageError, match="is no judge"):
        load_judge(Scoring(judge="builtins:repr"))

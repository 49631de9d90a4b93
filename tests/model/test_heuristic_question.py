"""A question falls into clauses, each said of one of the entities that it describes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.model.heuristic.question import Kind, read_question
from lrat_bench.model.heuristic.text import names, read_page, stem, terms


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Which bridge crosses the Ostrel?", "name"),
        ("Who drew the plans?", "name"),
        ("In what year was it built?", "year"),
        ("When was Ilda Marrow born?", "date"),
        ("How many arches does it have?", "number"),
        ("Is the Ostrel a river?", "yes-no"),
        ("Which is longer, the Ostrel Water or the Tamble Stream?", "choice"),
    ],
)
def test_the_question_says_what_the_answer_looks_like(text: str, kind: Kind) -> None:
    assert read_question(text).kind == kind


def test_a_comparison_names_its_alternatives() -> None:
    assert read_question("Who is older, Ilda Marrow or Ben Tarl?").choices == ("Ilda Marrow", "Ben Tarl")


def test_described_entities_form_a_tree() -> None:
    question = read_question(
        "Which bridge, built of granite, crosses a river that passes a town that was founded in 1210, "
        "and was designed by an architect who kept falcons?"
    )
    bridge, river, town, architect = question.entities
    assert [entity.parent for entity in question.entities] == [None, 0, 1, 0]
    assert stem("bridge") in bridge.noun
    assert stem("river") in river.noun
    assert stem("town") in town.noun
    assert stem("architect") in architect.noun
    about = {clause.text: clause.about for clause in question.clauses}
    assert about["a town that was founded in 1210"] == 2
    assert about["an architect who kept falcons"] == 3
    assert about["was designed by"] == 0


def test_this_and_the_same_take_up_an_entity_again() -> None:
    question = read_question("A guild owns a mill that burned down. This guild has a raven as its badge. Which guild?")
    again = next(clause for clause in question.clauses if "raven" in clause.text or clause.text.startswith("This"))
    assert again.about == 0


@given(st.text(max_size=300))
def test_every_question_has_clauses_about_its_entities(text: str) -> None:
    question = read_question(text)
    assert question.clauses
    assert all(0 <= clause.about < len(question.entities) for clause in question.clauses)
    assert all(e.parent is None or e.parent < n for n, e in enumerate(question.entities))


@given(st.text(max_size=300))
def test_any_text_can_be_read_as_a_page(text: str) -> None:
    page = read_page(text)
    assert all(sentence.terms <= page.terms for sentence in page.sentences)


def test_inflections_share_a_stem_and_function_words_are_dropped() -> None:
    assert terms("It was designed by the designers of designs") == (stem("design"),)
    assert terms("the of and") == ()


def test_names_are_capitalised_runs_and_not_the_first_word_of_a_sentence() -> None:
    assert names("Built in 1803, the Bridge of Sighs was drawn by Ilda Marrow.") == ("Bridge of Sighs", "Ilda Marrow")


def test_a_page_knows_its_title_and_what_it_is_about() -> None:
    page = read_page("Kessing Bridge (Marl)\nThe Kessing Bridge is a stone bridge over the Ostrel. It is old.")
    assert page.key == " kessing bridge "
    assert page.types == {stem("stone"), stem("bridge")}
    assert [sentence.text for sentence in page.sentences][1] == "It is old."
    assert read_page("No title here. Two sentences.").title == ""

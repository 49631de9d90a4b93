"""A judge's reply is read as a verdict where it states one, and as none where it does not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.score.judges.reply import read_reply

FORM = "extracted_final_answer: {answer}\nreasoning: {reasoning}\ncorrect: {correct}\nconfidence: {confidence}"


def form(correct: str, *, answer: str = "Paris", reasoning: str = "They match.", confidence: str = "80") -> str:
    return FORM.format(answer=answer, reasoning=reasoning, correct=correct, confidence=confidence)


CORRECT = [
    form("yes"),
    form("Yes."),
    form("YES"),
    form("yes, the answers mean the same"),
    form("yes (with a small difference in spelling)"),
    form("**yes**"),
    form('"yes"'),
    form("\n\nyes"),
    form("\n**Yes**, they name the same city"),
    form("yes").replace("correct:", "**correct:**"),
    form("yes").replace("correct:", "**Correct**:"),
    form("yes").replace("correct:", "- correct:"),
    form("yes").replace("correct:", "3. **correct:**"),
    form("yes").replace("correct:", "[correct]:"),
    form("yes").replace("correct:", "## Correct:"),
    form("yes").replace("correct:", "correct ="),
    form("yes").replace("\n", "\r\n"),
    form("yes").replace("\n", "\n\n"),
    form("yes").replace("\n", " "),
    "**extracted_final_answer:** Paris\n\n**reasoning:** Same city.\n\n**correct:** yes\n\n**confidence:** 80%",
    "Here is my evaluation:\n\n" + form("yes") + "\n\nLet me know if you need more!",
    "<think>\nThe response says Paris.\ncorrect: no? Hmm, it is Paris.\n</think>\n\n" + form("yes"),
    "The answer is the same, so correct: no would be wrong.\n</think>\n" + form("yes"),
    "correct: yes",
    "The two agree. correct: yes",
    "correct: yes\nIf you need more, ask.",
    "correct: Yes. If anything, it says more.",
    '{"extracted_final_answer": "Paris", "reasoning": "same", "correct": "yes", "confidence": 80}',
    '{"correct": true}',
    '```json\n{\n  "extracted_final_answer": "Paris",\n  "correct": "Yes",\n  "confidence": null\n}\n```',
    form("yes", reasoning="The other candidate would be no match, and it is not correct: it is older."),
    "[correct_answer]: No\n" + form("yes", answer="No", reasoning="Both say no."),
    form("yes|no") + "\n\n" + form("yes"),
    form("one word, yes if the answer is right by the criteria above, no otherwise") + "\n\n" + form("yes"),
    form("yes") + "\n\nThe form was:\ncorrect: yes|no",
    form("yes") + "\n\n**Correct:** Yes",
]

INCORRECT = [
    form("no"),
    form("No."),
    form("**No**"),
    form("no, the years differ"),
    form("no").replace("correct:", "**Correct:**"),
    form("no", answer="None"),
    "correct_answer: Yes\n" + form("no", answer="Perhaps"),
    '{"correct": "no"}',
    '{"correct": false, "confidence": 10}',
    "<think>correct: yes</think>\ncorrect: no",
    "They differ. Correct: no.",
    form("no") + "\n\nCorrect: no, as I said",
    form("yes/no") + "\n" + form("no"),
]

NONE = [
    "",
    "   \n",
    "yes",
    "no",
    "I cannot help with that request.",
    "I'm sorry, but I can't evaluate this response.",
    form("yes|no"),
    form("yes/no"),
    form('"yes" or "no"'),
    form("'yes' if it matches, 'no' otherwise"),
    form("unclear"),
    form("partially"),
    form("N/A"),
    form("not enough information"),
    form(""),
    "extracted_final_answer: Paris\nreasoning: The response says",
    "<think>\nThe response says Paris. correct: yes",
    "<think>\n" + form("yes"),
    "The response is correct.",
    "This is not correct: no evidence supports it",
    "correct: yes\ncorrect: no",
    form("no") + "\n\nCorrect: yes would need the full name.",
    form("no", reasoning="I take that back below.") + "\nreasoning: On reflection they match.\ncorrect: yes",
    form("yes") + "\n" + form("yes") + "\n" + form("no"),
    form("yes") + "\ncorrect: unclear, now that I think of it",
    'correct: yes\n{"correct": "no"}',
    form("yes, if the middle name may be left out"),
    form("yes - but only if initials count"),
    form("no, unless a nickname is enough"),
    form("yes|no") + "\n" + form("yes|no"),
    '{"correct": null}',
    '{"correct": "maybe"}',
    '{"answer": "yes"}',
    "incorrect: yes",
    "Is it correct? Yes and no.",
    "correct:\n\nNo further remarks.",
]


@pytest.mark.parametrize("text", CORRECT)
def test_a_yes_is_found_however_it_is_dressed(text: str) -> None:
    assert read_reply(text).outcome == "correct"


@pytest.mark.parametrize("text", INCORRECT)
def test_a_no_is_found_however_it_is_dressed(text: str) -> None:
    assert read_reply(text).outcome == "incorrect"


@pytest.mark.parametrize("text", NONE)
def test_what_states_no_verdict_is_neither_yes_nor_no(text: str) -> None:
    assert read_reply(text).outcome is None


def test_the_other_fields_are_read_beside_the_verdict() -> None:
    reply = read_reply(form("yes", answer="**Paris**", reasoning="Same city.", confidence="85%"))
    assert (reply.extracted_answer, reply.reasoning, reply.confidence) == ("Paris", "Same city.", 0.85)
    assert reply.stated == {"extracted_final_answer", "reasoning", "correct", "confidence"}


@pytest.mark.parametrize(
    ("said", "confidence"),
    [
        ("80", 0.8),
        ("80%", 0.8),
        ("100", 1.0),
        ("0", 0.0),
        ("0.8", 0.8),
        ("1", 0.01),
        ("**95**", 0.95),
        ("None", None),
        ("", None),
        ("high", None),
        ("150", None),
        ("not stated", None),
    ],
)
def test_a_confidence_is_a_share_or_unknown(said: str, confidence: float | None) -> None:
    assert read_reply(form("yes", confidence=said)).confidence == confidence


@pytest.mark.parametrize("said", ["None", "none.", "[None]", "**None**", "null", ""])
def test_an_answer_that_the_judge_did_not_find_is_none(said: str) -> None:
    assert read_reply(form("no", answer=said)).extracted_answer is None


@pytest.mark.parametrize("text", ["*" * 40_000, "\n" * 40_000, "correct" + "*" * 40_000, "correct" + "_*" * 20_000])
def test_a_judge_that_runs_in_circles_is_read_at_once(text: str) -> None:
    start = time.perf_counter()
    assert read_reply(text).outcome is None
    assert time.perf_counter() - start < 1


def test_a_verdict_behind_which_nothing_ends_is_read_at_once() -> None:
    start = time.perf_counter()
    assert read_reply("correct: yes" + " " * 40_000 + "x").outcome == "correct"
    assert time.perf_counter() - start < 1


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    reply = read_reply(text)
    assert reply.outcome in ("correct", "incorrect", None)
    assert reply.confidence is None or 0 <= reply.confidence <= 1


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=60))
def test_reasoning_within_its_line_cannot_turn_the_verdict(text: str) -> None:
    one_line = " ".join(f"because {text}".split())
    assert read_reply(form("no", reasoning=one_line)).outcome == "incorrect"

"""The viewer in a browser, opened from disk: the list, a question, two runs beside each other, keys, small windows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browser import Browser

import lrat_bench
from lrat_bench.agent.reader import Reader
from lrat_bench.report import numbers
from lrat_bench.runs.run import Run
from lrat_bench.runs.scoring import find_task
from lrat_bench.trajectory import Browse, Search, Trajectory

Open = Callable[..., Browser]
QUESTIONS = 12


def trajectory(run: Run, qid: str) -> Trajectory:
    return next(one for one in run.trajectories if one.question_id == qid)


def test_the_list_says_how_every_question_came_out(opened: Open, weak: Run) -> None:
    page = opened(weak)
    task = find_task(weak.manifest)
    wording = {question.qid: question.text for question in task.questions}
    assert page.texts("#list .qid") == list(weak.manifest.questions)
    assert page.texts("#list .wording") == [wording[qid] for qid in weak.manifest.questions]
    for row, shown in zip(weak.rows, page.all("#list tbody tr"), strict=True):
        steps = row.values["steps"]
        assert steps is not None
        assert row.outcome in shown.text
        assert [cell.text for cell in shown.find_elements("css selector", ".num")] == [
            numbers.count(int(steps)),
            numbers.rate(row.values["evidence_recall"], 1),
        ]
    assert numbers.value(weak.metrics.metric("success_rate")) in page.one("#runs").text
    assert numbers.interval(weak.metrics.metric("steps")) in page.one("#runs").text
    assert page.one("#count").text == f"{QUESTIONS} questions"


def test_it_is_filtered_searched_and_sorted(opened: Open, weak: Run) -> None:
    page = opened(weak)
    wrong = [row.question_id for row in weak.rows if row.outcome == "incorrect"]
    assert wrong
    page.one("#outcome").send_keys("incorrect")
    assert page.texts("#list .qid") == wrong
    page.one("#search").send_keys(wrong[0])
    assert page.texts("#list .qid") == [wrong[0]]
    assert page.one("#count").text == f"1 of {QUESTIONS} questions"
    page.one("#search").send_keys(" and nothing of the kind")
    assert "No question fits" in page.text()
    # The address says what is shown, and shows it again.
    address = page.driver.current_url.partition("#")[2]
    assert "outcome=incorrect" in address
    again = opened(weak, address=f"#{address}")
    assert again.one("#search").get_property("value") == f"{wrong[0]} and nothing of the kind"
    page = opened(weak)
    page.one("#list th[data-key^=steps] button").click()
    steps = [int(text) for text in page.texts("#list td:nth-child(3)")]
    assert steps == sorted(steps, reverse=True)
    assert page.one("#list th[data-key^=steps]").get_attribute("aria-sort") == "descending"
    page.one("#list th[data-key^=steps] button").click()
    assert [int(text) for text in page.texts("#list td:nth-child(3)")] == sorted(steps)


def test_a_question_is_told_turn_by_turn(opened: Open, strong: Run) -> None:
    page = opened(strong)
    page.all("#list tbody a")[1].click()
    qid = strong.manifest.questions[1]
    record = trajectory(strong, qid)
    task = find_task(strong.manifest)
    question = next(one for one in task.questions if one.qid == qid)
    assert page.one("h1").text == question.text
    assert question.answers[0] in page.one(".accepted").text
    verdict = next(one for one in strong.folder.verdicts.scan() if one.question_id == qid)
    assert verdict.judge_name in page.one(".verdict").text
    assert verdict.extracted_answer == page.one(".extracted").text
    assert page.texts(".turn h3") == [f"Turn {turn.turn + 1}" for turn in record.turns]
    searches = [step for step in record.steps if isinstance(step, Search)]
    assert [text.strip("“”") for text in page.texts(".search q")] == [step.query for step in searches]
    assert len(page.all(".search .hit")) == sum(len(step.hits) for step in searches)
    assert page.texts(".search .score")[0] == numbers.mean(searches[0].hits[0].score)


def test_evidence_is_marked_and_its_fate_is_told(opened: Open, strong: Run) -> None:
    qid = strong.manifest.questions[0]
    page = opened(strong, address=f"#/A/{qid}/0")
    task = find_task(strong.manifest)
    assert task.evidence is not None
    relevant = task.evidence[qid]
    record = trajectory(strong, qid)
    hits = [hit.docid for step in record.steps if isinstance(step, Search) for hit in step.hits]
    assert len(page.all(".hit.relevant")) == sum(docid in relevant for docid in hits) > 0
    assert len(page.all(".evidence li")) == len(relevant)
    read = {step.docid for step in record.steps if isinstance(step, Browse)}
    assert sum("read in turn" in text for text in page.texts(".evidence li")) == len(relevant & read) > 0
    first = next(step for step in record.steps if isinstance(step, Search))
    later = [hit.docid for hit in first.hits if hit.docid in read]
    shown = page.all(".turn")[0].find_elements("css selector", ".hit")
    assert sum("read in turn" in one.text for one in shown) == len(later) > 0


def test_texts_are_those_that_the_agent_was_shown(opened: Open, strong: Run) -> None:
    qid = strong.manifest.questions[0]
    page = opened(strong, address=f"#/A/{qid}/0")
    reader = Reader(find_task(strong.manifest).corpus, strong.manifest.protocol.rollout)
    record = trajectory(strong, qid)
    read = next(step for step in record.steps if isinstance(step, Browse))
    page.until(lambda: page.texts(".browse .text"), "the document is there")
    whole = reader.document(read.docid)
    assert whole is not None
    assert page.run("return document.querySelector('.browse .text').textContent") == whole.partition("\n")[2]
    search = next(step for step in record.steps if isinstance(step, Search))
    page.one(".hit summary").click()
    page.until(lambda: page.texts(".hit .text"), "the snippet is there")
    snippet = reader.snippet(search.hits[0].docid)
    assert snippet is not None
    assert page.run("return document.querySelector('.hit .clip').textContent") == snippet.partition("\n")[2]


def test_two_runs_stand_side_by_side_with_where_they_part(opened: Open, strong: Run, weak: Run) -> None:
    page = opened(strong, weak)
    outcomes = {
        row.question_id: (row.outcome, other.outcome) for row, other in zip(strong.rows, weak.rows, strict=True)
    }
    only = [qid for qid, both in outcomes.items() if both == ("correct", "incorrect")]
    assert only
    page.one("#outcome").send_keys("only A right")
    assert page.texts("#list .qid") == only
    page.one("#list tbody a").click()
    assert page.driver.current_url.endswith(f"#/A,B/{only[0]}/0")
    page.until(
        lambda: [one.text.split()[0] for one in page.all(".verdicts .card-title")] == ["A", "B"], "both are there"
    )
    # Both begin with the question itself; what they are shown for it is not the same.
    assert "at the first call: the same query found other documents" in page.one("#parting-note").text
    parts = page.all(".parts")
    assert len(parts) == 2
    queries = [one.find_element("css selector", "q").text for one in parts]
    assert queries[0] == queries[1]
    assert parts[0].rect["y"] == parts[1].rect["y"]
    page.press("p")
    assert page.run("return document.activeElement.classList.contains('parts')")
    # One of the two can be put away.
    page.all(".chip")[1].click()
    page.until(lambda: len(page.all(".verdicts .card")) == 1, "B is put away")
    assert page.all(".parts") == []


def test_runs_that_did_the_same_part_nowhere(opened: Open, strong: Run, tmp_path: Path, task_folder: Path) -> None:
    words = {"task": str(task_folder), "retriever": "oracle"}
    one, two = (lrat_bench.run(**words, seed=seed, out=tmp_path / str(seed)) for seed in (0, 1))  # type: ignore[arg-type]
    page = opened(one, two, address="#/A,B/q1/0")
    assert "Both made the same calls" in page.one("#parting-note").text
    assert page.all(".parts") == []


def test_all_goes_by_keyboard(opened: Open, strong: Run) -> None:
    page = opened(strong)
    first, second, *_ = strong.manifest.questions
    page.press("j", "j", "k", "ENTER")
    page.until(lambda: page.all("#question h1"), "a question is open")
    assert page.one(".eyebrow").text == first
    page.press("j")
    page.until(lambda: page.texts(".eyebrow") == [second], "the next one is open")
    page.press("ARROW_LEFT")
    page.until(lambda: page.texts(".eyebrow") == [first], "the one before is open")
    page.press("ESCAPE")
    page.until(lambda: page.all("#list"), "the list is there")
    assert first in page.run("return document.activeElement.textContent")
    page.press("/")
    page.until("document.activeElement.id === 'search'")
    page.press("j")
    assert page.one("#search").get_property("value") == "j"
    page.press("ESCAPE", "?")
    assert "next and previous question" in page.one("#help").text
    page.press("ESCAPE")
    assert page.all("#help") == []
    page.press("TAB")
    assert page.run("return document.activeElement !== document.body")


def test_it_fits_a_narrow_window_in_the_dark(opened: Open, strong: Run, weak: Run) -> None:
    page = opened(strong, weak)
    page.resize(400)
    page.scheme("dark")
    assert page.overflow == 0
    page.one("#sort").send_keys("A steps, most first")
    page.one("#list tbody a").click()
    page.one(".hit summary").click()
    page.until(lambda: page.texts(".hit .text"), "the snippet is there")
    assert page.overflow == 0
    assert page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(19, 22, 24)"


@pytest.mark.parametrize("address", ["#/A/nowhere/0", "#/Q/test-0000/0", "#/%E0%A4%A/x", "#/A/test-0000/99", "#///"])
def test_an_address_that_leads_nowhere_is_said(opened: Open, strong: Run, address: str) -> None:
    page = opened(strong, address=address)
    assert "that the address names" in page.one("#trouble").text
    assert len(page.all("#list tbody a")) == QUESTIONS


def test_long_lists_come_in_pages_and_repeats_are_lines_of_their_own(
    opened: Open, task_folder: Path, tmp_path: Path
) -> None:
    run = lrat_bench.run(str(task_folder), retriever="oracle", repeats=60, out=tmp_path / "run")
    page = opened(run)
    assert page.one("#count").text == "120 rollouts"
    assert len(page.all("#list tbody tr")) == 100
    assert "1–100 of 120" in page.one("#pager").text
    page.press("ARROW_RIGHT")
    assert len(page.all("#list tbody tr")) == 20
    page.all("#list tbody a")[-1].click()
    assert page.one(".eyebrow").text == "q2 · repeat 60"
    assert "120 of 120" in page.one(".bar").text
    page.press("ESCAPE")
    assert "101–120 of 120" in page.one("#pager").text


@pytest.mark.parametrize("gone", [True, False])
def test_without_the_task_there_are_ids_and_the_reason(
    opened: Open, task_folder: Path, tmp_path: Path, gone: bool
) -> None:
    run = lrat_bench.run(str(task_folder), retriever="oracle", out=tmp_path / "run")
    if gone:
        task_folder.rename(tmp_path / "elsewhere")
        page = opened(run)
        assert "bridge" in page.one("#missing").text
        assert opened(run, task=str(tmp_path / "elsewhere")).all("#missing") == []
        page = opened(run)
    else:
        page = opened(run, texts=False)
        assert "--no-texts" in page.one("#missing").text
    assert page.texts("#list .qid") == ["q1", "q2"]
    assert page.all(".wording") == []
    page.one("#list tbody a").click()
    assert "not at hand" in page.one("h1").text
    assert page.texts(".hit .hit-title") != []
    assert page.all(".hit details, .document *") == []


def test_a_question_that_one_run_does_not_hold_is_said(opened: Open, task_folder: Path, tmp_path: Path) -> None:
    both, one, none = (
        lrat_bench.run(str(task_folder), retriever=name, limit=limit, seed=seed, out=tmp_path / str(seed))
        for seed, (name, limit) in enumerate((("oracle", 2), ("none", 1), ("oracle", 2)))
    )
    page = opened(both, one, none)
    assert page.texts("#outcome option") == [
        "all", "only A right", "only B right", "only C right", "all right", "all wrong", "not the same",
    ]  # fmt: skip
    assert "–" in page.all("#list tbody tr")[1].text
    page.all("#list tbody a")[1].click()
    assert page.driver.current_url.endswith("#/A,C/q2/0")
    page.open("about:blank")
    page = opened(both, one, none, address="#/A,B,C/q2/0")
    assert "does not hold the question" in page.all(".verdicts .card")[1].text
    page.resize(400)
    assert page.overflow == 0


def test_what_has_no_turns_is_told_thought_by_thought(opened: Open, task_folder: Path, tmp_path: Path) -> None:
    run = lrat_bench.run(str(task_folder), retriever="oracle", out=tmp_path / "run")
    record = next(one for one in run.trajectories if one.question_id == "q1")
    steps = [step.model_copy(update={"turn": None}) for step in record.steps]
    run.folder.trajectories.append(record.model_copy(update={"steps": tuple(steps), "turns": ()}).to_json())
    page = opened(run, address="#/A/q1/0")
    thoughts = sum(step.kind == "think" for step in steps)
    assert len(page.all(".turn")) == thoughts > 1
    assert page.all(".turn h3") == []


def test_long_texts_are_opened_when_asked_for(opened: Open, task_folder: Path, tmp_path: Path) -> None:
    run = lrat_bench.run(str(task_folder), retriever="oracle", out=tmp_path / "run")
    record = next(one for one in run.trajectories if one.question_id == "q1")
    words = " ".join(f"word{number}" for number in range(5000))
    think = record.steps[0].model_copy(update={"text": words})
    run.folder.trajectories.append(record.model_copy(update={"steps": (think, *record.steps[1:])}).to_json())
    page = opened(run, address="#/A/q1/0")
    assert "word4999" not in page.run("return document.body.textContent")
    button = page.one(".think button.more")
    assert button.text == f"Show all {numbers.count(len(words))} characters"
    button.click()
    assert page.one(".think .prose").text == words
    assert button.get_attribute("aria-expanded") == "true"
    button.click()
    assert page.one(".think .prose").size["height"] < 250

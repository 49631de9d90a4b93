"""Whatever a model, a document, a task or a judge says is a text, and stays one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser

import lrat_bench
from lrat_bench.api.view import view_runs
from lrat_bench.runs.run import Run
from lrat_bench.trajectory import Answer, Browse, Hit, Notice, Search, Think, TurnRecord


def evil(where: str) -> str:
    """Markup that would say where it came to life."""
    return f"{where}<script>window.pwned='{where}'</script><img/src=x/onerror=window.pwned='{where}'>'\"`${{1}}"


QID, DOCID, MISSING = evil("qid"), evil("docid"), "__proto__"
QUESTION, ANSWER, TITLE, TEXT = (
    evil("question"),
    evil("answer"),
    evil("title"),
    (evil("text ") + "\u2028\u2029\x00") * 200,
)


@pytest.fixture
def hostile(tmp_path: Path) -> Run:
    """A scored run whose every text is an attack."""
    task = tmp_path / "task"
    task.mkdir()
    documents = [{"docid": DOCID, "title": TITLE, "text": TEXT}, {"docid": MISSING, "title": "", "text": "t"}]
    (task / "corpus.jsonl").write_text("".join(json.dumps(one) + "\n" for one in documents))
    questions = [{"qid": qid, "question": QUESTION, "answers": [ANSWER, evil("alias")]} for qid in (QID, MISSING)]
    (task / "questions.jsonl").write_text("".join(json.dumps(one) + "\n" for one in questions))
    (task / "qrels.trec").write_text(f"{QID} 0 {DOCID} 1\n")
    run: Run = lrat_bench.run(str(task), retriever="oracle", out=tmp_path / evil("run").replace("/", "-"))
    record = next(run.trajectories)
    hits = (Hit(docid=DOCID, score=1.5, rank=1),)
    steps = (
        Think(turn=0, text=evil("think"), source="summary"),
        Search(turn=0, call=0, query=evil("query"), hits=hits, error=evil("search error")),
        Browse(turn=1, call=0, docid=DOCID, found=True),
        Browse(turn=1, call=1, docid=evil("unknown docid"), found=False, error=evil("browse error")),
        Notice(turn=1, text=evil("notice")),
        Answer(turn=2, text=ANSWER),
    )
    turns = tuple(TurnRecord(turn=turn, text=evil("beside"), finish_reason=evil("finish")) for turn in range(3))
    changed = record.model_copy(
        update={"steps": steps, "turns": turns, "answer": ANSWER, "error": evil("error"), "status": "answered"}
    )
    run.folder.trajectories.append(changed.to_json())
    lrat_bench.rescore(run.path)
    verdict = next(one for one in run.folder.verdicts.scan() if one.trajectory == changed.hash)
    said = {"judge": "another", "judge_name": evil("judge"), "reply": evil("reply"), "error": evil("verdict error")}
    run.folder.verdicts.append(verdict.model_copy(update={**said, "extracted_answer": evil("extracted")}).to_json())
    manifest = json.loads((run.path / "manifest.json").read_text())
    for part in ("agent", "retriever", "task"):
        manifest[part]["name"] = evil(f"{part} name")
    (run.path / "manifest.json").write_text(json.dumps(manifest))
    return run


@pytest.fixture
def page(browser: Browser) -> Iterator[Browser]:
    yield browser
    assert browser.run("return window.pwned ?? null") is None
    assert browser.run("return document.querySelectorAll('main script, main img, main iframe').length") == 0
    assert browser.complaints() == []


def shown(page: Browser, *where: str) -> None:
    """Texts are there, letter by letter."""
    body: Any = page.run("return document.body.textContent")
    for one in where:
        assert evil(one) in body, one


def test_every_text_is_inert_and_shown(page: Browser, hostile: Run, tmp_path: Path) -> None:
    page.open(view_runs(hostile.path, task=str(tmp_path / "task"), out=tmp_path / "view").index)
    page.until("document.documentElement.dataset.ready")
    shown(page, "qid", "question", "agent name", "retriever name", "task name")
    page.one("#search").send_keys("<script>")
    assert len(page.all("#list tbody a")) == 2
    page.one("#list tbody a").click()
    page.until(lambda: page.all(".browse .text"), "the document is there")
    page.one(".hit summary").click()
    page.until(lambda: page.all(".hit .text"), "the snippet is there")
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    shown(
        page, "qid", "question", "answer", "alias", "docid", "title", "text ", "think", "query", "notice", "beside",
        "finish",
        "error", "search error", "browse error", "unknown docid", "judge", "reply", "verdict error", "extracted",
    )  # fmt: skip
    assert page.run("return document.title").startswith(QID)
    page.resize(400)
    assert page.overflow == 0


def test_a_name_that_objects_have_is_a_name_like_any_other(page: Browser, hostile: Run, tmp_path: Path) -> None:
    page.open(view_runs(hostile.path, task=str(tmp_path / "task"), out=tmp_path / "view").index)
    page.until("document.documentElement.dataset.ready")
    page.all("#list tbody a")[1].click()
    assert page.one(".eyebrow").text == MISSING
    page.press("k")
    page.until(lambda: page.texts(".eyebrow .mono") != [MISSING], "the one before is open")


def test_an_address_cannot_be_made_to_say_more_than_it_is(page: Browser, hostile: Run, tmp_path: Path) -> None:
    index = view_runs(hostile.path, task=str(tmp_path / "task"), out=tmp_path / "view").index
    page.open(f"{index.as_uri()}#/A/%3Cimg%20src%3Dx%20onerror%3Dwindow.pwned%3D1%3E/0")
    page.until("document.documentElement.dataset.ready")
    assert "<img src=x onerror=window.pwned=1>" in page.one("#trouble").text
    page.open("about:blank")
    page.open(f"{index.as_uri()}#/?sort=__proto__&outcome=only-<b>&status=x&page=1e99&q=%00")
    page.until("document.documentElement.dataset.ready")
    assert "No question fits" in page.text()

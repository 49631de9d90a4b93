"""Anyone's questions and documents are a task, once they lie in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lrat_bench.errors import DataError, UnknownName, UsageError
from lrat_bench.files import sha256_file
from lrat_bench.task.protocol import Protocol, Rollout
from lrat_bench.task.qrels import read_qrels
from lrat_bench.task.question import Question
from lrat_bench.task.sources.folder import load_folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))


def asked(qid: str, **more: object) -> dict[str, object]:
    return {"qid": qid, "question": f"Question {qid}?", "answers": [f"Answer {qid}", "another"], **more}


QUESTIONS = [asked("q1"), asked("q2"), asked("q3")]


def make(folder: Path, questions: list[Any] = QUESTIONS, **files: str) -> Path:
    """A task folder of five documents; further files by name, with `_` for the dot."""
    folder.mkdir(exist_ok=True)
    documents = [{"docid": f"d{i}", "title": f"T{i}", "text": f"text {i}"} for i in range(5)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(document) + "\n" for document in documents))
    (folder / "questions.jsonl").write_text("".join(json.dumps(question) + "\n" for question in questions))
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content)
    return folder


def test_a_folder_with_corpus_and_questions_is_a_task(tmp_path: Path) -> None:
    task = load_folder(make(tmp_path / "mine"))
    assert task.name == task.corpus.name == "mine"
    assert len(task.corpus) == 5
    assert task.questions[1] == Question("q2", "Question q2?", ("Answer q2", "another"), "all")
    assert (task.splits, task.default_split) == ({"all": "eval"}, "all")
    assert task.protocol() == Protocol()
    assert (task.domain, task.evidence, task.gold) == (None, None, None)


def test_qrels_are_evidence_and_gold(tmp_path: Path) -> None:
    folder = make(
        tmp_path / "mine",
        qrels_trec="q1 0 d0 1\nq1\tQ0  d1 2\nq1 0 d1 2\nq2 0 d3 0\n\nq3 0 d3 1\nq3 0 d4 -1\n",
        qrels_gold_trec="q1 0 d1 1\n",
    )
    task = load_folder(folder)
    assert task.evidence == {"q1": frozenset({"d0", "d1"}), "q3": frozenset({"d3"})}
    assert task.gold == {"q1": frozenset({"d1"})}


def test_the_source_says_what_the_task_was_made_from(tmp_path: Path) -> None:
    folder = make(tmp_path / "mine", qrels_trec="q1 0 d0 1\n")
    task = load_folder(folder)
    assert task.source == {
        "source": "folder",
        "documents": 5,
        "questions": 3,
        "files": {name: sha256_file(folder / name) for name in ("corpus.jsonl", "questions.jsonl", "qrels.trec")},
    }
    assert load_folder(folder, source={"source": "made"}).source == {**task.source, "source": "made"}


def test_the_same_files_are_the_same_task_under_any_name_and_place(tmp_path: Path) -> None:
    one, other = load_folder(make(tmp_path / "one")), load_folder(make(tmp_path / "other"), name="named")
    assert one.fingerprint == other.fingerprint
    assert (one.source, other.name) == (other.source, "named")


@pytest.mark.parametrize(
    ("splits", "roles", "default"),
    [
        (["a"], {"a": "eval"}, "a"),
        (["train"], {"train": "train"}, "train"),
        (["train", "dev", "test"], {"train": "train", "dev": "eval", "test": "eval"}, "test"),
        (["train-small", "dev", "hard"], {"train-small": "train", "dev": "eval", "hard": "eval"}, "dev"),
        (["train", "hard", "easy"], {"train": "train", "hard": "eval", "easy": "eval"}, "hard"),
    ],
)
def test_splits_have_roles_and_a_default(tmp_path: Path, splits: list[str], roles: object, default: str) -> None:
    folder = make(tmp_path / "mine", [asked(f"q{i}", split=split) for i, split in enumerate(splits)])
    task = load_folder(folder)
    assert (task.splits, task.default_split) == (roles, default)
    assert [question.split for question in task.select()] == [default]


def test_arguments_count_before_task_yaml_and_task_yaml_before_defaults(tmp_path: Path) -> None:
    card = """
name: carded
domain: OOD
splits: {x: train, y: eval}
default_protocol: short
protocols:
  long: {rollout: {max_turns: 100}}
  short: {summary: few turns, rollout: {max_turns: 5}, scoring: {judge: other}}
"""
    folder = make(tmp_path / "mine", [asked("q1", split="x"), asked("q2", split="y")], task_yaml=card)
    task = load_folder(folder)
    assert (task.name, task.domain, task.splits, task.default_split) == (
        "carded",
        "OOD",
        {"x": "train", "y": "eval"},
        "y",
    )
    assert task.protocol().name == "short"
    assert task.protocol().rollout == Rollout(max_turns=5)
    assert task.protocol("long").rollout.max_turns == 100
    given = load_folder(folder, name="n", domain="ID", splits={"x": "eval", "y": "eval"}, default_split="x")
    assert (given.name, given.domain, given.default_split, given.splits["x"]) == ("n", "ID", "x", "eval")


def test_a_default_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "mine")
    with pytest.raises(UnknownName, match="unknown split of task 'mine' 'test'"):
        load_folder(folder, default_split="test")
    with pytest.raises(UnknownName, match="unknown protocol of task 'mine' 'strict'"):
        load_folder(folder, default_protocol="strict")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("splits: [a]", r"task\.yaml: splits: must be a mapping"),
        ("split: {}\nsettings: {}", r"task\.yaml: split: there is no such field; settings: there is no such field"),
        ("protocols: {p: {rollout: {kk: 5}}}", r"task\.yaml: protocols\.p\.rollout\.kk: there is no such field"),
        ("default_protocol: p", r"task\.yaml: card: .*default_protocol 'p' is not among protocols"),
        ("a: b: c", r"task\.yaml:1: not valid YAML"),
        ("- 1", r"task\.yaml: card: must be a mapping"),
    ],
)
def test_a_wrong_card_is_named_with_its_key(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_folder(make(tmp_path / "mine", task_yaml=content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("questions", "message"),
    [
        ([], r"questions\.jsonl: holds no questions"),
        ([asked("q1"), asked("q2"), asked("q1")], r":3: qid 'q1' is already on line 1"),
        ([asked("q1", split="a"), asked("q2")], r":2: 1 of 2 questions have no 'split': give it to all or to none"),
        ([asked("q 1")], r":1: 'qid' 'q 1' holds ' '"),
        ([{"qid": 7}], r":1: 'question' is missing; the line has 'qid'"),
        ([asked("q1", question=" ")], r":1: 'question' is empty"),
        ([asked("q1", answers="Paris")], r":1: 'answers' must be a list .* not 'Paris'"),
        ([asked("q1", answers=[])], r":1: 'answers' must be a list with at least one string"),
        ([asked("q1", answers=[1969])], r":1: 'answers' must be a string, not 1969: put it in quotes"),
        ([asked("q1", answers=["a", ""])], r":1: 'answers' holds an empty string"),
        ([asked("q1", split=3)], r":1: 'split' must be a string, not 3"),
        ([asked("q1", split="")], r":1: 'split' is empty"),
    ],
)
def test_a_wrong_question_is_named_with_its_line(tmp_path: Path, questions: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_folder(make(tmp_path / "mine", questions))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("q1 0 d0\n", r"qrels\.trec:1: 3 columns instead of the four of TREC qrels"),
        ("q1 0 d0 1\nq1 Q0 d1 1 12.5 run\n", r":2: 6 columns"),
        ("q1 0 d0 yes\n", r":1: relevance 'yes' is not an integer"),
        ("q1 0 d0 1\nq1 0 d0 0\n", r":2: document 'd0' is judged both"),
        ("\n", r"holds no judgement: remove the file"),
        ("q8 0 d0 1\nq9 0 d0 1\n", r"2 qids are \('q8', 'q9'\) not in questions\.jsonl"),
        ("q1 0 x 1\n", r"1 docid is \('x'\) not in corpus\.jsonl"),
        ("".join(f"q1 0 x{i} 1\n" for i in range(9)), r"9 docids are \('x0', 'x1', 'x2', 'x3', 'x4', …\) not in"),
    ],
)
def test_wrong_qrels_are_named(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_folder(make(tmp_path / "mine", qrels_trec=content))


def test_splits_that_do_not_fit_the_questions_are_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "mine", [asked("q1", split="dev")])
    with pytest.raises(
        DataError, match=r"questions have 'dev', roles are given for 'test' \(differing: 'dev', 'test'\)"
    ):
        load_folder(folder, splits={"test": "eval"})


def test_what_is_no_task_folder_is_told_what_one_holds(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not there: a task folder holds corpus\.jsonl"):
        load_folder(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is not a folder: a task folder holds"):
        load_folder(tmp_path / "file")
    for missing in ("questions.jsonl", "corpus.jsonl"):
        folder = make(tmp_path / "mine")
        (folder / missing).unlink()
        with pytest.raises(UsageError, match=rf"has no {missing}: a task folder holds corpus\.jsonl \(docid, text"):
            load_folder(folder)


def test_qrels_of_relevant_documents_only_are_read(tmp_path: Path) -> None:
    file = tmp_path / "qrels.trec"
    file.write_text("q1 0 a 0\n")
    assert read_qrels(file) == {}

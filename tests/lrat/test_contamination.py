"""Training pairs are held against the questions that a retriever is to be evaluated on."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from mining_world import make_run, write_task

from lrat_bench.cli.main import main
from lrat_bench.errors import UsageError
from lrat_bench.lrat.contamination import scan
from lrat_bench.lrat.mining.mine import mine_runs
from lrat_bench.task.catalog import load_task
from lrat_bench.task.task import Task


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The task `world`, and the folder `pairs` of its train split; their queries are `first 0`, `first 1` and so on."""
    folder = tmp_path_factory.mktemp("made")
    task = write_task(folder / "world")
    run = make_run(task, folder / "train")
    mine_runs([run.path], folder / "pairs", outcome="all", relevance="none")
    return folder


def evaluation(made: Path, name: str, *questions: str, evidence: str = "") -> Task:
    """Another task over the same corpus."""
    folder = made / name
    folder.mkdir(exist_ok=True)
    (folder / "corpus.jsonl").write_bytes((made / "world" / "corpus.jsonl").read_bytes())
    records = [{"qid": f"x{n}", "question": text, "answers": ["a"]} for n, text in enumerate(questions)]
    (folder / "questions.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    if evidence:
        (folder / "qrels.trec").write_text(evidence)
    return load_task(str(folder))[0]


def test_the_split_that_was_mined_is_found_by_its_ids_and_the_other_is_clean(made: Path) -> None:
    task = load_task(str(made / "world"))[0]
    mined = scan([made / "pairs"], task, split="train")
    assert mined.questions == len(task.select("train"))
    assert not mined.clean
    other = scan([made / "pairs"], task, split="test")
    assert (other.questions, other.queries, other.near, other.clean) == (0, 0, 0, True)


def test_a_question_that_was_a_query_is_found_whatever_its_spelling(made: Path) -> None:
    found = scan([made / "pairs"], evaluation(made, "spelt", "FIRST  1?", "Something else altogether?"))
    assert (found.questions, found.queries, found.near, found.clean) == (0, 1, 0, False)
    assert [(one.how, one.question_id, one.pair_question_id) for one in found.examples] == [("query", "x0", "t1")]


def test_eight_words_in_a_row_are_near(tmp_path: Path, made: Path) -> None:
    pairs = tmp_path / "pairs"
    pairs.mkdir()
    for name in ("manifest.json", "rejected.jsonl", "undecided.jsonl"):
        (pairs / name).write_bytes((made / "pairs" / name).read_bytes())
    first = json.loads((made / "pairs" / "pairs.jsonl").read_text().splitlines()[0])
    query = "please tell me which of the nine bridges of the old town fell first"
    (pairs / "pairs.jsonl").write_text(json.dumps({**first, "query": query}) + "\n")
    near = "Which of the nine bridges of the old harbour burnt?"
    far = "Which of the nine bridges of that town fell?"
    found = scan([pairs], evaluation(made, "near", near, far))
    assert (found.queries, found.near) == (0, 1)
    assert [(one.how, one.question_id) for one in found.examples] == [("near", "x0")]


def test_examples_are_the_same_ones_every_time(made: Path, tmp_path: Path) -> None:
    pairs = shutil.copytree(made / "pairs", tmp_path / "pairs")
    first = json.loads((pairs / "pairs.jsonl").read_text().splitlines()[0])
    words = "which of the nine bridges of the town"
    (pairs / "pairs.jsonl").write_text(json.dumps({**first, "query": f"{words} fell"}) + "\n")
    found = scan([pairs], evaluation(made, "many", *(f"{words} is number {number}?" for number in range(9))))
    assert found.near == 9
    assert [one.question_id for one in found.examples] == [f"x{number}" for number in range(5)]


def test_evidence_that_is_a_positive_is_counted_and_is_no_leak(made: Path) -> None:
    positives = [json.loads(line)["pos_id"] for line in (made / "pairs" / "pairs.jsonl").read_text().splitlines()]
    task = evaluation(made, "evidence", "Why?", "When?", evidence=f"x0 0 {positives[0]} 1\nx1 0 d23 1\n")
    found = scan([made / "pairs"], task)
    assert (found.evidence, found.other_corpus, found.clean) == (1 + ("d23" in positives), 0, True)
    assert found.evidence_pairs == positives.count(positives[0]) + positives.count("d23")


def test_a_question_that_pairs_were_mined_on_is_found_under_another_id(made: Path) -> None:
    found = scan([made / "pairs"], evaluation(made, "renamed", "What is question number 2", "Why?"))
    assert (found.questions, found.queries, found.clean) == (1, 0, False)
    assert [(one.how, one.question_id, one.pair_question_id) for one in found.examples] == [("question", "x0", "t2")]


def test_pairs_whose_task_is_gone_are_told(made: Path, tmp_path: Path) -> None:
    pairs = shutil.copytree(made / "pairs", tmp_path / "pairs")
    manifest = json.loads((pairs / "manifest.json").read_text())
    (pairs / "manifest.json").write_text(json.dumps({**manifest, "task": str(tmp_path / "gone")}))
    found = scan([pairs, made / "pairs"], evaluation(made, "renamed", "What is question number 2", "Why?"))
    assert (found.questions, found.unknown_questions) == (1, found.pairs // 2)


def test_rejected_pairs_count_too_and_seven_words_in_a_row_do_not(made: Path, tmp_path: Path) -> None:
    pairs = shutil.copytree(made / "pairs", tmp_path / "pairs")
    (first, *rest) = (pairs / "pairs.jsonl").read_text().splitlines()
    (pairs / "pairs.jsonl").write_text("".join(f"{line}\n" for line in rest))
    record = {**json.loads(first), "query": "one two three four five six seven or eight", "satisfied": False}
    (pairs / "rejected.jsonl").write_text(json.dumps(record) + "\n")
    words = "one two three four five six seven"
    found = scan([pairs], evaluation(made, "rejected", f"{words} or eight?", f"{words} and eight?"))
    assert (found.queries, found.near) == (1, 1)


def test_pairs_of_another_corpus_hide_nothing_of_these(made: Path, tmp_path: Path) -> None:
    positives = [json.loads(line)["pos_id"] for line in (made / "pairs" / "pairs.jsonl").read_text().splitlines()]
    task = evaluation(made, "both", "Why?", evidence=f"x0 0 {positives[0]} 1\n")
    other = shutil.copytree(made / "pairs", tmp_path / "pairs")
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**manifest, "corpus": "0" * 64}))
    found = scan([other, made / "pairs"], task)
    assert (found.evidence, found.other_corpus) == (1, found.pairs // 2)


def test_equal_docids_of_another_corpus_say_nothing(made: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"docid": "d1", "text": "another"}\n')
    (tmp_path / "questions.jsonl").write_text('{"qid": "t0", "question": "Why?", "answers": ["a"]}\n')
    (tmp_path / "qrels.trec").write_text("t0 0 d1 1\n")
    found = scan([made / "pairs"], load_task(str(tmp_path))[0])
    assert (found.other_corpus, found.evidence, found.questions) == (found.pairs, 0, 0)


def test_the_command_fails_on_a_leak(
    made: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)

    def said(*words: str) -> tuple[object, str]:
        with pytest.raises(SystemExit) as stop:
            main(["contamination", "pairs", "--task", "./world", *words])
        return stop.value.code, capsys.readouterr().out

    code, out = said("--split", "train")
    assert code == 1
    assert out.splitlines()[-1] == "contaminated"
    assert re.search(r"^  question: (t\d), in train, question \1, step \d$", out, re.MULTILINE)
    code, out = said("--split", "test", "--json")
    assert (code, json.loads(out)["clean"]) == (0, True)
    assert said("--split", "nosuch")[0] == 2


def test_what_holds_no_pairs_is_refused(made: Path) -> None:
    with pytest.raises(UsageError, match="holds no pairs"):
        scan([made / "world"], load_task(str(made / "world"))[0])

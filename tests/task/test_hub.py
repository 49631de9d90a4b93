"""A benchmark of the hub is made into a task: fetched from a copy, decrypted, counted, and refused if it is another."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hub_copy import CANARY, COMMIT, browsecomp_card, document, question, write_browsecomp, write_card, write_parquet

import lrat_bench
from lrat_bench.errors import DataError, UsageError
from lrat_bench.task import catalog
from lrat_bench.task.catalog import load_task, prepare_task
from lrat_bench.task.qrels import read_qrels
from lrat_bench.task.sources.hub import documents, rows
from lrat_bench.task.sources.hub.copies import Sources
from lrat_bench.task.sources.hub.locate import locate
from lrat_bench.task.sources.hub.questions import read_asked


@pytest.fixture(autouse=True)
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog of its own, a cache of its own, and no network."""
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(catalog, "_cards_folder", lambda: tmp_path / "cards")
    write_card(tmp_path / "cards", browsecomp_card())
    return tmp_path / "cards"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return write_browsecomp(tmp_path / "copy")


def changed(cards: Path, *path: str, value: Any, name: str = "browsecomp-copy") -> None:
    """Change one value of the card."""
    card = browsecomp_card(name)
    place = card
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    write_card(cards, card)


def test_questions_are_decrypted_and_judgements_counted(copy: Path) -> None:
    task, protocol = prepare_task("browsecomp-copy", sources=[str(copy)])
    text, answer = question(3)
    assert [one.qid for one in task.questions] == [str(700 + number) for number in range(6)]
    assert (task.questions[3].text, task.questions[3].answers) == (text, (answer,))
    assert task.evidence is not None
    assert task.gold is not None
    assert task.evidence["703"] == {"1003", "1009"}
    assert task.gold["703"] == {"1003"}
    found = task.corpus.get("1007")
    assert found is not None
    assert found.text == document(7)["text"]
    assert (len(task.corpus), protocol.name, task.canary) == (40, "short", CANARY)


def test_what_is_prepared_is_found_without_the_copy_and_holds_no_question_in_the_open(
    copy: Path, tmp_path: Path
) -> None:
    first, _ = prepare_task("browsecomp-copy", sources=[str(copy)])
    shutil.rmtree(copy)
    assert load_task("browsecomp-copy")[0].fingerprint == first.fingerprint
    assert prepare_task("browsecomp-copy")[0].fingerprint == first.fingerprint
    kept = b"".join(file.read_bytes() for file in (tmp_path / "cache" / "tasks").rglob("questions.jsonl"))
    assert CANARY.encode() in kept
    assert b"hangs at" not in kept


def test_a_task_that_is_not_prepared_is_not_fetched_by_a_run() -> None:
    with pytest.raises(UsageError, match=r"not prepared: `lrat-bench tasks prepare browsecomp-copy`"):
        load_task("browsecomp-copy")


def test_a_copy_in_the_hubs_own_cache_is_found_by_its_commit(
    tmp_path: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = tmp_path / "hub"
    for name in ("browsecomp-plus", "browsecomp-plus-corpus"):
        snapshot = hub / f"datasets--Tevatron--{name}" / "snapshots" / COMMIT
        shutil.copytree(copy / "Tevatron" / name, snapshot)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(hub))
    assert len(prepare_task("browsecomp-copy")[0].questions) == 6
    # The folder of the cache works as a copy, too.
    shutil.rmtree(tmp_path / "cache")
    assert len(prepare_task("browsecomp-copy", sources=[str(hub)])[0].questions) == 6


def test_another_commit_is_refused(tmp_path: Path, copy: Path) -> None:
    hub = tmp_path / "hub" / "datasets--Tevatron--browsecomp-plus" / "snapshots" / ("f" * 40)
    shutil.copytree(copy / "Tevatron" / "browsecomp-plus", hub)
    with pytest.raises(DataError, match=f"holds commit {'f' * 40}, and the task is of {COMMIT}"):
        prepare_task("browsecomp-copy", sources=[str(tmp_path / "hub")])
    notes = copy / "Tevatron" / "browsecomp-plus" / ".cache" / "huggingface" / "download" / "data"
    notes.mkdir(parents=True)
    (notes / "test-00000-of-00002.parquet.metadata").write_text("f" * 40 + "\netag\n1.0\n")
    with pytest.raises(DataError, match=f"is of commit '{'f' * 40}'"):
        prepare_task("browsecomp-copy", sources=[str(copy)])


def test_a_commit_that_nobody_has_fetched_is_named_with_the_command_that_does() -> None:
    with pytest.raises(
        UsageError, match=f"hf download Tevatron/browsecomp-plus --repo-type dataset --revision {COMMIT}"
    ):
        prepare_task("browsecomp-copy")


def test_another_key_is_refused(tmp_path: Path) -> None:
    other = write_browsecomp(tmp_path / "other", canary="another canary")
    with pytest.raises(DataError, match="not encrypted under the canary"):
        prepare_task("browsecomp-copy", sources=[str(other)])


def test_gold_that_is_no_evidence_is_refused(copy: Path) -> None:
    file = copy / "Tevatron" / "browsecomp-plus" / "data" / "test-00000-of-00002.parquet"
    rows = pq.read_table(file).to_pylist()
    rows[1]["gold_docs"] = rows[2]["gold_docs"]
    write_parquet(file, rows)
    with pytest.raises(DataError, match=f"^{file.parent}: question '701': gold document '1002' is not among its evid"):
        prepare_task("browsecomp-copy", sources=[str(copy)])


def test_the_row_that_is_wrong_is_numbered_within_its_file(copy: Path) -> None:
    file = copy / "Tevatron" / "browsecomp-plus" / "data" / "test-00001-of-00002.parquet"
    rows = pq.read_table(file).to_pylist()
    rows[1]["query_id"] = " "
    write_parquet(file, rows)
    with pytest.raises(DataError, match=f"^{file}: row 2 has no id in 'query_id'"):
        prepare_task("browsecomp-copy", sources=[str(copy)])


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("documents", "40 documents instead of the 41"),
        ("questions", "6 questions instead of the 7"),
        ("evidence", "12 evidence judgements instead of the 13"),
        ("gold", "6 gold judgements instead of the 7"),
    ],
)
def test_another_number_is_refused(cards: Path, copy: Path, tmp_path: Path, what: str, said: str) -> None:
    there = browsecomp_card()["expected"][what]
    changed(cards, "expected", what, value=there + 1)
    with pytest.raises(DataError, match=said):
        prepare_task("browsecomp-copy", sources=[str(copy)])
    assert not list((tmp_path / "cache" / "tasks").glob("browsecomp*"))


def test_fewer_documents_than_are_known_to_be_there_are_refused(cards: Path, copy: Path) -> None:
    changed(cards, "expected", value={"documents_at_least": 41})
    with pytest.raises(DataError, match="40 documents instead of the 41 at least"):
        prepare_task("browsecomp-copy", sources=[str(copy)])


def test_preparing_goes_on_where_it_was_killed(copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(documents, "_EVERY", 8)
    read: list[str] = []
    whole = rows.read_rows

    def dying(file: Path, **words: Any) -> Any:
        for row in whole(file, **words):
            if len(read) == 27:
                raise KeyboardInterrupt
            read.append(row["docid"])
            yield row

    monkeypatch.setattr(documents, "read_rows", dying)
    with pytest.raises(KeyboardInterrupt):
        prepare_task("browsecomp-copy", sources=[str(copy)])
    (partial,) = (tmp_path / "cache" / "tasks").glob(".browsecomp*.partial")
    # What came behind the last mark may be torn.
    with (partial / "corpus.jsonl").open("a") as stream:
        stream.write('{"docid": "torn')

    read_again: list[str] = []

    def counting(file: Path, **words: Any) -> Any:
        for row in whole(file, **words):
            read_again.append(row["docid"])
            yield row

    monkeypatch.setattr(documents, "read_rows", counting)
    task, _ = prepare_task("browsecomp-copy", sources=[str(copy)])
    assert [one.docid for one in task.corpus] == [str(1000 + number) for number in range(40)]
    assert read_again == [str(1000 + number) for number in range(24, 40)]


def test_a_corpus_is_not_made_of_two_copies(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_EVERY", 8)
    whole = rows.read_rows

    def dying(file: Path, **words: Any) -> Any:
        for number, row in enumerate(whole(file, **words)):
            if number == 17:
                raise KeyboardInterrupt
            yield {**row, "text": "another version"}

    monkeypatch.setattr(documents, "read_rows", dying)
    with pytest.raises(KeyboardInterrupt):
        prepare_task("browsecomp-copy", sources=[str(copy)])
    monkeypatch.setattr(documents, "read_rows", whole)
    for file in (copy / "Tevatron" / "browsecomp-plus-corpus").rglob("*.parquet"):
        os.utime(file, (1, 1))  # fetched again
    task, _ = prepare_task("browsecomp-copy", sources=[str(copy)])
    assert not any(one.text == "another version" for one in task.corpus)


def test_a_copy_that_makes_no_task_is_not_kept(copy: Path, tmp_path: Path) -> None:
    folder = copy / "Tevatron" / "browsecomp-plus-corpus" / "data"
    shutil.copytree(folder, tmp_path / "good")
    pages = [document(number % 39) for number in range(40)]
    write_parquet(folder / "train-00000-of-00002.parquet", pages[:20])
    write_parquet(folder / "train-00001-of-00002.parquet", pages[20:])
    with pytest.raises(
        DataError, match=f"^{folder}/train-00001-of-00002.parquet: row 20: document '1000' is there twice"
    ):
        prepare_task("browsecomp-copy", sources=[str(copy)])
    shutil.copytree(tmp_path / "good", folder, dirs_exist_ok=True)
    assert len(prepare_task("browsecomp-copy", sources=[str(copy)])[0].corpus) == 40


def test_what_is_wrong_with_a_copy_is_said_of_the_copy(copy: Path, tmp_path: Path) -> None:
    folder = copy / "Tevatron" / "browsecomp-plus-corpus" / "data"
    second = folder / "train-00001-of-00002.parquet"
    pages = [document(number) for number in range(20, 40)]
    write_parquet(second, [*pages[:4], {**pages[4], "docid": "10 24"}, *pages[5:]])
    with pytest.raises(DataError, match=f"^{second}:5: 'docid' '10 24' holds ' '"):
        prepare_task("browsecomp-copy", sources=[str(copy)])
    first = folder / "train-00000-of-00002.parquet"
    write_parquet(second, pages)
    write_parquet(first, [{**document(number), "docid": str(2000 + number)} for number in range(20)])
    with pytest.raises(DataError, match=rf"^{folder}: 12 docids are \('1000', .* the copy is not whole, or of another"):
        prepare_task("browsecomp-copy", sources=[str(copy)])
    assert not list((tmp_path / "cache" / "tasks").glob("browsecomp*"))


def test_a_prepared_task_that_was_cut_is_noticed_and_made_again(copy: Path, tmp_path: Path) -> None:
    prepare_task("browsecomp-copy", sources=[str(copy)])
    (corpus,) = (tmp_path / "cache" / "tasks").glob("browsecomp*/corpus.jsonl")
    cut = "".join(corpus.read_text().splitlines(keepends=True)[:20])
    corpus.write_text(cut)
    with pytest.raises(UsageError, match="'browsecomp-copy' is damaged: `lrat-bench tasks prepare"):
        load_task("browsecomp-copy")
    with pytest.raises(UsageError, match="is not in the local Hugging Face cache"):
        prepare_task("browsecomp-copy")
    assert corpus.read_text() == cut  # nothing is thrown away before there is something better
    assert len(prepare_task("browsecomp-copy", sources=[str(copy)])[0].corpus) == 40


@pytest.mark.parametrize("deed", ["rename", "unlink"])
def test_a_kill_at_the_very_end_costs_nothing(copy: Path, monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    whole = getattr(Path, deed)

    def dying(path: Path, *rest: Any, **words: Any) -> Any:
        if ".browsecomp" in str(path):
            raise KeyboardInterrupt
        return whole(path, *rest, **words)

    with monkeypatch.context() as patch:
        patch.setattr(Path, deed, dying)
        with pytest.raises(KeyboardInterrupt):
            prepare_task("browsecomp-copy", sources=[str(copy)])
    shutil.rmtree(copy)
    assert len(prepare_task("browsecomp-copy")[0].corpus) == 40


def test_a_kill_before_the_seal_costs_no_document(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lrat_bench.task.sources.hub.prepare.seal", dying)
        with pytest.raises(KeyboardInterrupt):
            prepare_task("browsecomp-copy", sources=[str(copy)])
    monkeypatch.setattr(documents, "_line", dying)
    assert len(prepare_task("browsecomp-copy", sources=[str(copy)])[0].corpus) == 40


def test_half_a_dataset_is_refused(cards: Path, copy: Path) -> None:
    changed(cards, "expected", value={})
    data = copy / "Tevatron" / "browsecomp-plus-corpus" / "data"
    (data / "train-00001-of-00002.parquet").unlink()
    only = data / "train-00000-of-00002.parquet"
    said = f"^{data}: holds 1 of the 2 files train-…-of-00002: the copy is not whole"
    for sources in ([str(copy)], [str(copy), f"corpus={only}"]):
        with pytest.raises(DataError, match=said):
            prepare_task("browsecomp-copy", sources=sources)
    only.rename(data / "train-all.parquet")
    assert len(prepare_task("browsecomp-copy", sources=[str(copy)])[0].corpus) == 20


def test_a_source_that_holds_nothing_of_the_task_is_refused_before_anything_is_fetched(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetched(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetched)
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    for useless in (str(empty), str(tmp_path / "notes.txt"), f"gold={empty}"):
        for sources in ([useless], [str(copy), useless]):
            with pytest.raises(UsageError) as error:
                prepare_task("browsecomp-copy", sources=sources)
            assert f"--source {useless} holds nothing of task 'browsecomp-copy'" in str(error.value)
            assert "Tevatron/browsecomp-plus or Tevatron/browsecomp-plus-corpus" in str(error.value)


def test_a_folder_of_questions_is_not_taken_for_the_corpus(cards: Path, tmp_path: Path) -> None:
    write_card(cards, tsv_card())
    (tmp_path / "copies").mkdir()
    (tmp_path / "copies" / "questions.tsv").write_text(TSV)
    (tmp_path / "copies" / "more.jsonl").write_text('{"x": 1}\n')
    with pytest.raises(UsageError, match="the corpus, dataset some/wiki at commit abcdef1, is not in the local"):
        prepare_task("infoseek-copy", sources=[str(tmp_path / "copies")], settings={"corpus_revision": "abcdef1"})


def test_half_a_character_and_a_grade_that_is_none_are_no_traceback(cards: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copies" / "odd"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "1", "text": ["one", "two \\ud800"]}\n')
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "why \\ud800?"}\n')
    (folder / "qrels" / "test.jsonl").write_text('{"query-id": "q", "corpus-id": "1", "score": "high"}\n')
    part = {"dataset": "some/odd", "revision": "abcdef1"}
    card = infoseek_like(
        "odd",
        {**part, "files": ["queries.jsonl"], "qid": "_id", "question": "text", "answers": None},
        corpus={**part, "files": ["corpus.jsonl"], "docid": "_id", "text": "text"},
        evidence={"rows": {**part, "files": ["qrels/test.jsonl"]}},
    )
    write_card(cards, {**card, "expected": {}})
    with pytest.raises(DataError, match="row 1 has the relevance 'high', which is no number"):
        prepare_task("odd", sources=[str(tmp_path / "copies")])
    (folder / "qrels" / "test.jsonl").write_text('{"query-id": "q", "corpus-id": "1", "score": 1}\n')
    task, _ = prepare_task("odd", sources=[str(tmp_path / "copies")])
    found = task.corpus.get("1")
    assert found is not None
    assert (task.questions[0].text, found.text) == ("why ??", "one\ntwo ?")


def test_parts_are_given_one_by_one(copy: Path) -> None:
    datasets = copy / "Tevatron"
    sources = [f"corpus={datasets / 'browsecomp-plus-corpus'}", f"questions={datasets / 'browsecomp-plus'}"]
    assert len(prepare_task("browsecomp-copy", sources=sources)[0].questions) == 6


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere", "no file or folder 'nowhere'"),
        ("answers={copy}", "there is no part 'answers'"),
        ("corpus={copy}/nowhere", "there is no file or folder"),
    ],
)
def test_a_source_that_is_none_is_refused(copy: Path, source: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        prepare_task("browsecomp-copy", sources=[source.format(copy=copy)])


def test_a_copy_without_the_column_is_refused(copy: Path) -> None:
    file = copy / "Tevatron" / "browsecomp-plus-corpus" / "data" / "train-00000-of-00002.parquet"
    write_parquet(file, [{"id": "1", "contents": "x"}])
    with pytest.raises(DataError, match=r"has no column 'docid'; it has 'id', 'contents'"):
        prepare_task("browsecomp-copy", sources=[str(copy)])


def test_a_damaged_file_is_named(copy: Path) -> None:
    file = copy / "Tevatron" / "browsecomp-plus-corpus" / "data" / "train-00000-of-00002.parquet"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DataError, match="cannot be read as parquet"):
        prepare_task("browsecomp-copy", sources=[str(copy)])


def infoseek_like(name: str, questions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A card whose questions lie in a file, and whose corpus is of a commit that the user names."""
    return {
        "name": name,
        "summary": "a copy for tests",
        "domain": "ID",
        "license": "CC0-1.0",
        "source": "hub",
        "settings": {"corpus_revision": ""},
        "splits": {"test": "eval"},
        "default_split": "test",
        "default_protocol": "short",
        "expected": {"questions": 2},
        "hub": {
            "questions": {"test": questions},
            "corpus": {"dataset": "some/wiki", "revision": "{corpus_revision}", "docid": "id", "text": "contents"},
            "takes": {"download_gb": 0, "disk_gb": 0, "minutes": 0},
            **more,
        },
        "protocols": {"short": {}},
    }


TSV = 'Q_0\tWho says "no"?\tthe heron\nQ_1\tWho stays?\tthe walnut\n'


def tsv_card(name: str = "infoseek-copy", **more: Any) -> dict[str, Any]:
    import hashlib

    questions = {
        "url": "https://example.org/questions.tsv",
        "sha256": hashlib.sha256(TSV.encode()).hexdigest(),
        "columns": ["qid", "question", "answer"],
        "qid": "qid",
        "question": "question",
        "answers": "answer",
    }
    return infoseek_like(name, questions, **more)


@pytest.fixture
def wiki(tmp_path: Path) -> Path:
    """A corpus in JSON Lines, under the columns of Wiki-25."""
    folder = tmp_path / "wiki"
    folder.mkdir()
    rows = [{"id": number, "contents": f'"Town {number}"\nA town.'} for number in range(5)]
    (folder / "wiki.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_a_file_of_questions_is_known_by_its_checksum(cards: Path, tmp_path: Path, wiki: Path) -> None:
    write_card(cards, tsv_card())
    file = tmp_path / "questions.tsv"
    file.write_text(TSV)
    commit = {"corpus_revision": "abcdef1"}
    task, _ = prepare_task("infoseek-copy", sources=[str(file), f"corpus={wiki}"], settings=commit)
    assert [(one.qid, one.text, one.answers) for one in task.questions] == [
        ("Q_0", 'Who says "no"?', ("the heron",)),
        ("Q_1", "Who stays?", ("the walnut",)),
    ]
    assert (task.evidence, task.canary) == (None, None)
    assert [one.docid for one in task.corpus] == ["0", "1", "2", "3", "4"]
    file.write_text(TSV.replace("heron", "crane"))
    with pytest.raises(DataError, match="it is another version"):
        prepare_task("infoseek-copy", sources=[str(file)], settings={"corpus_revision": "abcdef2"})


def test_a_corpus_whose_commit_the_card_cannot_name_must_be_named(cards: Path, tmp_path: Path, wiki: Path) -> None:
    write_card(cards, tsv_card())
    (tmp_path / "questions.tsv").write_text(TSV)
    sources = [str(tmp_path / "questions.tsv"), f"corpus={wiki}"]
    with pytest.raises(UsageError, match=r"give --set task.corpus_revision=COMMIT \(the 2 questions are there"):
        prepare_task("infoseek-copy", sources=sources)
    with pytest.raises(UsageError, match="corpus_revision=COMMIT"):
        prepare_task("infoseek-copy", sources=sources, settings={"corpus_revision": "main"})


def test_training_questions_that_an_evaluation_asks_are_refused(cards: Path, tmp_path: Path, wiki: Path) -> None:
    write_card(cards, tsv_card("held-out"))
    rows = [{"root": {"question": f"Who counts {number}?", "entity": str(number)}} for number in range(4)]
    part = {
        "dataset": "some/questions",
        "revision": "5b59bfd",
        "files": ["data/all.jsonl"],
        "qid": "Train_{row}",
        "question": "root.question",
        "answers": "root.entity",
        "first": 2,
    }
    write_card(cards, infoseek_like("training", part, disjoint_from=["held-out"]))
    copies = tmp_path / "copies"
    file = copies / "questions" / "data" / "all.jsonl"
    file.parent.mkdir(parents=True)
    sources = [str(copies), f"corpus={wiki}"]
    commit = {"corpus_revision": "abcdef1"}
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(
        UsageError, match=r"/questions.tsv, are not at hand, .* give a copy with --source FOLDER/questions.tsv$"
    ):
        prepare_task("training", sources=sources, settings=commit)
    (tmp_path / "questions.tsv").write_text(TSV)
    alone = tmp_path / "alone.jsonl"
    alone.write_text(file.read_text())
    for more in ([*sources, str(tmp_path / "questions.tsv")], [str(tmp_path / "questions.tsv"), *sources]):
        assert len(prepare_task("training", sources=more, settings=commit)[0].questions) == 2
        shutil.rmtree(tmp_path / "cache")
    with pytest.raises(DataError, match=r"a .tsv needs columns, and the card of the task names none"):
        prepare_task("training", sources=[f"questions={tmp_path / 'questions.tsv'}"], settings=commit)
    (copies / "questions.tsv").write_text(TSV)
    shared = [{"root": {"question": "WHO  stays", "entity": "x"}}, *rows]
    file.write_text("".join(json.dumps(row) + "\n" for row in shared))
    with pytest.raises(
        UsageError, match=r"1 questions are also asked by 'held-out' \(the first is 'Train_0', there 'Q_1'"
    ):
        prepare_task("training", sources=sources, settings=commit)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    task, _ = prepare_task("training", sources=sources, settings=commit)
    assert [one.qid for one in task.questions] == ["Train_0", "Train_1"]


def test_a_set_without_answers_can_be_retrieved_on_and_not_run(cards: Path, tmp_path: Path) -> None:
    data = tmp_path / "copies" / "beir-like"
    (data / "qrels").mkdir(parents=True)
    lines: dict[str, list[dict[str, Any]]] = {
        "corpus.jsonl": [{"_id": str(n), "title": f"Town {n}", "text": "A town."} for n in range(4)],
        "queries.jsonl": [{"_id": f"q{n}", "text": f"Where is town {n}?"} for n in range(3)],
        "qrels/test.jsonl": [
            {"query-id": "q0", "corpus-id": "0", "score": 1.0},
            {"query-id": "q0", "corpus-id": "3", "score": 0.0},
            {"query-id": "q2", "corpus-id": "2", "score": 1.0},
        ],
    }
    for name, records in lines.items():
        (data / name).write_text("".join(json.dumps(row) + "\n" for row in records))
    part = {"dataset": "some/{name}", "revision": "{revision}"}
    card = infoseek_like(
        "beir-copy",
        {**part, "files": ["queries.jsonl"], "qid": "_id", "question": "text", "answers": None, "judged": True},
        corpus={**part, "files": ["corpus.jsonl"], "docid": "_id", "text": "text", "title": "title"},
        evidence={"rows": {**part, "files": ["qrels/test.jsonl"]}},
    )
    card["settings"] = {"name": "beir-like", "revision": "abcdef1"}
    write_card(cards, card)
    task, _ = prepare_task("beir-copy", sources=[str(tmp_path / "copies")])
    assert [(one.qid, one.answers) for one in task.questions] == [("q0", ()), ("q2", ())]
    assert dict(task.evidence or {}) == {"q0": frozenset({"0"}), "q2": frozenset({"2"})}
    found = lrat_bench.retrieve(task, "oracle", out=tmp_path / "retrieval")
    recall = found.metrics.metric("evidence_R@5")
    assert recall is not None
    assert recall.value == 1.0
    with pytest.raises(UsageError, match="no accepted answer"):
        lrat_bench.run(task, retriever="oracle", out=tmp_path / "run")


@pytest.mark.parametrize("name", ["a**b", "../../etc", "/etc", "", "a b"])
def test_a_setting_that_makes_no_path_is_refused(cards: Path, tmp_path: Path, name: str) -> None:
    part = {"dataset": "some/set", "revision": "abcdef1"}
    card = infoseek_like(
        "domains",
        {**part, "files": ["examples/{domain}-*.parquet"], "qid": "id", "question": "query", "answers": None},
        corpus={**part, "files": ["documents/{domain}-*.parquet"], "docid": "id", "text": "content"},
    )
    card["settings"] = {"domain": "biology"}
    write_card(cards, card)
    (tmp_path / "copies" / "set").mkdir(parents=True)
    for sources in ([], [str(tmp_path / "copies")]):
        with pytest.raises(UsageError, match=r"task.domain must be a name of letters, digits, .*, got "):
            prepare_task("domains", sources=sources, settings={"domain": name})


def test_a_setting_of_digits_is_to_be_put_in_quotes(cards: Path) -> None:
    write_card(cards, tsv_card())
    for given in (1234567, 12.5, True):
        with pytest.raises(
            UsageError, match=r"must be of type str, .*: put it in quotes, as in --set 'task.corpus_rev"
        ):
            prepare_task("infoseek-copy", settings={"corpus_revision": given})
    with pytest.raises(UsageError, match=r"^task 'browsecomp-copy' has no settings to set: 'foo'$"):
        prepare_task("browsecomp-copy", settings={"foo": 1})


def test_a_task_that_comes_from_nowhere_takes_no_source(copy: Path) -> None:
    (copy / "corpus.jsonl").write_text('{"docid": "1", "text": "x"}\n')
    (copy / "questions.jsonl").write_text('{"qid": "1", "question": "?", "answers": ["!"]}\n')
    with pytest.raises(UsageError, match="not fetched from anywhere"):
        prepare_task(str(copy), sources=[str(copy)])


def test_every_card_of_the_catalog_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    found = {card.name: card for card in catalog.known_tasks()}
    hub = {name: card for name, card in found.items() if card.hub is not None}
    assert {"browsecomp-plus", "infoseek-eval", "infoseekqa", "hotpotqa", "bright", "beir"} == hub.keys()
    bcp = found["browsecomp-plus"]
    assert (bcp.expected.documents, bcp.expected.evidence, bcp.expected.gold) == (100_195, 5_064, 2_407)
    assert {"standard-v1", "getdoc-v1", "lrat-v1", "lrat-code-v1", "xir-a-v1"} == bcp.protocols.keys()
    # The tools of BrowseComp-Plus take one query; LRAT's agents were trained on lists.
    queries = {name: protocol.rollout.queries_per_call for name, protocol in bcp.protocols.items()}
    assert queries == {"standard-v1": 1, "getdoc-v1": 1, "xir-a-v1": 1, "lrat-code-v1": 1, "lrat-v1": 5}
    # One protocol under several tasks is one protocol.
    rollouts = {card.protocols["lrat-v1"].rollout.fingerprint for card in hub.values() if "lrat-v1" in card.protocols}
    assert len(rollouts) == 1
    assert found["infoseekqa"].protocols["collect-v1"].rollout.max_turns == 100


DATA = os.environ.get("LRAT_BENCH_TEST_DATA")


@pytest.mark.skipif(DATA is None, reason="LRAT_BENCH_TEST_DATA names no folder with InfoSeek-Eval.tsv")
def test_infoseek_eval_has_its_300_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    card = catalog.task_card("infoseek-eval")
    assert card.hub is not None
    sources = Sources([str(Path(DATA or "") / "InfoSeek-Eval.tsv")])
    asked = read_asked(card.hub, lambda name, part: locate(name, part, sources, downloads=tmp_path), guard=None)
    assert [one.qid for one in asked.questions] == [f"InfoSeek-Eval_{number}" for number in range(300)]
    assert all(one.text and one.answers for one in asked.questions)


@pytest.mark.skipif(DATA is None, reason="LRAT_BENCH_TEST_DATA names no folder with BrowseComp-Plus's qrels")
def test_the_qrels_of_browsecomp_plus_have_the_numbers_of_its_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    expected = catalog.task_card("browsecomp-plus").expected
    folder = Path(DATA or "") / "bcp_qrels"
    evidence, gold = (read_qrels(folder / name) for name in ("qrel_evidence.txt", "qrel_golds.txt"))
    assert len(evidence) == len(gold) == expected.questions
    assert (sum(map(len, evidence.values())), sum(map(len, gold.values()))) == (expected.evidence, expected.gold)
    assert all(docids <= evidence[qid] for qid, docids in gold.items())

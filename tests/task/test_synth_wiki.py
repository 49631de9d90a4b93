"""The generated task as a user meets it: files, settings, determinism, memory."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.progress import no_progress
from lrat_bench.task.catalog import load_task
from lrat_bench.task.protocol import Protocol
from lrat_bench.task.sources.synth_wiki import VERSION, prepare
from lrat_bench.task.sources.synth_wiki.settings import Settings
from lrat_bench.task.sources.synth_wiki.task_folder import world_of

FILES = ("corpus.jsonl", "qrels.gold.trec", "qrels.trec", "questions.jsonl")
CARDS = Path(__file__).parents[2] / "tasks"


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_qrels(path: Path) -> dict[str, list[str]]:
    judged: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        qid, zero, docid, relevance = line.split(" ")
        assert (zero, relevance) == ("0", "1")
        judged.setdefault(qid, []).append(docid)
    return judged


def digest(folder: Path) -> str:
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in FILES)).hexdigest()


@pytest.fixture(scope="module", params=[("in-domain", 300), ("out-of-domain", 60)], ids=lambda param: param[0])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest worlds; one has as many questions as the default one."""
    world, questions = request.param
    path = tmp_path_factory.mktemp(world)
    prepare({"world": world, "documents": 1000, "train": questions, "test": questions}, path, no_progress)
    return path


def test_a_prepared_task_is_a_task_folder_with_documents_questions_and_judgements(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == list(FILES)
    documents, questions = read_lines(folder / "corpus.jsonl"), read_lines(folder / "questions.jsonl")
    assert len(documents) == len({document["docid"] for document in documents}) == 1000
    assert len({document["title"] for document in documents}) == 1000
    splits = Counter(question["split"] for question in questions)
    assert splits["train"] == splits["test"] == len(questions) / 2
    assert len({question["question"] for question in questions}) == len({q["qid"] for q in questions}) == len(questions)


def test_gold_is_the_article_of_the_answer_and_part_of_the_evidence(folder: Path) -> None:
    titles = {document["docid"]: document["title"] for document in read_lines(folder / "corpus.jsonl")}
    evidence, gold = read_qrels(folder / "qrels.trec"), read_qrels(folder / "qrels.gold.trec")
    for question in read_lines(folder / "questions.jsonl"):
        (docid,) = gold[question["qid"]]
        assert titles[docid] == question["answers"][0]
        assert docid in evidence[question["qid"]]
        assert len(evidence[question["qid"]]) >= 3


def test_no_question_names_its_answer_and_every_question_states_its_type(folder: Path) -> None:
    for question in read_lines(folder / "questions.jsonl"):
        assert question["answers"][0] not in question["question"]
        assert "Which " in question["question"]
        assert question["question"][-1] in "?."


def test_train_and_test_share_neither_answers_nor_evidence(folder: Path) -> None:
    split = {question["qid"]: question["split"] for question in read_lines(folder / "questions.jsonl")}
    seen: dict[str, set[str]] = {"train": set(), "test": set()}
    for qid, docids in read_qrels(folder / "qrels.trec").items():
        seen[split[qid]].update(docids)
    assert seen["train"]
    assert seen["test"]
    assert not seen["train"] & seen["test"]


def test_the_same_settings_give_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    settings = {"documents": 1000, "train": 20, "test": 20}
    code = (
        "import json, sys; from pathlib import Path; from lrat_bench.task.sources.synth_wiki import prepare; "
        "prepare(json.loads(sys.argv[1]), Path(sys.argv[2]))"
    )
    digests = set()
    for hash_seed in ("0", "12345"):
        path = tmp_path / hash_seed
        path.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", code, json.dumps(settings), str(path)], check=True, env=environment)
        digests.add(digest(path))
    assert len(digests) == 1


def test_another_seed_is_another_world(tmp_path: Path) -> None:
    digests = set()
    for seed in (0, 1, -7, 2**70):
        path = tmp_path / str(seed)
        path.mkdir()
        prepare({"seed": seed, "documents": 1000, "train": 3, "test": 3}, path)
        digests.add(digest(path))
    assert len(digests) == 4


def test_articles_do_not_depend_on_the_order_they_are_asked_for() -> None:
    world, other = world_of(Settings(documents=2000)), world_of(Settings(documents=2000))
    indices = [1999, 0, 1234, 3, 777]
    backwards = {index: other.document(index) for index in reversed(indices)}
    assert {index: world.document(index) for index in indices} == backwards
    assert list(world)[777] == backwards[777]


def test_memory_does_not_grow_with_the_corpus(tmp_path: Path) -> None:
    def peak(documents: int) -> int:
        tracemalloc.start()
        try:
            prepare({"documents": documents, "train": 4, "test": 4}, tmp_path)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1000)  # what is imported and cached once
    assert peak(3000) < 1.5 * peak(1000)


def test_a_world_of_ten_million_answers_for_any_article_at_once() -> None:
    world = world_of(Settings(documents=10_000_000))
    for index in (0, 4_999_999, 9_999_999):
        document = world.document(index)
        assert document.title in document.text
        assert len(document.docid) == 7


def test_progress_counts_the_articles(tmp_path: Path) -> None:
    calls: list[tuple[int, int | None]] = []
    prepare({"documents": 1000, "train": 1, "test": 0}, tmp_path, lambda _, done, total: calls.append((done, total)))
    assert calls[0] == (0, 1000)
    assert calls[-1] == (1000, 1000)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"world": "mars"}, "world must be one of in-domain, out-of-domain, got 'mars'"),
        ({"documents": 999}, "documents must be between 1000 and 10000000, got 999"),
        ({"documents": 10**7 + 1}, "documents must be between 1000 and 10000000, got 10000001"),
        ({"documents": "many"}, "documents must be a whole number, got 'many'"),
        ({"seed": 1.5}, "seed must be a whole number, got 1.5"),
        ({"train": True}, "train must be a whole number, got True"),
        ({"train": -1}, "train must be between 0 and 1666"),
        ({"documents": 1000, "test": 334}, "test must be between 0 and 333, a third of the 1000 documents, got 334"),
        ({"train": 0, "test": 0}, "ask for at least one question"),
    ],
)
def test_bad_settings_are_refused_by_name_and_value(settings: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        prepare(settings, tmp_path)
    assert message in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_unknown_setting_is_answered_with_the_nearest_known_one(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'documents'"):
        prepare({"document": 5000}, tmp_path)


@pytest.mark.parametrize(
    ("name", "world", "domain"), [("synth-wiki", "in-domain", "ID"), ("synth-wiki-ood", "out-of-domain", "OOD")]
)
def test_the_task_cards_are_valid(name: str, world: str, domain: str) -> None:
    card = yaml.safe_load((CARDS / f"{name}.yaml").read_text(encoding="utf-8"))
    assert (card["name"], card["domain"], card["source"]) == (name, domain, "synth-wiki")
    assert Settings.parse(card["settings"]) == Settings(world=world)
    for protocol in card["protocols"].values():
        assert Protocol(**protocol).rollout.k == 10
    assert card["splits"] == {"train": "train", "test": "eval"}
    assert VERSION >= 1


@pytest.mark.parametrize("file", ["qrels.trec", "questions.jsonl", "corpus.jsonl", "prepared.json"])
def test_a_damaged_prepared_folder_is_prepared_anew(tmp_path: Path, file: str) -> None:
    settings = {"documents": 1_000, "train": 5, "test": 5}
    whole, _ = load_task("synth-wiki", settings=settings, cache=tmp_path)
    (folder,) = (tmp_path / "tasks").glob("synth-wiki-*")
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: len(content) // 2])
    assert load_task("synth-wiki", settings=settings, cache=tmp_path)[0].fingerprint == whole.fingerprint
    (folder / file).unlink()
    assert load_task("synth-wiki", settings=settings, cache=tmp_path)[0].fingerprint == whole.fingerprint

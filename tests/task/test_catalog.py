"""A task is loaded by its name, under one of its protocols, and is prepared once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lrat_bench.errors import DataError, UnknownName, UsageError
from lrat_bench.registry import Entry, Registry
from lrat_bench.task import catalog
from lrat_bench.task.card import TaskCard
from lrat_bench.task.catalog import known_tasks, load_card, load_task, task_card

SOURCE = """
import json
VERSION = 1
prepared = []

def prepare(settings, folder, progress):
    prepared.append(dict(settings))
    corpus = [{"docid": f"d{i}", "text": f"{settings['word']} {i}"} for i in range(settings["documents"])]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(d) + "\\n" for d in corpus))
    question = {"qid": "q", "question": "?", "answers": ["!"], "split": "test"}
    (folder / "questions.jsonl").write_text(json.dumps(question) + "\\n")
"""

CARD = """
name: tiny
summary: a few documents
domain: ID
license: CC0-1.0
source: tiny-source
settings: {documents: 3, word: text, share: 0.5}
splits: {test: eval}
default_split: test
default_protocol: plain
protocols:
  plain: {}
  closed: {summary: no tools to speak of, rollout: {max_turns: 1}, scoring: {judge: exact}}
expected: {documents: 3, questions: 1}
"""


@pytest.fixture(autouse=True)
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog of one card, whose source a plug-in brings."""
    folder = tmp_path / "cards"
    folder.mkdir()
    (folder / "tiny.yaml").write_text(CARD)
    (tmp_path / "tiny_source.py").write_text(SOURCE)
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tiny_source", raising=False)
    sources = Registry("task source", {"tiny-source": Entry("tiny_source:prepare")})
    monkeypatch.setattr(catalog, "TASK_SOURCES", sources)
    monkeypatch.setattr(catalog, "_cards_folder", lambda: folder)
    return folder


def make_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(json.dumps({"docid": "a", "text": "b"}))
    (folder / "questions.jsonl").write_text(json.dumps({"qid": "q", "question": "?", "answers": ["!"]}))
    return folder


def preparations() -> int:
    import tiny_source  # type: ignore[import-not-found]

    return len(tiny_source.prepared)


def test_a_name_gives_the_task_of_its_card() -> None:
    task, protocol = load_task("tiny")
    assert (task.name, task.domain, task.splits, task.default_split) == ("tiny", "ID", {"test": "eval"}, "test")
    assert len(task.corpus) == 3
    assert (protocol.name, list(task.protocols)) == ("plain", ["plain", "closed"])
    assert task.source["source"] == "tiny-source"
    assert task.source["settings"] == {"documents": 3, "word": "text", "share": 0.5}


def test_a_protocol_is_named_behind_an_at_sign() -> None:
    task, protocol = load_task("tiny@closed")
    assert (protocol.name, protocol.rollout.max_turns) == ("closed", 1)
    assert task.protocol("closed") == protocol
    with pytest.raises(UnknownName, match="unknown protocol of task 'tiny' 'close': did you mean 'closed'"):
        load_task("tiny@close")


def test_a_task_is_prepared_once_and_again_for_other_settings_or_another_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, _ = load_task("tiny")
    again, _ = load_task("tiny", settings={"documents": 3})
    assert preparations() == 1
    assert first.fingerprint == again.fingerprint
    larger, _ = load_task("tiny", settings={"documents": 7, "share": 1})
    assert preparations() == 2
    assert (larger.name, len(larger.corpus)) == ("tiny", 7)
    assert larger.source["settings"] == {"documents": 7, "word": "text", "share": 1.0}
    monkeypatch.setattr("tiny_source.VERSION", 2)
    load_task("tiny")
    assert preparations() == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"document": 7}, "unknown setting of task 'tiny' 'document': did you mean 'documents'"),
        ({"zzz": 7}, "unknown setting of task 'tiny' 'zzz': known: documents, share, word"),
        ({"documents": "many"}, r"task\.documents of 'tiny' must be of type int, got 'many'"),
        ({"documents": True}, "must be of type int, got True"),
        ({"word": 3}, r"task\.word of 'tiny' must be of type str, got 3"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_prepared(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_task("tiny", settings=settings)
    assert "tiny_source" not in sys.modules


def test_counts_that_are_not_the_expected_ones_are_an_error(cards: Path) -> None:
    (cards / "tiny.yaml").write_text(CARD.replace("questions: 1", "questions: 2"))
    with pytest.raises(DataError, match="1 questions instead of the 2 that the card of 'tiny' expects"):
        load_task("tiny")
    load_task("tiny", settings={"documents": 4})


def test_a_path_is_a_task_folder_with_or_without_a_protocol(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "mine")
    for spec in (str(folder), f"{folder}@default", "mine", "mine@default", "./mine", "./mine@default"):
        task, protocol = load_task(spec)
        assert (task.name, protocol.name) == ("mine", "default")
    with pytest.raises(UnknownName, match="unknown protocol of task 'mine' 'strict'"):
        load_task("./mine@strict")


def test_a_folder_may_have_an_at_sign_in_its_path(tmp_path: Path) -> None:
    make_folder(tmp_path / "a@b" / "mine@home")
    for spec in ("./a@b/mine@home", "./a@b/mine@home@default"):
        assert load_task(spec)[0].name == "mine@home"


def test_a_name_of_the_catalog_comes_before_a_folder(tmp_path: Path) -> None:
    make_folder(tmp_path / "tiny")
    assert len(load_task("tiny")[0].corpus) == 3
    assert len(load_task("./tiny")[0].corpus) == 1


def test_a_folder_has_no_settings(tmp_path: Path) -> None:
    make_folder(tmp_path / "mine")
    with pytest.raises(UsageError, match="a task folder has no settings to set: 'documents'"):
        load_task("mine", settings={"documents": 1})


@pytest.mark.parametrize("spec", ["tny", "tny@closed", "", "@closed"])
def test_an_unknown_task_is_answered_with_the_nearest_and_the_way_to_a_folder(spec: str) -> None:
    with pytest.raises(UnknownName, match=r"unknown task .*tiny.* A task folder works too: give its path, as in \./my"):
        load_task(spec)


def test_a_path_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(UsageError, match=r"'nowhere' is not there: a task folder holds"):
        load_task("./nowhere@default")


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("")
    with pytest.raises(UsageError, match=r"cannot write task 'tiny' to .* set LRAT_BENCH_CACHE"):
        load_task("tiny", cache=tmp_path / "blocked" / "cache")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("domain: ID", "domain: in", r"tiny\.yaml: domain: must be 'ID' or 'OOD'"),
        ("license: CC0-1.0", "licence: CC0-1.0", r"tiny\.yaml: license: is missing; licence: there is no such field"),
        ("max_turns: 1", "max_turn: 1", r"tiny\.yaml: protocols\.closed\.rollout\.max_turn: there is no such field"),
        ("default_split: test", "default_split: dev", r"default_split 'dev' is not among splits: test"),
        ("name: tiny", "name: small", r"name 'small' must be the file's, 'tiny'"),
        ("source: tiny-source", "source: huge", r"unknown task source 'huge': known: tiny-source"),
    ],
)
def test_a_wrong_card_is_named_with_its_key(cards: Path, old: str, new: str, message: str) -> None:
    (cards / "tiny.yaml").write_text(CARD.replace(old, new))
    with pytest.raises(UsageError, match=message):
        load_task("tiny")


def test_a_card_lists_without_its_source(cards: Path) -> None:
    (cards / "other.yaml").write_text(CARD.replace("name: tiny", "name: other"))
    assert [card.name for card in known_tasks()] == ["other", "tiny"]
    assert task_card("tiny") == known_tasks()[1]
    assert "tiny_source" not in sys.modules


def test_a_card_need_not_lie_in_the_catalog() -> None:
    card = task_card("tiny").model_dump()
    assert load_card(TaskCard.model_validate({**card, "name": "mine"})).name == "mine"


def test_every_task_of_the_package_has_a_valid_card_and_a_known_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for card in known_tasks():
        assert card.source in catalog.TASK_SOURCES or card.hub is not None


def test_listing_tasks_imports_nothing_heavy() -> None:
    heavy = ["torch", "transformers", "litellm", "pyserini", "jnius", "faiss", "datasets", "tokenizers", "numpy"]
    code = (
        "import sys; from lrat_bench.task.catalog import known_tasks; known_tasks(); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"

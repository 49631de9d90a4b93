"""What is derived from a guarded task lies nowhere in the open inside a git work tree, and every verb works on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from endpoint import Endpoint
from foreign import call, entry, run_file, write
from hub_copy import CANARY, WORDS, browsecomp_card, question, write_browsecomp, write_card
from mining_world import write_lrat_file

import lrat_bench
from lrat_bench.agent.function import FunctionAgent, Tools
from lrat_bench.errors import UsageError
from lrat_bench.guard import Guard, opened, refuse_plain
from lrat_bench.lrat.flag_embedding import export
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.model.seam import Turn
from lrat_bench.runs.run import Run
from lrat_bench.task import catalog
from lrat_bench.trajectory import Search

QUESTIONS = 6
TELLING = (b"gate of smiths", b"hangs", *(f"the {word}".encode() for word in WORDS))
"""Words of questions, answers, documents, and of the queries and thoughts that they lead to."""


@pytest.fixture
def work_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git work tree, and outside of it a prepared guarded task and the cache."""
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(catalog, "_cards_folder", lambda: tmp_path / "cards")
    write_card(tmp_path / "cards", browsecomp_card())
    catalog.prepare_task("browsecomp-copy", sources=[str(write_browsecomp(tmp_path / "copy", questions=QUESTIONS))])
    tree = tmp_path / "tree"
    (tree / ".git").mkdir(parents=True)
    return tree


def played(tree: Path, **words: Any) -> Run:
    run: Run = lrat_bench.run("browsecomp-copy", retriever="oracle", out=tree / "run", **words)
    return run


def in_the_open(tree: Path) -> list[tuple[Path, bytes]]:
    """Files of a work tree that hold a telling text."""
    files = [file for file in tree.rglob("*") if file.is_file()]
    assert files
    return [(file, text) for file in files for text in TELLING if text in file.read_bytes()]


def test_a_run_holds_no_text_in_the_open_and_can_be_read(work_tree: Path) -> None:
    run = played(work_tree)
    assert in_the_open(work_tree) == []
    records = list(run.trajectories)
    assert len(records) == QUESTIONS
    assert any("smiths" in step.query for record in records for step in record.steps if isinstance(step, Search))
    assert run.metrics.metric("evidence_recall").value == 1.0
    lines = (run.path / "trajectories.jsonl").read_text().splitlines()
    assert all(json.loads(line).keys() == {"canary", "guarded"} for line in lines)
    assert all(CANARY in line for line in lines)
    log = next((run.path / "logs").iterdir()).read_text().splitlines()
    assert all(line.startswith('{"canary":') for line in log)
    assert "700 repeat 0" in "".join(map(opened, log))


def test_it_is_completed_scored_analysed_and_replayed(work_tree: Path) -> None:
    first = played(work_tree, limit=2)
    run = played(work_tree)
    assert (first.path, len(list(run.trajectories))) == (run.path, QUESTIONS)
    _, _, scores = lrat_bench.rescore(run.path, judge="contains")
    assert scores.outcomes["correct"] + scores.outcomes["incorrect"] == QUESTIONS
    verdicts = (run.path / "verdicts.jsonl").read_text().splitlines()
    assert all(line.startswith('{"canary":') for line in verdicts)
    lrat_bench.analyze([run.path])
    found = lrat_bench.retrieve(replay=[run.path], retriever="oracle", out=work_tree / "replay")
    recall = found.metrics.metric("evidence_R@5")
    assert recall is not None
    assert recall.value == 1.0
    assert in_the_open(work_tree) == []


def test_its_pairs_are_guarded_and_their_export_stays_outside(work_tree: Path, tmp_path: Path) -> None:
    run = played(work_tree)
    pairs: Pairs = lrat_bench.mine([run.path], work_tree / "pairs", outcome="all", filter="none", allow_eval=True)
    assert in_the_open(work_tree) == []
    kept = list(pairs.kept())
    assert any("smiths" in pair.query for pair in kept)
    assert pairs.manifest.canary == CANARY
    corpus = catalog.load_task("browsecomp-copy")[0].corpus
    with pytest.raises(
        UsageError, match=r"pairs of a guarded task would lie in plain text .* inside the git work tree"
    ):
        export(pairs, corpus, work_tree / "train.jsonl")
    assert export(pairs, corpus, tmp_path / "outside" / "train.jsonl").rows == len(kept)


def test_what_models_say_of_it_is_guarded(work_tree: Path) -> None:
    def judged(body: dict[str, Any]) -> Turn:
        asked = str(body["messages"])
        return Turn(text="RELEVANT" if "correct:" not in asked else f"correct: yes\nreasoning: {asked}\nconfidence: 90")

    with Endpoint(judged) as endpoint:
        run = played(work_tree, judge="hosted_vllm/judge", set={"judge.api_base": endpoint.url})
        reach = {"filter.api_base": endpoint.url}
        words: dict[str, Any] = {"outcome": "all", "filter": "hosted_vllm/filter", "allow_eval": True, "set": reach}
        pairs: Pairs = lrat_bench.mine([run.path], work_tree / "pairs", **words)
        assert in_the_open(work_tree) == []
        assert any("smiths" in (verdict.reply or "") for verdict in run.folder.verdicts.scan())
        assert list(pairs.kept())
        journal = (work_tree / "pairs" / "judgements.jsonl").read_text().splitlines()
        assert all(line.startswith('{"canary":') for line in journal)
        tape: dict[str, Any] = {"cassette": work_tree / "calls.jsonl", "cassette_mode": "record"}
        with pytest.raises(UsageError, match="model calls of a guarded task"):
            lrat_bench.mine([run.path], work_tree / "other", **words, **tape)


def test_what_a_server_repeats_of_its_request_is_not_printed(work_tree: Path) -> None:
    async def repeating(question: str, _: Tools) -> str:
        raise ValueError(f"bad prompt: {question} (HTTP 400)")

    run = played(work_tree, agent=FunctionAgent("repeating", repeating))
    assert all("smiths" in str(record.error) for record in run.trajectories)
    assert dict(run.failures) == {"a failure (HTTP 400), whose words are guarded": QUESTIONS}
    assert in_the_open(work_tree) == []


def test_opinions_of_a_filter_are_not_cached_in_the_open(work_tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = played(work_tree)
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(work_tree / "cache"))
    words: dict[str, Any] = {"outcome": "all", "filter": "hosted_vllm/filter", "allow_eval": True}
    reach = {"filter.api_base": "http://127.0.0.1:9/v1"}
    with pytest.raises(UsageError, match="opinions of the relevance judge of a guarded task"):
        lrat_bench.mine([run.path], work_tree / "pairs", **words, set=reach)


def test_run_files_of_a_guarded_task_are_mined_under_its_canary(work_tree: Path) -> None:
    query = "what hangs at the gate of smiths"
    steps = [("search", query, "1001 1002"), ("read", "1001"), ("think", "It helps me."), ("end", "that")]
    write_lrat_file(work_tree.parent / "files" / "700.json", steps)
    words: dict[str, Any] = {"task": "browsecomp-copy", "outcome": "all", "filter": "none"}
    pairs: Pairs = lrat_bench.mine([work_tree.parent / "files"], work_tree / "pairs", **words)
    assert [pair.query for pair in pairs.kept()] == [query]
    assert (in_the_open(work_tree), pairs.manifest.canary) == ([], CANARY)


def test_a_docid_that_is_a_text_lies_in_no_open_file(work_tree: Path) -> None:
    found = json.dumps([{"docid": "The heron hangs at the gate of smiths"}, {"docid": "1001"}, {"docid": "one word"}])
    steps = (call("search", {"query": "what hangs"}, found), entry("output_text", "the heron"))
    write(work_tree.parent / "files" / "700.json", {**run_file(*steps), "query_id": "700"})
    report = lrat_bench.import_runs([work_tree.parent / "files"], work_tree / "run", task="browsecomp-copy")
    lrat_bench.rescore(report.path)
    assert in_the_open(work_tree) == []
    assert (report.path / "run.trec").read_text() == "700 Q0 1001 1 1 unknown\n"


def test_a_link_does_not_lead_around_it(work_tree: Path, tmp_path: Path) -> None:
    (work_tree / "link.jsonl").symlink_to(tmp_path / "outside.jsonl")
    (tmp_path / "into").symlink_to(work_tree)
    for path in (work_tree / "link.jsonl", tmp_path / "into" / "file.jsonl", work_tree / "not" / "there" / "yet"):
        with pytest.raises(UsageError, match="inside the git work tree"):
            refuse_plain("pairs", path, mend="…")
    refuse_plain("pairs", tmp_path / "outside.jsonl", mend="…")


def test_the_cache_and_cassettes_stay_outside(work_tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"model calls of a guarded task .* give a --cassette outside of it"):
        played(work_tree, cassette=work_tree / "calls.jsonl", cassette_mode="record")
    run = played(work_tree)
    with pytest.raises(UsageError, match="model calls of a guarded task"):
        lrat_bench.rescore(run.path, cassette=work_tree / "calls.jsonl", cassette_mode="record")
    task = catalog.load_task("browsecomp-copy")[0]
    folder = Path(str(task.corpus.file)).parent  # type: ignore[attr-defined]
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(work_tree / "cache"))
    with pytest.raises(UsageError, match="set LRAT_BENCH_CACHE to a folder outside of it"):
        catalog.load_task(str(folder))
    with pytest.raises(UsageError, match="set LRAT_BENCH_CACHE to a folder outside of it"):
        catalog.prepare_task("browsecomp-copy", sources=[str(work_tree.parent / "copy")])
    assert not (work_tree / "cache").exists()


def test_a_guarded_line_is_what_the_benchmark_would_write() -> None:
    from hub_copy import hidden

    text, _ = question(3)
    assert Guard(CANARY).encrypt(text) == hidden(text)
    assert Guard(CANARY).decrypt(hidden(text)) == text
    line = Guard(CANARY).encode(text)
    assert opened(line) == text
    assert opened("{}") == "{}"
    with pytest.raises(ValueError, match="base64"):
        opened(line.replace('"guarded":"', '"guarded":"%'))


def test_a_file_that_is_guarded_in_part_is_refused(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"docid": "1", "text": "x"}\n')
    lines = [json.dumps({"qid": str(n), "question": "?", "answers": ["!"]}) for n in range(2)]
    (tmp_path / "questions.jsonl").write_text(f"{lines[0]}\n{Guard(CANARY).encode(lines[1])}\n")
    with pytest.raises(UsageError, match="some lines are guarded and others not"):
        catalog.load_task(str(tmp_path))

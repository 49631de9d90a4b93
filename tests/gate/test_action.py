"""The GitHub Action: its steps, run by bash as a runner would, with the package that is installed here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from lrat_bench.cli.main import main

ROOT = Path(__file__).parent.parent.parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]

Act = Callable[..., tuple[int, str]]


def filled(text: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> str:
    """An expression of the action, as a runner fills it in."""

    def value(found: re.Match[str]) -> str:
        kind, _, name = found[1].rpartition(".")
        if kind == "inputs":
            return inputs.get(name, str(ACTION["inputs"][name].get("default", "")))
        assert kind in ("steps.run.outputs", "github")
        return outputs.get(name, "") if kind == "steps.run.outputs" else str(ROOT)

    return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", value, text)


@pytest.fixture
def act(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Act:
    """Runs the named steps of the action in an empty folder; gives (exit code, what was printed)."""
    temporary = tmp_path / "runner"
    temporary.mkdir()
    outputs_file, summary = tmp_path / "outputs", tmp_path / "summary.md"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(temporary),
        "GITHUB_OUTPUT": str(outputs_file),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    monkeypatch.chdir(tmp_path)

    def run(*names: str, path: str | None = None, **inputs: str) -> tuple[int, str]:
        said = ""
        for step in STEPS:
            if step["name"] not in names:
                continue
            outputs_file.touch()
            outputs = dict(line.split("=", 1) for line in outputs_file.read_text().splitlines())
            given = {name: filled(value, inputs, outputs) for name, value in step["env"].items()}
            folder = filled(step.get("working-directory", "."), inputs, outputs)
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
                env={**environment, **given, **({"PATH": f"{path}:{environment['PATH']}"} if path else {})},
                cwd=tmp_path / folder,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            said += done.stdout + done.stderr
            if done.returncode:
                return done.returncode, said
        return 0, said

    return run


def lrat(*words: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    assert isinstance(stop.value.code, int)
    return stop.value.code


@pytest.fixture
def baseline(task_folder: Path, tmp_path: Path) -> str:
    """Of the bridge task: a fall of more than a tenth fails."""
    assert lrat("run", "--task", task_folder, "--retriever", "oracle", "--out", tmp_path / "good") == 0
    more = ("--rule", "success_rate:tolerance=0.1")
    assert lrat("bless", tmp_path / "good", "--baseline", tmp_path / "baseline.json", *more) == 0
    return "baseline.json"


def test_no_value_of_a_caller_is_read_as_shell() -> None:
    assert {step["uses"] for step in STEPS if "uses" in step} == {"actions/setup-python@v5"}
    for step in STEPS:
        assert "${{" not in step.get("run", "")
        assert set(step) <= {"name", "id", "uses", "with", "shell", "env", "working-directory", "run"}
    read = {name for step in STEPS for name in re.findall(r"inputs\.([\w-]+)", yaml.safe_dump(step))}
    assert read == set(ACTION["inputs"])


def test_a_good_run_passes_and_a_bad_one_fails_with_a_summary(
    act: Act, baseline: str, task_folder: Path, tmp_path: Path
) -> None:
    inputs = {"task": "bridge", "baseline": baseline}
    code, said = act("Run", "Check", retriever="oracle", **inputs)
    assert code == 0, said
    assert "rules hold" in (tmp_path / "summary.md").read_text()
    code, said = act("Run", "Check", retriever="none", **inputs)
    assert code == 1, said
    assert "| `success_rate` |" in (tmp_path / "summary.md").read_text().partition("rules fail")[2]
    assert sum(line.startswith("::stop-commands::") for line in said.splitlines()) == 2


def test_arguments_and_settings_are_given_a_line_each(act: Act, baseline: str, task_folder: Path) -> None:
    inputs = {"task": "bridge", "baseline": baseline, "retriever": "oracle"}
    code, said = act(
        "Run", set="protocol.k=5\nprotocol.snippet_tokens=9\n", arguments="--seed=3\n--repeats=2", **inputs
    )
    assert code == 0, said
    assert "k 5, 9-token snippets" in said
    assert "× 2 repeats, seed 3" in said


def test_a_retriever_is_held_alone_from_another_folder(act: Act, task_folder: Path, tmp_path: Path) -> None:
    lrat("retrieve", "--task", task_folder, "--retriever", "oracle", "--out", tmp_path / "good")
    lrat("bless", tmp_path / "good", "--baseline", tmp_path / "retriever.json", "--rule", "evidence_nDCG@10:min=0.9")
    (tmp_path / "sub").mkdir()
    inputs = {"verb": "retrieve", "task": "../bridge", "baseline": "../retriever.json", "working-directory": "sub"}
    code, said = act("Run", "Check", retriever="none", **inputs)
    assert code == 1
    assert "below 0.9" in said


HOSTILE = '"; touch pwned; $(touch pwned) `touch pwned` #'


def test_hostile_values_are_wrong_values_and_nothing_else(act: Act, tmp_path: Path) -> None:
    names = ("task", "agent", "retriever", "limit", "set", "arguments", "baseline")
    code, said = act("Run", **dict.fromkeys(names, HOSTILE))
    assert code == 2
    assert "touch pwned" in said
    assert act("Run", verb=HOSTILE)[0] == 2
    assert act("Check", baseline=HOSTILE)[0] == 2
    assert not list(tmp_path.rglob("pwned"))


def test_a_value_that_looks_like_an_option_is_a_value(act: Act) -> None:
    code, said = act("Check", baseline="--help")
    assert code == 2
    assert "no baseline --help" in said


def test_what_is_installed_is_the_checkout_with_its_constraints_or_a_release(act: Act, tmp_path: Path) -> None:
    log = tmp_path / "log"
    stub = tmp_path / "bin" / "python"
    stub.parent.mkdir()
    stub.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {log}\n')
    stub.chmod(0o755)
    pip = f"-m pip install --disable-pip-version-check --constraint {ROOT}/constraints.txt"
    for inputs, lines in (
        ({}, [f"{pip} {ROOT}[bm25]", f"{pip} --no-deps pyserini"]),
        ({"extras": "dense,models"}, [f"{pip} {ROOT}[dense,models]"]),
        ({"extras": ""}, [f"{pip} {ROOT}"]),
        ({"version": "1.2.0", "extras": "models"}, [f"{pip} lrat-bench[models]==1.2.0"]),
    ):
        log.unlink(missing_ok=True)
        assert act("Install lrat-bench", path=str(stub.parent), **inputs)[0] == 0
        assert log.read_text().splitlines() == lines
    log.unlink()
    for hostile in ({"extras": "bm25] --index-url=http://x ["}, {"version": "1 --pre"}, {"extras": HOSTILE}):
        code, said = act("Install lrat-bench", path=str(stub.parent), **hostile)
        assert code == 2
        assert said.startswith("::error::")
    assert not log.exists()
    assert not list(tmp_path.rglob("pwned"))


def test_the_project_holds_itself_to_its_baseline_by_its_own_action(act: Act, tmp_path: Path) -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "gate.yml").read_text())
    (step,) = [one for one in workflow["jobs"]["synth-wiki"]["steps"] if one["uses"] == "./"]
    inputs: dict[str, str] = step["with"]
    assert set(inputs) <= set(ACTION["inputs"])
    code, said = act("Run", "Check", **{**inputs, "baseline": str(ROOT / inputs["baseline"])})
    assert code == 0, said
    assert "rules hold" in (tmp_path / "summary.md").read_text()

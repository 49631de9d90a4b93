"""Models from the command line: what a user sees when an endpoint works, fails, costs, or tells secrets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from endpoint import Endpoint, Fault, unauthorized
from endpoint_faults import KEY

from lrat_bench.cli.main import main
from lrat_bench.model.heuristic import Heuristic
from lrat_bench.model.scripted import answers
from lrat_bench.model.seam import Turn

SECRET = "extremely-private-0123456789"


@pytest.fixture
def command(
    tmp_path: Path, task_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `lrat-bench run … WORDS` on the bridge task; `alone` in a process of its own, whose imports take seconds."""
    monkeypatch.setenv("MY_KEY", SECRET)
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def run(*words: str, verb: tuple[str, ...] = (), alone: bool = False) -> subprocess.CompletedProcess[str]:
        usual = verb or ("run", "--task", str(task_folder), "--retriever", "oracle", "--out", str(tmp_path / "run"))
        given = [*usual, *words]
        if alone:
            code = "from lrat_bench.cli.main import main; main()"
            return subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True, check=False)
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(given)
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(given, ended.value.code, *capfd.readouterr())

    return run


def reach(room: str, endpoint: Endpoint) -> tuple[str, ...]:
    words = {"api_base": endpoint.url, "api_key_env": "MY_KEY", "outage_seconds": 1}
    return tuple(word for key, value in words.items() for word in ("--set", f"{room}.{key}={value}"))


def leaks(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


ECHO = Fault(500, {"error": {"message": f"request with key {KEY} failed", "type": "server_error", "code": 500}})


@pytest.mark.parametrize(
    ("fault", "from_call"), [(unauthorized(), 0), (ECHO, 4)], ids=["401 at once", "500 in mid-run"]
)
def test_no_key_gets_anywhere_even_when_the_server_repeats_it(
    command: Any, tmp_path: Path, fault: Fault, from_call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Endpoint(Heuristic(), faults=lambda number, body: fault if number >= from_call else None) as endpoint:
        words = ("--agent", "hosted_vllm/local", *reach("agent", endpoint), "--cassette", str(tmp_path / "tape"))
        done = command(*words, "--cassette-mode", "record")
        monkeypatch.setenv("LRAT_BENCH_DEBUG", "1")
        given = ("run", "--retriever", "oracle", "--task", "bridge", *words, "--out", str(tmp_path / "debug"))
        # Once in a process of its own, where nothing but the command decides what is said.
        shown = command(verb=given, alone=from_call == 0)
        assert any(SECRET in headers.get("Authorization", "") for headers in endpoint.headers)
    for said in (done, shown):
        assert said.returncode in (2, 3)
        assert SECRET not in said.stdout + said.stderr
        assert "[secret]" in said.stderr
    assert "Traceback" in shown.stderr
    assert leaks(tmp_path) == []


def test_a_server_that_dies_for_good_is_exit_code_3_and_the_same_command_completes(
    command: Any, tmp_path: Path
) -> None:
    with Endpoint(Heuristic()) as endpoint:
        words = ("--agent", "hosted_vllm/local", *reach("agent", endpoint), "--concurrency", "1")
        endpoint._faults = lambda number, body: Fault(kind="drop") if number > 8 else None
        first = command(*words)
        assert first.returncode == 3
        (line,) = [line for line in first.stderr.splitlines() if line.startswith("lrat-bench: ")]
        assert "1 of 2 rollouts done" in line
        assert "hosted_vllm/local failed" in line
        kept = (tmp_path / "run" / "trajectories.jsonl").read_text().splitlines()[0]
        endpoint._faults = None
        second = command(*words, "--json")
    assert second.returncode == 0
    assert json.loads(second.stdout)["scores"]["outcomes"]["errored"] == 0
    assert (tmp_path / "run" / "trajectories.jsonl").read_text().splitlines()[0] == kept


def judge(*right: str) -> Callable[[dict[str, Any]], Turn]:
    """Says yes where the right answer is one of these."""

    def grade(body: dict[str, Any]) -> Turn:
        prompt = body["messages"][-1]["content"]
        outcome = "yes" if any(f"Right answer: {name}" in prompt or f"- {name}" in prompt for name in right) else "no"
        return answers(f"**correct:** {outcome}")

    return grade


def test_judges_are_compared(command: Any, tmp_path: Path) -> None:
    command()
    with Endpoint(judge("Tarn")) as endpoint:
        words = ("--judge", "exact", "--judge", "hosted_vllm/local", *reach("judge", endpoint))
        shown = command(*words, verb=("score", str(tmp_path / "run")))
        found = command(*words, "--json", verb=("score", str(tmp_path / "run")))
    assert shown.returncode == 0
    for said in ("exact", "hosted_vllm/local", "agree", "Cohen"):
        assert said in shown.stdout
    documents = json.loads(found.stdout)
    (agreement,) = documents[-1]["agreement"]
    assert agreement["judges"] == ["exact", "hosted_vllm/local"]
    assert (agreement["n"], agreement["agree"]["value"]) == (2, 0.5)


def test_a_price_that_is_unknown_is_refused_before_anything_is_spent(command: Any) -> None:
    with Endpoint(Heuristic()) as endpoint:
        done = command("--agent", "hosted_vllm/local", *reach("agent", endpoint), "--max-cost", "1")
        assert endpoint.calls == 0
    assert done.returncode == 2
    assert "agent.input_price" in done.stderr


def test_what_a_run_would_send_and_cost_is_shown_before_it_does(command: Any) -> None:
    prices = ("--set", "agent.input_price=1", "--set", "agent.output_price=10", "--set", "agent.context_tokens=32768")
    with Endpoint(Heuristic()) as endpoint:
        words = ("--agent", "hosted_vllm/local", *reach("agent", endpoint), *prices, "--dry-run", "--json")
        planned = json.loads(command(*words).stdout)
        assert endpoint.calls == 0
    assert planned["agent"]["sent"]["temperature"] == 1.0
    written = planned["agent"]["sent"]["max_tokens"]
    each = (32768 - written) * 1e-6 + written * 10e-6
    assert planned["at most"]["cost in USD"] == pytest.approx(planned["at most"]["completions"] * each, abs=0.005)


def test_without_litellm_the_line_that_installs_it_is_shown(tmp_path: Path, task_folder: Path) -> None:
    code = "import sys; sys.modules['litellm'] = None; from lrat_bench.cli.main import main; main()"
    words = ["run", "--task", str(task_folder), "--retriever", "oracle", "--agent", "openai/gpt-4.1"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert 'pip install "lrat-bench[models]"' in done.stderr

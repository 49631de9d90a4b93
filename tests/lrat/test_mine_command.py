"""`lrat-bench mine`: what it prints, draws and exports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from endpoint import Endpoint
from mining_world import QUESTIONS, make_run, write_lrat_file, write_task

from lrat_bench.cli.main import main
from lrat_bench.errors import UsageError
from lrat_bench.lrat.flag_embedding import export
from lrat_bench.lrat.mining.mine import mine_runs
from lrat_bench.model.seam import Turn
from lrat_bench.task.catalog import load_task

Command = Callable[..., tuple[int, str, str]]
RIGHT = QUESTIONS - 1


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    return make_run(write_task(folder / "world"), folder / "train").path


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `lrat-bench mine WORDS…`; gives (exit code, stdout, stderr)."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["mine", *map(str, words)])
        said = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, said.out, said.err

    return call


def test_it_prints_each_stage_and_the_fit(command: Command, run: Path, tmp_path: Path) -> None:
    code, out, _ = command(run, "-o", tmp_path / "pairs", "--no-plot")
    assert code == 0
    rows = {line[:14].strip(): line[14:].split() for line in out.splitlines() if line[:14].strip()}
    assert [rows[name][0] for name in ("trajectories", "mined", "browses", "candidates", "kept", "rejected")] == [
        "6", "5", "10", "10", "5", "5",
    ]  # fmt: skip
    assert rows["β"][0] == "18.0"
    assert "10 · 14 · 18 · 22 · 25 · 26" in out


def test_json_is_one_document_and_nothing_else(command: Command, run: Path, tmp_path: Path) -> None:
    code, out, _ = command(run, "-o", tmp_path / "pairs", "--json", "--status", "answered,forced")
    assert code == 0
    document = json.loads(out)
    assert document["pairs"] == str(tmp_path / "pairs")
    assert document["manifest"] == json.loads((tmp_path / "pairs" / "manifest.json").read_text())
    assert document["manifest"]["filter"]["statuses"] == ["answered", "forced"]


def test_options_are_read_from_a_file_too(command: Command, run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("status: all\noutcome: all\nfilter: none\nplot: false\n")
    assert command(run, "-o", tmp_path / "pairs", "--config", tmp_path / "mine.yaml")[0] == 0
    manifest = json.loads((tmp_path / "pairs" / "manifest.json").read_text())
    assert (manifest["filter"], manifest["relevance"]) == ({"outcome": "all", "statuses": None}, "none")
    assert not (tmp_path / "pairs" / "lengths.png").exists()


def test_it_draws_lengths_and_weights_the_same_each_time(command: Command, run: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pictures = []
    for _ in range(2):
        assert command(run, "-o", tmp_path / "pairs")[0] == 0
        pictures.append((tmp_path / "pairs" / "lengths.png").read_bytes())
    assert pictures[0][:4] == b"\x89PNG"
    assert pictures[0] == pictures[1]


def test_without_matplotlib_it_says_so_and_mines(
    command: Command, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, _, err = command(run, "-o", tmp_path / "pairs")
    assert code == 0
    assert 'no lengths.png: matplotlib is not installed; run: pip install "lrat-bench[plots]"' in err
    assert not (tmp_path / "pairs" / "lengths.png").exists()


def test_it_exports_what_flag_embedding_reads(command: Command, run: Path, tmp_path: Path) -> None:
    file = tmp_path / "out" / "train.jsonl"
    code, out, _ = command(run, "-o", tmp_path / "pairs", "--no-plot", "--export", file)
    assert code == 0
    assert f"{RIGHT} rows" in out.replace("\n", " ")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(rows) == RIGHT
    for row in rows:
        assert list(row) == ["query", "pos", "neg", "pos_id", "neg_id", "reasoning_len", "satisfied", "reweight_rate"]
        assert row["pos"] == [f"Title {row['pos_id'][0][1:]}\nText of {row['pos_id'][0][1:]}."]
        assert len(row["neg"]) == len(row["neg_id"]) == 3
        assert row["satisfied"] is True
    assert sum(row["reweight_rate"] for row in rows) / RIGHT == pytest.approx(1)


def test_an_export_leaves_out_what_the_trainer_would_take_for_weight_one_or_cannot_bear(
    run: Path, tmp_path: Path
) -> None:
    pairs = mine_runs([run], tmp_path / "pairs")
    corpus = load_task(str(run.parent / "world"))[0].corpus
    first, second, *rest = pairs.kept()
    changed = [first.model_copy(update={"weight": None}), second.model_copy(update={"neg_ids": ()}), *rest]
    (pairs.path / "pairs.jsonl").write_text("".join(pair.to_json() + "\n" for pair in changed))
    found = export(pairs, corpus, tmp_path / "train.jsonl")
    assert (found.rows, found.without_weight, found.without_negatives) == (RIGHT - 2, 1, 1)
    assert not list(tmp_path.glob(".*.draft"))


def test_wrong_words_are_answered_in_one_line(command: Command, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    for words, said in (
        ((run, "-o", out, "--filter", "rulez"), "unknown relevance judge 'rulez': did you mean 'rules'?"),
        ((run, "-o", out, "--status", "done"), "unknown status 'done'"),
        ((run, "-o", out, "--tokenizer", "gpt"), "unknown tokenizer 'gpt'"),
        ((run, "-o", out, "--set", "protocol.k=5"), "protocol.… cannot be set when mining"),
        ((run, "-o", out, "--set", "filter.seed=5"), "--filter rules takes no settings"),
        ((run, "-o", out, "--concurrency", "0"), "concurrency must be at least 1"),
        ((run, "-o", out, "--verdicts", "exakt"), "unknown judge 'exakt': did you mean 'exact'?"),
        ((run, "-o", out, "--verdicts", "contains"), "6 ungraded"),
        ((run / "nothing", "-o", out), "is not there"),
        ((run,), "Missing option '-o'"),
    ):
        code, _, err = command(*words)
        assert code == 2, words
        assert said in err, words
        assert not out.exists(), words


def test_a_model_judges_over_the_network_and_its_failures_are_owed(command: Command, run: Path, tmp_path: Path) -> None:
    said = "IRRELEVANT"

    def reply(body: dict[str, object]) -> Turn:
        helps = "want to know" in str(body["messages"])
        return Turn(text="RELEVANT" if helps else said)

    with Endpoint(reply) as endpoint:
        words = (run, "--filter", "hosted_vllm/judge", "--set", f"filter.api_base={endpoint.url}", "--no-plot")
        said = "I cannot say."
        code, _, err = command(*words, "-o", tmp_path / "pairs", "--export", tmp_path / "train.jsonl")
        assert code == 3
        assert "5 candidates are owed (no opinion in 3 tries" in " ".join(err.split())
        asked = len(endpoint.bodies)
        assert asked == RIGHT + 3 * RIGHT
        said = "**Irrelevant.**"
        code, out, _ = command(*words, "-o", tmp_path / "pairs", "--json")
        assert code == 0
        assert len(endpoint.bodies) == asked + RIGHT
        counts = json.loads(out)["manifest"]["counts"]
        assert (counts["kept"], counts["rejected"], counts["owed"]) == (RIGHT, RIGHT, 0)
        assert command(*words, "-o", tmp_path / "other")[0] == 0
        assert len(endpoint.bodies) == asked + RIGHT
        manifest = json.loads((tmp_path / "pairs" / "manifest.json").read_text())
    assert manifest["relevance_judge"]["model"] == "hosted_vllm/judge"
    assert endpoint.url not in json.dumps(manifest)


def test_an_endpoint_that_is_down_is_owed_everything_and_exports_nothing(
    command: Command, run: Path, tmp_path: Path
) -> None:
    settings = ("--set", "filter.api_base=http://127.0.0.1:9/v1", "--set", "filter.outage_seconds=0")
    words = ("--filter", "hosted_vllm/gone", *settings, "--export", tmp_path / "train.jsonl", "--json")
    code, out, err = command(run, "-o", tmp_path / "pairs", *words)
    assert code == 3
    assert "the relevance judge is asked no more" in err
    assert f"{2 * RIGHT} candidates are owed (not judged: " in err
    assert json.loads(out)["manifest"]["counts"]["rejected"] == 0
    assert not (tmp_path / "train.jsonl").exists()


def test_help_and_refusals_import_nothing_heavy() -> None:
    code = (
        "import sys\nfrom lrat_bench.cli.main import main\n"
        "try:\n    main(['mine', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'matplotlib', 'litellm', 'numpy', 'transformers', 'rich.table'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_names_of_strangers_do_nothing_to_the_terminal(command: Command, tmp_path: Path) -> None:
    steps = (("search", "q", "a b"), ("read", "a"), ("think", "It helps a lot."), ("end", "x"))
    for name, agent in (("1", "[red]x[/nothing]"), ("2", "\x1b[31mred\x07")):
        file = write_lrat_file(tmp_path / "bm25" / f"{name}.json", steps)
        file.write_text(json.dumps({**json.loads(file.read_text()), "metadata": {"model": agent}}))
    (tmp_path / "bm25" / "3.json").write_text("torn")
    code, out, _ = command(tmp_path / "bm25", "-o", tmp_path / "pairs", "--outcome", "all", "--no-plot")
    assert code == 0
    assert "nothing]" in out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "1 record could not be read and was passed over" in out


def test_an_export_replaces_no_pairs_and_no_trajectories(command: Command, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    before = (run / "trajectories.jsonl").read_bytes()
    for place in (
        out / "pairs.jsonl",
        tmp_path / "x" / ".." / "pairs" / "judgements.jsonl",
        run / "trajectories.jsonl",
    ):
        code, _, err = command(run, "-o", out, "--no-plot", "--export", place)
        assert code == 2
        assert "which an export must not replace: give another one" in " ".join(err.split())
    assert (run / "trajectories.jsonl").read_bytes() == before
    assert not out.exists()
    pairs = mine_runs([run], out)
    kept = (out / "pairs.jsonl").read_bytes()
    with pytest.raises(UsageError, match="which an export must not replace"):
        export(pairs, load_task(str(run.parent / "world"))[0].corpus, out / "pairs.jsonl")
    assert (out / "pairs.jsonl").read_bytes() == kept
    for _ in range(2):
        assert command(run, "-o", out, "--no-plot", "--export", out / "train.jsonl")[0] == 0

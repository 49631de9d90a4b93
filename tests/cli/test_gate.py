"""`lrat-bench bless` and `check`: runs, retrievals and replays, held against what they are to be."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from said import Command, refused

import lrat_bench
from lrat_bench.files import write_json
from lrat_bench.gate.rules import Rule

SMALL = {"task.documents": 1000}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good run, a bad one, and one of fewer questions; retrievals of the first two, and replays."""
    home = tmp_path_factory.mktemp("gate")
    for name, retriever, limit in (("good", "oracle", 20), ("bad", "none", 20), ("short", "oracle", 10)):
        lrat_bench.run("synth-wiki", retriever=retriever, limit=limit, set=SMALL, out=home / name)
    for name, retriever in (("good", "oracle"), ("bad", "none")):
        lrat_bench.retrieve("synth-wiki", retriever=retriever, limit=20, set=SMALL, out=home / f"{name}-alone")
        lrat_bench.retrieve(retriever=retriever, replay=[home / "good"], out=home / f"{name}-replay")
    return home


@pytest.fixture
def baseline(command: Command, folders: Path) -> Path:
    """Of the good run."""
    assert command("bless", folders / "good", "--baseline", "baseline.json")[0] == 0
    return Path("baseline.json")


def test_bless_says_what_is_held_from_now_on(command: Command, folders: Path) -> None:
    code, out, err = command(
        "bless", folders / "good", "--baseline", "new/baseline.json", "--rule", "steps:relative=0.1"
    )
    assert (code, err) == (0, "")
    assert "new/baseline.json holds good of 20" in out
    assert any(line.split()[:1] == ["success_rate"] and "a significant fall" in line for line in out.splitlines())
    assert "a fall of more than 10%" in out
    assert str(folders) not in Path("new/baseline.json").read_text()


def test_bless_says_what_it_can_catch(command: Command, folders: Path) -> None:
    out = command("bless", folders / "good", "--baseline", "a.json")[1]
    assert (
        "At n = 20 with 20% discordant, even a fall of 20 points in success rate is found in less than 80 % of" in out
    )
    assert "no significant fall" not in out
    lrat_bench.run("synth-wiki", retriever="oracle", limit=3, set=SMALL, out=Path("tiny"))
    out = " ".join(command("bless", "tiny", "--baseline", "b.json")[1].split())
    assert "every rule of success_rate, evidence_recall, steps, failure_rate can find no significant fall" in out
    made = json.loads(command("bless", "tiny", "--baseline", "b.json", "--json")[1])
    assert (len(made["powerless"]), made["detectable"]) == (4, None)


def test_a_run_held_against_itself_passes(command: Command, folders: Path, baseline: Path) -> None:
    code, out, err = command("check", folders / "good", "--baseline", baseline)
    assert (code, err) == (0, "")
    assert "all 4 rules hold." in out
    assert "bless" not in out


def test_a_broken_retriever_fails_with_exit_1_and_says_what_fell(
    command: Command, folders: Path, baseline: Path
) -> None:
    code, out, err = command("check", folders / "bad", "--baseline", baseline)
    assert (code, err) == (1, "")
    assert "rules fail: success_rate, evidence_recall" in out
    assert f"lrat-bench bless {folders / 'bad'} --baseline baseline.json" in " ".join(out.split()) + out
    assert "test-00" in out


def test_markdown_says_what_fell_how_far_how_surely_and_where(command: Command, folders: Path, baseline: Path) -> None:
    Path("summary.md").write_text("earlier\n")
    code, out, _ = command("check", folders / "bad", "--baseline", baseline, "--markdown", "summary.md")
    text = Path("summary.md").read_text()
    assert code == 1
    assert "rules fail" in out
    assert text.startswith("earlier\n### ")
    (row,) = [line for line in text.splitlines() if line.startswith("| `success_rate` |")]
    assert "| 100% | 0% | -100 points |" in row
    assert re.search(r"^\| `steps` \| \S+ \| \S+ \| [+-]\S+ \| \[\S+ \S+\] \|", text, flags=re.MULTILINE)
    assert "**fails: significantly worse**" in row
    assert "`test-00" in text
    assert f"```sh\nlrat-bench bless {folders / 'bad'} --baseline baseline.json\n```" in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {9}
    code, out, _ = command("check", folders / "bad", "--baseline", baseline, "--markdown", "-")
    assert (code, out) == (1, text.removeprefix("earlier\n"))


def test_nothing_is_written_unasked(
    command: Command, folders: Path, baseline: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    before = {path: path.stat().st_mtime_ns for path in (*folders.rglob("*"), *tmp_path.rglob("*"))}
    command("check", folders / "bad", "--baseline", baseline)
    assert {path: path.stat().st_mtime_ns for path in (*folders.rglob("*"), *tmp_path.rglob("*"))} == before


def test_json_is_one_document(command: Command, folders: Path, baseline: Path) -> None:
    code, out, _ = command("check", folders / "bad", "--baseline", baseline, "--json", "--markdown", "summary.md")
    found = json.loads(out)
    assert (code, found["schema"], found["outcome"]) == (1, "lrat-bench/gate/1", "failed")
    success = found["rules"][0]
    assert (success["rule"]["measure"], success["verdict"], success["reasons"]) == (
        "success_rate",
        "failed",
        ["significant"],
    )
    assert success["difference"] < 0 < success["worse"]
    assert Path("summary.md").exists()
    assert json.loads(command("check", folders / "good", "--baseline", baseline, "--json")[1])["outcome"] == "held"
    refused(command("check", folders / "good", "--baseline", baseline, "--json", "--markdown", "-"), "both want stdout")
    made = json.loads(command("bless", folders / "good", "--baseline", baseline, "--json")[1])
    assert (made["changed"], made["new"], made["against"]["outcome"]) == (False, False, "held")


def test_retrievals_and_replays_are_held_without_any_agent(command: Command, folders: Path) -> None:
    for kind, measure in (("alone", "evidence_nDCG@10"), ("replay", "evidence_union_R@10")):
        code, out, _ = command("bless", folders / f"good-{kind}", "--baseline", f"{kind}.json")
        assert code == 0
        assert measure in out
        assert command("check", folders / f"good-{kind}", "--baseline", f"{kind}.json")[0] == 0
        code, out, _ = command("check", folders / f"bad-{kind}", "--baseline", f"{kind}.json", "--markdown", "-")
        assert code == 1
        assert f"| `{measure}` |" in out
    refused(command("check", folders / "good-replay", "--baseline", "alone.json"), "differ in queries")
    refused(command("check", folders / "good", "--baseline", "alone.json"), "is a run", "of a retrieval")


def test_the_same_run_blessed_again_leaves_the_file_as_it_is(command: Command, folders: Path, baseline: Path) -> None:
    before = baseline.read_bytes()
    code, out, _ = command("bless", folders / "good", "--baseline", baseline)
    assert (code, baseline.read_bytes()) == (0, before)
    assert "baseline.json held good of 20" in out
    assert "already: nothing changed" in out


def test_another_run_takes_over_rules_and_says_what_it_changes(command: Command, folders: Path, baseline: Path) -> None:
    record = json.loads(baseline.read_text())
    rules = [{"measure": "success_rate", "significant": False, "tolerance": 0.02}, {"measure": "steps"}]
    write_json(baseline, {**record, "rules": rules, "alpha": 0.01})
    code, out, _ = command("bless", folders / "bad", "--baseline", baseline, "--rule", "turns:max=9", "--drop", "steps")
    assert code == 0
    assert "against the baseline that was there" in out
    assert re.search(r"^success_rate .* fails *$", out, flags=re.MULTILINE)
    assert re.search(r"holds bad of \S+ now; before, good of \S+", " ".join(out.split()))
    kept = json.loads(baseline.read_text())
    assert [(rule["measure"], rule["tolerance"], rule["max"]) for rule in kept["rules"]] == [
        ("success_rate", 0.02, None),
        ("turns", None, 9),
    ]
    assert kept["alpha"] == 0.01
    code, out, _ = command("bless", folders / "short", "--baseline", baseline)
    assert code == 0
    assert "another questions than before" in out


def test_what_cannot_be_paired_is_refused_by_name(command: Command, folders: Path, baseline: Path) -> None:
    refused(
        command("check", folders / "short", "--baseline", baseline), "questions (10 instead of 20)", "bless a new one"
    )


def test_an_unresolved_run_is_exit_3_with_its_bound(
    command: Command, folders: Path, baseline: Path, tmp_path: Path
) -> None:
    shutil.copytree(folders / "good", tmp_path / "half")
    records = (tmp_path / "half" / "trajectories.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "half" / "trajectories.jsonl").write_text("".join(records[:15]))
    assert command("score", "half")[0] == 3
    code, out, _ = command("check", "half", "--baseline", baseline)
    assert code == 3
    assert "5 rollouts are ungraded or errored: success is between" in out
    code, out, _ = command("check", "half", "--baseline", baseline, "--markdown", "-")
    assert code == 3
    assert "success is between" in out
    assert "|" not in out
    assert json.loads(command("check", "half", "--baseline", baseline, "--json")[1])["outcome"] == "unresolved"
    before = baseline.read_bytes()
    code, out, err = command("bless", "half", "--baseline", baseline)
    assert (code, out) == (3, "")
    assert "ungraded or errored rollouts, 5" in err
    assert baseline.read_bytes() == before


def test_what_is_wrong_is_one_line(command: Command, folders: Path, baseline: Path) -> None:
    Path("notes.json").write_text('{"mine": 1}')
    for words, said in (
        (("check", folders / "good", "--baseline", "none.json"), ("no baseline none.json", "lrat-bench bless RUN")),
        (("check", folders / "nowhere", "--baseline", baseline), ("neither a run folder nor a retrieval",)),
        (("check", folders / "good"), ("--baseline",)),
        (("check", folders / "good", "--baseline", "."), ("directory",)),
        (("bless", folders / "good", "--baseline", "notes.json"), ("notes.json", "not a baseline")),
        (("bless", folders / "good", "--baseline", baseline, "--rule", "sucess_rate"), ("did you mean",)),
        (("bless", folders / "good", "--baseline", baseline, "--rule", "steps:tol=1"), ("tol", "tolerance")),
        (("bless", folders / "good", "--baseline", baseline, "--drop", "turns"), ("unknown rule 'turns'",)),
        (("bless", folders / "good", "--baseline", "/dev/zero"), ("/dev/zero", "no regular file")),
        (("bless", folders / "good", "--baseline", "/proc/nothing/b.json"), ("cannot write the baseline",)),
    ):
        refused(command(*words), *said)
    assert Path("notes.json").read_text() == '{"mine": 1}'


def test_a_summary_that_cannot_be_written_is_said_behind_the_table(
    command: Command, folders: Path, baseline: Path
) -> None:
    code, out, err = command("check", folders / "bad", "--baseline", baseline, "--markdown", "/dev/full")
    assert code == 2
    assert "rules fail" in out
    assert "cannot write the summary /dev/full: No space left on device" in err


def test_names_of_strangers_are_inert(command: Command, folders: Path, baseline: Path, tmp_path: Path) -> None:
    hostile = "`</code>``<img src=x onerror=alert(1)> @everyone | [x](http://e.x)\x1b[31m\u202e\n# h"
    record = json.loads(baseline.read_text())
    record["origin"]["name"] = hostile
    record["origin"]["free"]["retriever"] = hostile
    write_json(baseline, record)
    run = tmp_path / "a`b`` <b>|c"
    shutil.copytree(folders / "bad", run)
    code, out, _ = command("check", run, "--baseline", baseline, "--markdown", "-")
    assert code == 1
    (line,) = [line for line in out.splitlines() if line.startswith("against ")]
    fence = line.removeprefix("against ").partition(" ")[0]
    assert set(fence) == {"`"}
    assert fence not in line.removeprefix(f"against {fence}").removesuffix(fence)
    assert line.endswith(fence)
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert sum(text.startswith("# ") for text in out.splitlines()) == 0
    command_line = "lrat-bench bless '" + str(run) + "' --baseline baseline.json"
    assert f"\n{command_line}\n" in out
    plain = command("check", run, "--baseline", baseline)[1]
    assert "\x1b" not in plain
    assert "\u202e" not in plain


def test_the_page_names_every_field_of_a_rule_and_every_input_of_the_action() -> None:
    root = Path(__file__).parent.parent.parent
    page = (root / "docs" / "gate.md").read_text()
    for name in (*Rule.model_fields, *yaml.safe_load((root / "action.yml").read_text())["inputs"]):
        assert f"`{name}`" in page
    workflow, *_ = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    (step,) = [one for one in yaml.safe_load(workflow)["jobs"]["gate"]["steps"] if "with" in one]
    assert set(step["with"]) <= set(yaml.safe_load((root / "action.yml").read_text())["inputs"])
    rule, *_ = re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)
    assert Rule.model_validate_json(rule).tolerance == 0.1

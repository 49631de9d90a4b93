"""A run beside a published figure: equal, within noise, or off; and what is not the same thing is not compared."""

from __future__ import annotations

from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from published_runs import mean, rate, write_retrieval, write_run

import lrat_bench
from lrat_bench.api.figures import Reproduction, reproduce
from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import write_json
from lrat_bench.published.comparison import Comparison, difference_interval
from lrat_bench.published.library import load_table
from lrat_bench.score.intervals import wilson

GPT_OSS = "gpt-oss-120b/qwen3-embedding-0.6b"
"""9.0 % of 830 questions, recall 43.7 %, 45.4 steps."""


def by_column(found: Reproduction) -> dict[str, Comparison]:
    return {one.figure.column: one for one in found.comparisons}


def held(path: Path, table: str = "lrat-table-2", **more: Any) -> dict[str, Comparison]:
    return by_column(reproduce(table, [path], **more))


@pytest.mark.parametrize(
    ("correct", "outcome"),
    [
        (75, "OK"),  # 9.04 %
        (74, "within noise"),  # 8.92 %, which rounds to 8.9
        (95, "within noise"),  # 11.4 %
        (60, "within noise"),
        (110, "off"),  # 13.3 %
        (48, "off"),
        (0, "off"),
    ],
)
def test_a_success_rate_is_held_against_both_binomials(tmp_path: Path, correct: int, outcome: str) -> None:
    path = write_run(tmp_path / "run", rate("lrat.success_rate", correct, 830))
    found = held(path)["bcp.success"]
    assert found.outcome == outcome
    assert found.ours is not None
    assert found.ours.n == 830


def test_the_interval_of_a_difference_is_newcombes() -> None:
    # The first example of Newcombe (1998), Table II: 56/70 − 48/80, method 10 gives 0.0524 to 0.3339.
    figure = next(one for one in load_table("lrat-table-2").figures if one.measures.rate)
    eighty = figure.model_copy(
        update={"value": 60.0, "measures": figure.measures.model_copy(update={"n": 80, "unit": "%"})}
    )
    low, high = difference_interval(eighty, rate("success_rate", 56, 70))
    assert low == pytest.approx(5.24, abs=0.005)
    assert high == pytest.approx(33.39, abs=0.005)


def test_a_mean_is_held_against_our_interval(tmp_path: Path) -> None:
    metrics = (mean("browsecomp_plus.recall", 0.4502, 0.02), mean("lrat.steps", 46.9, 0.8, unit="steps"))
    found = held(write_run(tmp_path / "run", *metrics))
    assert found["bcp.recall_searched"].outcome == "within noise"
    assert found["bcp.recall_searched"].difference.low == pytest.approx(-0.68)
    assert found["bcp.recall_searched"].difference.high == pytest.approx(3.32)
    assert found["bcp.steps"].outcome == "off"


def test_what_rounds_to_the_published_digits_is_ok_however_small_the_interval(tmp_path: Path) -> None:
    found = held(write_run(tmp_path / "run", mean("lrat.steps", 45.3501, 0.0001, unit="steps")))
    assert found["bcp.steps"].outcome == "OK"


def test_a_value_from_a_plot_is_as_vague_as_it_was_read(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", mean("lrat.recall", 0.4948, 0.0001), agent="tongyi-deepresearch")
    assert held(path, "lrat-figure-9", retriever="qwen3-embedding-0.6b")["recall"].outcome == "OK"
    path = write_run(tmp_path / "other", mean("lrat.recall", 0.4964, 0.0001), agent="tongyi-deepresearch")
    assert held(path, "lrat-figure-9", retriever="qwen3-embedding-0.6b")["recall"].outcome == "off"


def test_ours_stands_in_where_the_peers_number_is_missing_and_says_so(tmp_path: Path) -> None:
    found = held(write_run(tmp_path / "run", rate("success_rate", 75, 830)))
    assert found["bcp.success"].outcome == "OK"
    assert found["bcp.success"].reason == "by our definition: lrat.success_rate is not there"
    assert found["bcp.steps"].outcome is None
    assert found["bcp.steps"].reason == "not measured: there is no steps in metrics.json"


def test_what_has_no_value_is_not_compared(tmp_path: Path) -> None:
    found = held(write_run(tmp_path / "run", rate("lrat.success_rate", 0, 0), rate("success_rate", 0, 0)))
    assert (found["bcp.success"].outcome, found["bcp.success"].reason) == (None, "not measured: n = 0")


@pytest.mark.parametrize(("value", "outcome", "reason"), [(0.46481, "OK", ""), (0.1, None, "no interval")])
def test_what_has_no_interval_is_ok_or_undecided_never_off(
    tmp_path: Path, value: float, outcome: str | None, reason: str
) -> None:
    path = write_run(
        tmp_path / "run",
        mean("browsecomp_plus.calibration_error", value),
        task="browsecomp-plus@standard-v1",
        retriever="bm25",
        judge="gpt-4.1",
    )
    found = held(path, "browsecomp-plus-table-1", agent="gpt-oss-120b-high")["calibration_error"]
    assert found.outcome == outcome
    assert reason in found.reason


def test_a_row_is_told_from_the_others_by_agent_and_retriever(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", rate("lrat.success_rate", 197, 830), agent="tongyi-deepresearch",
                     retriever="dense:Yuqi-Zhou/LRAT-Qwen3-Embedding-0.6B")  # fmt: skip
    (found,) = (one for one in reproduce("lrat-table-2", [path]).comparisons if one.figure.column == "bcp.success")
    assert (found.figure.value, found.outcome) == (23.7, "OK")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"agent": "qwen3-32b"}, "agent qwen3-32b instead of "),
        (
            {"row": {"model": "hosted_vllm/openai/gpt-oss-20b"}},
            "model hosted_vllm/openai/gpt-oss-20b instead of hosted_vllm/openai/gpt-oss-120b",
        ),
        ({"row": {"parameters": {"reasoning_effort": "low"}}}, "agent gpt-oss-120b with another agent.parameters"),
        ({"retriever": "dense:./mine"}, "retriever dense:./mine instead of dense:Qwen/Qwen3-Embedding-0.6B"),
        ({"settings": {"query_prompt": ""}}, "retriever.query_prompt="),
        ({"rollout": {"k": 5}}, "protocol lrat-v1 with k 5 instead of 10"),
        ({"task": "browsecomp-plus@lrat-code-v1"}, "queries_per_call 1 instead of 5"),
        ({"documents": 1000}, "a corpus of 1,000 documents instead of 100,195"),
    ],
)
def test_a_run_of_something_else_is_named_with_what_differs(tmp_path: Path, words: dict[str, Any], said: str) -> None:
    path = write_run(tmp_path / "run", rate("lrat.success_rate", 75, 830), **words)
    found = reproduce("lrat-table-2", [path])
    assert found.comparisons == ()
    (unanswered,) = found.unanswered
    assert said in ", ".join(one.text for one in unanswered.differs)
    anyway = reproduce("lrat-table-2", [path], agent="gpt-oss-120b", retriever="qwen3-embedding-0.6b", anyway=True)
    success = by_column(anyway)["bcp.success"]
    assert success.outcome == "OK"
    assert success.differs == unanswered.differs or said.startswith("agent qwen3-32b")


def test_sampling_that_the_protocol_pins_is_no_difference(tmp_path: Path) -> None:
    row: dict[str, dict[str, Any]] = {
        "sampling": {
            "temperature": 0.2,
            "top_p": 1.0,
            "top_k": -1,
            "presence_penalty": 0.0,
            "max_tokens": 16384,
            "stop": [],
        }
    }
    assert held(write_run(tmp_path / "a", rate("lrat.success_rate", 75, 830), row=row))["bcp.success"].outcome == "OK"
    row["sampling"]["max_tokens"] = 100
    (unanswered,) = reproduce("lrat-table-2", [write_run(tmp_path / "b", row=row)]).unanswered
    assert unanswered.differs[0].text == "agent gpt-oss-120b with another agent.max_tokens"


def test_another_judge_matters_to_what_is_judged_alone(tmp_path: Path) -> None:
    metrics = (rate("lrat.success_rate", 75, 830), mean("lrat.steps", 45.4, 0.5, unit="steps"))
    path = write_run(tmp_path / "run", *metrics, judge="qwen3-32b")
    found = held(path)
    assert found["bcp.steps"].outcome == "OK"
    assert found["bcp.success"].outcome is None
    assert found["bcp.success"].reason == "judge qwen3-32b instead of qwen3-30b-a3b-thinking"
    assert held(path, anyway=True)["bcp.success"].outcome == "OK"


def test_a_run_that_is_not_complete_is_not_compared_but_for_what_no_judge_says(tmp_path: Path) -> None:
    metrics = (rate("lrat.success_rate", 75, 830), mean("lrat.steps", 45.4, 0.5, unit="steps"))
    ungraded = held(write_run(tmp_path / "a", *metrics, ungraded=7))
    assert (ungraded["bcp.success"].outcome, ungraded["bcp.steps"].outcome) == (None, "OK")
    assert ungraded["bcp.success"].reason == "7 of 830 unresolved"
    errored = held(write_run(tmp_path / "b", *metrics, errored=7))
    assert {one.outcome for one in errored.values()} == {None}


def test_a_trained_retriever_is_compared_with_the_row_that_is_named(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", rate("lrat.success_rate", 98, 830), retriever="dense:lrat-filter")
    assert reproduce("lrat-figure-7", [path]).comparisons == ()
    (found,) = reproduce(
        "lrat-figure-7", [path], agent="gpt-oss-120b", retriever="qwen3-embedding-0.6b+filter", anyway=True
    ).comparisons
    assert (found.figure.value, found.outcome) == (11.8, "OK")
    assert "which has no name here" in found.differs[0].text


def test_no_metric_of_a_run_says_table_1(tmp_path: Path) -> None:
    found = reproduce("lrat-table-1", [write_run(tmp_path / "run")], anyway=True)
    assert {one.reason for one in found.comparisons} == {"no metric of a run says it"}


def test_a_retrieval_answers_the_board(tmp_path: Path) -> None:
    metrics = (mean("evidence_nDCG@10", 0.01634, 0.003, unit="nDCG"), mean("evidence_R@5", 0.0131, 0.002),
               mean("evidence_R@100", 0.0766, 0.007))  # fmt: skip
    found = held(write_retrieval(tmp_path / "found", *metrics), "browsecomp-plus-retrieval")
    assert {name: one.outcome for name, one in found.items() if name.startswith("evidence")} == {
        "evidence.nDCG@10": "OK",
        "evidence.R@5": "within noise",
        "evidence.R@100": "off",
        "evidence.R@1000": None,
    }


def test_a_retrieval_with_other_settings_is_another_one(tmp_path: Path) -> None:
    qwen = "dense:Qwen/Qwen3-Embedding-0.6B"
    prompt = "Instruct: Given a web search query, retrieve relevant passages that answer the query{}Query:"
    for name, words, said in (
        ("k1", {"settings": {"k1": 1.2}}, "retriever.k1=1.2"),
        ("newline", {"retriever": qwen, "described": {"query_prompt": prompt.format("\n")}}, "retriever.query_prompt"),
        (
            "short",
            {"retriever": qwen, "described": {"query_prompt": prompt.format("\\n"), "passage_tokens": 512}},
            "retriever.passage_tokens 512 instead of 4096",
        ),
    ):
        path = write_retrieval(tmp_path / name, mean("evidence_R@5", 0.06), **words)
        (unanswered,) = reproduce("browsecomp-plus-retrieval", [path]).unanswered
        assert said in unanswered.differs[0].text
    path = write_retrieval(
        tmp_path / "as-documented",
        mean("evidence_R@5", 0.06181),
        retriever=qwen,
        described={"query_prompt": prompt.format("\\n"), "passage_tokens": 4096},
        settings={"device": "cuda", "batch_size": 8},
    )
    assert held(path, "browsecomp-plus-retrieval")["evidence.R@5"].outcome == "OK"


def test_a_run_is_no_retrieval_not_even_anyway(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", rate("lrat.success_rate", 75, 830))
    found = reproduce("browsecomp-plus-retrieval", [path], anyway=True)
    assert found.comparisons == ()
    assert found.unanswered[0].differs[0].text == "run instead of retrieval"


def test_a_folder_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    scored = write_run(tmp_path / "scored", rate("lrat.success_rate", 75, 830))
    unscored = write_run(tmp_path / "unscored")
    (unscored / "metrics.json").unlink()
    with pytest.raises(DataError, match="there are no scores yet: run `lrat-bench score` on the folder"):
        reproduce("lrat-table-2", [unscored])
    with pytest.raises(UsageError, match=r"nowhere is neither a run nor a retrieval: it has no manifest\.json"):
        reproduce("lrat-table-2", ["nowhere"])
    torn = tmp_path / "torn"
    torn.mkdir()
    for content in ("{", "[]", '{"schema": 5}'):
        (torn / "manifest.json").write_text(content)
        with pytest.raises(DataError):
            reproduce("lrat-table-2", [torn])
    said: list[str] = []
    found = reproduce("lrat-table-2", [unscored, scored, torn], on_problem=said.append)
    assert (found.unreadable, len(said), len(found.comparisons)) == (2, 2, 3)


def test_repeats_are_not_taken_for_more_questions(tmp_path: Path) -> None:
    figure = next(one for one in load_table("lrat-table-2").figures if one.id.endswith(f"{GPT_OSS}/bcp.success"))
    there = wilson(0.09 * 830, 830)
    assert there.high is not None
    assert there.low is not None
    bootstrapped = mean("success_rate", 0.11, 0.02, n=3 * 830)
    low, high = difference_interval(figure, bootstrapped)
    assert low == pytest.approx(2 - 100 * sqrt(0.02**2 + (there.high - 0.09) ** 2))
    assert high == pytest.approx(2 + 100 * sqrt(0.02**2 + (0.09 - there.low) ** 2))


FILE = """
paper: mine
short: mine
place: Table 1
summary: mine
source: me
columns:
  success:
    {header: success, task: synth-wiki, protocol: default, metric: success_rate, peer: lrat.success_rate,
     unit: "%", decimals: 1, n: 300, rate: true, judged: true}
  steps:
    {header: steps, task: synth-wiki, protocol: default, metric: steps, peer: lrat.steps, unit: steps, decimals: 2}
  recall:
    {header: R@5, task: synth-wiki, protocol: default, by: retrieval, metric: evidence_R@5, unit: share, decimals: 4}
rows:
  - {agent: heuristic, retriever: oracle, values: {success: SUCCESS, steps: STEPS}}
"""


def test_a_real_run_answers_a_file_of_ones_own(tmp_path: Path) -> None:
    run = lrat_bench.run(retriever="oracle", limit=30, out=tmp_path / "run")
    success, steps = (run.metrics.metric(name) for name in ("lrat.success_rate", "lrat.steps"))
    assert success.value is not None
    assert steps.value is not None
    file = tmp_path / "mine.yaml"
    for published, taken, expected in (
        (100 * success.value, steps.value, ("OK", "OK")),
        (100 * success.value - 4, steps.value + 0.05, ("within noise", "within noise")),
        (20.0, 3 * steps.value, ("off", "off")),
    ):
        file.write_text(FILE.replace("SUCCESS", f"{published:.1f}").replace("STEPS", f"{taken:.2f}"))
        found = held(run.path, str(file))
        assert (found["success"].outcome, found["steps"].outcome) == expected
    bm25 = tmp_path / "custom"
    changed = run.manifest.model_copy(update={"retriever": {"name": "bm25"}})
    bm25.mkdir()
    write_json(bm25 / "manifest.json", changed.to_dict())
    (bm25 / "metrics.json").write_bytes((run.path / "metrics.json").read_bytes())
    (unanswered,) = reproduce(str(file), [bm25]).unanswered
    assert [one.text for one in unanswered.differs] == ["retriever bm25 instead of oracle"]

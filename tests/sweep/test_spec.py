"""The file of a sweep is read strictly: what is wrong is named with its line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrat_bench.errors import DataError, UsageError
from lrat_bench.sweep.grid import cells_of, read_only
from lrat_bench.sweep.spec import SweepSpec, read_spec

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks" / "sweeps"

SMALL = "tasks: [synth-wiki]\nagents: [heuristic]\nretrievers: [bm25, none]\n"


def spec(tmp_path: Path, text: str) -> SweepSpec:
    file = tmp_path / "sweep.yaml"
    file.write_text(text)
    return read_spec(file)


def names(tmp_path: Path, text: str) -> list[str]:
    return [cell.name(with_seed=False) for cell in cells_of(spec(tmp_path, text))]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, ("must be a mapping",)),
        ("- a\n", 1, ("must be a mapping",)),
        ("tasks: [", 1, ("not valid YAML",)),
        ("tasks: [a]\nretrievers: [b]\n", 1, ("agents: is missing",)),
        (SMALL + "knobs:\n  protocol.k: [5]\n  protocol.kk: [1]\n", 6, ("knobs.protocol.kk", "did you mean 'k'")),
        (SMALL + "knobs: {protocol.k: 5}\n", 4, ("knobs.protocol.k", "must be a list")),
        (SMALL + "knobs: {protocol.k: []}\n", 4, ("knobs.protocol.k", "has no value")),
        (SMALL + "knobs: {protocol.k: [5, 5]}\n", 4, ("knobs.protocol.k", "5 stands there twice")),
        (SMALL + "knobs: {protocol.max_seconds: [.nan]}\n", 4, ("finite",)),
        (SMALL + "knobs: {protocol: [5]}\n", 4, ("room.key",)),
        (SMALL + "knobs: {filter.api_base: [x]}\n", 4, ("no relevance filter",)),
        (SMALL + "set: {corpus.size: 3}\n", 4, ("set.corpus.size", "rooms:")),
        (SMALL + "limit: 3\nlimit: 4\n", 5, ("limit stands twice", "line 4")),
        (SMALL + "limit: many\n", 4, ("limit: must be a whole number",)),
        (SMALL + "limit: true\n", 4, ("limit: must be a whole number",)),
        (SMALL + "limit: 0\n", 4, ("limit: must be at least 1",)),
        (SMALL + "max_cost: -1\n", 4, ("max_cost: must be more than 0",)),
        (SMALL + "max_cost: .inf\n", 4, ("max_cost: must be a finite number",)),
        (SMALL + "seed: [1, 1]\n", 4, ("seed", "twice")),
        (SMALL + "repeat: 3\n", 4, ("repeat: there is no such field", "repeats")),
        (SMALL + "exclude: [{retriver: bm25}]\n", 4, ("exclude[0].retriver", "task, agent, retriever, seed")),
        (SMALL + "exclude: [{protocol.k: 5}]\n", 1, ("exclude names protocol.k",)),
        (SMALL + "exclude: [{}]\n", 4, ("names at least one",)),
        (SMALL + "include: [{seed: one}]\n", 4, ("seed cannot be 'one'",)),
        ("tasks: [a]\nagents: [b]\nretrievers:\n  - name: c\n    lable: d\n", 5, ("retrievers[0].lable", "label")),
        ("tasks: [a]\nagents: [b]\nretrievers: [c, c]\n", 3, ("c stands there twice", "label")),
        ("tasks: &a {b: *a}\nagents: [b]\nretrievers: [c]\n", 1, ("tasks: must be a list",)),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, line: int, words: tuple[str, ...]) -> None:
    with pytest.raises(DataError) as caught:
        spec(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'sweep.yaml'}:{line}: ")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_every_combination_is_a_cell(tmp_path: Path) -> None:
    found = names(tmp_path, SMALL + "knobs: {protocol.k: [1, 5], protocol.max_turns: [3, 6]}\nseed: [0, 1]\n")
    assert len(found) == 2 * 2 * 2 * 2
    assert found[0] == "synth-wiki · heuristic · bm25 · protocol.k=1 · protocol.max_turns=3"
    assert len(set(found)) == 8


def test_excluded_combinations_are_left_out_and_included_ones_are_added_once(tmp_path: Path) -> None:
    found = names(
        tmp_path,
        SMALL
        + "knobs: {protocol.k: [1, 5]}\n"
        + "exclude: [{retriever: none, protocol.k: [1, 5]}]\n"
        + "include: [{retriever: [none, oracle], protocol.k: 5}, {retriever: bm25, protocol.k: 5}]\n",
    )
    assert found == [
        "synth-wiki · heuristic · bm25 · protocol.k=1",
        "synth-wiki · heuristic · bm25 · protocol.k=5",
        "synth-wiki · heuristic · none · protocol.k=5",
        "synth-wiki · heuristic · oracle · protocol.k=5",
    ]


def test_a_rule_that_excludes_nothing_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="rule 1 of exclude matches no combination of the grid: retriever: oracle"):
        cells_of(spec(tmp_path, SMALL + "exclude: [{retriever: oracle}]\n"))
    with pytest.raises(UsageError, match="leaves nothing"):
        cells_of(spec(tmp_path, SMALL + "exclude: [{task: synth-wiki}]\n"))


def test_the_nearer_setting_counts(tmp_path: Path) -> None:
    found = spec(
        tmp_path,
        """
tasks: [{name: synth-wiki, set: {task: {documents: 1000}, protocol.k: 2}}]
agents: [{name: heuristic, set: {protocol.k: 3}}]
retrievers: [{name: bm25, set: {retriever.k1: 1.2, protocol.k: 4}}]
knobs: {protocol.k: [5]}
set: {protocol.k: 1, protocol.max_turns: 9}
""",
    )
    (cell,) = cells_of(found)
    assert cell.settings(found) == {
        "task.documents": 1000,
        "retriever.k1": 1.2,
        "protocol.k": 5,
        "protocol.max_turns": 9,
    }


def test_only_leaves_what_has_one_value_of_each_key(tmp_path: Path) -> None:
    cells = cells_of(spec(tmp_path, SMALL + "knobs: {protocol.k: [1, 5, 10]}\n"))

    def left(*only: str) -> list[str]:
        rule = read_only(only, cells)
        return [cell.name(with_seed=False).partition("heuristic · ")[2] for cell in cells if cell.matches(rule)]

    assert left() == [cell.name(with_seed=False).partition("heuristic · ")[2] for cell in cells]
    assert left("retriever=none", "protocol.k=5", "protocol.k=1") == ["none · protocol.k=1", "none · protocol.k=5"]
    for wrong in ("retriever", "retriver=bm25", "retriever=oracle", "protocol.k=7"):
        with pytest.raises(UsageError, match="--only"):
            left(wrong)


@pytest.mark.parametrize("file", sorted(BENCHMARKS.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_examples_are_sweeps(file: Path) -> None:
    found = read_spec(file)
    assert len(cells_of(found)) > 3


def test_the_papers_table_2_is_six_agents_over_four_retrievers_on_two_tasks() -> None:
    cells = cells_of(read_spec(BENCHMARKS / "lrat-table-2.yaml"))
    assert len(cells) == 6 * 4 * 2
    assert len({cell.agent.name for cell in cells}) == 6

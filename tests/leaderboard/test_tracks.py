"""What the board's own tracks pin is what the package runs: none of it can drift."""

from __future__ import annotations

from pathlib import Path

import pytest
from submissions import pin_of

from lrat_bench.agent.catalog import load_agent
from lrat_bench.agent.prompts import prompt_fingerprint
from lrat_bench.errors import DataError, UnknownName
from lrat_bench.leaderboard.measuring import COLUMNS
from lrat_bench.leaderboard.papers import TABLES, paper_rows
from lrat_bench.leaderboard.submission import row_digest
from lrat_bench.leaderboard.tracks import Fixed, Pin, Track, Tracks, load_tracks
from lrat_bench.published.library import load_table
from lrat_bench.retriever.base import BuildContext
from lrat_bench.retriever.catalog import load_retriever
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.task.catalog import load_task, task_card
from lrat_bench.task.task import Task

TRACKS = list(load_tracks())
PINS = {f"{track.name}/{pin.task}": pin for track in TRACKS for pin in track.pins}


@pytest.mark.parametrize("place", PINS)
def test_a_pin_is_computed_from_the_card_and_the_judge(place: str) -> None:
    pin = PINS[place]
    card = task_card(pin.task)
    protocol = card.protocols[pin.protocol]
    assert pin.rollout == protocol.rollout.fingerprint
    assert pin.scoring == protocol.scoring.fingerprint
    assert pin.judge == load_judge(protocol.scoring, offline=True).fingerprint
    assert pin.prompt == prompt_fingerprint(protocol.rollout.prompt)
    assert pin.passage_tokens == protocol.rollout.passage_tokens
    assert pin.canary == card.canary
    rollout = protocol.rollout
    assert (pin.tools, pin.k, pin.entries, pin.calls) == (
        rollout.tools,
        rollout.k,
        rollout.queries_per_call,
        rollout.max_calls,
    )
    assert pin.turns == rollout.max_turns + rollout.forced_answer
    assert card.splits[pin.split] == "eval"
    if pin.limit is None:
        assert pin.questions == card.expected.questions
        assert (pin.evidence is None) == (card.expected.evidence is None)
        assert (pin.gold is None) == (card.expected.gold is None)


@pytest.mark.parametrize("task", ["synth-wiki", "synth-wiki-ood"])
def test_the_demonstration_pins_the_generated_tasks(task: str, tracks: Tracks) -> None:
    pin = tracks["demo"].pin(task)
    assert pin is not None
    made = pin_of(load_task(task, settings=pin.settings)[0], limit=pin.limit)
    assert pin == Pin.model_validate({**made, "settings": pin.settings})


@pytest.mark.parametrize("track", TRACKS, ids=lambda track: track.name)
def test_what_is_fixed_is_what_runs(track: Track, bridge: Task, tmp_path: Path) -> None:
    fixed = track.fixed
    if fixed is None:
        assert track.kind == "retrieval"
    elif track.kind == "retriever":
        settings = {"api_base": "http://localhost:8000/v1"} if fixed.row else {}
        agent = load_agent(fixed.name, settings)
        assert fixed.fingerprint in (None, agent.fingerprint)
        assert (fixed.row is None) == (fixed.fingerprint is not None)
        row = getattr(agent, "row", None)
        assert fixed.row == (None if row is None else row_digest(row))
    elif fixed.name == "bm25":
        retriever = load_retriever("bm25", BuildContext(bridge, {}, tmp_path))
        assert fixed.fingerprint == retriever.fingerprint
        retriever.close()
    else:
        assert fixed.name.startswith("dense:")
        assert fixed.weights


def test_a_retriever_needs_a_task_within_and_one_without_its_domain() -> None:
    for track in TRACKS:
        if track.kind == "retriever":
            assert {task_card(pin.task).domain for pin in track.pins} == {"ID", "OOD"}
        assert track.rank in COLUMNS[track.kind]


def test_what_papers_published_stands_in_a_track() -> None:
    shown = {row.name for track in TRACKS for row in paper_rows(track)}
    for name in TABLES:
        named = [row for row in load_table(name).rows if any(one.startswith(f"{name}/") for one in shown)]
        assert named
    assert sum(row.startswith("lrat-table-2/") for row in shown) == len(load_table("lrat-table-2").rows)
    assert sum(row.startswith("browsecomp-plus-retrieval/") for row in shown) == 5
    demo = next(track for track in TRACKS if track.demonstration)
    assert list(paper_rows(demo)) == []


def test_published_figures_are_in_our_units(tracks: Tracks) -> None:
    rows = {row.name: row for row in paper_rows(tracks["agent-bm25"])}
    gpt5 = rows["browsecomp-plus-table-1/gpt-5/bm25"]
    success, recall, searches = gpt5.metrics["browsecomp-plus"]
    assert (success.name, success.value, success.unit, success.n) == ("success_rate", 0.559, "share", 830)
    assert success.low is not None
    assert success.low < 0.559
    assert (recall.value, searches.value, searches.unit) == (0.617, 23.23, "calls")
    assert "graded by gpt-4.1" in gpt5.cited


def test_a_file_of_tracks_is_read_strictly(tmp_path: Path) -> None:
    file = tmp_path / "tracks.yaml"
    for content, said in (
        ("board: b\n", "tracks: is missing"),
        ("board: b\ntracks: {}\n", "tracks"),
        ("board: b\ntracks: {a: {kind: retriever}}\n", "is missing"),
        ("board: b\nbored: 1\ntracks: []\n", "tracks"),
    ):
        file.write_text(content)
        load_tracks.__globals__["_read"].cache_clear()
        with pytest.raises(DataError, match=said):
            load_tracks(file)
    with pytest.raises(UnknownName, match="did you mean 'demo'"):
        load_tracks()["demp"]


def test_a_revision_of_weights_does_not_change_what_a_row_is() -> None:
    assert row_digest({"model": "a", "revision": "1"}) == row_digest({"model": "a", "revision": None})
    assert row_digest({"model": "a", "revision": "1"}) != row_digest({"model": "b", "revision": "1"})
    assert Fixed(name="a").weights


@pytest.mark.parametrize("model", [Track, Pin, Fixed])
def test_the_documentation_lists_what_a_track_can_pin(model: type[Track | Pin | Fixed]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "leaderboard.md").read_text()
    rows = [f"| `{name}` | {field.description} |" for name, field in model.model_fields.items()]
    assert "\n".join(rows) in text

"""Entries in order: tasks count the same, ties are drawn by question, and only among those that can be compared."""

from __future__ import annotations

import pytest

from lrat_bench.leaderboard.measuring import Numbers
from lrat_bench.leaderboard.ranking import Contender, ranked
from lrat_bench.leaderboard.tracks import Track
from lrat_bench.score.intervals import wilson
from lrat_bench.score.metric import Metric

PIN = {
    **dict.fromkeys(("rollout", "scoring", "judge", "prompt"), "0" * 64),
    "tools": ["search"],
    **dict.fromkeys(("k", "entries", "turns"), 10),
}


def track_of(*tasks: str) -> Track:
    pins = [{"task": task, "protocol": "p", "split": "test", "questions": 10, **PIN} for task in tasks]
    words = {"kind": "retriever", "title": "t", "summary": "s", "rank": "success_rate", "fixed": {"name": "heuristic"}}
    return Track.model_validate({"name": "t", "pins": pins, **words})


def right_on(many: int, of: int) -> Numbers:
    """The first so many of a task's questions are answered correctly."""
    values = {f"q{at:04}": float(at < many) for at in range(of)}
    metric = Metric(
        name="success_rate", value=many / of, n=of, low=None, high=None, unit="share", direction="higher", definition=""
    )
    return Numbers((metric,), {"success_rate": values})


def test_each_task_counts_the_same_however_many_questions_it_has() -> None:
    track = track_of("small", "large")
    good = Contender("good-on-the-small", {"small": right_on(9, 10), "large": right_on(20, 100)})
    other = Contender("good-on-the-large", {"small": right_on(1, 10), "large": right_on(60, 100)})
    first, second = ranked(track, [other, good])
    assert (first.name, second.name) == ("good-on-the-small", "good-on-the-large")
    assert first.score.value == pytest.approx((0.9 + 0.2) / 2)
    assert second.score.value == pytest.approx((0.1 + 0.6) / 2)
    assert first.score.low is not None
    assert first.score.high is not None
    assert first.score.low < 0.55 < first.score.high


def test_what_the_questions_cannot_tell_apart_is_tied() -> None:
    track = track_of("one")
    many = {"best": 80, "close": 79, "far": 40}
    places = ranked(track, [Contender(name, {"one": right_on(right, 100)}) for name, right in many.items()])
    assert [place.name for place in places] == ["best", "close", "far"]
    assert [(place.best_rank, place.worst_rank) for place in places] == [(1, 2), (1, 2), (3, 3)]
    assert set(places[0].letters) & set(places[1].letters)
    assert not set(places[0].letters) & set(places[2].letters)
    low, high = wilson(80, 100)
    assert (places[0].score.low, places[0].score.high) == (low, high)


def test_another_commit_of_what_is_fixed_is_another_pool() -> None:
    track = track_of("one")
    places = ranked(
        track,
        [
            Contender("a", {"one": right_on(80, 100)}, pool="c1"),
            Contender("b", {"one": right_on(20, 100)}, pool="c2"),
        ],
    )
    assert [(place.name, place.letters, place.best_rank, place.pool) for place in places] == [
        ("a", (), None, "c1"),
        ("b", (), None, "c2"),
    ]


def test_no_place_is_had_by_naming_a_commit_of_ones_own() -> None:
    right = {"honest": (40, "c1"), "rival": (20, "c1"), "loner": (90, "mine")}
    places = ranked(
        track_of("one"), [Contender(name, {"one": right_on(many, 100)}, pool) for name, (many, pool) in right.items()]
    )
    assert [(place.name, place.best_rank, place.of) for place in places] == [
        ("honest", 1, 2),
        ("rival", 2, 2),
        ("loner", None, 1),
    ]


def test_the_only_entry_of_a_track_that_pins_its_commit_is_the_first() -> None:
    (place,) = ranked(track_of("one"), [Contender("a", {"one": right_on(80, 100)})])
    assert (place.letters, place.best_rank, place.worst_rank, place.of) == (("a",), 1, 1, 1)


def test_nobody_right_has_an_interval_too() -> None:
    (place,) = ranked(track_of("one", "two"), [Contender("a", {"one": right_on(0, 10), "two": right_on(0, 30)})])
    assert (place.score.value, place.score.low) == (0, 0)
    assert place.score.high == pytest.approx(wilson(0, 40).high)

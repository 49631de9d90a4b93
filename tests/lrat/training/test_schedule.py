"""The learning rate rises, falls, and is never 0."""

from __future__ import annotations

import pytest

from lrat_bench.lrat.training.schedule import share_of_peak


def test_it_rises_to_the_peak_and_falls() -> None:
    found = [share_of_peak(step, warmup=4, steps=12) for step in range(12)]
    assert found == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])


@pytest.mark.parametrize(("warmup", "steps"), [(0, 1), (0, 7), (1, 1), (6, 7), (9, 10)])
def test_no_step_is_for_nothing(warmup: int, steps: int) -> None:
    assert all(0 < share_of_peak(step, warmup=warmup, steps=steps) <= 1 for step in range(steps))
    assert share_of_peak(steps, warmup=warmup, steps=steps) == 0  # asked for after the last

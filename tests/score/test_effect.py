"""Effect sizes: by their definitions, and honest where they have none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from lrat_bench.score.effect import cohen_dz, cohen_g, counts


def test_g_says_how_unevenly_the_discordant_questions_fall() -> None:
    assert cohen_g(30, 10) == 0.25
    assert cohen_g(10, 30) == -0.25
    assert cohen_g(8, 0) == 0.5
    assert cohen_g(7, 7) == 0.0
    assert cohen_g(0, 0) is None


def test_dz_is_the_t_statistic_over_the_root_of_n() -> None:
    differences = np.random.default_rng(0).normal(0.4, 2.0, size=57)
    assert cohen_dz(differences) == pytest.approx(ttest_1samp(differences, 0).statistic / 57**0.5)
    assert cohen_dz(-differences) == pytest.approx(-(cohen_dz(differences) or 0.0))
    assert cohen_dz(10 * differences) == pytest.approx(cohen_dz(differences))


def test_two_questions_have_a_dz() -> None:
    assert cohen_dz(np.array([1.0, 3.0])) == pytest.approx(2**0.5)


@pytest.mark.parametrize("differences", [[], [1.0], [2.0, 2.0, 2.0]])
def test_without_spread_there_is_no_dz(differences: list[float]) -> None:
    assert cohen_dz(np.array(differences)) is None


def test_counts_add_up() -> None:
    assert counts(np.array([0.5, 0.0, -1.0, 2.0, 0.0])) == (2, 2, 1)
    assert counts(np.array([])) == (0, 0, 0)

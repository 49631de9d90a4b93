"""Which process this is, and what the others hear of the first one."""

from __future__ import annotations

import pytest

from lrat_bench.errors import UsageError
from lrat_bench.lrat.training.processes import Processes


@pytest.mark.parametrize(
    ("rank", "count", "said"),
    [
        ("1", None, "RANK is 1 and WORLD_SIZE 1, and there is no such process"),
        ("0", "0", "RANK is 0 and WORLD_SIZE 0"),
        ("-1", "2", "RANK is -1"),
        ("2", "2", "RANK is 2"),
        ("one", "2", "must be numbers, not 'one' and '2'"),
    ],
)
def test_what_another_command_left_in_the_environment_is_refused(
    monkeypatch: pytest.MonkeyPatch, rank: str, count: str | None, said: str
) -> None:
    monkeypatch.setenv("RANK", rank)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if count is not None:
        monkeypatch.setenv("WORLD_SIZE", count)
    with pytest.raises(UsageError, match=said):
        Processes.here()


def test_one_process_decides_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    alone = Processes.here()
    assert (alone.rank, alone.count, alone.first) == (0, 1, True)
    assert alone.agree(lambda: "yes") == alone.each(lambda: "yes") == "yes"
    with pytest.raises(UsageError, match="no"):
        alone.each(lambda: (_ for _ in ()).throw(UsageError("no")))

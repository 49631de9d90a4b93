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


def test_several_processes_need_a_place_to_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MASTER_PORT", raising=False)
    with pytest.raises(UsageError, match="say that 2 processes train, and MASTER_PORT, where they meet, is not set"):
        Processes.here()
    monkeypatch.setenv("MASTER_PORT", "29500")
    assert Processes.here().count == 2


def test_one_process_decides_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    alone = Processes.here()
    assert (alone.rank, alone.count, alone.first) == (0, 1, True)
    assert alone.agree(lambda: "yes") == alone.each(lambda: "yes") == "yes"
    with pytest.raises(UsageError, match="no"):
        alone.each(lambda: (_ for _ in ()).throw(UsageError("no")))

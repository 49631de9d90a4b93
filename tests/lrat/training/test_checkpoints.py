"""Checkpoints survive kills and power cuts, or are passed over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lrat_bench.lrat.training.checkpoints import Checkpoints


def make(root: Path, step: int) -> Path:
    path = root / f"checkpoint-{step}" / "1_Pooling"
    path.mkdir(parents=True)
    (path / "config.json").write_text("{}")
    (path.parent / "optimizer.pt").write_bytes(b"state")
    return path.parent


def test_everything_is_on_the_disk_before_the_mark_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = make(tmp_path, 3)
    synced: list[str] = []

    def sync(handle: int) -> None:
        assert not (checkpoint / "complete.json").exists()
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)

    monkeypatch.setattr(os, "fsync", sync)
    Checkpoints(tmp_path).complete(3)
    assert {"optimizer.pt", "config.json", "1_Pooling", "checkpoint-3"} <= set(synced)
    assert Checkpoints(tmp_path).latest == (checkpoint, 3)


@pytest.mark.parametrize("spoil", ["cut", "gone", "mark"])
def test_one_that_is_not_what_was_marked_is_passed_over(tmp_path: Path, spoil: str) -> None:
    there = Checkpoints(tmp_path)
    for step in (2, 4):
        make(tmp_path, step)
        there.complete(step)
    last = tmp_path / "checkpoint-4"
    if spoil == "cut":
        (last / "optimizer.pt").write_bytes(b"")
    elif spoil == "gone":
        (last / "1_Pooling" / "config.json").unlink()
    else:
        (last / "complete.json").write_text("{")
    assert there.latest == (tmp_path / "checkpoint-2", 2)
    there.begin({"seed": 0})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-2", "training.json"]


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    there = Checkpoints(tmp_path)
    for step in (2, 9, 10):
        make(tmp_path, step)
        there.complete(step)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-9"]
    assert there.latest == (tmp_path / "checkpoint-10", 10)

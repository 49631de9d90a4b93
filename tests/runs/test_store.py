"""Records survive kills, full disks and rubbish; the last one of a key counts."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.runs.store import RecordStore


def parse(line: str) -> dict[str, str]:
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError("no object")  # noqa: TRY004 -- what `parse` promises
    return record


def store(path: Path) -> RecordStore[dict[str, str]]:
    return RecordStore(path, parse, lambda record: record["id"])


def line(key: str, value: str = "") -> str:
    return json.dumps({"id": key, "value": value})


def test_records_come_back_in_order_and_the_last_of_a_key_counts(tmp_path: Path) -> None:
    records = store(tmp_path / "r.jsonl")
    for key, value in (("a", "1"), ("b", "2"), ("a", "3")):
        records.append(line(key, value))
    assert [(r["id"], r["value"]) for r in records.scan()] == [("b", "2"), ("a", "3")]


@given(st.integers(min_value=0, max_value=200))
def test_a_kill_at_any_byte_loses_at_most_the_record_being_written(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("torn") / "r.jsonl"
    whole = "".join(line(str(n), "é" * 5) + "\n" for n in range(4)).encode()
    path.write_bytes(whole[: min(cut, len(whole))])
    complete = whole[:cut].count(b"\n")
    records = store(path)
    records.open_for_writing()
    records.append(line("next"))
    assert [r["id"] for r in records.scan()] == [*map(str, range(complete)), "next"]
    assert records.unreadable == []


def test_unreadable_lines_are_passed_over_and_named(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(line("a").encode() + b"\n\xff\xfe\n[1]\n" + b"[" * 100_000 + b"\n" + line("b").encode() + b"\n")
    records = store(path)
    assert [r["id"] for r in records.scan()] == ["a", "b"]
    assert records.unreadable == [2, 3, 4]


def test_a_file_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    records = store(tmp_path / "none.jsonl")
    records.open_for_writing()
    assert list(records.scan()) == []


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    code = f"""
import resource, signal
from pathlib import Path
from lrat_bench.files import append_line
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
append_line(Path({str(path)!r}), "x" * 50)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    append_line(Path({str(path)!r}), "y" * 80)
except OSError:
    print("refused")
"""
    assert resource.RLIMIT_FSIZE is not None
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "refused"
    assert path.read_text() == "x" * 50 + "\n"

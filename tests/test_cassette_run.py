"""A recorded run, replayed as CI replays it: no network, no key, no LiteLLM, the same numbers to the last digit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from record_cassette import CASSETTE, RUN

REPLAY = """
import socket, sys
sys.modules["litellm"] = None

def refuse(*_, **__):
    raise AssertionError("the network was used")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from lrat_bench.cli.main import main
main(sys.argv[1:])
"""


def test_a_strict_replay_gives_the_numbers_of_the_recorded_run(tmp_path: Path) -> None:
    words = [*RUN, "--cassette", str(CASSETTE), "--cassette-mode", "strict", "--out", str(tmp_path / "run"), "--json"]
    done = subprocess.run([sys.executable, "-c", REPLAY, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)["scores"]
    value = {metric["name"]: metric["value"] for metric in scores["metrics"]}
    assert scores["outcomes"] == {"correct": 2, "incorrect": 1, "ungraded": 0, "errored": 0}
    assert scores["statuses"] == {"answered": 3}
    counts = [value[name] for name in ("steps", "searches", "browses", "turns")]
    assert counts == [8, 14 / 3, 10 / 3, 9]
    assert value["evidence_recall"] == 1


def test_the_tape_is_small_and_holds_no_address() -> None:
    tape = CASSETTE.read_text()
    assert len(tape) < 100_000
    assert "127.0.0.1" not in tape
    assert tape.splitlines() == sorted(tape.splitlines(), key=lambda line: json.loads(line)["key"])

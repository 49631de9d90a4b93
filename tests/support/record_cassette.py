"""Record `tests/data/cassette.jsonl`: a small run with an agent and a judge behind a model server on this machine.

    make cassette

`test_cassette_run.py` replays it without network and without LiteLLM.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from endpoint import Endpoint

from lrat_bench.cli.main import main
from lrat_bench.model.heuristic import Heuristic
from lrat_bench.model.scripted import answers
from lrat_bench.model.seam import Turn

CASSETTE = Path(__file__).parent.parent / "data" / "cassette.jsonl"
RUN = (
    "run --task synth-wiki --set task.documents=1000 --set protocol.k=3 --set protocol.snippet_tokens=24 --limit 3 "
    "--retriever oracle --agent hosted_vllm/agent --judge hosted_vllm/judge --rubric browsecomp-plus-v1"
).split()
"""What is recorded, and what is replayed; addresses are no part of it."""


def grade(body: dict[str, Any]) -> Turn:
    """A judge: the answer is right when it is the right one, letter by letter."""
    prompt = body["messages"][-1]["content"]
    said = re.search(r"Exact Answer: (.*)", prompt)
    right = re.search(r"Right answer: (.*)", prompt)
    outcome = "yes" if said and right and said[1].strip() == right[1].strip() else "no"
    answer = said[1] if said else "None"
    return answers(f"extracted_final_answer: {answer}\nreasoning: compared\n**correct:** {outcome}\nconfidence: None")


if __name__ == "__main__":
    CASSETTE.parent.mkdir(exist_ok=True)
    CASSETTE.unlink(missing_ok=True)
    with Endpoint(Heuristic(), model="agent") as agent, Endpoint(grade, model="judge") as judge:
        reach = ("--set", f"agent.api_base={agent.url}", "--set", f"judge.api_base={judge.url}")
        tape = ("--cassette", str(CASSETTE), "--cassette-mode", "record", "--fresh", "--out", sys.argv[1])
        main([*RUN, *reach, *tape])

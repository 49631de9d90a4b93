"""The cost cap stops calls, and never in the middle of one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from lrat_bench.errors import Halt
from lrat_bench.model.access import Access
from lrat_bench.model.budget import Budget, read_costs
from lrat_bench.model.cassette import Cassette
from lrat_bench.model.scripted import ScriptedModel, answers
from lrat_bench.model.seam import Message, Request, Turn
from lrat_bench.trajectory import Usage

ASK = Request((Message("user", "Who?"),))


def costing(usd: float | None) -> ScriptedModel:
    turn = replace(answers("x"), usage=Usage(llm_calls=1, cost_usd=usd))
    return ScriptedModel(lambda request: turn)


def test_calls_go_on_until_the_cap_is_reached() -> None:
    budget = Budget(1.0)
    model = budget.wrap(costing(0.4))
    for _ in range(3):
        asyncio.run(model.complete(ASK))
    assert budget.spent == pytest.approx(1.2)
    with pytest.raises(Halt, match=r"\$1\.00 is reached \(\$1\.20 spent\)"):
        asyncio.run(model.complete(ASK))


def test_all_models_of_a_command_share_it() -> None:
    budget = Budget(1.0)
    agent, judge = budget.wrap(costing(1.0)), budget.wrap(costing(0.1))
    asyncio.run(agent.complete(ASK))
    with pytest.raises(Halt):
        asyncio.run(judge.complete(ASK))


def test_calls_in_flight_are_finished_and_counted() -> None:
    class Slow(ScriptedModel):
        async def complete(self, request: Request) -> Turn:
            await asyncio.sleep(0.01)
            return await super().complete(request)

    budget = Budget(0.5)
    turn = replace(answers("x"), usage=Usage(llm_calls=1, cost_usd=0.5))
    model = budget.wrap(Slow(lambda request: turn))

    async def go() -> None:
        await asyncio.gather(*(model.complete(ASK) for _ in range(4)))

    asyncio.run(go())
    assert budget.spent == 2.0


def test_an_unknown_cost_is_not_taken_for_nothing_and_its_reply_is_kept() -> None:
    model = Budget(1.0).wrap(costing(None))
    assert asyncio.run(model.complete(ASK)).text == "x"
    with pytest.raises(Halt, match="no known cost"):
        asyncio.run(model.complete(ASK))


def test_without_a_cap_any_cost_will_do() -> None:
    model = Budget().wrap(costing(None))
    for _ in range(3):
        asyncio.run(model.complete(ASK))


def test_what_is_paid_is_on_disk_at_once_and_counted_by_the_next_command(tmp_path: Path) -> None:
    ledger = tmp_path / "costs.jsonl"
    first = Budget()
    model = first.wrap(costing(0.25))
    asyncio.run(model.complete(ASK))  # as in the preflight, before there is a folder
    first.keep_in(ledger)
    asyncio.run(model.complete(ASK))
    assert list(read_costs(ledger)) == [0.25, 0.25]
    second = Budget(0.6)
    second.resume(ledger)
    second.keep_in(ledger)
    asyncio.run(second.wrap(costing(0.25)).complete(ASK))
    with pytest.raises(Halt, match=r"\$0\.75 spent"):
        asyncio.run(second.wrap(costing(0.25)).complete(ASK))
    assert sum(read_costs(ledger)) == 0.75


def test_a_damaged_ledger_counts_what_can_be_read(tmp_path: Path) -> None:
    ledger = tmp_path / "costs.jsonl"
    ledger.write_bytes(b'{"usd": 1}\nnot json\n[1]\n{"usd": "x"}\n{"usd": -5}\n{"usd": NaN}\n\xff\n{"usd": 0.5}\n{"us')
    budget = Budget(10)
    budget.resume(ledger)
    assert budget.spent == 1.5
    budget.keep_in(ledger)
    asyncio.run(budget.wrap(costing(2)).complete(ASK))
    assert sum(read_costs(ledger)) == 3.5


def test_what_a_cassette_replays_costs_nothing(tmp_path: Path) -> None:
    tape = tmp_path / "tape"
    for mode, paid in (("record", 0.5), ("strict", 0.0)):
        access = Access(Budget(1.0), Cassette(tape, mode))  # type: ignore[arg-type]
        turn = asyncio.run(access.wrap(costing(0.5)).complete(ASK))
        asyncio.run(access.close())
        assert turn.usage.cost_usd == 0.5
        assert access.budget.spent == paid


def test_a_model_that_costs_nothing_needs_no_budget() -> None:
    model = Budget(0.01).wrap(costing(0.0))
    for _ in range(3):
        asyncio.run(model.complete(ASK))

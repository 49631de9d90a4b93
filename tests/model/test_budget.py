"""The cost cap stops calls, and never in the middle of one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from lrat_bench.errors import Halt
from lrat_bench.model.budget import Budget
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


def test_an_unknown_cost_is_not_taken_for_nothing() -> None:
    with pytest.raises(Halt, match="no known cost"):
        asyncio.run(Budget(1.0).wrap(costing(None)).complete(ASK))


def test_a_model_that_costs_nothing_needs_no_budget() -> None:
    model = Budget(0.01).wrap(costing(0.0))
    for _ in range(3):
        asyncio.run(model.complete(ASK))

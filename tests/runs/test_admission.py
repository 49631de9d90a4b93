"""Under a cap, a question starts only where what is left will pay for it."""

from __future__ import annotations

import asyncio

from lrat_bench.model.budget import Budget
from lrat_bench.runs.admission import Admission


def test_without_a_cap_everything_may_start() -> None:
    admission = Admission(Budget())

    async def go() -> None:
        for _ in range(1000):
            assert await admission.enter() is None

    asyncio.run(go())


def played(limit: float, each: float, *, at_once: int, questions: int) -> tuple[int, float, str | None]:
    """How many questions are played when each costs so much, paid in two halves; what was spent; why it ended."""
    budget = Budget(limit)
    admission = Admission(budget)
    done = 0
    left = questions
    said: list[str] = []

    async def worker() -> None:
        nonlocal done, left
        while left:
            if (refused := await admission.enter()) is not None:
                said.append(refused)
                return
            if not left:
                admission.withdraw()
                return
            left -= 1
            for _ in range(2):
                await asyncio.sleep(0.01)
                budget.pay("m", each / 2)
            done += 1
            admission.leave()

    async def go() -> None:
        await asyncio.gather(*(worker() for _ in range(at_once)))

    asyncio.run(go())
    return done, budget.spent, said[0] if said else None


def test_what_starts_is_paid_for() -> None:
    done, spent, said = played(10.0, 0.5, at_once=16, questions=100)
    assert spent <= 10.0
    assert 17 <= done <= 20
    assert said is not None
    assert "$10.00" in said
    assert "$0.5 a question" in said


def test_a_cap_that_suffices_is_not_noticed() -> None:
    done, _, said = played(1000.0, 0.5, at_once=16, questions=60)
    assert (done, said) == (60, None)


def test_the_cost_of_a_question_is_found_out_on_few_of_them() -> None:
    _, spent, said = played(1.0, 1.0, at_once=64, questions=64)
    assert said is not None
    assert spent <= 4.0

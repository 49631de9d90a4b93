"""Retries end when they must, give way to a busy server, and come back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lrat_bench.errors import Halt, RolloutFailure
from lrat_bench.model.lite.failures import Transient
from lrat_bench.model.lite.patience import Patience
from lrat_bench.model.lite.throttle import Throttle


def failing(times: int, failure: Transient) -> Callable[[int], Awaitable[str]]:
    left = times

    async def ask(resampled: int) -> str:
        nonlocal left
        left -= 1
        if left >= 0:
            raise failure
        return f"answer {resampled}"

    return ask


DOWN = Transient("nothing answers")
BROKEN = Transient("error 500", answered=True)
BUSY = Transient("too many", busy=True, retry_after=0.01, answered=True)


def test_failures_that_pass_are_counted_and_cost_no_time_of_the_answer() -> None:
    async def go() -> None:
        answered = await Patience("m", 10).until_answered(failing(2, BUSY))
        assert (answered.value, answered.attempts) == ("answer 0", 3)
        assert answered.seconds < 0.1

    asyncio.run(go())


def test_nothing_is_tried_again_where_no_outage_is_borne() -> None:
    with pytest.raises(Halt, match="failed once: nothing answers"):
        asyncio.run(Patience("m", 0).until_answered(failing(1, DOWN)))


def test_a_wait_that_would_be_too_long_is_not_begun() -> None:
    busy = Transient("quota", busy=True, retry_after=3600)
    with pytest.raises(Halt, match="asks to wait 3600 s"):
        asyncio.run(Patience("m", 60).until_answered(failing(1, busy)))


def test_a_wait_that_is_too_long_for_one_call_does_not_hold_up_the_others() -> None:
    async def go() -> None:
        patience = Patience("m", 2)
        with pytest.raises(Halt):
            await patience.until_answered(failing(1, Transient("quota", busy=True, retry_after=3600)))
        async with asyncio.timeout(1):
            assert (await patience.until_answered(failing(0, DOWN))).attempts == 1

    asyncio.run(go())


def test_a_server_that_fails_one_request_is_not_down_until_it_fails_the_next_one() -> None:
    async def go() -> None:
        patience = Patience("m", 0)
        with pytest.raises(RolloutFailure) as first:
            await patience.until_answered(failing(1, BROKEN))
        assert not isinstance(first.value, Halt)
        with pytest.raises(Halt):
            await patience.until_answered(failing(1, BROKEN))
        await patience.until_answered(failing(0, BROKEN))
        with pytest.raises(RolloutFailure) as again:
            await patience.until_answered(failing(1, BROKEN))
        assert not isinstance(again.value, Halt)

    asyncio.run(go())


def test_an_outage_is_one_only_while_nothing_else_is_answered() -> None:
    async def go() -> None:
        patience = Patience("m", 0.2)

        async def others() -> None:
            for _ in range(10):
                await patience.until_answered(failing(0, DOWN))
                await asyncio.sleep(0.05)

        working = asyncio.create_task(others())
        with pytest.raises(RolloutFailure) as failure:
            await patience.until_answered(failing(100, DOWN))
        assert not isinstance(failure.value, Halt)
        await working

    asyncio.run(go())


def test_a_turn_is_drawn_three_times_more_at_most() -> None:
    unparsed = Transient("header", answered=True, resample=True)

    async def go() -> None:
        patience = Patience("m", 60)
        patience_of = patience._pause  # the pauses themselves are not the point
        patience._pause = lambda *given: min(patience_of(*given), 0.01)  # type: ignore[method-assign]
        answered = await patience.until_answered(failing(3, unparsed))
        assert answered.value == "answer 3"
        with pytest.raises(RolloutFailure):
            await patience.until_answered(failing(4, unparsed))

    asyncio.run(go())


def test_a_complaint_halves_what_is_allowed_once_per_burst_and_success_brings_it_back() -> None:
    async def go() -> None:
        throttle = Throttle()
        now = asyncio.get_running_loop().time
        begun = now()
        for _ in range(16):
            await throttle.__aenter__()
        for _ in range(16):
            throttle.complained(started=begun, retry_after=None)
        assert throttle.limit == 8
        throttle.complained(started=now(), retry_after=None)
        assert throttle.limit == 4
        for _ in range(16):
            await throttle.__aexit__(None, None, None)
        successes = 0
        while throttle.limit < 16:
            throttle.succeeded()
            successes += 1
        assert throttle.limit == float("inf")
        assert 50 < successes < 200

    asyncio.run(go())


def test_no_more_run_at_once_than_is_allowed_and_first_come_is_first_served() -> None:
    async def go() -> None:
        throttle = Throttle()
        most, running, order = 0, 0, []

        async def call(n: int) -> None:
            nonlocal most, running
            async with throttle:
                order.append(n)
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.001)
                running -= 1

        throttle.limit = 3
        throttle._most = 100  # never so many that the limit is lifted
        calls = [asyncio.create_task(call(n)) for n in range(40)]
        await asyncio.sleep(0)
        calls[20].cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert most == 3
        assert order == [n for n in range(40) if n != 20]
        assert throttle.in_flight == 0

    asyncio.run(go())


def test_nothing_is_called_while_the_server_has_asked_to_wait() -> None:
    async def go() -> None:
        throttle = Throttle()
        loop = asyncio.get_running_loop()
        async with throttle:
            throttle.complained(started=loop.time(), retry_after=0.1)
        begun = loop.time()
        async with asyncio.timeout(2), asyncio.TaskGroup() as group:
            for _ in range(3):

                async def call() -> None:
                    async with throttle:
                        assert loop.time() - begun >= 0.09

                group.create_task(call())

    asyncio.run(go())

"""Only the agent's own time counts."""

from __future__ import annotations

import asyncio

import pytest

from lrat_bench.model import clock
from lrat_bench.model.clock import Clock


def test_time_that_is_used_up_ends_the_block() -> None:
    async def go() -> None:
        with pytest.raises(TimeoutError):
            async with Clock(0.02):
                await asyncio.sleep(1)

    asyncio.run(go())


def test_the_clock_stands_in_a_stopped_block_and_in_one_within_it() -> None:
    async def go() -> None:
        async with Clock(0.05) as running:
            with clock.stopped():
                with running.stopped():
                    await asyncio.sleep(0.06)
                await asyncio.sleep(0.01)
            running.check()

    asyncio.run(go())


def test_what_is_charged_counts() -> None:
    async def while_stopped() -> None:
        async with Clock(10) as running:
            with clock.stopped():
                clock.charge(11)
            running.check()

    async def while_running() -> None:
        async with Clock(10):
            clock.charge(11)
            await asyncio.sleep(1)

    for spend in (while_stopped, while_running):
        with pytest.raises(TimeoutError):
            asyncio.run(spend())


def test_work_may_go_on_behind_the_end() -> None:
    async def work(seconds: float) -> str:
        with clock.stopped():
            await asyncio.sleep(seconds)
            clock.charge(0.1)
        clock.charge(0.1)
        with clock.stopped():
            return "done"

    async def ended(seconds: float | None) -> str:
        async with Clock(seconds):
            left = asyncio.create_task(work(0.02))
            await asyncio.sleep(0)
        return await left

    async def expired() -> str:
        left = asyncio.create_task(asyncio.sleep(0, "never waited for"))
        try:
            async with Clock(5) as running:
                left = asyncio.create_task(work(0.02))
                running.charge(6)
                try:
                    await asyncio.sleep(1)
                finally:
                    # The time is up, and the block has not been left yet.
                    await left
        except TimeoutError:
            return await left
        return "not expired"

    for going in (ended(5), ended(None), expired()):
        assert asyncio.run(going) == "done"


def test_without_a_limit_nothing_ends() -> None:
    async def go() -> None:
        async with Clock(None) as running:
            with clock.stopped():
                clock.charge(1e9)
            running.check()
        with clock.stopped():
            clock.charge(1)

    asyncio.run(go())


def test_each_rollout_has_its_own() -> None:
    async def rollout(charged: float) -> str:
        try:
            async with Clock(1) as running:
                await asyncio.sleep(0)
                with clock.stopped():
                    clock.charge(charged)
                running.check()
        except TimeoutError:
            return "over"
        return "fine"

    async def go() -> list[str]:
        return list(await asyncio.gather(rollout(0.1), rollout(5), rollout(0.2)))

    assert asyncio.run(go()) == ["fine", "over", "fine"]

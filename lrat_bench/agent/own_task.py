"""Code of the user's in a task of its own, so that it ends when its time is over, whether it wants to or not."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any, TypeVar

__all__ = ["forget", "in_own_task"]

T = TypeVar("T")

_GRACE = 2.0
"""Seconds that work which is told to end may still take."""


async def in_own_task(work: Coroutine[Any, Any, T], *, before_end: Callable[[], None]) -> T:
    """The result of a coroutine.

    Where the caller is cancelled meanwhile, so is the work. What has not ended after a short grace is closed and left
    behind: nobody waits for it any more.

    Args:
        work: must let no `SystemExit` or `KeyboardInterrupt` out, which would end the event loop.
        before_end: told first when the work is to end.
    """
    context = copy_context()
    task = asyncio.create_task(work, context=context)
    task.add_done_callback(_look_at)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        before_end()
        task.cancel()
        try:
            await asyncio.wait({task}, timeout=_GRACE)
        finally:
            if not task.done():
                _leave_behind(task, work, context)
        raise
    return task.result()


def _look_at(task: asyncio.Task[Any]) -> None:
    # An exception that nobody has looked at is printed when the task is collected.
    if not task.cancelled():
        task.exception()


def _leave_behind(task: asyncio.Task[Any], work: Coroutine[Any, Any, Any], context: Context) -> None:
    # Work that swallows a cancellation seldom swallows this, too. Whatever it raises now is of no interest, nor what
    # the interpreter prints where it goes on all the same.
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        with suppress(BaseException):
            context.run(work.close)
    finally:
        sys.unraisablehook = hook
    task.cancel()
    forget(task)


def forget(task: asyncio.Task[Any]) -> None:
    """Make the event loop, which waits for every task that it knows of before it closes, know nothing of this one."""
    asyncio._unregister_task(task)
    task._log_destroy_pending = False  # type: ignore[attr-defined]

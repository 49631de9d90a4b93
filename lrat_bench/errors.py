"""Everything that can go wrong, named once.

Two families, because they have two audiences.

*What a user meets* derives from `LratBenchError`: one line saying what is wrong, with which value, and how to
mend it, plus the exit code the command line ends with. Nothing of this family is ever shown with a traceback.

    exit code 0  fine
              1  the thing checked does not hold        `CheckFailed`
              2  wrong use or bad input                 `UsageError` and its children
              3  unresolved errors, a cost cap, or an   `RunIncomplete`; also a fault of the
                 interrupted run; what is done is kept  program itself, in one line

*What ends or disturbs one rollout* derives from `RolloutError`. A bad rollout is data, not a crash: the loop turns
each of these into a typed status of the trajectory, and only `FatalModelError` stops the run. Whatever else a
model, a retriever or a tool raises is caught in one place, `boundary`, and becomes a `RolloutFailure`: status
`error`, which the next `run` of the same folder tries again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

__all__ = [
    "BadRequest",
    "CheckFailed",
    "ContextOverflow",
    "DataError",
    "FatalModelError",
    "Halt",
    "Interrupted",
    "LratBenchError",
    "MissingLibrary",
    "ModelRefusal",
    "RolloutError",
    "RolloutFailure",
    "RunIncomplete",
    "UnknownName",
    "UsageError",
    "boundary",
    "foreign",
    "one_error",
]


class LratBenchError(Exception):
    """Base of every error meant for a user: one line, and an exit code."""

    exit_code = 2


class UsageError(LratBenchError):
    """The call cannot be carried out as given: an argument, a setting or a folder is wrong."""


class DataError(UsageError):
    """A file does not hold what it must.

    Args:
        problem: what is wrong, with the offending value, and how to mend it.
        file: the file it was found in.
        line: 1-based line number, where there is one.
    """

    def __init__(self, problem: str, *, file: Path | str, line: int | None = None) -> None:
        place = str(file) if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {problem}")
        self.file = Path(file)
        self.line = line


class UnknownName(UsageError):
    """A name that no registry entry carries; the message offers the nearest ones, or all."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=3, cutoff=0.6)
        offer = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(names)}."
        super().__init__(f"unknown {kind} {name!r}: {offer}{' ' + hint if hint else ''}")


class MissingLibrary(UsageError):
    """An optional library is needed and not installed; the message is the command that installs it."""

    def __init__(self, need: str, *, install: str) -> None:
        super().__init__(f"{need} is not installed; run: pip install {install}")


class CheckFailed(LratBenchError):
    """The thing checked does not hold."""

    exit_code = 1


class RunIncomplete(LratBenchError):
    """The run ended with unresolved errors, at a cap, or was interrupted. What finished is kept."""

    exit_code = 3


class Interrupted(RunIncomplete):
    """Somebody wants it to stop (Ctrl-C, SIGTERM): what comes after it is not started, either."""


class RolloutError(Exception):
    """Base of what ends or disturbs a single rollout."""


class RolloutFailure(RolloutError):
    """Infrastructure failed (model endpoint, retriever, disk): status `error`, tried again by the next run."""


class Halt(RolloutFailure):
    """No other question can do better now (the endpoint is down, the cost cap is reached): none is started."""


class BadRequest(RolloutFailure):
    """The server calls this very request wrong; it would do so again."""


class FatalModelError(RolloutError):
    """The model can answer no request at all (wrong key, unknown model): stops the whole run."""


class ContextOverflow(RolloutError):
    """The conversation no longer fits the model's context window."""


class ModelRefusal(RolloutError):
    """The provider refused to answer (content filter): final, status `refused`."""


@contextmanager
def boundary(part: str) -> Iterator[None]:
    """Attribute any unclassified exception of `part` ("model", "retriever", …) to it as a `RolloutFailure`.

    Errors that already carry a meaning pass through: those of this module, and cancellation.
    """
    try:
        yield
    except (RolloutError, LratBenchError):
        raise
    except Exception as error:
        raise RolloutFailure(f"{part}: {type(error).__name__}: {error}") from error


@contextmanager
def foreign(deed: str) -> Iterator[None]:
    """Around code that a user brings and that runs outside a rollout: what it raises becomes one line.

    Args:
        deed: what failed then, as in "retriever 'mine' cannot be prepared".

    Raises:
        UsageError: `deed: Kind: message`; errors of this module pass through.
    """
    try:
        yield
    except LratBenchError:
        raise
    except Exception as error:
        raise UsageError(f"{deed}: {type(error).__name__}: {error}") from error


@contextmanager
def one_error() -> Iterator[None]:
    """Around tasks that end together: raise one of their errors, where a group of them comes.

    That is the one that says most to a user: of `LratBenchError`, else of `RolloutError`, else the first.
    """
    try:
        yield
    except BaseExceptionGroup as several:
        raise _foremost(several) from several


def _foremost(group: BaseExceptionGroup[BaseException]) -> BaseException:
    every = list(_leaves(group))
    for kind in (LratBenchError, RolloutError, Exception):
        for error in every:
            if isinstance(error, kind):
                return error
    return every[0]


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error

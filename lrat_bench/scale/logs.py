"""What a worker logs, sent to the process that writes the run folder.

An agent that is a command has what it prints in the log alone.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from lrat_bench.model.redact import RedactingFilter

__all__ = ["Logged", "WorkerLog", "log_again"]

_PACKAGE = "lrat_bench"


class Logged(NamedTuple):
    """One record of a worker's log.

    Attributes:
        logger: its name.
        level: as of `logging`.
        text: without secrets; a traceback stands below it.
    """

    logger: str
    level: int
    text: str


class WorkerLog(logging.Handler):
    """Keeps what this package logs in this process until it is sent; nothing is written where a worker is."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._kept: deque[Logged] = deque()
        self._level = logging.NOTSET
        self.addFilter(RedactingFilter())
        self.setFormatter(logging.Formatter("%(message)s"))

    def open(self) -> None:
        """Begin to listen."""
        package = logging.getLogger(_PACKAGE)
        self._level = package.level
        package.setLevel(logging.INFO)
        package.addHandler(self)

    def close(self) -> None:
        """Listen no more."""
        package = logging.getLogger(_PACKAGE)
        if self in package.handlers:
            package.removeHandler(self)
            package.setLevel(self._level)
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """As of `logging.Handler`."""
        self._kept.append(Logged(record.name, record.levelno, self.format(record)))

    def drained(self) -> tuple[Logged, ...]:
        """What was logged since the last time."""
        found = []
        # Other threads go on logging.
        while self._kept:
            found.append(self._kept.popleft())
        return tuple(found)


def log_again(records: Iterable[Logged]) -> None:
    """Log in this process what was logged in another."""
    for one in records:
        logging.getLogger(one.logger).log(one.level, "%s", one.text)

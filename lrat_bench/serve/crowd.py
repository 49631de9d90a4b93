"""Who is connected: whoever has shown what it was let in by, and strangers, for whom there is less room.

A connection costs its client nothing, and the server a file that it cannot open elsewhere. So what a stranger holds is
lent: where too many hold one, the oldest that sends nothing is let go of, first of those whose address holds most. One
client with thousands of connections displaces its own, and somebody who comes with a request is served before that.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from enum import IntEnum
from typing import Protocol

__all__ = ["Crowd", "Doing", "Guest", "room"]

_MOST = 4096
"""Connections at a time."""
_STRANGERS = 4
"""One of so many is a stranger's at most."""


class Doing(IntEnum):
    """What a connection is at, from what is interrupted first."""

    NOTHING = 0
    SENDING = 1
    WAITING = 2


class Guest(Protocol):
    """A connection."""

    def doing(self) -> Doing:
        """Nothing that is a request; sending the rest of one; or waiting for the reply to one."""
        ...

    def dismiss(self) -> None:
        """Close it at once."""
        ...

    def __hash__(self) -> int: ...


class Crowd:
    """The connections of one server.

    Args:
        most: of them at a time.

    Attributes:
        most: as given.
        dismissed: how many were let go of since the start.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.dismissed = 0
        self._most_strangers = max(1, most // _STRANGERS)
        self._strangers: dict[Hashable, OrderedDict[Guest, None]] = {}
        self._places: dict[Guest, Hashable] = {}
        self._known: OrderedDict[Guest, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places) + len(self._known)

    @property
    def strangers(self) -> int:
        """How many have not shown anything yet."""
        return len(self._places)

    def come(self, guest: Guest, address: Hashable) -> None:
        """Somebody has connected, from an address."""
        self._strangers.setdefault(address, OrderedDict())[guest] = None
        self._places[guest] = address
        while len(self._places) > self._most_strangers:
            self._dismiss(self._stranger())

    def ask(self, guest: Guest, *, known: bool) -> None:
        """The head of a request is in.

        Args:
            guest: whose.
            known: whether it shows what somebody is let in by.
        """
        if guest in self._known:
            self._known.move_to_end(guest)
        elif guest in self._places and known:
            self._forget(guest)
            self._known[guest] = None
            if len(self._known) > self.most - self._most_strangers:
                self._let_rest_go()
        elif guest in self._places:
            self._strangers[self._places[guest]].move_to_end(guest)

    def leave(self, guest: Guest) -> None:
        """Somebody is gone."""
        self._known.pop(guest, None)
        if guest in self._places:
            self._forget(guest)

    def _stranger(self) -> Guest:
        """Whom to let go of: of the address with most of them, who came first of those that do least."""
        here = max(self._strangers.values(), key=len)
        for most in (Doing.NOTHING, Doing.SENDING):
            for guest in here:
                if guest.doing() <= most:
                    return guest
        return next(reversed(here))

    def _let_rest_go(self) -> None:
        """Of those who are known, nobody who waits for a reply is interrupted."""
        for guest in self._known:
            if guest.doing() is Doing.NOTHING:
                self._dismiss(guest)
                return

    def _dismiss(self, guest: Guest) -> None:
        self.leave(guest)
        self.dismissed += 1
        guest.dismiss()

    def _forget(self, guest: Guest) -> None:
        address = self._places.pop(guest)
        here = self._strangers[address]
        del here[guest]
        if not here:
            del self._strangers[address]


def room() -> int:
    """How many connections this process can hold: half of the files that it may have open."""
    try:
        import resource
    except ImportError:
        return _MOST
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if files == resource.RLIM_INFINITY else max(16, min(_MOST, files // 2))

"""Whose connection is closed where there are too many."""

from __future__ import annotations

import pytest

from lrat_bench.serve.crowd import Crowd, Doing, room


class Guest:
    """A connection that notes that it was closed."""

    def __init__(self, doing: Doing = Doing.NOTHING) -> None:
        self.at = doing
        self.gone = False

    def doing(self) -> Doing:
        return self.at

    def dismiss(self) -> None:
        self.gone = True


def came(crowd: Crowd, *guests: Guest, address: str = "127.0.0.1") -> list[Guest]:
    for guest in guests:
        crowd.come(guest, address)
    return list(guests)


def test_the_oldest_stranger_makes_room_for_the_newest() -> None:
    crowd = Crowd(16)
    guests = came(crowd, *(Guest() for _ in range(7)))
    assert [guest.gone for guest in guests] == [True] * 3 + [False] * 4
    assert (len(crowd), crowd.strangers, crowd.dismissed) == (4, 4, 3)


def test_who_has_shown_something_stays_whoever_comes() -> None:
    crowd = Crowd(16)
    known, stranger = came(crowd, Guest(), Guest())
    crowd.ask(known, known=True)
    crowd.ask(stranger, known=False)
    came(crowd, *(Guest() for _ in range(100)))
    assert (known.gone, stranger.gone) == (False, True)
    crowd.leave(known)
    assert len(crowd) == crowd.strangers == 4


def test_an_address_with_many_displaces_its_own() -> None:
    crowd = Crowd(16)
    (calm,) = came(crowd, Guest(), address="10.0.0.1")
    came(crowd, *(Guest() for _ in range(100)), address="10.0.0.2")
    assert not calm.gone


def test_who_waits_for_a_reply_is_interrupted_last() -> None:
    crowd = Crowd(16)
    waiting, sending, idle, other = came(
        crowd, *map(Guest, (Doing.WAITING, Doing.SENDING, Doing.NOTHING, Doing.WAITING))
    )
    (busy,) = came(crowd, Guest(Doing.WAITING))
    assert idle.gone
    came(crowd, Guest(Doing.WAITING))
    assert sending.gone
    # Nobody can be asked to leave: whoever comes on top is turned away.
    (late,) = came(crowd, Guest(Doing.WAITING))
    assert late.gone
    assert [one.gone for one in (waiting, other, busy)] == [False] * 3


def test_those_who_are_known_and_rest_make_room_for_others_who_are_known() -> None:
    crowd = Crowd(8)
    first, *more = guests = [Guest(Doing.WAITING), *(Guest() for _ in range(7))]
    for guest in guests:
        came(crowd, guest)
        crowd.ask(guest, known=True)
    assert [guest.gone for guest in more] == [True, True, False, False, False, False, False]
    assert not first.gone
    assert (len(crowd), crowd.strangers) == (6, 0)


@pytest.mark.parametrize(("files", "expected"), [(1024, 512), (1_000_000, 4096), (20, 16), (-1, 4096)])
def test_there_is_room_for_as_many_as_half_the_files(
    files: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (files, files))
    assert room() == expected

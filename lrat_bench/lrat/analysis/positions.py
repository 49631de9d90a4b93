"""Which places of a result list agents open (LRAT, Figure 6)."""

from __future__ import annotations

from collections import Counter

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.lrat.analysis.seen import Seen

__all__ = ["BrowsePositions", "Place", "Positions"]


class Place(BaseModel):
    """One place of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    place: int = Field(ge=1, description="from 1")
    browses: int = Field(ge=0, description="documents that were opened there")
    share: float = Field(ge=0, le=1, description="of the documents that were opened in a list")
    expected: float = Field(
        ge=0, le=1, description="that share if any document of the list that was shown were opened alike"
    )


class Positions(BaseModel):
    """Where the documents stood that agents opened: each document of a trajectory once, in the latest list it saw."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    n: int = Field(ge=0, description="documents that were opened in a list")
    no_list: int = Field(ge=0, description="documents that were read without having been in a list before")
    again: int = Field(ge=0, description="documents that were read again, which do not count")
    by_rank: tuple[Place, ...] = Field(description="by rank in the retriever's list")
    by_position: tuple[Place, ...] = Field(
        description="by place in the list as shown; another one only where a protocol shuffles lists"
    )


class BrowsePositions:
    """Counts the places that documents were opened at."""

    def __init__(self) -> None:
        self._n = self._no_list = self._again = 0
        self._ranks: Counter[int] = Counter()
        self._positions: Counter[int] = Counter()
        # (place, length of the list) → how many documents were opened in such lists that have that place.
        self._chances_by_rank: Counter[tuple[int, int]] = Counter()
        self._chances_by_position: Counter[tuple[int, int]] = Counter()

    def add(self, seen: Seen) -> None:
        """Count the documents that one trajectory read."""
        self._again += seen.again
        for read in seen.reads:
            if read.listed is None:
                self._no_list += 1
                continue
            self._n += 1
            self._ranks[read.listed.rank] += 1
            self._positions[read.listed.position] += 1
            ranks = read.listed.ranks
            self._chances_by_rank.update((rank, len(ranks)) for rank in ranks)
            self._chances_by_position.update((position, len(ranks)) for position in range(1, len(ranks) + 1))

    def result(self) -> Positions:
        """The shares, by rank and by position."""
        return Positions(
            n=self._n,
            no_list=self._no_list,
            again=self._again,
            by_rank=self._places(self._ranks, self._chances_by_rank),
            by_position=self._places(self._positions, self._chances_by_position),
        )

    def _places(self, counts: Counter[int], chances: Counter[tuple[int, int]]) -> tuple[Place, ...]:
        expected: dict[int, float] = {}
        # In a fixed order, so that the order of trajectories changes no digit.
        for (place, length), times in sorted(chances.items()):
            expected[place] = expected.get(place, 0.0) + times / length
        # Rounding may add up to a little more than 1.
        return tuple(
            Place(
                place=place,
                browses=counts[place],
                share=counts[place] / self._n,
                expected=min(1.0, expected[place] / self._n),
            )
            for place in sorted(expected)
        )

"""A folder of pairs, as `lrat-bench mine` leaves it and training reads it.

pairs.jsonl       pairs that the relevance judge kept, with their weights
rejected.jsonl    pairs that it found not relevant
undecided.jsonl   browses that it could not judge, each with the reason
judgements.jsonl  what it said, appended as it came
costs.jsonl       what its model cost, call by call
manifest.json     what was mined, how, and how many of what there are
lengths.png       lengths of the reasoning, and the weights
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError

from lrat_bench.errors import DataError, UsageError
from lrat_bench.guard import opened
from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.pairs_manifest import PairsManifest, read
from lrat_bench.values import plainly

__all__ = ["NAMES", "Pairs", "Undecided", "read_pairs"]

NAMES = (
    "pairs.jsonl",
    "rejected.jsonl",
    "undecided.jsonl",
    "judgements.jsonl",
    "costs.jsonl",
    "lengths.png",
    "manifest.json",
)
"""The files of such a folder."""


class Undecided(Pair):
    """A browse that is neither kept nor rejected."""

    reason: str = Field(description="why it could not be judged")
    owed: bool = Field(description="whether the judge failed, so that the same command asks again")


P = TypeVar("P", bound=Pair)


@dataclass(frozen=True, slots=True)
class Pairs:
    """One folder of pairs.

    Attributes:
        path: the folder.
    """

    path: Path

    @classmethod
    def open(cls, path: str | Path) -> Pairs:
        """The pairs in a folder.

        Raises:
            UsageError: it holds none, or mining it was not finished.
        """
        found = cls(Path(path))
        if not found.manifest.finished:
            raise UsageError(f"mining {found.path} was interrupted: give the same `lrat-bench mine` command again")
        return found

    @property
    def manifest(self) -> PairsManifest:
        """What was mined; read anew on each use.

        Raises:
            UsageError: the folder holds no pairs.
        """
        file = self.path / "manifest.json"
        if not file.exists():
            raise UsageError(f"{self.path} holds no pairs: it has no manifest.json (`lrat-bench mine RUN -o FOLDER`)")
        return read(file)

    def kept(self) -> Iterator[Pair]:
        """Pairs judged relevant, or all where nobody judged; read as a stream."""
        return read_pairs(self.path / "pairs.jsonl", Pair)

    def rejected(self) -> Iterator[Pair]:
        """Pairs judged not relevant."""
        return read_pairs(self.path / "rejected.jsonl", Pair)

    def undecided(self) -> Iterator[Undecided]:
        """What could not be judged."""
        return read_pairs(self.path / "undecided.jsonl", Undecided)

    def all(self) -> Iterator[Pair]:
        """Kept and rejected: what the paper calls naive."""
        return chain(self.kept(), self.rejected())

    def __repr__(self) -> str:
        return f"Pairs({str(self.path)!r})"


def read_pairs(file: Path, kind: type[P]) -> Iterator[P]:
    """The pairs in a file, guarded or open, as a stream.

    Raises:
        DataError: a line is none, or the file is not there.
    """
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield kind.model_validate_json(opened(line.decode()))
                except ValidationError as error:
                    raise DataError(f"not a pair of this version ({plainly(error)})", file=file, line=number) from None
                except ValueError:
                    raise DataError("neither a pair nor a guarded one", file=file, line=number) from None
    except FileNotFoundError:
        raise DataError("is not there: give the `lrat-bench mine` command of this folder again", file=file) from None

"""What a user may choose about a generated world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from lrat_bench.errors import UnknownName, UsageError

__all__ = ["Settings"]

WORLDS = ("in-domain", "out-of-domain")
DOCUMENTS = (1_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one generated task.

    Attributes:
        world: "in-domain" or "out-of-domain".
        seed: any integer; another seed is another world of the same kind.
        documents: number of articles, 1,000 to 10,000,000.
        train: number of training questions.
        test: number of test questions.
    """

    world: str = "in-domain"
    seed: int = 0
    documents: int = 5_000
    train: int = 300
    test: int = 300

    @classmethod
    def parse(cls, given: Mapping[str, object]) -> Settings:
        """Settings from what a task card or the command line gives.

        Raises:
            UsageError: an unknown key, a bad value, or too many questions for the number of documents.
        """
        known = {field.name: field.default for field in fields(cls)}
        for key, value in given.items():
            if key not in known:
                raise UnknownName("setting of synth-wiki", str(key), known)
            if key == "world":
                if value not in WORLDS:
                    raise UsageError(f"world must be one of {', '.join(WORLDS)}, got {value!r}")
            elif isinstance(value, bool) or not isinstance(value, int):
                raise UsageError(f"{key} must be a whole number, got {value!r}")
        settings = cls(**{**known, **given})  # type: ignore[arg-type]  # checked above
        low, high = DOCUMENTS
        if not low <= settings.documents <= high:
            raise UsageError(f"documents must be between {low} and {high}, got {settings.documents!r}")
        for split in ("train", "test"):
            count = getattr(settings, split)
            most = settings.documents // 3
            if not 0 <= count <= most:
                raise UsageError(
                    f"{split} must be between 0 and {most}, a third of the {settings.documents} documents, "
                    f"got {count!r}: ask for fewer questions or more documents"
                )
        if settings.train + settings.test == 0:
            raise UsageError("train and test are both 0: ask for at least one question")
        return settings

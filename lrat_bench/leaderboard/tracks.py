"""Tracks: what a submission may differ in, and everything that it may not, pinned by fingerprints.

`leaderboard/tracks.yaml` is the board's own list; a board of somebody else is another file of the same form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lrat_bench.errors import DataError, UnknownName
from lrat_bench.files import fingerprint, read_yaml
from lrat_bench.task.card import Setting
from lrat_bench.values import Texts, plainly

__all__ = [
    "MOST_REPEATS",
    "Fixed",
    "Pin",
    "Track",
    "TrackKind",
    "Tracks",
    "judgements_digest",
    "load_tracks",
    "questions_digest",
]

MOST_REPEATS = 32
"""How often a question is asked at most: records of a stranger are read, so that there must be an end to them."""

TrackKind = Literal["retriever", "agent", "retrieval"]
"""What is entered: a retriever under a fixed agent, an agent over a fixed retriever, or a retriever alone."""

_SHA = r"^[0-9a-f]{64}$"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Pin(_Record):
    """One task of a track, with all that must be equal in every submission."""

    task: str = Field(description="its name in the catalog")
    protocol: str = Field(description="of that task")
    split: str = Field(description="whose questions are asked")
    settings: dict[str, Setting] = Field(default_factory=dict, description="of the task, beside those of its card")
    limit: int | None = Field(default=None, ge=1, description="the first so many questions; null is all of them")
    rollout: str = Field(pattern=_SHA, description="fingerprint of the rollout part of the protocol")
    scoring: str = Field(pattern=_SHA, description="fingerprint of its scoring part")
    judge: str = Field(pattern=_SHA, description="fingerprint of the judge: model, rubric and what is sent")
    prompt: str = Field(pattern=_SHA, description="fingerprint of the prompt")
    tools: tuple[Literal["search", "get_document"], ...] = Field(min_length=1, description="that the protocol offers")
    k: int = Field(ge=1, description="documents of a result list, at most")
    entries: int = Field(ge=1, description="queries or documents of one call, at most")
    calls: int | None = Field(default=None, ge=1, description="tool calls of a question, at most; null is no limit")
    turns: int = Field(ge=1, description="completions of a question, at most, the forced one included")
    questions: int = Field(ge=1, description="how many are asked")
    question_ids: str | None = Field(default=None, pattern=_SHA, description="`questions_digest` of them")
    evidence: str | None = Field(
        default=None, pattern=_SHA, description="`judgements_digest` of their evidence; null where there is none"
    )
    gold: str | None = Field(default=None, pattern=_SHA, description="the same of gold documents")
    fingerprint: str | None = Field(
        default=None, pattern=_SHA, description="of the task, questions and corpus; null where it is not known"
    )
    passage_tokens: int | None = Field(
        default=None, description="how much of a document a dense retriever encodes; null leaves it to the retriever"
    )
    canary: str | None = Field(
        default=None, description="of a guarded task: every text that stems from its questions is kept under it"
    )

    @property
    def name(self) -> str:
        """As `--task` takes it."""
        return f"{self.task}@{self.protocol}"


class Fixed(_Record):
    """What of a run is the same in all submissions: the agent of retriever tracks, the retriever of agent tracks."""

    name: str = Field(description="what --agent or --retriever takes")
    revision: str | None = Field(
        default=None,
        description="commit of the weights; null where it could not be looked up: then a submission names the one that "
        "it used, and only submissions of the same one are held against each other",
    )
    weights: bool = Field(default=True, description="whether it has weights, and so a revision")
    fingerprint: str | None = Field(default=None, pattern=_SHA, description="of the whole part, where that is known")
    row: str | None = Field(
        default=None, pattern=_SHA, description="of the backbone row without its revision (`submission.row_digest`)"
    )
    settings: dict[str, Setting] = Field(default_factory=dict, description="what must be set of it beside its defaults")


class Track(_Record):
    """One ranking."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$", description="the key that it stands under in the file")
    kind: TrackKind = Field(description="what is entered: retriever, agent, or retrieval (a retriever alone)")
    title: str = Field(description="above its table")
    summary: str = Field(description="a sentence or two on what it tells")
    demonstration: bool = Field(default=False, description="whether it is there to try the way, and ranks nobody")
    pins: tuple[Pin, ...] = Field(min_length=1, description="tasks; a submission has a run on each of them")
    fixed: Fixed | None = Field(default=None, description="null of a retriever alone")
    repeats: int = Field(default=1, ge=1, le=MOST_REPEATS, description="how often each question is asked at least")
    k: int | None = Field(default=None, ge=1, description="documents per query, of a retriever alone")
    rank: str = Field(description="measure that entries are ordered by: its mean over the tasks")

    @model_validator(mode="after")
    def _complete(self) -> Track:
        if (self.kind == "retrieval") != (self.fixed is None):
            raise ValueError("a track of runs fixes an agent or a retriever, one of a retriever alone fixes neither")
        if (self.kind == "retrieval") != (self.k is not None):
            raise ValueError("k belongs to a track of a retriever alone, which needs it")
        names = [pin.task for pin in self.pins]
        if len(set(names)) < len(names):
            raise ValueError("a task is pinned twice")
        return self

    @property
    def entered(self) -> Literal["retriever", "agent"]:
        """What a submission brings."""
        return "agent" if self.kind == "agent" else "retriever"

    @property
    def guarded(self) -> bool:
        """Whether one of its tasks is."""
        return any(pin.canary is not None for pin in self.pins)

    def pin(self, task: str) -> Pin | None:
        """The pin of a task; None where it is no part of the track."""
        return next((pin for pin in self.pins if pin.task == task), None)


class _File(_Record):
    """The content of `tracks.yaml`; `shared` holds what YAML anchors point to, and nothing reads it."""

    board: str = Field(description="name of the board, above its pages")
    about: Texts = Field(default=(), description="paragraphs below it")
    shared: Any = None
    tracks: tuple[Track, ...] = Field(min_length=1)

    @field_validator("tracks", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError("must be a mapping of names to tracks")  # noqa: TRY004 -- pydantic turns it into its own
        return [{"name": name, **track} if isinstance(track, Mapping) else track for name, track in value.items()]


class Tracks:
    """The tracks of one board.

    Attributes:
        board: its name.
        about: paragraphs for its front page.
    """

    def __init__(self, content: _File) -> None:
        self.board = content.board
        self.about = content.about
        self._tracks = {track.name: track for track in content.tracks}

    def __iter__(self) -> Any:
        return iter(self._tracks.values())

    def __contains__(self, name: object) -> bool:
        return name in self._tracks

    def __getitem__(self, name: str) -> Track:
        """The track of that name.

        Raises:
            UnknownName: there is none.
        """
        if name not in self._tracks:
            raise UnknownName("track", name, self._tracks, hint="`lrat-bench leaderboard tracks` lists them.")
        return self._tracks[name]


def load_tracks(file: str | Path | None = None) -> Tracks:
    """The tracks of a file; those of the project's own board unless one is given.

    Raises:
        DataError: the file does not hold what it must.
    """
    return _read(_shipped() if file is None else Path(file))


def questions_digest(questions: Iterable[str]) -> str:
    """SHA-256 over question ids, in whatever order."""
    return fingerprint(sorted(questions))


def judgements_digest(judged: Mapping[str, Set[str] | Iterable[str]]) -> str:
    """SHA-256 over question id → docids, in whatever order; a question without any is as if it were not there."""
    return fingerprint({qid: sorted(docids) for qid, docids in sorted(judged.items()) if docids})


def _shipped() -> Path:
    package = Path(str(resources.files("lrat_bench")))
    installed = package / "leaderboard" / "tracks.yaml"  # where the wheel puts it; a checkout has it beside the package
    return installed if installed.is_file() else package.parent / "leaderboard" / "tracks.yaml"


@cache
def _read(file: Path) -> Tracks:
    content = read_yaml(file)
    try:
        return Tracks(_File.model_validate({} if content is None else content))
    except ValidationError as error:
        raise DataError(plainly(error), file=file) from None

"""The submission: a folder that says what is entered, proves its numbers, and discloses what it was trained on.

    submission.json          this record
    records/TASK.jsonl       one line per question and repeat (`records`)
    attestations.json        what maintainers checked; theirs alone (`attestations`)

Trajectories are too large for a repository: they are named by hash, with where they can be had.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from lrat_bench.files import fingerprint
from lrat_bench.leaderboard.tracks import MOST_REPEATS, TrackKind
from lrat_bench.lrat.contamination import Contamination
from lrat_bench.score.metric import Metric
from lrat_bench.score.rows import Outcome

__all__ = [
    "LIKE_LATIN",
    "NAME",
    "OPENNESS",
    "SCHEMA",
    "Contact",
    "Day",
    "Disclosure",
    "Entered",
    "Entry",
    "FileMark",
    "Fingerprints",
    "Id",
    "Part",
    "Scaffold",
    "Submission",
    "SubmittedRun",
    "TrainedOn",
    "TrajectoriesMark",
    "record_file",
    "row_digest",
]

SCHEMA = "lrat-bench/submission/1"
"""Name and version of the format; the number grows when an old reader could misread a new file."""

NAME = r"^[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]$"
"""Of a submission and of its folder: it becomes part of file names and addresses."""

_LONGEST = 1_000
"""Characters of what is said of a metric."""

Openness = Literal["open", "open-weights", "api", "closed"]

OPENNESS: Mapping[str, str] = {
    "open": "weights, code and training data can be had",
    "open-weights": "weights can be had",
    "api": "whoever pays can call it",
    "closed": "nobody else can use it",
}
"""Class of openness → what it says."""

LIKE_LATIN: Mapping[str, str] = dict(
    zip(
        "АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
        "ABESIJKMHOPCTYXaesijopcyxhdqwABEZHIKMNOPTYXo",
        strict=True,
    )
)
"""Letters of other scripts, Cyrillic and Greek, that look like Latin ones → those."""

_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]")

_MOST_MARKS = 3
"""Marks on one letter; scripts that pile them up have no more in a name."""

_FLOATING = re.compile(r"(main|master|head|latest|dev|trunk|stable|nightly|default|none|unknown)", re.IGNORECASE)


def _line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be one line of printable text, and not blank")
    return text


def _legible_line(text: str) -> str:
    if found := _BLANK.search(text):
        raise ValueError(f"holds {unicodedata.name(found[0], 'a character')}, which shows nothing")
    stacked = 0
    for one in unicodedata.normalize("NFC", text):
        stacked = stacked + 1 if unicodedata.category(one) in ("Mn", "Me") else 0
        if stacked > _MOST_MARKS:
            raise ValueError("piles up marks on one letter")
    return text


def _own_name(text: str) -> str:
    for word in re.findall(r"\w+", text):
        if re.search("[A-Za-z]", word) and (found := next((one for one in word if one in LIKE_LATIN), None)):
            raise ValueError(
                f"holds {unicodedata.name(found)} within a Latin word, which looks like {LIKE_LATIN[found]}"
            )
    return text


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no day") from None
    return text


def _prose(text: str) -> str:
    if not text.strip() or not all(one.isprintable() or one == "\n" for one in text):
        raise ValueError("must be printable text, and not blank")
    return text


def _legible(bag: dict[str, JsonValue]) -> dict[str, JsonValue]:
    waiting: list[JsonValue] = [bag]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and not all(one.isprintable() or one in "\n\t" for one in value):
            raise ValueError("holds a text that is not printable")
    return bag


def _described(metric: Metric) -> Metric:
    for text in (metric.name, metric.unit, metric.definition):
        if len(text) > _LONGEST or not text.isprintable():
            raise ValueError(f"name, unit and definition must be printable text of at most {_LONGEST} characters")
    return metric


def _immutable(text: str) -> str:
    if _FLOATING.fullmatch(text):
        raise ValueError("moves: name a commit, a hash or a version, which stays what it is")
    return text


Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line), AfterValidator(_legible_line)]
OwnName = Annotated[Line, AfterValidator(_own_name)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_day)]
Prose = Annotated[str, Field(min_length=1, max_length=4_000), AfterValidator(_prose)]
Revision = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{1,99}$"), AfterValidator(_immutable)]
Address = Annotated[str, Field(pattern=r"^https?://[^\s<>\"'`\\]{1,500}$"), AfterValidator(_line)]
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Id = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_line)]
Named = Annotated[str, Field(max_length=500), AfterValidator(_line)]
Bag = Annotated[dict[Named, JsonValue], AfterValidator(_legible)]
Shown = Annotated[Metric, AfterValidator(_described)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)


class Entry(_Record):
    """What is entered."""

    id: OwnName = Field(description="as the board shows it: a hub name, or a name of your own")
    revision: Revision = Field(description="commit, hash or version of exactly what was run; no branch")
    parameters: Annotated[float, Field(gt=0, le=1e15)] | None = Field(
        description="how many parameters it has; null where it has none, or nobody says"
    )
    licence: Line = Field(description="of the weights, or of the code where there are none: an SPDX name, or words")
    openness: Openness
    url: Address | None = Field(default=None, description="where it can be had, or read about")
    summary: Prose | None = Field(default=None, description="what it is, in a few sentences")


class Scaffold(_Record):
    """Whether the run is the harness's own, or something around it is yours."""

    kind: Literal["standard", "custom"]
    note: Prose | None = Field(default=None, description="of a custom one: what is otherwise")

    @model_validator(mode="after")
    def _said(self) -> Scaffold:
        if self.kind == "custom" and self.note is None:
            raise ValueError("a custom scaffold needs a note that says what is otherwise")
        return self


class Contact(_Record):
    """Who answers for it."""

    name: OwnName = Field(description="shown on the board")
    reach: Line = Field(description="an address for mail or of a page")


class TrainedOn(_Record):
    """One folder of pairs that `lrat-bench train` read."""

    name: Line
    manifest: Sha = Field(description="SHA-256 of its manifest.json")
    task: Line | None = Field(description="that they were mined on; null is not known")
    runs: Annotated[tuple[Line, ...], Field(max_length=1_000)] = Field(description="names of the runs they are of")
    tainted: bool = Field(description="whether some are of evaluation questions")


class Disclosure(_Record):
    """What it was trained on, and what that shares with the questions of the track."""

    training: Literal["none", "published", "lrat", "other"] = Field(
        description="nothing is trained; as somebody else published it; by `lrat-bench train`; otherwise"
    )
    data: Prose = Field(description="what it was trained on, in words; of what was published, where that is said")
    evaluation_data: Literal["no", "yes", "unknown"] = Field(
        description="whether questions, answers or judgements of the track's tasks were among it"
    )
    pairs: Annotated[tuple[TrainedOn, ...], Field(max_length=1_000)] = Field(
        default=(), description="of what `lrat-bench train` made"
    )
    contamination: Annotated[tuple[Contamination, ...], Field(max_length=64)] = Field(
        default=(), description="scan of these pairs, for each task of the track"
    )


class FileMark(_Record):
    """A file of the submission, by content."""

    sha256: Sha
    bytes: int = Field(ge=0)


class TrajectoriesMark(FileMark):
    """The trajectories, by content, and where they are."""

    where: Address | None = Field(default=None, description="null where they are given on request")


class Fingerprints(_Record):
    """Of everything that a number hangs on."""

    task: Sha
    corpus: Sha
    judgements: Sha | None
    rollout: Sha | None = Field(description="null of a retriever alone")
    scoring: Sha | None = Field(description="null of a retriever alone")
    judge: Sha | None = Field(description="null of a retriever alone")
    prompt: Sha | None = Field(description="null of a retriever alone")
    tokenizer: Sha | None = Field(description="null of a retriever alone")
    agent: Sha | None = Field(description="null of a retriever alone")
    retriever: Sha


class Part(_Record):
    """The agent or the retriever of a run, as its manifest has it."""

    name: Line = Field(description="as it was called, without the folders of a path")
    revision: Revision | None = Field(description="commit of its weights, where known")
    reported: Annotated[str, Field(max_length=500), AfterValidator(_line)] | None = Field(
        default=None, description="the model id that its endpoint gave"
    )
    row: Bag | None = Field(default=None, description="of an agent: its backbone row")
    details: Bag = Field(default_factory=dict, description="of a retriever: prompts, lengths, numbers")


class SubmittedRun(_Record):
    """One run, or one retrieval: what it was, and what came out."""

    task: Line
    protocol: Line
    split: Line
    repeats: int = Field(ge=1, le=MOST_REPEATS)
    questions: Annotated[tuple[Id, ...], Field(min_length=1, max_length=100_000)] = Field(
        description="the denominator, times repeats"
    )
    seed: int | None = Field(description="null of a retriever alone")
    k: int | None = Field(default=None, ge=1, description="documents per query, of a retriever alone")
    fingerprints: Fingerprints
    agent: Part | None = Field(description="null of a retriever alone")
    retriever: Part
    judge: Line | None = Field(description="name; null of a retriever alone")
    set: Bag = Field(default_factory=dict, description="what was set on the command line: ROOM.KEY → value")
    versions: dict[Named, Named] = Field(description="of the harness and of libraries, at the last command")
    commit: Line | None = Field(description="of the harness's checkout")
    dirty: bool | None = Field(description="whether that checkout had changes")
    cassette: bool = Field(default=False, description="whether model calls were replayed from a cassette")
    outcomes: dict[Outcome, Annotated[int, Field(ge=0)]]
    statuses: dict[Named, Annotated[int, Field(ge=0)]]
    metrics: Annotated[tuple[Shown, ...], Field(min_length=1, max_length=200)]
    records: FileMark
    trajectories: TrajectoriesMark | None = Field(description="null of a retriever alone")

    def metric(self, name: str) -> Metric | None:
        """The metric of that name; None where there is none."""
        return next((metric for metric in self.metrics if metric.name == name), None)


class Entered(_Record):
    """What a submitter says, beside what the runs say: the file that `leaderboard prepare --config` reads."""

    entry: Entry
    scaffold: Scaffold = Scaffold(kind="standard")
    contact: Contact
    disclosure: Disclosure
    trajectories: dict[str, Address] = Field(default_factory=dict, description="task → where its trajectories are")


class Submission(_Record):
    """`submission.json`."""

    schema_: Literal["lrat-bench/submission/1"] = Field(default="lrat-bench/submission/1", alias="schema")
    name: str = Field(pattern=NAME, description="its folder is called the same")
    track: Line
    kind: TrackKind
    prepared: Day = Field(description="day, UTC")
    harness: Line = Field(description="version of lrat-bench that prepared it")
    entry: Entry
    scaffold: Scaffold
    contact: Contact
    disclosure: Disclosure
    runs: Annotated[tuple[SubmittedRun, ...], Field(min_length=1, max_length=64)]

    def run_on(self, task: str) -> SubmittedRun | None:
        """The run on a task; None where there is none."""
        return next((run for run in self.runs if run.task == task), None)

    def to_dict(self) -> dict[str, Any]:
        """As written."""
        return self.model_dump(mode="json", by_alias=True)


def record_file(task: str) -> str:
    """Where the records on a task lie within the folder."""
    return f"records/{task}.jsonl"


def row_digest(row: Mapping[str, Any]) -> str:
    """SHA-256 of a backbone row, whichever revision of the weights it names."""
    return fingerprint({key: value for key, value in row.items() if key != "revision"})

"""The manifest of a folder of pairs: what was mined, how, and how many of what there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lrat_bench.errors import DataError
from lrat_bench.lrat.pair import Rule
from lrat_bench.task.question import Role
from lrat_bench.trajectory import Status
from lrat_bench.values import plainly

__all__ = ["SCHEMA", "Counts", "Filter", "Intensity", "PairsManifest", "Quantiles", "Scale", "SourceRecord", "read"]

SCHEMA = "lrat-bench/pairs/1"
"""Name and version of the format; the number grows when an old reader could misread a new file."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)


class SourceRecord(_Record):
    """Where trajectories were taken from."""

    name: str = Field(description="of the run folder, or of the folder of files")
    kind: Literal["run", "lrat-files"]
    identity: str = Field(description="SHA-256 of what the run is, or of the names of its files")
    content: str | None = Field(default=None, description="SHA-256 of the trajectories that were read")
    task: str | None = Field(default=None, description="name; null where the files do not say")
    split: str | None = None
    role: Role | None = Field(default=None, description="what the split may be used for; null is not known")
    agent: str | None = None
    retriever: str | None = None
    judge: str | None = Field(default=None, description="whose verdicts on answers counted")
    corpus: str | None = Field(default=None, description="fingerprint")


class Filter(_Record):
    """Which trajectories were mined."""

    outcome: Literal["correct", "incorrect", "all"]
    statuses: tuple[Status, ...] | None = Field(description="null is all")


class Scale(_Record):
    """What relevance intensity is measured by; of the pairs whose reasoning was measured and not cut off."""

    beta: float = Field(gt=0, description="median length of the reasoning behind a browse, in tokens")
    mu: float = Field(gt=0, description="mean raw weight")
    n: int = Field(ge=1, description="pairs it was fitted to")


class Quantiles(_Record):
    """Lengths of the reasoning behind browses, in tokens, of the pairs that the scale was fitted to."""

    low: float = Field(description="smallest")
    q25: float
    median: float
    q75: float
    q95: float
    high: float = Field(description="largest")


class Intensity(_Record):
    """The fit behind the weights."""

    scale: Literal["pooled", "agent"] = Field(description="whether all pairs share one scale or each agent has its own")
    pooled: Scale
    lengths: Quantiles
    by_agent: dict[str, Scale] = Field(description="agent → its own scale")


class Counts(_Record):
    """How many of what, stage by stage."""

    trajectories: int = Field(default=0, description="read")
    unreadable: int = Field(default=0, description="records or files that could not be read, and were passed over")
    by_status: dict[str, int] = Field(default_factory=dict, description="trajectories read, by how they ended")
    by_verdict: dict[str, int] = Field(default_factory=dict, description="the same: correct, incorrect, ungraded")
    mined: int = Field(default=0, description="trajectories that passed by status and verdict")
    browses: int = Field(default=0, description="in those")
    not_found: int = Field(default=0, description="browses of documents that there are not")
    from_no_list: int = Field(default=0, description="browses of documents that no earlier list held")
    not_adjacent: int = Field(default=0, description="browses that do not follow their search at once (rule paper)")
    repeated: int = Field(default=0, description="browses for a query and document that had been there before")
    dropped: int = Field(default=0, description="browses that were judged and give no sample (rule lrat-code)")
    absent: int = Field(default=0, description="candidates whose document the corpus lacks")
    absent_negatives: int = Field(default=0, description="negatives that the corpus lacks, and that were taken out")
    candidates: int = Field(default=0, description="browses that could become pairs: kept, rejected and undecided")
    kept: int = 0
    rejected: int = Field(default=0, description="judged not relevant")
    undecided: int = 0
    owed: int = Field(default=0, description="undecided since the judge failed: the same command asks again")
    without_reasoning: int = Field(default=0, description="candidates after which nothing was thought")
    unmeasurable: int = Field(default=0, description="candidates whose reasoning is withheld or a summary")
    censored: int = Field(default=0, description="candidates whose reasoning was cut off")
    shared: int = Field(default=0, description="candidates that share their reasoning with other documents")
    without_negatives: int = Field(default=0, description="kept pairs with in-batch negatives alone")
    without_weight: int = Field(default=0, description="kept pairs whose weight cannot be told")


class PairsManifest(_Record):
    """`manifest.json` of a folder of pairs."""

    schema_: Literal["lrat-bench/pairs/1"] = Field(default="lrat-bench/pairs/1", alias="schema")
    version: str = Field(description="of lrat-bench")
    rule: Rule = Field(description="how browses were attributed to queries")
    filter: Filter
    relevance: str = Field(description="who judged relevance; none is nobody")
    relevance_fingerprint: str | None = Field(description="of that judge")
    relevance_judge: dict[str, Any] = Field(default_factory=dict, description="its own words: model, what is sent")
    tokenizer: str = Field(description="what reasoning was measured in")
    tokenizer_fingerprint: str
    scale: Literal["pooled", "agent"]
    sources: tuple[SourceRecord, ...] = Field(min_length=1)
    corpus: str | None = Field(description="fingerprint of the documents; null where the files do not say")
    task: str | None = Field(description="the task whose corpus that is, as typed")
    task_settings: dict[str, Any] = Field(default_factory=dict, description="what was set of it")
    documents_checked: bool = Field(description="whether it was seen that the corpus has every document")
    tainted: bool = Field(description="whether some are trajectories of evaluation questions")
    canary: str | None = Field(default=None, description="of a guarded task: the lines of the files are kept under it")
    finished: bool = Field(default=False, description="whether the pairs of this manifest are written")
    counts: Counts = Counts()
    intensity: Intensity | None = Field(default=None, description="null where no reasoning could be measured")
    pairs: str | None = Field(default=None, description="SHA-256 of pairs.jsonl")

    @property
    def beta(self) -> float | None:
        """Median length of the reasoning behind a browse over all agents, in tokens."""
        return None if self.intensity is None else self.intensity.pooled.beta

    @property
    def mu(self) -> float | None:
        """Mean raw weight over all agents."""
        return None if self.intensity is None else self.intensity.pooled.mu

    @property
    def identity(self) -> dict[str, Any]:
        """What a folder must share with a command that goes on in it, under the names of its options.

        How reasoning is measured is no part of it: lengths and weights are made anew, and no judgement depends on them.
        """
        return {
            "RUN": {source.name: [source.identity, source.judge] for source in self.sources},
            "rule": self.rule,
            "outcome": self.filter.outcome,
            "status": None if self.filter.statuses is None else sorted(self.filter.statuses),
            "filter": [self.relevance, self.relevance_fingerprint],
            "corpus": self.corpus,
        }

    def to_dict(self) -> dict[str, Any]:
        """As written."""
        return self.model_dump(mode="json", by_alias=True)


def read(path: Path) -> PairsManifest:
    """The manifest in a file.

    Raises:
        DataError: the file is none.
    """
    try:
        content = path.read_bytes()
        if b'"lrat-bench/manifest/' in content:
            raise DataError(
                "is of a run, which holds no pairs: mine it first (`lrat-bench mine RUN -o PAIRS`)", file=path
            )
        return PairsManifest.model_validate_json(content)
    except ValidationError as error:
        raise DataError(f"not a manifest of pairs of this version ({plainly(error)})", file=path) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from None

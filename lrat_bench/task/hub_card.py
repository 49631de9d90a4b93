"""Where a benchmark lies on the Hugging Face hub, and where in its rows questions, documents and judgements stand."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

__all__ = ["ANY", "CorpusPart", "HubCard", "JudgementsPart", "Part", "QuestionsPart", "Takes"]


ANY = ("**/*.parquet", "**/*.jsonl")
"""Patterns of a part whose card names none."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_commit(revision: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{7,40}|\{\w+\}", revision):
        raise ValueError("must be a commit, in hexadecimal digits: a branch or tag may come to mean other data")
    return revision


class Part(_Record):
    """Files of a dataset, and how their rows are read.

    Text between braces in `dataset`, `revision` and `files` is the value of that setting of the card. A path of a field
    goes through objects by dots and through lists by itself: `evidence_docs.docid` is the docid of each.
    """

    dataset: str | None = Field(default=None, description="id on the hub; null where `url` is given")
    revision: Annotated[str, AfterValidator(_is_commit)] | None = Field(
        default=None, description="commit of the dataset; required with `dataset`"
    )
    url: str | None = Field(default=None, description="of one file, where it is no dataset of the hub")
    sha256: str | None = Field(default=None, description="of that file")
    files: tuple[str, ...] = Field(
        default=ANY, description="patterns of its files; the first that is met by any counts"
    )
    columns: tuple[str, ...] | None = Field(default=None, description="names of the columns of a .tsv without a header")
    encrypted: bool = Field(default=False, description="whether the texts are encrypted under the card's canary")

    @model_validator(mode="after")
    def _is_pinned(self) -> Part:
        if (self.dataset is None) == (self.url is None):
            raise ValueError("give either dataset and revision, or url and sha256")
        if self.dataset is not None and self.revision is None:
            raise ValueError(f"dataset {self.dataset!r} needs a revision, the commit that is meant")
        if self.url is not None and (self.sha256 is None or not self.url.startswith("https://")):
            raise ValueError(f"url {self.url!r} must begin with https:// and needs a sha256")
        return self


class QuestionsPart(Part):
    """The questions of one split."""

    qid: str = Field(description="field, or a text with `{row}`, the 0-based number of the row")
    question: str
    answers: str | None = Field(description="field of a text or of several; null where the benchmark has none")
    first: int | None = Field(default=None, ge=1, description="only the first so many rows")
    judged: bool = Field(default=False, description="only those that the judgements of evidence name")


class CorpusPart(Part):
    """The documents."""

    docid: str
    text: str
    title: str | None = None


class JudgementsPart(_Record):
    """Relevance judgements: a field of the questions' rows, or rows of their own."""

    of_questions: str | None = Field(default=None, description="field of a question's row that holds docids")
    rows: Part | None = Field(default=None, description="one judgement a row")
    qid: str = "query-id"
    docid: str = "corpus-id"
    relevance: str = "score"

    @model_validator(mode="after")
    def _is_one(self) -> JudgementsPart:
        if (self.of_questions is None) == (self.rows is None):
            raise ValueError("give either of_questions or rows")
        return self


class Takes(_Record):
    """What preparing takes, for people to read before it begins."""

    download_gb: float = Field(ge=0)
    disk_gb: float = Field(ge=0, description="beside the download, which the Hugging Face cache keeps")
    minutes: float = Field(ge=0, description="beside the download")


class HubCard(_Record):
    """A task on the hub."""

    questions: dict[str, QuestionsPart] = Field(min_length=1, description="split → where its questions are")
    corpus: CorpusPart
    evidence: JudgementsPart | None = None
    gold: JudgementsPart | None = None
    disjoint_from: tuple[str, ...] = Field(default=(), description="tasks that must share no question with it")
    takes: Takes

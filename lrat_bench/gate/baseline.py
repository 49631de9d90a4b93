"""The baseline: a run or a retrieval as a small file for git, with the rules that others are held to.

One line per question, rule and metric, so that a diff says what changed. It holds ids and numbers and no text of the
task, so that it may lie in the open where the task is guarded.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping
from math import fsum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from lrat_bench.compare.contrast import ALPHA
from lrat_bench.compare.side import LARGEST, Kind, Side, questions_digest
from lrat_bench.errors import DataError, UnknownName, UsageError
from lrat_bench.files import write_atomic, writing
from lrat_bench.gate.cells import Cell, cells_of, rounded
from lrat_bench.gate.rules import Rule
from lrat_bench.score.metric import Metric
from lrat_bench.values import plainly

__all__ = ["Baseline", "Origin", "baseline_of", "read_baseline", "write_baseline"]

Value = float | tuple[float, PositiveInt] | None
"""A cell as it is written: a number, or a mean and how many it is of where that is not 1; null where there is none."""


_MOST_BYTES = 64 * 2**20
"""Of a file, which is some 40 bytes a question."""

_MOST_WEIGHT = 10**9
"""Queries of one question."""

_DIGITS = 1e-5
"""What six significant digits of values and of their mean may leave between the two, relative to the values."""

_EXACT = 2**53
"""Below it a whole number is the same as an integer and as a float."""


# What stands in tables and pages, and comes from a file that strangers may edit, holds nothing but words.
_UNIT = re.compile(r"[\w /%.-]{1,32}")
Key = Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")]


class Origin(BaseModel):
    """What a baseline was made of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="of the folder")
    kind: Kind = Field(description="what it was made by: `run` or `retrieve`")
    started: str = Field(description="when, UTC")
    versions: dict[str, str] = Field(description="of lrat-bench, Python, and the libraries that a result may hang on")
    free: dict[Key, str] = Field(description="what may differ in what is held against it: agent, retriever, seed")
    repeats: int = Field(ge=1, description="how often each question was asked; values are means over them")


class Baseline(BaseModel):
    """The content of a baseline file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)

    schema_: Literal["lrat-bench/baseline/1"] = Field(default="lrat-bench/baseline/1", alias="schema")
    origin: Origin
    shared: dict[Key, str] = Field(description="what must be equal in what is held against it: task, protocol, …")
    alpha: float = Field(
        default=ALPHA, gt=0, le=0.5, description="chance of a false alarm by all significance rules together"
    )
    rules: tuple[Rule, ...] = Field(min_length=1, description="what may not fall; to be edited by hand")
    metrics: tuple[Metric, ...] = Field(description="means of the measures that there are values of")
    measures: tuple[str, ...] = Field(description="what the values of a question are of, in order")
    questions: dict[str, tuple[Value, ...]] = Field(
        min_length=1,
        description="question → a value for each measure; [mean, count] where it is of several queries",
    )

    @model_validator(mode="after")
    def _holds_together(self) -> Baseline:
        ruled = [rule.measure for rule in self.rules]
        if twice := sorted({name for name in ruled if ruled.count(name) > 1}):
            raise ValueError(f"there are two rules of {twice[0]}: leave one of them out")
        if [metric.name for metric in self.metrics] != list(self.measures):
            raise ValueError("metrics and measures are not of the same names in the same order")
        if wrong := [qid for qid, values in self.questions.items() if len(values) != len(self.measures)]:
            raise ValueError(f"question {wrong[0]!r} has not one value for each of the measures")
        numbers = [value for metric in self.metrics for value in (metric.value, metric.low, metric.high)]
        if any(abs(number) > LARGEST for number in numbers if number is not None):
            raise ValueError(f"a number of metrics is above {LARGEST:g}: bless again")
        for metric in self.metrics:
            self._refuse_edited(metric)
        if (stated := self.shared.get("questions")) is not None and stated != questions_digest(self.questions):
            many = f"it holds {len(self.questions)} and says {stated.partition(' ')[0][:20]}"
            raise ValueError(f"its questions are not those that it was made of ({many}): bless again")
        if self.shared.get("repeats", str(self.origin.repeats)) != str(self.origin.repeats):
            raise ValueError("shared and origin have unequal repeats: bless again")
        if strange := [metric.unit for metric in self.metrics if not _UNIT.fullmatch(metric.unit)]:
            raise ValueError(f"{strange[0]!r} is no unit")
        for rule in self.rules:
            if rule.measure not in self.measures:
                raise ValueError(
                    f"there is a rule of {rule.measure} and no value of it: bless again with --rule {rule.measure}"
                )
            _refuse_unfit(rule, self.metric(rule.measure))
        return self

    def _refuse_edited(self, metric: Metric) -> None:
        """What a merge or a hand has taken from it or changed would be held to no more, and nobody would see it."""
        cells = self.cells(metric.name)
        for qid, cell in cells.items():
            if abs(cell.mean) > LARGEST or cell.weight > _MOST_WEIGHT:
                raise ValueError(f"{metric.name} of {qid!r} is above anything that can be averaged")
        # A question has a value if one of its repeats has one, and is then the mean of those that do.
        values, repeats = sum(cell.weight for cell in cells.values()), self.origin.repeats
        if not values <= metric.n <= values * repeats:
            raise ValueError(
                f"{metric.name} has an n of {metric.n}, and its questions hold {values} values: bless again"
            )
        if (metric.value is None) != (not cells):
            raise ValueError(f"{metric.name} has a mean without values, or values without a mean: bless again")
        if metric.value is None:
            return
        low = high = fsum(cell.total for cell in cells.values()) / values
        if metric.n not in (values, values * repeats):
            means = [cell.mean for cell in cells.values()]
            low, high = min(means), max(means)
        slack = _DIGITS * fsum(abs(cell.total) for cell in cells.values()) / values
        if not low - slack <= metric.value <= high + slack:
            raise ValueError(
                f"{metric.name} has a mean of {metric.value:g}, and its questions one of {low:.6g}: bless again"
            )

    def metric(self, name: str) -> Metric:
        """The mean of a measure that there are values of."""
        return self.metrics[self.measures.index(name)]

    def cells(self, name: str) -> dict[str, Cell]:
        """Question → cell of a measure, where it has one."""
        at = self.measures.index(name)
        return {qid: _read(value) for qid, values in self.questions.items() if (value := values[at]) is not None}

    def text(self) -> str:
        """As it is written: what lists or maps several things has each on a line of its own."""
        record = _short(self.model_dump(mode="json", by_alias=True))
        return "{\n" + ",\n".join(f"  {json.dumps(key)}: {_spread(value)}" for key, value in record.items()) + "\n}\n"


def baseline_of(
    side: Side, rules: tuple[Rule, ...], *, started: str, versions: Mapping[str, str], alpha: float = ALPHA
) -> Baseline:
    """The baseline that a run or retrieval makes.

    Args:
        side: the run or retrieval, with nothing unresolved.
        rules: what is to be held; values of their measures are kept.
        started: when it was made.
        versions: of what it was made by.
        alpha: chance of a false alarm by all significance rules together.

    Raises:
        UnknownName: it has no such measure.
        UsageError: there is no rule, a rule's measure has no value or does not go with it, or the side is not what a
            run leaves.
    """
    if not rules:
        raise UsageError(f"there is nothing that {side.path} could be held to: give a --rule")
    for rule in rules:
        if rule.measure not in side.columns:
            raise UnknownName("measure", rule.measure, side.columns)
        metric = side.columns[rule.measure].metric
        if metric.value is None:
            raise UsageError(
                f"{side.path} has no value of {rule.measure}, of which there is a rule: --drop {rule.measure}, or see "
                "why it has none"
            )
        try:
            _refuse_unfit(rule, metric)
        except ValueError as error:
            raise UsageError(str(error)) from None
    measures = tuple(rule.measure for rule in rules)
    columns = [cells_of(side.columns[name]) for name in measures]
    # All that it was asked: one that has none of these values is kept without any.
    questions = sorted({column.clusters[key] for column in side.columns.values() for key in column.values})
    try:
        return Baseline(
            origin=Origin(
                name=side.name,
                kind=side.kind,
                started=started,
                versions=dict(versions),
                free=dict(side.free),
                repeats=side.repeats,
            ),
            shared=dict(side.shared),
            alpha=alpha,
            rules=rules,
            metrics=tuple(_rounded(side.columns[name].metric) for name in measures),
            measures=measures,
            questions={qid: tuple(_written(column.get(qid)) for column in columns) for qid in questions},
        )
    except ValidationError as error:
        raise UsageError(f"{side.path} makes no baseline: {plainly(error)}") from None


def read_baseline(file: Path) -> Baseline:
    """The baseline in a file.

    Raises:
        UsageError: there is none.
        DataError: it is no baseline of this version, or was edited into none.
    """
    try:
        # A device has no end, and a pipe may have no writer.
        if not stat.S_ISREG((about := file.stat()).st_mode):
            raise DataError("not a baseline: it is no regular file", file=file)
        if about.st_size > _MOST_BYTES:
            raise DataError(f"not a baseline: it is larger than {_MOST_BYTES // 2**20} MiB", file=file)
        content = file.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"there is no baseline {file}: make one of a run that is as it should be, with `lrat-bench bless RUN "
            f"--baseline {file}`"
        ) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=file) from None
    try:
        found = Baseline.model_validate_json(content)
        json.loads(content, object_pairs_hook=_once)
    except ValidationError as error:
        raise DataError(f"not a baseline of this version ({plainly(error)})", file=file) from None
    except ValueError as error:
        raise DataError(f"not a baseline: {error}", file=file) from None
    return found


def write_baseline(baseline: Baseline, file: Path) -> None:
    """Write it: whole, or not at all.

    Raises:
        UsageError: the disk refuses.
    """
    with writing(f"the baseline {file}"):
        write_atomic(file, baseline.text())


def _refuse_unfit(rule: Rule, metric: Metric) -> None:
    """A rule that holds nothing of this measure, or never passes, is a slip that nobody would see."""
    if metric.unit == "share":
        for key in ("ignore", "tolerance", "min", "max"):
            if (bound := getattr(rule, key)) is not None and bound > 1:
                raise ValueError(
                    f"the rule of {rule.measure} has {key}={bound:g}, and a share is never above 1: points are "
                    f"hundredths ({key}={bound / 100:g})"
                )
    if rule.relative is not None and rule.relative > 1 and metric.direction == "higher":
        raise ValueError(
            f"the rule of {rule.measure} has relative={rule.relative:g}, and nothing falls by more than all of it: a "
            "tenth is relative=0.1"
        )
    if metric.direction == "neutral" and rule.pairs:
        raise ValueError(
            f"more {rule.measure} is neither better nor worse: its rule can have min and max alone, with "
            "significant=false"
        )


def _rounded(metric: Metric) -> Metric:
    ends = {key: None if (end := getattr(metric, key)) is None else rounded(end) for key in ("value", "low", "high")}
    return metric.model_copy(update=ends)


def _read(value: float | tuple[float, int]) -> Cell:
    return Cell(*value) if isinstance(value, tuple) else Cell(value)


def _written(cell: Cell | None) -> Value:
    if cell is None:
        return None
    return cell.mean if cell.weight == 1 else (cell.mean, cell.weight)


def _once(pairs: list[tuple[str, Any]]) -> None:
    """A merge may leave a question twice, of which the reader would take the last."""
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise ValueError(f"{key!r} is there twice: leave one of them out")
        seen.add(key)


def _short(value: Any) -> Any:
    """The same with whole numbers as such."""
    if isinstance(value, dict):
        return {key: _short(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_short(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT else value


def _spread(value: Any) -> str:
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f"    {_inline(key)}: {_inline(inner)}" for key, inner in value.items()) + "\n  }"
    if isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        return "[\n" + ",\n".join(f"    {_inline(inner)}" for inner in value) + "\n  ]"
    return _inline(value)


def _inline(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)

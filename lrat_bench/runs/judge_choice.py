"""Which judge a user asked for, beside the one that the protocol names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lrat_bench.files import cache_folder
from lrat_bench.model.access import Access
from lrat_bench.model.spec import Connection
from lrat_bench.score.judges.base import Judge
from lrat_bench.score.judges.cache import VerdictCache
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.judges.rubrics import read_rubric
from lrat_bench.task.protocol import Scoring

__all__ = ["JudgeChoice"]


@dataclass(frozen=True)
class JudgeChoice:
    """A judge, a rubric and settings, each given or not.

    Attributes:
        judge: exact, contains, a preset, a LiteLLM id, or `module:object`; None is the protocol's.
        rubric: a name, or a file with the text of one.
        settings: `--set judge.key=value`: how it is reached (`Connection`), and parameters of the judge.
        verdict_cache: whether an LLM judge's earlier verdicts are taken from the cache, and its new ones kept there.
    """

    judge: str | None = None
    rubric: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    verdict_cache: bool = True

    @cached_property
    def _split(self) -> tuple[Connection, dict[str, Any]]:
        return Connection.split(self.settings, room="judge")

    def under(self, scoring: Scoring) -> Scoring:
        """The scoring part of a protocol with this choice in place.

        Raises:
            UsageError: a setting does not fit, or the file holds no rubric.
        """
        parameters = self._split[1]
        if self.judge is None and self.rubric is None and not parameters:
            return scoring
        base = scoring if self.judge is None else Scoring(judge=self.judge)
        rubric = base.rubric if self.rubric is None else read_rubric(self.rubric)
        return Scoring(judge=base.judge, rubric=rubric, parameters={**base.parameters, **parameters})

    def open(self, scoring: Scoring, access: Access) -> Judge:
        """The judge of `scoring`, ready to be asked.

        Raises:
            UsageError: there is no such judge, or it refuses its settings.
        """
        connection = self._split[0]
        # A tape holds every call; a verdict from the cache would leave a gap in it.
        cache = VerdictCache(cache_folder()) if self.verdict_cache and access.cassette is None else None
        return load_judge(
            scoring, open_model=lambda spec: access.open(spec, connection), offline=access.offline, cache=cache
        )

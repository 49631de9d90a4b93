"""The relevance judges by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lrat_bench.errors import UnknownName, UsageError, foreign
from lrat_bench.files import cache_folder
from lrat_bench.lrat.relevance.base import RelevanceJudge
from lrat_bench.lrat.relevance.cache import RelevanceCache
from lrat_bench.lrat.relevance.llm import LlmRelevance
from lrat_bench.model.access import Access
from lrat_bench.model.spec import Connection
from lrat_bench.registry import Entry, Registry, load_object
from lrat_bench.score.judges.llm import LlmJudge
from lrat_bench.score.judges.presets import is_model_id, preset_of, presets
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.task.protocol import Scoring

__all__ = ["NOBODY", "RELEVANCE", "load_relevance"]

NOBODY = "none"
"""The name of no judge at all: every candidate is kept, and none is said to be relevant."""

RELEVANCE = Registry(
    "relevance judge",
    {"rules": Entry("lrat_bench.lrat.relevance.rules:RulesRelevance", "English cues in the first sentences; offline")},
    group="lrat_bench.relevance",
)
"""What stands behind a name is called without arguments and returns a `RelevanceJudge`."""


def load_relevance(
    name: str, *, settings: Mapping[str, Any] | None = None, access: Access | None = None, cache: bool = True
) -> RelevanceJudge | None:
    """The judge of a name: a registered one, a preset of an LLM judge, a LiteLLM id, or `module:object`.

    Presets are those of the judges of answers (`score/judges/presets.yaml`): the paper's filter, too, is
    Qwen3-30B-A3B-Thinking-2507. The prompt is our own.

    Args:
        name: as typed; `none` is nobody.
        settings: `--set filter.key=value`: how a model is reached, and parameters of the judge.
        access: opens the model.
        cache: take a model's earlier opinions from the cache, and keep new ones there.

    Raises:
        UnknownName: there is no such judge.
        UsageError: it refuses its settings, cannot be loaded, or is served by the user and has no address.
    """
    if name in presets() or is_model_id(name):
        try:
            return _model_of(name, settings or {}, access or Access(), cache=cache)
        except UsageError as error:
            # The judges of answers, whose settings these are, speak of their own room.
            raise UsageError(str(error).replace("judge.", "filter.")) from None
    if settings:
        raise UsageError(f"--filter {name} takes no settings, got {', '.join(f'filter.{key}' for key in settings)}")
    if name == NOBODY:
        return None
    if name in RELEVANCE:
        return _made(name, RELEVANCE.load(name))
    if ":" in name:
        return _made(name, load_object(name))
    raise UnknownName(
        "relevance judge",
        name,
        [*RELEVANCE, NOBODY, *presets()],
        hint="A model of LiteLLM is given with its provider (openai/gpt-4.1), a judge of your own as module:object.",
    )


def _model_of(name: str, settings: Mapping[str, Any], reach: Access, *, cache: bool) -> LlmRelevance:
    connection, parameters = Connection.split(settings, room="judge")
    scoring = Scoring(judge=name, parameters=parameters)
    # The judge of answers checks settings and address; its model is asked another question here.
    opened = load_judge(scoring, open_model=lambda spec: reach.open(spec, connection), offline=reach.offline)
    assert isinstance(opened, LlmJudge)
    # A tape holds every call; an opinion from the cache would leave a gap in it.
    kept = RelevanceCache(cache_folder()) if cache and reach.cassette is None else None
    return LlmRelevance(preset_of(scoring), opened.model, kept)


def _made(name: str, factory: Any) -> RelevanceJudge:
    with foreign(f"relevance judge {name!r} cannot be made"):
        judge = factory()
    if not isinstance(judge, RelevanceJudge):
        raise UsageError(
            f"{name!r} made {type(judge).__name__!r}, which is no relevance judge: "
            "it needs name, fingerprint, judge(query, docid, reasoning) and close()"
        )
    return judge

"""A relevance judge on trial: asked about one plain case, before what it is to judge is paid for."""

from __future__ import annotations

import logging

from lrat_bench.errors import UsageError
from lrat_bench.lrat.relevance.base import RelevanceJudge
from lrat_bench.lrat.relevance.llm import LlmRelevance
from lrat_bench.model.access import Access, remote
from lrat_bench.runs.canary import Canary

__all__ = ["try_relevance"]

_log = logging.getLogger("lrat_bench.lrat")

_QUERY = "where is the Eiffel Tower"
_REASONING = (
    "The document says that the Eiffel Tower stands in Paris. That is just what I was looking for: Paris it is."
)


async def try_relevance(judge: RelevanceJudge | None, access: Access) -> None:
    """Ask a judge that is a model behind a network once; any other, and one that a cassette plays, is left alone.

    Args:
        judge: of relevance; None is nobody.
        access: how its model is reached, and under which cap.

    Raises:
        UsageError: the endpoint refuses requests, or states no opinion.
        RunIncomplete: it cannot be reached.
    """
    if access.replays or not isinstance(judge, LlmRelevance) or (model := remote(judge.model)) is None:
        return
    canary = Canary("relevance judge", model)
    async with canary.trial() as trial:
        said = await LlmRelevance(judge.preset, access.budget.wrap(trial)).judge(_QUERY, "1", _REASONING)
    if said.outcome == "undecided":
        raise UsageError(
            f"relevance judge {canary.name} states no opinion on a plain case ({said.error}): check its output limit "
            "(--set filter.max_tokens=…), and that its reasoning is separated from its reply"
        )
    if said.outcome == "irrelevant":
        _log.warning("relevance judge %s calls a plain answer irrelevant: check it before you trust it", canary.name)

"""The order in which a result list is shown."""

from __future__ import annotations

import random
from collections.abc import Sequence

from lrat_bench.files import fingerprint
from lrat_bench.task.protocol import Rollout
from lrat_bench.trajectory import Hit

__all__ = ["as_shown"]


def as_shown(hits: Sequence[Hit], rollout: Rollout, *, question_id: str, query: str) -> tuple[Hit, ...]:
    """The hits of one list in the order that the protocol says.

    Shuffled lists tell the pull of a document's place from the pull of its rank ("Learning to Retrieve from Agent
    Trajectories", Fig. 6): a hit keeps the rank that the retriever gave it, and has the place that it is shown at. The
    order is a function of question and query alone, so that the same call shows the same list.
    """
    if rollout.order == "ranked":
        return tuple(hits)
    shuffled = list(hits)
    random.Random(fingerprint([question_id, query])).shuffle(shuffled)  # noqa: S311 -- no secret
    return tuple(shuffled)

"""An offline agent brain made of rules, for runs without a key."""

from lrat_bench.model.heuristic.model import Heuristic
from lrat_bench.model.heuristic.plan import Settings

__all__ = ["Heuristic", "Settings"]

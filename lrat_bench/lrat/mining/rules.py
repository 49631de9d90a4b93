"""The rule sets by name."""

from __future__ import annotations

from types import MappingProxyType

from lrat_bench.errors import UnknownName
from lrat_bench.lrat.mining.attributed import Attributed
from lrat_bench.lrat.mining.candidate import RuleSet
from lrat_bench.lrat.mining.lrat_code import LratCode
from lrat_bench.lrat.mining.paper import Paper

__all__ = ["RULES", "load_rule"]

RULES = MappingProxyType({rule.name: rule for rule in (Attributed, Paper, LratCode)})
"""The default first."""


def load_rule(name: str) -> RuleSet:
    """The rule set of a name.

    Raises:
        UnknownName: there is none.
    """
    for known, rule in RULES.items():
        if known == name:
            return rule()
    raise UnknownName("rule set", name, RULES)

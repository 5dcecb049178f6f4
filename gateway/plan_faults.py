"""What is wrong with plans, as a fault with its words and as the one error that tells all of them."""

from collections.abc import Sequence
from typing import Final

from contracts.action_plan import PlanFault
from contracts.errors import Refused
from contracts.plan_rules import RULES, rule_of

MOST_TOLD: Final = 200


def fault(place: str, name: str, kind: str) -> PlanFault:
    """A fault by its rule, or by the type of the error that the value's own check has found."""
    rule = rule_of(kind)
    return PlanFault(place=place, field=name, rule=rule, text=RULES[rule])


def not_registered(faults: Sequence[PlanFault], total: int) -> Refused:
    """The error that names the faults, each by the place where it stands and its rule."""
    told = faults[:MOST_TOLD]
    more = f"\n  ... +{len(faults) - MOST_TOLD}" if len(faults) > MOST_TOLD else ""
    rows = "".join(f"\n  {each.place}: {each.field}: {each.rule}" for each in told) + more
    return Refused("plans-not-registered", total=total, faults=len(faults), rows=rows)

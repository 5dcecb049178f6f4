"""Registered action plans as evaluations take them: by the groups of offences that they are against.

A plan is judged on its own groups. What cannot be judged is said: arrests, which follow enforcement, and a target that
is a count of cases, for an evaluation tells changes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from contracts.action_plan import ActionPlan
from contracts.analysis import Statement
from contracts.dataset import Text
from forecasting.enforcement import VICTIMISATION
from forecasting.interventions.plans import Plan

PERCENT: Final = 100
ENFORCEMENT: Final = "enforcement"
NO_TARGET: Final = "target-not-judged"


@dataclass(frozen=True, slots=True)
class JudgedPlan:
    """A plan, and how far it can be judged.

    Attributes:
        plan: As evaluations know it.
        groups: The offence groups that it is judged on, sorted; none if it is against arrests alone.
        unjudged: Flags of what of it is not judged.
    """

    plan: Plan
    groups: tuple[str, ...]
    unjudged: tuple[str, ...] = ()


def judged(plans: Iterable[ActionPlan]) -> tuple[JudgedPlan, ...]:
    """Plans with what of them can be judged."""
    return tuple(_judged(each) for each in plans)


def by_groups(plans: Sequence[JudgedPlan]) -> Mapping[tuple[str, ...], tuple[JudgedPlan, ...]]:
    """The plans against the same groups together; those against arrests alone are in none."""
    found = sorted({each.groups for each in plans if each.groups})
    return {groups: tuple(each for each in plans if each.groups == groups) for groups in found}


def not_judged(plans: Sequence[JudgedPlan]) -> tuple[Statement, ...]:
    """What of these plans is not judged, in words."""
    found = []
    for flag, (thai, english) in _WORDS.items():
        names = ", ".join(each.plan.id for each in plans if flag in each.unjudged)
        if names:
            found.append(Statement(text=Text(th=thai.format(names), en=english.format(names)), flags=(flag,)))
    return tuple(found)


_WORDS: Final = {
    NO_TARGET: (
        "ไม่ตัดสินว่าแผนต่อไปนี้บรรลุเป้าหมายหรือไม่ เพราะเป้าหมายเป็นจำนวนคดี ไม่ใช่การเปลี่ยนแปลงที่ประเมินได้: {}",
        "Whether these plans reached their targets is not judged: a count of cases is no change to be told. {}",
    ),
    ENFORCEMENT: (
        "ไม่ประเมินส่วนของแผนต่อไปนี้ที่มุ่งต่อกลุ่มฐานความผิดซึ่งนับการจับกุม เพราะการจับกุมเปลี่ยนตามการบังคับใช้กฎหมาย: {}",
        "What these plans do about the group that counts arrests is not evaluated: arrests follow enforcement. {}",
    ),
}


def _judged(plan: ActionPlan) -> JudgedPlan:
    share = None if plan.target.percent is None else plan.target.percent / PERCENT
    target = share if share is not None and abs(share) < 1 else None
    groups = tuple(sorted(set(plan.offence_groups) & set(VICTIMISATION)))
    unjudged = {
        NO_TARGET: target is None and bool(groups),
        ENFORCEMENT: not set(plan.offence_groups) <= set(VICTIMISATION),
    }
    made = Plan(plan.id, plan.province, plan.start, plan.end + timedelta(days=1), target)
    return JudgedPlan(made, groups, tuple(flag for flag, applies in unjudged.items() if applies))

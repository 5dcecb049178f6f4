"""What is evaluated: plans of provinces with a start, and the phases of the Smart Safety Zones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from contracts.errors import InvalidInput

PILOTS_START = date(2021, 9, 21)
"""Smart Safety Zone 4.0 opened with 15 pilot stations on 21 September 2564 (2021)."""

SECOND_PHASE_STARTS = date(2022, 7, 1)
"""One area in each further province; its first evaluations are of July 2565 (2022)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One measure in one area.

    Attributes:
        id: Its name in the register.
        province: The code of its area: a province, or a pilot station.
        start: Its first day.
        end: The first day on which it is over; none if it has no end.
        target: What it is meant to do to the number of cases, as a share: -0.10 for 10 % fewer; none without a figure.
    """

    id: str
    province: str
    start: date
    end: date | None = None
    target: float | None = None

    def __post_init__(self) -> None:
        """Raises ``InvalidInput`` ``plan-unusable`` for an end before its start, and for a target of -100 % or less."""
        if self.end is not None and self.end <= self.start:
            raise InvalidInput("plan-unusable", plan=self.id, why="it ends before it starts")
        if self.target is not None and not -1.0 < self.target < 1.0:
            raise InvalidInput("plan-unusable", plan=self.id, why="its target is not a change between -100 % and 100 %")


def first_whole_month(day: date) -> pd.Period:
    """The month of the first of a month, else the month after: a month that was treated in part tells neither."""
    month = pd.Period(day, freq="M")
    return month if day.day == 1 else month + 1


def starts_of(plans: Sequence[Plan], months: pd.PeriodIndex) -> dict[str, int]:
    """For each area the column of its first treated month, before, among or after these. Of several plans the first.

    Raises:
        InvalidInput: ``plan-unusable`` without plans.
    """
    if not plans:
        raise InvalidInput("plan-unusable", plan="-", why="there is no plan")
    found: dict[str, int] = {}
    for plan in sorted(plans, key=lambda each: each.start):
        found.setdefault(plan.province, (first_whole_month(plan.start) - months[0]).n)
    return found


def overlapping(plans: Sequence[Plan]) -> tuple[str, ...]:
    """Areas with more than one plan, whose effects cannot be told apart."""
    areas = [plan.province for plan in plans]
    return tuple(sorted({area for area in areas if areas.count(area) > 1}))


def second_phase(provinces: Sequence[str], starts: Mapping[str, date] | None = None) -> tuple[Plan, ...]:
    """Plans of the second phase: the province of each area, from July 2022 unless its own start is known."""
    known = starts or {}
    return tuple(Plan(f"ssz-2-{each}", each, known.get(each, SECOND_PHASE_STARTS)) for each in provinces)

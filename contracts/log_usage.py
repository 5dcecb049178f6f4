"""What everybody may see of the log's use: by month, by pair of agencies and by purpose, late and coarse.

A number below ten is only said to be below ten, and any other is rounded down to tens, so that nobody can tell from two
looks what one question was. A month is told when it is over.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple

from contracts.log_use import Asked, Outcome
from contracts.values import Value

BANGKOK: Final = timezone(timedelta(hours=7))
STEP: Final = 10

Coarse = int | None
"""A number rounded down to tens; none when it is below ten."""


class Reason(Value):
    """How often a rule said no."""

    code: str
    times: Coarse


class UsageLine(Value):
    """What one agency asked another in one month for one purpose; a question to several agencies counts for each."""

    month: str
    requester: str
    agency: str
    purpose: str
    requests: Coarse
    released: Coarse
    repeated: Coarse
    refused: Coarse
    reasons: tuple[Reason, ...]


class Usage(Value):
    """The use of the exchange until the end of a month, and the checkpoint of the log that it was counted from."""

    until: str
    """The first month that is not told, ``2026-01``."""

    lines: tuple[UsageLine, ...]
    log_size: int
    checkpoint: str


class _Place(NamedTuple):
    month: str
    requester: str
    agency: str
    purpose: str


def month_of(at: datetime) -> str:
    """The month in Thailand."""
    return f"{at.astimezone(BANGKOK):%Y-%m}"


def coarse(count: int) -> Coarse:
    """A number as everybody may see it."""
    return None if count < STEP else count // STEP * STEP


def usage_lines(requests: Iterable[Asked], until: str) -> tuple[UsageLine, ...]:
    """The lines of all months before ``until``, newest month first.

    Args:
        requests: Every request of the log.
        until: The first month that is not told.
    """
    counts: dict[_Place, Counter[str]] = {}
    reasons: dict[_Place, Counter[str]] = {}
    for each in requests:
        month = month_of(each.at)
        if month >= until:
            continue
        for agency in each.agencies or ("",):
            place = _Place(month, each.requester, agency, each.purpose)
            counts.setdefault(place, Counter()).update(("requests", each.outcome.value))
            reasons.setdefault(place, Counter()).update(each.reasons)
    ordered = sorted(sorted(counts), key=lambda place: place.month, reverse=True)
    return tuple(_line(place, counts[place], reasons[place]) for place in ordered)


def _line(place: _Place, counts: Counter[str], reasons: Counter[str]) -> UsageLine:
    return UsageLine(
        month=place.month,
        requester=place.requester,
        agency=place.agency,
        purpose=place.purpose,
        requests=coarse(counts["requests"]),
        released=coarse(counts[Outcome.RELEASED.value]),
        repeated=coarse(counts[Outcome.REPEATED.value]),
        refused=coarse(counts[Outcome.REFUSED.value]),
        reasons=tuple(Reason(code=code, times=coarse(reasons[code])) for code in sorted(reasons)),
    )

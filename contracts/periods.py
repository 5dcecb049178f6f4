"""Months, half-open periods and the Thai fiscal year, the window that a privacy budget belongs to."""

from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from contracts.errors import InvalidInput
from contracts.values import Value

BUDDHIST_ERA = 543
FISCAL_YEAR_STARTS_IN = 10
DECEMBER = 12
DAYS_IN_WEEK = 7
EARLIEST, LATEST = date(1900, 1, 1), date(2056, 10, 1)
"""What a period may span: the fiscal years that ``Window`` can name, so no calendar arithmetic leaves its range."""

Window = Annotated[str, StringConstraints(pattern=r"^FY2[45]\d\d$")]
"""A Thai fiscal year, named by the Buddhist year in which it ends: FY2569 ends 30 September 2026."""


BUDDHIST_FROM: Final = 2400
"""A year from here on is no year of the Common Era that anybody asks about: it is taken for a Buddhist one."""


def check_common_era(day: date) -> None:
    """Check that a day which a person gave is not written in the Buddhist era.

    Raises:
        InvalidInput: ``year-of-buddhist-era``, with the year that would be meant.
    """
    if day.year >= BUDDHIST_FROM:
        raise InvalidInput("year-of-buddhist-era", year=day.year, meant=day.year - BUDDHIST_ERA)


class Period(Value):
    """A half-open span of Bangkok days: ``from`` is inside, ``until`` is not."""

    start: date = Field(alias="from")
    until: date

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if self.start >= self.until:
            raise ValueError("a period ends after it begins")
        if self.start < EARLIEST or self.until > LATEST:
            raise ValueError(f"a period lies between {EARLIEST} and {LATEST}")
        return self

    @property
    def is_whole_months(self) -> bool:
        """Whether both ends are the first day of a month."""
        return self.start.day == 1 and self.until.day == 1

    def months(self) -> tuple[str, ...]:
        """Every calendar month that the period touches, oldest first, as ``YYYY-MM``."""
        return _months(self.start, self.until)

    def weeks(self) -> tuple[str, ...]:
        """Every ISO week that the period touches, oldest first, as ``YYYY-Www``; the first and last may be cut."""
        first = self.start - timedelta(days=self.start.weekday())
        days = range(0, (self.until - first).days, DAYS_IN_WEEK)
        return tuple(f"{iso.year}-W{iso.week:02d}" for iso in ((first + timedelta(days=n)).isocalendar() for n in days))

    def windows(self) -> tuple[str, ...]:
        """Every fiscal year that the period touches, oldest first; each is charged."""
        return _windows(self.start, self.until)


@lru_cache(maxsize=256)
def _months(start: date, until: date) -> tuple[str, ...]:
    months, month = [], start.replace(day=1)
    while month < until:
        months.append(f"{month:%Y-%m}")
        month = next_month(month)
    return tuple(months)


@lru_cache(maxsize=256)
def _windows(start: date, until: date) -> tuple[str, ...]:
    return tuple(dict.fromkeys(window_of(date.fromisoformat(f"{month}-01")) for month in _months(start, until)))


def next_month(day: date) -> date:
    """The first day of the month after ``day``'s."""
    if day.month == DECEMBER:
        return date(day.year + 1, 1, 1)
    return date(day.year, day.month + 1, 1)


def window_of(day: date) -> str:
    """The fiscal year of a Bangkok day: 1 October to 30 September, named by its end in the Buddhist era."""
    ends_in = day.year + 1 if day.month >= FISCAL_YEAR_STARTS_IN else day.year
    return f"FY{ends_in + BUDDHIST_ERA}"

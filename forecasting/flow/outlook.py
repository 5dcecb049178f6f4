"""One stage, or one part of it: what is open, what will be, and how long entries stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.flow.backlog import Inflow, Level, Stock, levels, stock_of
from forecasting.flow.cohorts import MONTHS, Snapshot, month_of
from forecasting.flow.completion import FEWEST, TAIL_OPEN, Curve, fitted, looks_of
from forecasting.flow.inflow import Entries, numbers_of
from forecasting.flow.ratios import BELOW_NOISE, SUREST, half_widths
from forecasting.flow.stages import Stage

QUARTER = 3
QUARTERS = 4

TOO_FEW_COHORTS = "too-few-cohorts"
STOCK_BELOW_ZERO = "stock-below-zero"
TAIL_EXTRAPOLATED = "tail-extrapolated"
ENTRIES_UNKNOWN = "entries-unknown"
RELEASES_OLD = "releases-old"
AGED_FORWARD = "aged-forward"


@dataclass(frozen=True, slots=True)
class Part:
    """What is looked at: a stage, or the entries of it under one code of a second axis."""

    stage: Stage
    axis: str = ""
    code: str = ""

    @property
    def where(self) -> Mapping[str, Sequence[str]]:
        """The filter of the part."""
        return {self.axis: (self.code,)} if self.axis else {}


@dataclass(frozen=True, eq=False)
class Outlook:
    """What is known of a part.

    Attributes:
        part: The part.
        first: The first month of entry that is counted, ``YYYY-MM``: who entered before is not seen.
        last: The last month of entry whose state was released.
        as_of: When the newest snapshot was made, in months since the year 0.
        now: What was open then: released figures added up, where all were told on that day; else cohorts told earlier
            are aged by the curve. None if they are and there is no curve or some entries are not known.
        curve: How long entries stay open; None if too few cohorts tell.
        entries: Entries by month, released and forecast; None if no release tells them.
        levels: What is open at each instant asked; empty without a forecast, and ``flags`` say why.
        flags: Codes of what a reader must know.
        releases: The releases that it came from.
    """

    part: Part
    first: str
    last: str
    as_of: float
    now: Level | None
    curve: Curve | None
    entries: Entries | None
    levels: tuple[Level, ...]
    flags: tuple[str, ...]
    releases: tuple[str, ...]


def quarter_ends(as_of: float, number: int = QUARTERS) -> tuple[float, ...]:
    """The ends of the calendar quarters after an instant, which are those of the Thai fiscal year too."""
    first = (int(as_of) // QUARTER + 1) * QUARTER
    return tuple(float(first + QUARTER * each) for each in range(number))


def month_ends(as_of: float, number: int = MONTHS) -> tuple[float, ...]:
    """The ends of the months after an instant."""
    return tuple(float(int(as_of) + 1 + each) for each in range(number))


def outlook(
    part: Part,
    told: Sequence[Snapshot],
    entries: Entries | None,
    instants: Sequence[float],
    level: int,
    rng: np.random.Generator,
) -> Outlook:
    """What releases tell of a part, and what will be open.

    Args:
        part: The part.
        told: Its snapshots, at least one, the oldest first.
        entries: Its entries by month; None if no release tells them.
        instants: When, in months since the year 0, none before the newest snapshot.
        level: Of the intervals, in per cent.
        rng: Where the draws come from.
    """
    stock, as_of = stock_of(told), told[-1].as_of
    curve, flags = _curve(told)
    inflow = _inflow(stock, entries, instants)
    flags = (*flags, *_about_entries(stock, entries, inflow, as_of))
    found: tuple[Level, ...] = ()
    if curve is not None and inflow is not None:
        found = levels(stock, curve, inflow, (as_of, *instants), level, rng)
    now = _counted(stock, as_of, level) if stock.is_of_one_day(as_of) else next(iter(found), None)
    if not stock.is_of_one_day(as_of):
        flags = (*flags, AGED_FORWARD)
    below = _below(stock, now)
    return Outlook(
        part=part,
        first=month_of(int(stock.months[0])),
        last=month_of(int(stock.months[-1])),
        as_of=as_of,
        now=now,
        curve=curve,
        entries=entries,
        levels=() if STOCK_BELOW_ZERO in below else found[1:],
        flags=tuple(dict.fromkeys((*flags, *below))),
        releases=tuple(each.release for each in told),
    )


def _counted(stock: Stock, as_of: float, level: int) -> Level:
    """What releases counted, with the noise alone."""
    counted = stock.counted
    half, mean = half_widths(level) * counted.sigma, max(counted.estimate, 0.0)
    low, high = max(counted.estimate - half, 0.0), max(counted.estimate + half, 0.0)
    return Level(as_of, mean, low, high, counted.estimate)


def _below(stock: Stock, now: Level | None) -> tuple[str, ...]:
    """Whether the noise leaves hardly anything open, or less than nothing."""
    signed = stock.counted.estimate if now is None else now.signed
    if signed < 0:
        return (STOCK_BELOW_ZERO,)
    return (BELOW_NOISE,) if signed < SUREST * stock.counted.sigma else ()


def _curve(told: Sequence[Snapshot]) -> tuple[Curve | None, tuple[str, ...]]:
    looks = looks_of(told)
    if looks.seen < FEWEST:
        return None, (TOO_FEW_COHORTS,)
    curve = fitted(looks)
    is_tail = float(curve.open_at(np.array([curve.oldest]))[0]) > TAIL_OPEN
    return curve, (TAIL_EXTRAPOLATED,) if is_tail else ()


def _inflow(stock: Stock, entries: Entries | None, instants: Sequence[float]) -> Inflow | None:
    """All months of entry after those of the stock until the last instant; None if one of them is not known."""
    wanted = np.arange(stock.months[-1] + 1, np.ceil(max(instants)))
    if entries is not None and entries.has_ended:
        return Inflow(wanted, np.zeros(len(wanted)), np.zeros(len(wanted)))
    if entries is None or entries.ahead is None:
        return None
    released = numbers_of(entries.months)
    known = (released > stock.months[-1]) & np.isfinite(entries.figures)
    months = np.concatenate([released[known], numbers_of(entries.ahead.months)])[: len(wanted)]
    if not np.array_equal(months, wanted):
        return None
    figures = np.maximum(entries.figures[known], 0.0)
    mean = np.concatenate([figures, entries.ahead.mean])
    variance = np.concatenate([figures + entries.noise, entries.ahead.variance])
    return Inflow(wanted, mean[: len(wanted)], variance[: len(wanted)])


def _about_entries(stock: Stock, entries: Entries | None, inflow: Inflow | None, as_of: float) -> tuple[str, ...]:
    flags = entries.flags if entries is not None else ()
    if inflow is None:
        flags = (*flags, ENTRIES_UNKNOWN)
    if as_of - stock.months[-1] > MONTHS // 2 + 1:
        flags = (*flags, RELEASES_OLD)
    return flags

"""The holidays: how many cases the months or weeks that hold them have, against those around them without one.

For every time that a holiday came: cases a day of what holds it, over the mean of the cases a day just before and just
after. Areas are pooled with random effects within that time; the differences between the times are the error, for a
holiday that fell on a rainy weekend did so in every area at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from contracts.errors import InvalidInput
from forecasting.interventions.design import SMALLEST, SUREST, log_ratios
from forecasting.interventions.effects import Estimate, estimate_of, students
from forecasting.interventions.regression import FIRST_SPREAD, ROUNDS, Truths
from forecasting.panel import Floats

NEW_YEAR, SONGKRAN = "new_year", "songkran"
FIRST_DAYS: Mapping[str, tuple[int, int]] = {NEW_YEAR: (12, 29), SONGKRAN: (4, 11)}
DAYS = 7
"""The seven days of the road-safety campaigns; in a year of its own they may begin a day or two earlier."""

FEWEST_TIMES = 3
AROUND = {"month": 2, "week": 4}
"""Periods on each side that a holiday is compared with."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Counts of areas over consecutive periods.

    Attributes:
        areas: Their codes.
        figures: Signed counts, areas x periods.
        noise: Variance of the noise in a period of each area.
        starts: The first day of each period.
        days: The days of each.
        grain: ``month`` or ``week``.
    """

    areas: tuple[str, ...]
    figures: Floats
    noise: Floats
    starts: tuple[date, ...]
    days: Floats
    grain: str


@dataclass(frozen=True, slots=True)
class Block:
    """Periods that are compared with those before and after them: places in a timeline."""

    held: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Times:
    """Several blocks: each array blocks x areas, or runs x blocks x areas. See ``design.Comparison``."""

    observed: Floats
    expected: Floats
    variance: Floats
    noise: Floats

    @property
    def ratios(self) -> Floats:
        """Logarithms of observed over expected."""
        return log_ratios(self.observed, self.expected, self.variance, self.noise)


@dataclass(frozen=True, slots=True)
class Pooled:
    """What blocks show together, on the logarithmic scale: for each run, and for each run and area.

    ``middle`` and ``half`` are the effect and the half-width of its interval; ``place`` and ``place_half`` what an area
    differs from all areas, runs x areas.
    """

    middle: Floats
    half: Floats
    place: Floats
    place_half: Floats


@dataclass(frozen=True, slots=True)
class Place:
    """One area: its effect, and how it differs from all areas with the interval of that difference, as shares."""

    area: str
    share: float
    versus: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class HolidayEffect:
    """What a holiday shows: ``effect.areas`` are the areas pooled; ``times`` how often it came, by first day."""

    name: str
    effect: Estimate
    times: tuple[date, ...]
    places: tuple[Place, ...]
    left_out: tuple[str, ...]


def holiday_blocks(line: Timeline, name: str) -> tuple[tuple[date, Block], ...]:
    """Every time that a holiday came with enough periods on both sides: its first day, and what is compared.

    Raises:
        InvalidInput: ``plan-unusable`` for fewer than three times.
    """
    found = []
    for year in range(line.starts[0].year - 1, line.starts[-1].year + 1):
        first = date(year, *FIRST_DAYS[name])
        held = _held(line, first)
        block = block_of(line, held) if held else None
        if block is not None:
            found.append((first, block))
    if len(found) < FEWEST_TIMES:
        why = (
            f"{len(found)} of its years are released with the {line.grain}s around them, and {FEWEST_TIMES} are needed"
        )
        raise InvalidInput("plan-unusable", plan=name, why=why)
    return tuple(found)


def festive(line: Timeline) -> Truths:
    """Which periods hold a day of any holiday."""
    found = np.zeros(len(line.starts), dtype=bool)
    for name in FIRST_DAYS:
        for year in range(line.starts[0].year - 1, line.starts[-1].year + 2):
            found[_touched(line, date(year, *FIRST_DAYS[name]))] = True
    return found


def block_of(line: Timeline, held: tuple[int, ...]) -> Block | None:
    """A block around these periods; none where the data ends too soon. Periods that hold a holiday are passed over."""
    busy, wanted = festive(line), AROUND[line.grain]
    free = [number for number in range(len(line.starts)) if not busy[number]]
    # No further off than twice the width: beyond that it is another time of the year.
    before = tuple(number for number in free if held[0] - 2 * wanted <= number < held[0])[-wanted:]
    after = tuple(number for number in free if held[-1] < number <= held[-1] + 2 * wanted)[:wanted]
    if len(before) < wanted or len(after) < wanted:
        return None
    return Block(held, before, after)


def times_of(line: Timeline, blocks: Sequence[Block]) -> Times:
    """Observed and expected cases of each block."""
    return Times(*(np.stack(each) for each in zip(*(_time(line, block) for block in blocks), strict=True)))


def pooled(times: Times) -> Pooled:
    """The effect over all blocks of each run, its arrays with a first axis of runs.

    Raises:
        ValueError: For a single block.
    """
    ratios, number = times.ratios, times.observed.shape[1]
    if number < FEWEST_TIMES - 1:
        raise ValueError("a spread needs two blocks")
    weights = 1.0 / (times.variance + _spread(ratios, times.variance)[..., None])
    each = (weights * ratios).sum(axis=2) / weights.sum(axis=2)
    error = each.std(axis=1, ddof=1) / np.sqrt(number)
    areas = ratios.shape[2]
    differs = ratios - each[..., None]
    place = differs.mean(axis=1)
    freedom = max((number - 1) * (areas - 1), 1)
    left = ((differs - place[:, None, :]) ** 2).sum(axis=(1, 2)) / freedom
    between = np.maximum(left - times.variance.mean(axis=(1, 2)), 0.0)
    variance = times.variance.sum(axis=1) / number**2 + between[:, None] / number
    return Pooled(
        middle=each.mean(axis=1),
        half=students(np.full(len(error), number - 1.0)) * error,
        place=place,
        place_half=students(np.full(place.shape, float(freedom))) * np.sqrt(variance),
    )


def holiday_effect(line: Timeline, name: str) -> HolidayEffect:
    """The effect of one holiday.

    Raises:
        InvalidInput: ``plan-unusable``; ``treated-too-small`` when every area has too few cases.
    """
    found = holiday_blocks(line, name)
    kept = told_areas(line, [block for _, block in found])
    if not kept.any():
        raise InvalidInput("treated-too-small", areas=name)
    told = only(line, kept)
    times = times_of(told, [block for _, block in found])
    result = pooled(as_one_run(times))
    effect = estimate_of(float(result.middle[0]), float(result.half[0]), len(told.areas))
    return HolidayEffect(
        name=name,
        effect=effect,
        times=tuple(first for first, _ in found),
        places=_places(told.areas, result) if len(told.areas) > 1 else (),
        left_out=tuple(area for area, told_of in zip(line.areas, kept, strict=True) if not told_of),
    )


def month_effects(line: Timeline) -> Iterator[tuple[int, Estimate]]:
    """For each month of the year (1 to 12) that came three times or more: how it differs from those around it."""
    for month in range(1, 13):
        places = [number for number, first in enumerate(line.starts) if first.month == month]
        blocks = [block for number in places if (block := block_of(line, (number,))) is not None]
        if len(blocks) >= FEWEST_TIMES:
            kept = told_areas(line, blocks)
            if kept.any():
                found = pooled(as_one_run(times_of(only(line, kept), blocks)))
                yield month, estimate_of(float(found.middle[0]), float(found.half[0]), int(kept.sum()))


def told_areas(line: Timeline, blocks: Sequence[Block]) -> Truths:
    """Areas whose blocks can be told from noise, judged by the periods around them alone."""
    times = times_of(line, blocks)
    floor = np.maximum(SMALLEST, SUREST * np.sqrt(times.noise))
    return np.asarray((times.expected >= floor).all(axis=0))


def only(line: Timeline, kept: Truths) -> Timeline:
    """The timeline of some areas."""
    areas = tuple(area for area, told in zip(line.areas, kept, strict=True) if told)
    return Timeline(areas, line.figures[kept], line.noise[kept], line.starts, line.days, line.grain)


def as_one_run(times: Times) -> Times:
    """With an axis of one run before the others."""
    return Times(times.observed[None], times.expected[None], times.variance[None], times.noise[None])


def _places(areas: Sequence[str], found: Pooled) -> tuple[Place, ...]:
    return tuple(
        Place(
            area=area,
            share=float(np.expm1(found.middle[0] + versus)),
            versus=float(np.expm1(versus)),
            low=float(np.expm1(versus - half)),
            high=float(np.expm1(versus + half)),
        )
        for area, versus, half in zip(areas, found.place[0], found.place_half[0], strict=True)
    )


def _touched(line: Timeline, first: date) -> list[int]:
    """Periods that hold a day of the seven from this one on."""
    last = first + timedelta(days=DAYS - 1)
    return [
        number
        for number, (start, days) in enumerate(zip(line.starts, line.days, strict=True))
        if start <= last and first < start + timedelta(days=int(days))
    ]


def _held(line: Timeline, first: date) -> tuple[int, ...]:
    """The periods that hold the seven days; empty where not all days are inside the data."""
    end = line.starts[-1] + timedelta(days=int(line.days[-1]))
    whole = line.starts[0] <= first and first + timedelta(days=DAYS) <= end
    return tuple(_touched(line, first)) if whole else ()


def _time(line: Timeline, block: Block) -> tuple[Floats, Floats, Floats, Floats]:
    held, sides = list(block.held), (list(block.before), list(block.after))
    length = line.days[held].sum()
    expected, variance = np.zeros(len(line.areas)), np.zeros(len(line.areas))
    for side in sides:
        share, cases = length / line.days[side].sum() / 2.0, line.figures[:, side].sum(axis=1)
        expected += share * cases
        variance += share**2 * (np.maximum(cases, 0.0) + len(side) * line.noise)
    bounded, noise = np.maximum(expected, 1.0), len(held) * line.noise
    return (
        line.figures[:, held].sum(axis=1),
        bounded,
        (bounded + noise + variance) / bounded**2,
        noise,
    )


def _spread(ratios: Floats, variances: Floats) -> Floats:
    """The variance between areas of each run and block, by moments: 0 for a single area."""
    areas = ratios.shape[2]
    between = np.full(ratios.shape[:2], FIRST_SPREAD)
    if areas == 1:
        return np.zeros(ratios.shape[:2])
    for _ in range(ROUNDS):
        weights = 1.0 / (variances + between[..., None])
        mean = (weights * ratios).sum(axis=2, keepdims=True) / weights.sum(axis=2, keepdims=True)
        surplus = weights**2 * ((ratios - mean) ** 2 * areas / (areas - 1) - variances)
        between = np.maximum(surplus.sum(axis=2) / (weights**2).sum(axis=2), 0.0)
    return between

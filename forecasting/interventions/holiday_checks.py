"""What a holiday's estimate is worth: the same on stretches of the same series that hold no holiday.

Each run takes one such stretch from each year, pretends that a holiday was there, takes cases out at random, and looks
whether the interval holds that effect. Stretches differ by the season, so a run has seasons in its error as a holiday's
years have their own.
"""

from dataclasses import dataclass

import numpy as np

from forecasting.interventions.effects import Bounds
from forecasting.interventions.holidays import (
    FEWEST_TIMES,
    Block,
    Timeline,
    Times,
    block_of,
    festive,
    holiday_blocks,
    only,
    pooled,
    times_of,
    told_areas,
)
from forecasting.interventions.regression import Truths
from forecasting.interventions.simulation import EFFECTS, Check, check_of
from forecasting.panel import Floats

MONTHS, WEEKS = 12, 53


@dataclass(frozen=True, slots=True)
class HolidayChecked:
    """The checks of the effect on all areas, and of one area against all: each for every effect put in."""

    effect: tuple[Check, ...]
    place: tuple[Check, ...]
    runs: int


def check_holiday(line: Timeline, name: str, generator: np.random.Generator, runs: int) -> HolidayChecked:
    """Check one holiday's estimates; without runs where fewer than three years have a stretch to take.

    Raises:
        InvalidInput: ``plan-unusable``, as ``holiday_blocks``.
    """
    real = [block for _, block in holiday_blocks(line, name)]
    slots = [slot for slot in (_stretches(line, block) for block in real) if slot]
    told = only(line, told_areas(line, [*real, *(block for slot in slots for block in slot)]))
    if len(slots) < FEWEST_TIMES or not told.areas:
        return HolidayChecked((), (), 0)
    blocks = [block for slot in slots for block in slot]
    offsets = np.cumsum([0, *(len(slot) for slot in slots[:-1])])
    places = np.stack([generator.integers(len(slot), size=runs) for slot in slots], axis=1) + offsets
    every = times_of(told, blocks)
    times = Times(every.observed[places], every.expected[places], every.variance[places], every.noise[places])
    whole = np.ones((runs, 1, len(told.areas)), dtype=bool)
    one = np.zeros(whole.shape, dtype=bool)
    single = generator.integers(len(told.areas), size=runs)
    one[np.arange(runs), 0, single] = True
    effect, place = [], []
    for put in EFFECTS:
        found = pooled(_thinned(times, whole, -put, generator))
        effect.append(check_of(put, [Bounds(found.middle, found.half)]))
        if len(told.areas) > 1:
            alone = pooled(_thinned(times, one, -put, generator))
            rows = np.arange(runs)
            place.append(check_of(put, [Bounds(alone.place[rows, single], alone.place_half[rows, single])]))
    return HolidayChecked(tuple(effect), tuple(place), runs)


def _stretches(line: Timeline, block: Block) -> list[Block]:
    """Stretches of the same length without a holiday, within half a year of this block."""
    busy, width = festive(line), len(block.held)
    reach = (MONTHS if line.grain == "month" else WEEKS) // 2
    found = []
    for first in range(max(block.held[0] - reach, 0), min(block.held[0] + reach, len(line.starts) - width + 1)):
        held = tuple(range(first, first + width))
        if not busy[list(held)].any():
            made = block_of(line, held)
            found.extend([made] if made is not None else [])
    return found


def _thinned(times: Times, who: Truths, taken: float, generator: np.random.Generator) -> Times:
    cases = np.round(np.maximum(times.observed, 0.0)).astype(np.int64)
    missing = np.sqrt(times.noise * (1.0 - (1.0 - taken) ** 2))
    lost: Floats = generator.binomial(cases, taken) + generator.standard_normal(cases.shape) * missing
    return Times(times.observed - np.where(who, lost, 0.0), times.expected, times.variance, times.noise)

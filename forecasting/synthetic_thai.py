"""A made-up Thai set: provinces by offence and month, for runs where no real counts are at hand.

Only the sizes are Thai: the 77 provinces, their populations and police regions are public facts; every count is drawn.
The rate of a province and offence is a share of the mean, by population and by how common the offence is, times the
shape of the year, times a slow random walk of its own; the count is negative binomial around it. So a forecaster finds
what real counts have: uneven sizes, a season, drift, more variation than chance.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from contracts.code_lists import code_list, crosswalk
from forecasting.exact_trees import AREA, EVERYWHERE, OFFENCE, exact_tree
from forecasting.hierarchy import Hierarchy
from forecasting.panel import Floats

LEVELS = ("nation", "region", "province")
FIRST_MONTH = "2017-01"
UNTIL_YEAR = 12


@dataclass(frozen=True, slots=True)
class Made:
    """What is drawn.

    Attributes:
        provinces: 1 to 77, the first of the code list.
        offences: How many, 1 or more.
        months: From January 2017.
        mean: Cases of a leaf, offence and month, over all.
        dispersion: Variance = mean + dispersion x mean squared, around the rate.
        drift: Standard deviation of the monthly step of the logarithm of each rate.
        season: Largest height of the year's wave: 0.15 is 15 % above and below.
        stations: Police stations as leaves, spread evenly over the provinces; 0 for provinces as leaves.
    """

    provinces: int = 77
    offences: int = 15
    months: int = 96
    mean: float = 10.0
    dispersion: float = 0.02
    drift: float = 0.03
    season: float = 0.15
    stations: int = 0


def thai_set(generator: np.random.Generator, made: Made | None = None) -> Hierarchy:
    """Exact counts by nation, police region and province (and station), each by offence.

    Args:
        generator: Seeded by the caller; nothing here protects anybody.
        made: What is drawn; the 77 x 15 set by default.
    """
    options = made or Made()
    provinces = tuple(code_list("provinces").titles)[: options.provinces]
    regions = crosswalk("provinces", "police_commands")
    offences = [f"offence-{number + 1:02}" for number in range(options.offences)]
    months = pd.period_range(FIRST_MONTH, periods=options.months, freq="M")
    shares = _province_shares(provinces)
    home = _home(provinces, options.stations)
    if options.stations:
        shares = _station_shares(generator, provinces, home, shares)
    counts = _counts(generator, options, shares)
    index = pd.MultiIndex.from_product([list(home), offences], names=[AREA, OFFENCE])
    frame = pd.DataFrame(counts.reshape(len(index), options.months), index=index, columns=months)
    return exact_tree(frame, _coarser(home, regions, stations=options.stations > 0))


def _home(provinces: tuple[str, ...], stations: int) -> dict[str, str]:
    """The province of each leaf."""
    if not stations:
        return {province: province for province in provinces}
    numbers = np.array_split(np.arange(stations), len(provinces))
    return {f"{name}-{number + 1:04}": name for name, own in zip(provinces, numbers, strict=True) for number in own}


def _station_shares(
    generator: np.random.Generator, provinces: tuple[str, ...], home: Mapping[str, str], shares: Floats
) -> Floats:
    """Each province's share, drawn apart over its stations."""
    weights = generator.gamma(3.0, size=len(home))
    place = np.array([provinces.index(province) for province in home.values()])
    total = np.bincount(place, weights)
    return np.asarray(shares[place] * weights / total[place], dtype=np.float64)


def _coarser(home: Mapping[str, str], regions: Mapping[str, str], *, stations: bool) -> list[Mapping[str, str]]:
    above: list[Mapping[str, str]] = [
        dict.fromkeys(home, EVERYWHERE),
        {leaf: regions[province] for leaf, province in home.items()},
    ]
    return [*above, home] if stations else above


def _province_shares(provinces: tuple[str, ...]) -> Floats:
    people = code_list("provinces").facts["pop_2566"]
    found = np.array([float(people[province]) for province in provinces])
    return np.asarray(found / found.sum(), dtype=np.float64)


def _counts(generator: np.random.Generator, made: Made, shares: Floats) -> Floats:
    """Areas x offences x months: offences shrink by rank as in real lists, and each has its own season."""
    common = 1.0 / (1.0 + np.arange(made.offences))
    total = made.mean * len(shares) * made.offences
    rates = total * shares[:, None] * (common / common.sum())
    month = np.arange(made.months)
    peaks = generator.uniform(0.0, UNTIL_YEAR, made.offences)
    heights = generator.uniform(0.0, made.season, made.offences)
    wave = 1.0 + heights[:, None] * np.cos(2.0 * np.pi * (month - peaks[:, None]) / UNTIL_YEAR)
    steps = generator.normal(0.0, made.drift, (*rates.shape, made.months))
    walk = np.cumsum(steps, axis=-1)
    mean = rates[..., None] * wave * np.exp(walk - walk.mean(axis=-1, keepdims=True))
    size = 1.0 / made.dispersion
    return np.asarray(generator.negative_binomial(size, size / (size + mean)), dtype=np.float64)

"""A made country whose rates follow known factors, as real releases of real contracts and as bare cells."""

import numpy as np

from contracts.code_lists import code_list
from contracts.periods import Period
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.factors.estimation import Cells
from forecasting.factors.season import days_of
from forecasting.panel import Floats
from tests import factories
from tests.made_releases import bundled, made_release

RATIOS = (1.221, 1.162, 1.350)
"""The true rate ratios: of one step of a trait of areas, of a trait that moves, and of a yes-or-no."""

EPS_1_SIGMA = 4.53
"""The noise of one count when a month is released at epsilon 1 (one record, delta 1e-6)."""

LARGEST = 12.0


def made_cells(rng: np.random.Generator, areas: int = 77, periods: int = 36, sigma: float = EPS_1_SIGMA) -> Cells:
    """Overdispersed counts with an effect of each area, three factors of known ratios, and noise."""
    size = areas * periods
    numbers = np.repeat(np.arange(areas), periods)
    columns = np.column_stack(
        [
            np.ones(size),
            rng.normal(size=areas)[numbers],
            rng.normal(size=size),
            (rng.random(size) < 0.3).astype(np.float64),
        ]
    )
    offset = rng.normal(0.0, 0.5, areas)[numbers]
    rate = np.exp(2.5 + offset + columns[:, 1:] @ np.log(RATIOS) + rng.normal(0.0, 0.3, areas)[numbers])
    counts = rng.poisson(rate * rng.gamma(10.0, 0.1, size)) + rng.normal(0.0, 1.0, size) * sigma
    return Cells(
        figures=counts.astype(np.float64),
        columns=columns,
        offset=offset,
        noise=np.full(size, sigma**2),
        column_noise=np.zeros(columns.shape),
        areas=numbers,
        periods=np.tile(np.arange(periods), areas),
    )


def provinces() -> tuple[str, ...]:
    """Every province's code."""
    return tuple(code_list("provinces").titles)


def incomes(rng: np.random.Generator, months: int) -> Floats:
    """A series of provinces x months, as an index around 100."""
    return np.round(100.0 + 10.0 * rng.normal(size=(77, 1)) + 5.0 * rng.normal(size=(77, months)), 3)


def covariate_csv(series: Floats, months: tuple[str, ...], name: str = "income_index") -> str:
    """The file of a series."""
    rows = [
        f"{province},{month},{series[place, column]}"
        for place, province in enumerate(provinces())
        for column, month in enumerate(months)
    ]
    return "\n".join([f"province,month,{name}", *rows])


def cases_release(
    series: Floats, period: Period, ratio: float = 1.3, nano_rho: int = 2_000_000_000, group: str = "G2"
) -> ReleaseBody:
    """Cases of one group (property crime) by month and province, ``ratio`` times for each 10 points of a series.

    Every province has one case a day for 100,000 people where the series is 100.
    """
    asked = {
        "measures": ("count",),
        "dimensions": ("month", "province", "offence_group"),
        "where": {"offence_group": (group,)},
        "period": period,
    }
    moved = ratio ** ((series.T - 100.0) / 10.0)
    return _released("crimes_case", asked, one_a_day(period)[:, None] * people()[None, :] * moved, nano_rho)


def prison_release(period: Period, counts: Floats, nano_rho: int) -> ReleaseBody:
    """Released prisoners of the whole country by month."""
    asked = {"measures": ("count",), "dimensions": ("month",), "period": period}
    return _released("doc_release_cohort", asked, counts, nano_rho)


def one_a_day(period: Period) -> Floats:
    """The days of each month."""
    return days_of(period.months())


def people() -> Floats:
    """Registered people of each province, in 100,000."""
    return np.array([float(each) for each in code_list("provinces").facts["pop_2566"].values()]) / 100_000


def _released(dataset: str, asked: dict[str, object], counts: Floats, nano_rho: int) -> ReleaseBody:
    cells = [round(float(each)) for each in counts.ravel()]
    return made_release(bundled(dataset), Query.model_validate(asked), {"count": cells}, nano_rho)


def months_from_october(months: int = 24) -> Period:
    """Whole months from October 2023 on."""
    year, month = divmod(2023 * 12 + 9 + months, 12)
    return factories.period("2023-10-01", f"{year}-{month + 1:02d}-01")

"""Releases of the synthetic police data by month, province and group, with its planted jump, for tests of warnings."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import numpy as np

from connectors.synthetic.counts import Setting, draw_counts, expected, months_before
from connectors.synthetic.truths import truths_of
from contracts.periods import Period, next_month
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.panel import Floats
from tests.made_releases import bundled, made_release

CRIMES = bundled("crimes_case")
UNTIL = date(2026, 10, 1)
LENGTH = 60
MONTHS = tuple(f"{month:%Y-%m}" for month in months_before(UNTIL, LENGTH))
PLANTED = truths_of("crimes_case")[0]
SINCE = MONTHS[-PLANTED.months_before_end]
NANO_RHO = 100_000_000
GROUPS = ("G1", "G2", "G3", "G4")


@lru_cache(maxsize=4)
def exact(seed: int = 3, scale: float = 1.0) -> Floats:
    """Cases by month, province and group, nothing added."""
    setting = Setting("crimes_case", scale, months_before(UNTIL, LENGTH))
    counts = draw_counts(np.random.default_rng(seed), expected(setting))
    groups = np.array([GROUPS.index(name) for name in setting.categories.text["group"]])
    return np.stack([counts[:, :, groups == number].sum(axis=2) for number in range(len(GROUPS))], axis=2)


def month_release(until: str, counts: Floats | None = None, first: str = MONTHS[0]) -> ReleaseBody:
    """The release of all months from one to another, both told, through the real plan and noise."""
    given = exact() if counts is None else counts
    span = slice(MONTHS.index(first), MONTHS.index(until) + 1)
    period = Period.model_validate(
        {"from": date.fromisoformat(f"{first}-01"), "until": next_month(date.fromisoformat(f"{until}-01"))}
    )
    query = Query(measures=("count",), dimensions=("month", "province", "offence_group"), period=period)
    cells: Sequence[int] = [int(figure) for figure in given[span].ravel()]
    return made_release(CRIMES, query, {"count": cells}, NANO_RHO)

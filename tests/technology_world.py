"""Online crime of a made country as real releases: complaints, damage, holds, transfers, and cases in CRIMES."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from contracts.code_lists import code_list
from contracts.dataset import DatasetContract
from contracts.grid import grid_of
from contracts.periods import Period
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.technology.clamping import amounts
from tests import factories
from tests.made_releases import bundled, made_release

FIRM = 10**15
"""A price at which the noise is far below one case."""

SHARES = {"SHOP": 0.50, "JOB": 0.14, "LOAN": 0.10, "INVEST": 0.08, "PHONE": 0.07, "BORROW": 0.04, "REWARD": 0.04}
CAUGHT = 0.15
A_MONTH = 28_000


@cache
def contract(dataset: str) -> DatasetContract:
    """A dataset contract that comes with the program, read once."""
    return bundled(dataset)


def types() -> tuple[str, ...]:
    """Every type's code."""
    return tuple(code_list("tech_case_types").titles)


def span(months: int, start: int = 2023 * 12 + 9) -> Period:
    """Whole months from October 2023 on."""
    first, last = (divmod(month, 12) for month in (start, start + months))
    return factories.period(f"{first[0]}-{first[1] + 1:02d}-01", f"{last[0]}-{last[1] + 1:02d}-01")


def released(dataset: str, asked: Mapping[str, object], figures: Mapping[str, list[int]], rho: int) -> ReleaseBody:
    """A release of exact figures."""
    return made_release(contract(dataset), Query.model_validate(dict(asked)), figures, rho)


@cache
def complaints(period: Period, rho: int = FIRM, measures: tuple[str, ...] = ("count", "damage_thb:sum")) -> ReleaseBody:
    """Complaints and clamped damage by type and month: the same shares in every month, with a small season."""
    asked = {"measures": measures, "dimensions": ("case_type", "month"), "period": period}
    laws = amounts()
    counts, damage = [], []
    keys = grid_of(Query.model_validate(asked), contract("tpo_complaint")).keys()
    for code, month in keys:
        season = 1.0 + 0.1 * np.sin(2 * np.pi * int(month[5:]) / 12)
        counts.append(round(A_MONTH * SHARES.get(code, 0.004) * season))
        damage.append(round(counts[-1] * laws[code].mean * laws[code].kept))
    figures = {"count": counts, "damage_thb:sum": damage}
    return released("tpo_complaint", asked, {name: figures[name] for name in measures}, rho)


@cache
def holds(period: Period, rho: int = FIRM) -> ReleaseBody:
    """Baht asked for and baht caught, of which 15 in 100, by type and month."""
    asked = {
        "measures": ("frozen_thb:sum", "requested_thb:sum"),
        "dimensions": ("case_type", "month"),
        "period": period,
    }
    size = grid_of(Query.model_validate(asked), contract("tpo_hold")).size
    figures = {"frozen_thb:sum": [round(1e8 * CAUGHT)] * size, "requested_thb:sum": [100_000_000] * size}
    return released("tpo_hold", asked, figures, rho)


@cache
def transfers(period: Period) -> ReleaseBody:
    """Transfers and amounts by hop and way out."""
    asked = {"measures": ("count", "amount_thb:sum"), "dimensions": ("hop", "exit"), "period": period}
    size = grid_of(Query.model_validate(asked), contract("tpo_mule")).size
    return released("tpo_mule", asked, {"count": [100] * size, "amount_thb:sum": [1_000_000] * size}, FIRM)


def account_holders(period: Period, extra: tuple[str, ...] = (), rho: int = FIRM) -> ReleaseBody:
    """Distinct holders by province: one more in each next one of the code list."""
    asked = {"measures": ("people",), "dimensions": ("province", *extra), "period": period}
    grid = grid_of(Query.model_validate(asked), contract("tpo_mule"))
    places = {code: place for place, code in enumerate(code_list("provinces").titles)}
    keys = grid.keys()
    return released("tpo_mule", asked, {"people": [1000 + 10 * places[province] for province, *_ in keys]}, rho)


@cache
def cases(period: Period) -> ReleaseBody:
    """Computer-related fraud in CRIMES: 500 cases a month."""
    asked = {
        "measures": ("count",),
        "dimensions": ("month", "offence"),
        "where": {"offence": ("COMP_FRAUD",)},
        "period": period,
    }
    return released("crimes_case", asked, {"count": [500] * len(period.months())}, FIRM)

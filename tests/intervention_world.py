"""Areas whose counts are drawn, with effects that are planted, as panels and as real releases."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from contracts.analysis import Report
from contracts.canonical import digest_of
from contracts.code_lists import code_list
from contracts.periods import Period
from contracts.query import Query
from contracts.release import Release, ReleaseBody
from forecasting.interventions.evaluation import Setting
from forecasting.interventions.plans import PILOTS_START, Plan, first_whole_month
from forecasting.panel import Floats, Panel
from tests import factories
from tests.made_releases import bundled, made_release

GROUPS = ("G1", "G2", "G3")
START = "2018-10"
STATIONS = tuple(code_list("ssz_stations").titles)
PROVINCES = tuple(code_list("provinces").titles)
INSIDE = code_list("ssz_stations").facts["provinces"]
ZONE_PERIOD = factories.period("2019-10-01", "2022-10-01")


def rates(rng: np.random.Generator, areas: int = 60, months: int = 60, size: float = 120.0) -> Floats:
    """Uneven areas with trends of their own, drift, and a shared season: areas x months."""
    level = np.log(size) + 0.6 * rng.standard_normal((areas, 1))
    trend = 0.05 * rng.standard_normal((areas, 1)) * (np.arange(months) - months / 2) / 12
    drift = np.cumsum(0.02 * rng.standard_normal((areas, months)), axis=1)
    wave = 0.1 * np.sin(2 * np.pi * np.arange(months) / 12)
    return np.asarray(np.exp(level + trend + drift + wave), dtype=np.float64)


def counts(rng: np.random.Generator, rate: Floats, sigma: float = 0.0, dispersion: float = 0.02) -> Floats:
    """Negative binomial counts around the rates, and rounded noise."""
    drawn = rng.poisson(rate * rng.gamma(1.0 / dispersion, dispersion, rate.shape))
    return np.asarray(drawn + np.rint(sigma * rng.standard_normal(rate.shape)), dtype=np.float64)


def panel(figures: Floats, sigma: float = 0.0, areas: Sequence[str] = ()) -> Panel:
    """A panel of areas ``A00``, ``A01`` and so on."""
    names = list(areas) or [f"A{number:02d}" for number in range(len(figures))]
    months = pd.period_range(START, periods=figures.shape[1], freq="M")
    return Panel(pd.DataFrame(figures, index=pd.Index(names, name="area"), columns=months), sigma**2)


def planted(rate: Floats, starts: Mapping[int, int], effect: float) -> Floats:
    """The rates with an effect on some areas (row) from a month (column) on."""
    made = rate.copy()
    for area, start in starts.items():
        made[area, start:] *= 1.0 + effect
    return made


def named(starts: Mapping[int, int]) -> dict[str, int]:
    """The same by the names of ``panel``."""
    return {f"A{area:02d}": start for area, start in starts.items()}


def released(dataset: str, by: str, cells: Floats, period: Period, nano_rho: int = 20_000_000_000) -> ReleaseBody:
    """A release of areas x months (divided evenly over the groups of reported crime) by month and area."""
    asked = Query.model_validate(
        {
            "measures": ("count",),
            "dimensions": ("month", by, "offence_group"),
            "where": {"offence_group": GROUPS},
            "period": period,
        }
    )
    whole = np.rint(cells.T[..., None] / len(GROUPS)).astype(int) * np.ones(len(GROUPS), dtype=int)
    return made_release(bundled(dataset), asked, {"count": whole.ravel().tolist()}, nano_rho)


def zone_releases(rng: np.random.Generator, effect: float, moved: float = 0.0) -> list[ReleaseBody]:
    """Three years of stations and provinces: ``effect`` on the pilots, ``moved`` on what is left of their provinces."""
    months = len(ZONE_PERIOD.months())
    start = (first_whole_month(PILOTS_START) - pd.Period(ZONE_PERIOD.months()[0], freq="M")).n
    pilots = counts(rng, planted(rates(rng, 15, months, 150.0), dict.fromkeys(range(15), start), effect))
    inside = set(INSIDE.values())
    rows = [number for number, province in enumerate(PROVINCES) if province in inside]
    rest = counts(rng, planted(rates(rng, 77, months, 600.0), dict.fromkeys(rows, start), moved))
    for station, figures in zip(STATIONS, pilots, strict=True):
        rest[PROVINCES.index(INSIDE[station])] += figures
    return [
        released("crimes_case", "ssz_station", pilots, ZONE_PERIOD),
        released("crimes_case", "province", rest, ZONE_PERIOD),
    ]


PERIOD = factories.period("2018-10-01", "2023-10-01")
TREATED = ("30", "31", "34", "40", "50", "52", "71", "80")
PLANS = tuple(Plan(f"plan-{code}", code, date(2022, 10, 1), target=-0.1) for code in TREATED)
QUICK = Setting(windows=(12,), runs=100)


def provinces_release(effect: float, seed: int = 1) -> ReleaseBody:
    """Five years of provinces, with an effect on eight of them in the last."""
    rng = np.random.default_rng(seed)
    starts = {PROVINCES.index(code): 48 for code in TREATED}
    return released("crimes_case", "province", counts(rng, planted(rates(rng, 77, 60, 300.0), starts, effect)), PERIOD)


def scores_release() -> ReleaseBody:
    """Each month fifteen rows with the score 4 for cameras."""
    asked = Query.model_validate(
        {
            "measures": ("count", "component_score_cctv:sum"),
            "dimensions": ("month",),
            "period": factories.period("2021-10-01", "2022-10-01"),
        }
    )
    exact = {"count": [15] * 12, "component_score_cctv:sum": [60] * 12}
    return made_release(bundled("ssz_station_month"), asked, exact, 200_000_000_000)


def table(report: Report, name: str) -> list[dict[str, object]]:
    """The rows of a table by the columns' names."""
    found = next(each for each in report.tables if each.name == name)
    return [dict(zip([column.name for column in found.columns], row, strict=True)) for row in found.rows]


def said(report: Report) -> str:
    """All statements in English."""
    return " ".join(statement.text.en for statement in report.statements)


def flags(report: Report) -> set[str]:
    """Every flag of every statement."""
    return {flag for statement in report.statements for flag in statement.flags}


def exported(folder: Path, body: ReleaseBody) -> str:
    """The path of a file as ``saphan release export`` writes it."""
    path = folder / f"{body.id}.json"
    path.write_text(Release(body=body, digest=digest_of(body), signature="s").model_dump_json(by_alias=True))
    return str(path)

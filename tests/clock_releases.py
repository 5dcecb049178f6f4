"""Releases by the hour of the event with a known clock, for tests of the crime clock."""

import numpy as np

from contracts.code_lists import code_list
from contracts.grid import HOURS, WEEKDAYS
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.panel import Floats
from tests import factories
from tests.made_releases import bundled, made_release

CRIMES = bundled("crimes_case")
REGIONS = code_list("police_commands").values
GROUPS = ("G1", "G2", "G3", "G4")
YEAR = factories.period("2025-10-01", "2026-10-01")
CASES = {"G1": 17_000, "G2": 60_000, "G3": 70_000, "G4": 420_000}
EVENING = tuple(range(18, 22))
PEAK = 3.0
"""G1 happens three times as often from 18 to 22 on Fridays and Saturdays; the other groups by the hour alone."""


def truth() -> Floats:
    """The expected cases by region, group, weekday and hour."""
    shape = np.ones((len(REGIONS), len(GROUPS), len(WEEKDAYS), len(HOURS)))
    shape[:, 0, 4:6, EVENING[0] : EVENING[-1] + 1] = PEAK
    shape[:, 1, :, 12:18] = 2.0
    shares = shape / shape.sum(axis=(0, 2, 3), keepdims=True)
    return np.asarray(shares * np.array([CASES[group] for group in GROUPS])[None, :, None, None])


def clock_release(seed: int = 5, nano_rho: int = 50_000_000, **changes: object) -> ReleaseBody:
    """A year's release by region, group, weekday and hour; ``changes`` overwrite fields of its question."""
    counts = np.random.default_rng(seed).poisson(truth())
    names = ("police_region", "offence_group", "weekday", "hour")
    fields: dict[str, object] = {"measures": ("count",), "dimensions": names, "period": YEAR}
    query = Query.model_validate(fields | changes)
    axes = tuple(place for place, name in enumerate(names) if name not in query.dimensions)
    return made_release(CRIMES, query, {"count": counts.sum(axis=axes).ravel().tolist()}, nano_rho)

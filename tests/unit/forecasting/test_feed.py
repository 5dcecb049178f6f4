"""Releases of a series as a panel: signed, with its noise, and with gaps where nobody told anything."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from contracts.errors import InvalidInput
from contracts.grid import grid_of
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.consistent import consistent
from forecasting.feed import missing_months, series_panel
from forecasting.released_levels import released_levels
from tests import factories
from tests.factories import NOW
from tests.made_releases import bundled, made_release

pytestmark = pytest.mark.unit

CRIMES = bundled("crimes_case")
PRICE = 100_000_000
FIRM = 10**15
"""A price at which the noise is far below one case."""


def released(start: str, until: str, level: int, nano_rho: int = FIRM, **changes: object) -> ReleaseBody:
    """A family by police region and offence group, ``level`` cases in each of its finest cells."""
    by = ("month", "police_region", "offence_group")
    tables = [{"by": ["month"]}, {"by": list(by)}]
    fields = {"measures": ("count",), "dimensions": by, "period": factories.period(start, until), "series": {}}
    query = Query.model_validate(fields | {"family": {"tables": tables}} | changes)
    cells = [level] * grid_of(query, CRIMES).size
    return made_release(CRIMES, query, {"count": cells}, nano_rho, NOW + timedelta(days=level))


BY: Sequence[str] = ("police_region", "offence_group")


def test_months_of_several_releases_follow_each_other() -> None:
    bodies = [released("2025-11-01", "2026-01-01", 5), released("2025-10-01", "2025-11-01", 3)]

    panel = series_panel(bodies, "crimes_case", BY)

    assert [str(month) for month in panel.months] == ["2025-10", "2025-11", "2025-12"]
    assert panel.dimensions == tuple(BY)
    assert np.round(panel.figures).tolist() == [[3, 5, 5]] * 40
    assert missing_months(panel) == ()


def test_a_month_that_nobody_told_is_no_number_and_named() -> None:
    bodies = [released("2025-10-01", "2025-11-01", 3), released("2025-12-01", "2026-01-01", 5)]

    panel = series_panel(bodies, "crimes_case", BY)

    assert np.isnan(panel.figures[:, 1]).all()
    assert np.isfinite(panel.figures[:, [0, 2]]).all()
    assert np.isfinite(panel.noise).all()
    assert missing_months(panel) == ("2025-11",)


def test_the_newest_revision_of_a_month_counts() -> None:
    revised = released("2025-11-01", "2025-12-01", 9, series={"revision": 1})

    panel = series_panel([revised, released("2025-10-01", "2026-01-01", 3)], "crimes_case", ())

    assert np.round(panel.figures).tolist() == [[120, 360, 120]]


def test_the_noise_of_a_series_is_that_of_its_months() -> None:
    cheap, dear = released("2025-10-01", "2025-11-01", 3, PRICE), released("2025-11-01", "2025-12-01", 3, 4 * PRICE)
    sigmas = [next(each.sigmas[0] for each in body.tables if each.by == ("month",)) for body in (cheap, dear)]

    panel = series_panel([cheap, dear], "crimes_case", ())

    assert panel.noise.tolist() == [[pytest.approx(np.mean(np.square(sigmas)))]]
    assert panel.noise_variance == panel.noise.max()


def test_another_dataset_is_no_series() -> None:
    with pytest.raises(InvalidInput) as error:
        series_panel([released("2025-10-01", "2025-11-01", 3)], "dop_case", ())

    assert error.value.code == "release-not-a-series"


def test_a_month_that_lacks_a_series_is_no_series() -> None:
    part = released("2025-11-01", "2025-12-01", 3, where={"offence_group": ("G1",)})

    with pytest.raises(InvalidInput, match="release-not-a-series"):
        series_panel([released("2025-10-01", "2025-11-01", 3), part], "crimes_case", BY)


def test_a_hierarchy_that_is_no_tree_keeps_its_figures_around_a_gap() -> None:
    tables = [{"by": list(by)} for by in (("month",), ("month", "offence_group"), ("month", "police_region"))]
    family = {"family": {"tables": [*tables, {"by": ["month", *BY]}]}}
    months = [released(f"2025-{m}-01", f"2025-{m + 1}-01", 3, PRICE, **family) for m in (10, 11)]
    after = released("2026-01-01", "2026-02-01", 3, PRICE, **family)
    given = released_levels([*months, after]).hierarchy

    known = consistent(given)

    assert [len(panel.counts) for panel in known.levels] == [1, 4, 10, 40]
    assert all(missing_months(panel) == ("2025-12",) for panel in known.levels)
    assert np.array_equal(known.levels[-1].figures, given.levels[-1].figures, equal_nan=True)

"""The coming weeks: what befell somebody, by region and nation, never arrests; and 104 whole weeks or nothing."""

import numpy as np
import pytest

from contracts.analysis import AnalysisKind, Report
from contracts.errors import InvalidInput, Unavailable
from contracts.grid import grid_of
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.weekly.report import COLUMNS, HORIZON, weekly_report
from tests import factories
from tests.made_releases import bundled, made_release

pytestmark = pytest.mark.unit

CRIMES = bundled("crimes_case")
FIRM = 10**13
SMALL = 20_000
RATES = {"G1": 40, "G2": 120, "G3": 60, "G4": 500}
FAMILY = {"tables": [{"by": ["week", "offence_group"]}, {"by": ["week", "police_region", "offence_group"]}]}


def released(start: str = "2023-10-01", until: str = "2026-01-01", price: int = FIRM, **changes: object) -> ReleaseBody:
    """Poisson cases of each region, the same rate every week."""
    fields = {
        "measures": ("count",),
        "dimensions": ("week", "police_region", "offence_group"),
        "period": factories.period(start, until),
        "family": FAMILY,
    }
    query = Query.model_validate(fields | changes)
    grid = grid_of(query, CRIMES)
    names = [axis.name for axis in grid.axes]
    group = names.index("offence_group") if "offence_group" in names else None
    rates = [RATES[key[group]] if group is not None else 100 for key in list(grid.keys())]
    cells = np.random.default_rng(3).poisson(rates)
    return made_release(CRIMES, query, {"count": [int(each) for each in cells]}, price)


@pytest.fixture(scope="module")
def report() -> Report:
    return weekly_report([released()])


def test_eight_weeks_of_every_region_and_of_the_nation_are_told_without_arrests(report: Report) -> None:
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in report.tables[0].rows]

    assert report.kind is AnalysisKind.WEEKLY
    assert {row["offence_group"] for row in rows} == {"G1", "G2", "G3"}
    assert {row["level"] for row in rows} == {"nation", "police_region"}
    regions = {row["police_region"] for row in rows} - {""}
    assert len(rows) == 3 * HORIZON * (len(regions) + 1)
    assert sorted({str(row["week"]) for row in rows})[:2] == ["2026-W01", "2026-W02"]
    assert all(
        float(row["low_95"] or 0) <= float(row["low_80"] or 0) <= float(row["mean"] or 0)
        and float(row["mean"] or 0) <= float(row["high_80"] or 0) <= float(row["high_95"] or 0)
        for row in rows
    )


def test_the_nation_is_the_sum_of_its_regions_and_near_what_was(report: Report) -> None:
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in report.tables[0].rows]
    first = [row for row in rows if row["offence_group"] == "G2" and row["week"] == "2026-W01"]
    nation = next(float(row["mean"] or 0) for row in first if row["level"] == "nation")
    parts = [float(row["mean"] or 0) for row in first if row["level"] != "nation"]

    assert nation == pytest.approx(sum(parts), abs=0.2)
    assert nation == pytest.approx(120 * len(parts), rel=0.05)


def test_the_nations_weeks_are_said_and_the_card_tells_what_was_read(report: Report) -> None:
    assert [each.text.en.split(",")[0] for each in report.statements]
    assert len(report.statements) == 3
    assert all("2026-W01" in each.text.th for each in report.statements)
    assert (report.card.first, report.card.last) == ("2023-10", "2025-12")
    assert report.tables[1].rows == ((released().id,),)


def test_series_in_their_noise_are_flagged() -> None:
    found = weekly_report([released(price=SMALL)])

    assert "below-noise" in found.statements[-1].flags
    assert any(row[-1] is True for row in found.tables[0].rows)


def test_less_than_two_years_of_weeks_are_refused() -> None:
    with pytest.raises(Unavailable) as error:
        weekly_report([released("2025-01-01", "2026-01-01")])

    assert error.value.code == "not-enough-weeks"


def test_weeks_in_which_arrests_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(InvalidInput) as error:
        weekly_report([released(dimensions=("week", "police_region"), family=None)])

    assert error.value.code == "enforcement-is-not-risk"

from datetime import date

import numpy as np
import pytest

from contracts.errors import Refused
from contracts.release import ReleaseBody
from forecasting.flow.cohorts import data_day, instant, month_of, number_of, snapshots, year_cohorts
from forecasting.flow.stages import stages
from tests import factories
from tests.justice_world import FIRM, release_of

pytestmark = pytest.mark.unit

STAGE = stages()["oag_case"]


def released(
    first: str, until: str, day: str, cells: dict[str, int], nano_rho: int = FIRM, **changes: object
) -> ReleaseBody:
    """Every month has the same cells of each order."""
    asked = {"dimensions": ("month", "order"), "period": factories.period(first, until), **changes}
    return release_of("oag_case", asked, lambda cell: cells[cell["order"]], day, nano_rho)


CELLS = {"IND": 60, "NON": 5, "SETTLE": 3, "ABATE": 2, "PENDING": 30}


def test_months_are_numbers_and_back() -> None:
    assert month_of(number_of("2025-12")) == "2025-12"
    assert number_of("2026-01") - number_of("2025-12") == 1
    assert instant(date(2026, 1, 1)) == number_of("2026-01")
    assert instant(date(2026, 1, 31)) == pytest.approx(number_of("2026-01") + 30 / 31)


def test_a_release_by_month_and_state_is_a_snapshot_of_open_and_closed_entries() -> None:
    body = released("2025-10-01", "2025-12-01", "2026-01-01", CELLS)

    (found,) = snapshots([body], STAGE, {}, None)

    assert found.open.round().tolist() == [30, 30]
    assert found.closed.round().tolist() == [70, 70]
    assert found.ages.tolist() == [2.5, 1.5]
    sigma = body.released[0].sigma
    assert found.open_variance == pytest.approx(np.full(2, sigma**2))
    assert found.closed_variance == pytest.approx(np.full(2, 4 * sigma**2))


def test_snapshots_of_the_same_months_stay_apart_and_stand_by_their_day() -> None:
    late = released("2025-10-01", "2025-12-01", "2026-06-01", CELLS | {"PENDING": 5, "IND": 85})
    early = released("2025-10-01", "2025-12-01", "2026-01-01", CELLS)

    found = snapshots([late, early], STAGE, {}, None)

    assert [each.release for each in found] == [early.id, late.id]
    assert found[1].open.round().tolist() == [5, 5]


def test_a_release_without_every_state_is_no_snapshot() -> None:
    some = released("2025-10-01", "2025-12-01", "2026-01-01", CELLS, where={"order": ("IND", "NON")})
    counts = released("2025-10-01", "2025-12-01", "2026-01-01", CELLS, dimensions=("order",))

    assert snapshots([some, counts], STAGE, {}, None) == ()
    assert snapshots([], STAGE, {}, None) == ()


def test_the_day_of_the_data_lies_before_the_release_but_not_before_what_it_counts() -> None:
    body = released("2025-10-01", "2025-12-01", "2026-01-20", CELLS)

    assert data_day(body, None) == date(2026, 1, 20)
    assert data_day(body, date(2026, 5, 1)) == date(2026, 1, 20)
    assert data_day(body, date(2025, 12, 15)) == date(2025, 12, 15)
    with pytest.raises(Refused) as refused:
        data_day(body, date(2025, 11, 30))
    assert refused.value.code == "data-day-too-early"
    with pytest.raises(Refused):
        snapshots([body], STAGE, {}, date(2025, 11, 30))


def test_a_year_is_the_sum_of_its_months_and_says_how_many_they_are() -> None:
    first = released("2025-10-01", "2025-12-01", "2025-12-10", CELLS)
    second = released("2025-12-01", "2026-01-01", "2026-01-10", CELLS | {"IND": 66})

    (found,) = year_cohorts([second, first], "oag_case", "order", {})

    assert found.fiscal_year == "FY2569"
    assert found.months == 3
    assert round(found.counts["IND"].estimate) == 186
    assert round(found.total().estimate) == 306
    assert round(found.total(["PENDING"]).estimate) == 90
    assert found.as_of == date(2025, 12, 10)


def test_a_whole_year_that_was_asked_at_once_is_a_cohort_and_the_newest_counts() -> None:
    older = released("2024-10-01", "2025-10-01", "2025-11-01", CELLS, dimensions=("order",))
    newer = released("2024-10-01", "2025-10-01", "2026-01-01", CELLS | {"PENDING": 9}, dimensions=("order",))
    partly = released("2024-10-01", "2025-01-01", "2026-02-01", CELLS)

    (found,) = year_cohorts([newer, older, partly], "oag_case", "order", {})

    assert found.months == 12
    assert round(found.counts["PENDING"].estimate) == 9
    assert found.releases == (newer.id,)


def test_several_years_in_one_release_without_months_are_no_cohort_of_any() -> None:
    both = released("2023-10-01", "2025-10-01", "2025-11-01", CELLS, dimensions=("order",))

    assert year_cohorts([both], "oag_case", "order", {}) == ()

from datetime import timedelta

import numpy as np
import pytest

from contracts.errors import InvalidInput
from contracts.grid import grid_of
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.cells import cell_table
from tests import factories
from tests.factories import NOW
from tests.made_releases import bundled, made_release

pytestmark = pytest.mark.unit

CRIMES = bundled("crimes_case")
FIRM = 10**15
"""A price at which the noise is far below one case."""

FAMILY = {"tables": [{"by": ["month"]}, {"by": ["month", "police_region"]}, {"by": ["month", "province"]}]}


def released(start: str, until: str, level: int, days: int = 0, **changes: object) -> ReleaseBody:
    """Every cell has ``level`` cases."""
    fields = {"measures": ("count",), "dimensions": ("month", "province"), "period": factories.period(start, until)}
    query = Query.model_validate(fields | changes)
    cells = [level] * grid_of(query, CRIMES).size
    return made_release(CRIMES, query, {"count": cells}, FIRM, NOW + timedelta(days=days))


def test_a_year_is_the_sum_of_the_released_cells_of_its_months() -> None:
    bodies = [released("2025-10-01", "2025-12-01", 3), released("2025-12-01", "2026-01-01", 5)]

    table = cell_table(bodies, "crimes_case", "count", ["fiscal_year", "province"])

    assert set(table.frame["fiscal_year"]) == {"FY2569"}
    assert table.frame["estimate"].round().tolist() == [11] * 77
    assert table.months == ("2025-10", "2025-11", "2025-12")
    assert len(table.releases) == 2


def test_the_noise_of_a_sum_is_the_root_of_the_summed_variances() -> None:
    body = released("2025-10-01", "2025-12-01", 3)

    table = cell_table([body], "crimes_case", "count", ["province"])

    assert table.frame["sigma"].to_numpy() == pytest.approx(np.sqrt(2) * body.released[0].sigma)


def test_of_a_month_that_two_releases_answer_the_higher_revision_counts_and_then_the_newest() -> None:
    plain = released("2025-10-01", "2025-12-01", 3, days=9)
    revised = released("2025-11-01", "2025-12-01", 7, series={"revision": 1})
    older = released("2025-10-01", "2025-12-01", 4)

    table = cell_table([older, revised, plain], "crimes_case", "count", ["month"])

    assert table.frame["estimate"].round().tolist() == [3 * 77, 7 * 77]
    assert set(table.releases) == {plain.id, revised.id}


def test_of_a_family_the_estimates_of_the_nearest_table_are_read_with_their_own_errors() -> None:
    body = released("2025-10-01", "2025-11-01", 3, family=FAMILY)

    table = cell_table([body], "crimes_case", "count", ["police_region"])

    regions = next(each for each in body.tables if each.by == ("month", "police_region"))
    assert table.frame["estimate"].tolist() == pytest.approx(regions.estimates)
    assert table.frame["sigma"].tolist() == pytest.approx(regions.sigmas)


def test_a_filtered_release_does_not_take_the_place_of_a_whole_one() -> None:
    whole = released("2025-10-01", "2025-11-01", 3)
    part = released("2025-10-01", "2025-11-01", 9, days=5, where={"province": ("10",)})

    table = cell_table([whole, part], "crimes_case", "count", ["month", "province"])

    assert len(table.frame) == 77
    assert table.releases == (whole.id,)


def test_an_answer_that_is_filtered_by_something_else_is_never_read_as_a_total() -> None:
    part = released("2025-10-01", "2025-11-01", 9, where={"offence_group": ("G1",)})

    with pytest.raises(InvalidInput) as caught:
        cell_table([part], "crimes_case", "count", ["month", "province"])

    assert caught.value.code == "release-not-a-series"


def test_answers_without_months_add_up_where_they_do_not_overlap() -> None:
    year = released("2024-10-01", "2025-10-01", 2, dimensions=("province",))
    quarter = released("2025-10-01", "2026-01-01", 3, dimensions=("province",))
    longer = released("2024-10-01", "2026-01-01", 50, days=-3, dimensions=("province",))

    table = cell_table([year, quarter, longer], "crimes_case", "count", [])

    assert table.frame["estimate"].round().tolist() == [5 * 77]


def test_only_the_wanted_labels_are_added_up() -> None:
    body = released("2025-10-01", "2025-11-01", 3)

    table = cell_table([body], "crimes_case", "count", ["month"], where={"province": ["10", "50"]})

    assert table.frame["estimate"].round().tolist() == [6]


def test_a_finer_label_is_rolled_up_to_what_it_leads_on_to() -> None:
    body = released("2025-10-01", "2025-11-01", 3)

    table = cell_table([body], "crimes_case", "count", ["province"]).rolled_up("province", "half", _halves())

    assert table.by == ("half",)
    assert table.frame["estimate"].round().tolist() == [3 * 38, 3 * 39]


def test_years_are_read_where_a_release_tells_them_without_months() -> None:
    body = released("2023-10-01", "2025-10-01", 2, dimensions=("fiscal_year", "offence_group"))

    table = cell_table([body], "crimes_case", "count", ["fiscal_year"])

    assert table.frame["fiscal_year"].tolist() == ["FY2567", "FY2568"]
    assert table.frame["estimate"].round().tolist() == [8, 8]


def test_the_bins_of_a_histogram_are_labels() -> None:
    cohort = bundled("doc_release_cohort")
    query = Query.model_validate(
        {
            "measures": ("returned_months:histogram",),
            "dimensions": ("offence_group",),
            "period": factories.period("2023-10-01", "2024-10-01"),
        }
    )
    bins = len(cohort.measure_column("returned_months").bins) + 1  # type: ignore[union-attr]  # the contract has it
    exact = [number for _ in range(4) for number in range(bins)]
    body = made_release(cohort, query, {"returned_months:histogram": exact}, FIRM)

    table = cell_table([body], "doc_release_cohort", "returned_months:histogram", ["bin"])

    assert len(table.frame) == bins
    assert table.frame["estimate"].round().tolist() == [4 * number for number in range(bins)]
    assert table.frame["bin"].iloc[0].startswith("<")


def test_another_dataset_is_no_source() -> None:
    with pytest.raises(InvalidInput):
        cell_table([released("2025-10-01", "2025-11-01", 3)], "dop_case", "count", ["month"])


def _halves() -> dict[str, str]:
    province = CRIMES.dimension("province")
    assert province is not None
    return {code: "a" if place < 38 else "b" for place, code in enumerate(province.values)}

"""Levels of real releases: families by month, joined over releases, and weeks."""

from datetime import timedelta

import numpy as np
import pytest

from contracts.code_lists import code_list, crosswalk
from contracts.errors import InvalidInput
from contracts.grid import Grid, grid_of
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.released_levels import released_levels
from tests import factories
from tests.factories import NOW
from tests.made_releases import bundled, made_release

pytestmark = pytest.mark.unit

CRIMES = bundled("crimes_case")
FIRM = 10**15
"""A price at which the noise is far below one case."""

PROVINCES = tuple(code_list("provinces").titles)
FEW = ("10", "11", "12", "13", "20")
FAMILY = {"tables": [{"by": ["month"]}, {"by": ["month", "police_region"]}, {"by": ["month", "province"]}]}


def released(
    start: str, until: str, *by: str, number: int = 0, add: int = 0, price: int = FIRM, **changes: object
) -> ReleaseBody:
    """Every cell has as many cases as its province's place in the list, from 1, and ``add`` more."""
    fields = {
        "measures": ("count",),
        "dimensions": by,
        "period": factories.period(start, until),
    }
    query = Query.model_validate(fields | changes)
    grid = grid_of(query, CRIMES)
    place = [axis.name for axis in grid.axes].index("province")
    cells = [PROVINCES.index(key[place]) + 1 + add for key in list(grid.keys())]
    return made_release(CRIMES, query, {"count": cells}, price, NOW + timedelta(days=number))


def test_a_family_gives_all_its_levels_the_coarsest_first() -> None:
    found = released_levels([released("2025-10-01", "2025-12-01", "month", "province", family=FAMILY)])

    regions = crosswalk("provinces", "police_commands")
    assert found.names == ("all", "police_region", "province")
    assert [len(panel.counts) for panel in found.hierarchy.levels] == [1, len(set(regions.values())), 77]
    for panel, total in zip(
        found.hierarchy.levels, found.hierarchy.sums(found.hierarchy.levels[-1].figures), strict=True
    ):
        assert panel.figures == pytest.approx(total, abs=1e-3)
    assert found.hierarchy.levels[0].figures[0] == pytest.approx([77 * 78 / 2] * 2, abs=0.1)


def test_months_of_several_releases_are_joined() -> None:
    bodies = [
        released("2025-10-01", "2025-12-01", "month", "province", family=FAMILY),
        released("2025-12-01", "2026-01-01", "month", "province", family=FAMILY, number=1),
    ]

    found = released_levels(bodies)

    assert [str(month) for month in found.hierarchy.levels[0].months] == ["2025-10", "2025-11", "2025-12"]


def test_a_plain_release_is_a_single_level() -> None:
    found = released_levels([released("2025-10-01", "2025-12-01", "province", "month")])

    assert found.names == ("province",)
    assert len(found.hierarchy.levels) == 1


def test_weeks_that_are_cut_off_are_left_out_and_those_over_two_releases_joined() -> None:
    bodies = [
        released("2025-10-01", "2025-11-01", "week", "province"),
        released("2025-11-01", "2025-12-01", "week", "province", number=1),
    ]

    found = released_levels(bodies, weekly=True)
    [panel] = found.hierarchy.levels

    # October began on a Wednesday, and November ended on a Sunday; the first of November was a Saturday.
    assert panel.months[0].start_time.strftime("%Y-%m-%d") == "2025-10-06"
    assert panel.months[-1].end_time.strftime("%Y-%m-%d") == "2025-11-30"
    assert panel.figures[0] == pytest.approx([1, 1, 1, 2, 1, 1, 1, 1], abs=0.1)
    assert panel.noise.max() < 0.1
    assert panel.season == 52


def test_of_weeks_that_two_releases_tell_the_revision_counts() -> None:
    first = released("2025-10-06", "2025-10-20", "week", "province", number=5)
    revised = released("2025-10-06", "2025-10-20", "week", "province", series={"revision": 1}, add=10)
    after = released("2025-10-20", "2025-10-27", "week", "province", number=6)

    [panel] = released_levels([first, after, revised], weekly=True).hierarchy.levels

    assert panel.figures[0] == pytest.approx([11, 11, 1], abs=0.1)


def test_the_noise_of_a_week_in_two_parts_is_that_of_both() -> None:
    bodies = [
        released("2025-10-06", "2025-10-15", "week", "province", price=10**8),
        released("2025-10-15", "2025-10-20", "week", "province", number=1, price=10**8),
    ]

    [panel] = released_levels(bodies, weekly=True).hierarchy.levels

    one, two = (body.released[0].sigma ** 2 for body in bodies)
    # The first week has the noise of one release, the second that of both.
    assert panel.noise[0, 0] == pytest.approx((one + (one + two)) / 2)


def test_a_missing_week_is_an_error() -> None:
    bodies = [
        released("2025-10-06", "2025-10-20", "week", "province"),
        released("2025-11-03", "2025-11-17", "week", "province", number=1),
    ]

    with pytest.raises(InvalidInput, match="release-not-a-series"):
        released_levels(bodies, weekly=True)


def test_a_province_that_is_missing_in_some_weeks_is_an_error() -> None:
    bodies = [
        released("2025-10-06", "2025-10-20", "week", "province"),
        released("2025-10-20", "2025-11-03", "week", "province", number=1, where={"province": FEW}),
    ]

    with pytest.raises(InvalidInput, match="a cell is missing"):
        released_levels(bodies, weekly=True)


def test_a_release_without_the_time_asked_for_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="release-not-a-series"):
        released_levels([released("2025-10-01", "2025-12-01", "month", "province")], weekly=True)


def test_a_release_of_some_provinces_has_the_levels_that_name_them() -> None:
    body = released("2025-10-01", "2025-12-01", "month", "province", family=FAMILY, where={"province": FEW})

    found = released_levels([body])

    assert found.names == ("province",)
    assert found.hierarchy.leaves == 5


def test_offences_lead_to_their_groups_too() -> None:
    query = Query.model_validate(
        {
            "measures": ("count",),
            "dimensions": ("month", "offence"),
            "period": factories.period("2025-10-01", "2025-12-01"),
            "family": {"tables": [{"by": ["month", "offence_group"]}, {"by": ["month", "offence"]}]},
        }
    )
    cells = [3] * grid_of(query, CRIMES).size

    found = released_levels([made_release(CRIMES, query, {"count": cells}, FIRM)])

    assert found.names == ("offence_group", "offence")
    totals = found.hierarchy.sums(np.ones((found.hierarchy.leaves, 1)))[0][:, 0]
    assert found.hierarchy.levels[0].figures[:, 0] == pytest.approx(3 * totals, abs=0.1)


def test_a_level_whose_labels_lead_nowhere_is_left_out() -> None:
    body = released("2025-10-01", "2025-12-01", "month", "province", family=FAMILY)
    regions = next(table for table in body.tables if "police_region" in table.by)
    strange = [
        axis.model_copy(update={"values": tuple(f"X{number}" for number in range(len(axis.values)))})
        if axis.name == "police_region"
        else axis
        for axis in regions.grid.axes
    ]
    table = regions.model_copy(update={"grid": Grid(axes=tuple(strange))})
    others = tuple(each for each in body.tables if each is not regions)

    found = released_levels([body.model_copy(update={"tables": (*others, table)})])

    assert found.names == ("all", "province")


def test_weeks_of_all_provinces_together_are_one_series() -> None:
    query = Query.model_validate(
        {
            "measures": ("count",),
            "dimensions": ("week",),
            "period": factories.period("2025-10-06", "2025-10-20"),
        }
    )
    body = made_release(CRIMES, query, {"count": [4, 6]}, FIRM)

    found = released_levels([body], weekly=True)

    assert found.names == ("all",)
    assert found.hierarchy.levels[0].figures[0] == pytest.approx([4, 6], abs=0.1)

"""Which released cells the page may read as national figures."""

from datetime import UTC, datetime

import pytest

from contracts.periods import Period
from contracts.query import Query
from contracts.release import Release
from gateway.web.counts import CRIMES_CLOCK, newest_cells, standing_cells
from tests.web.sample import crimes_clock, release, withdrawn

pytestmark = pytest.mark.unit
AXES = ("month", "province", "offence_group")
LATER = datetime(2026, 12, 1, tzinfo=UTC)


def _small(value: int, **changes: object) -> Release:
    axes = {"offence_group": ("G1", "G2", "G3"), "month": ("2026-09", "2026-10"), "province": ("10", "50")}
    return release("crimes-monthly", axes, {"count": lambda key: value + int(key[2])}, **changes)


def _query(**changes: object) -> Query:
    period = Period.model_validate({"from": "2026-09-01", "until": "2026-11-01"})
    return Query.model_validate({"measures": ("count",), "dimensions": AXES, "period": period, **changes})


def test_labels_come_in_the_order_that_was_asked_for() -> None:
    cells = standing_cells([_small(0)], "crimes-monthly", AXES)
    assert cells["2026-09", "50", "G3"].value == 50
    assert len(cells) == 12


def test_every_cell_wears_the_released_error() -> None:
    given = _small(0)
    cells = standing_cells([given], "crimes-monthly", AXES)
    assert {cell.error for cell in cells.values()} == {given.body.released[0].expected_error_95}


def test_where_releases_overlap_the_newest_counts() -> None:
    found = standing_cells([_small(900, created=LATER), _small(0)], "crimes-monthly", AXES)
    assert found["2026-09", "10", "G1"].value == 910


@pytest.mark.parametrize("replaced_by", [None, "rel-new"])
def test_a_withdrawn_or_superseded_release_is_not_read(replaced_by: str | None) -> None:
    assert standing_cells([withdrawn(_small(0), replaced_by=replaced_by)], "crimes-monthly", AXES) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"public": False},
        {"activity": "somebody-elses"},
        {"query": _query(dimensions=("month", "province"))},
        {"query": _query(where={"province": ("10",)})},
        {"query": _query(where={"sex": ("M",)})},
    ],
)
def test_a_release_that_is_private_or_holds_only_a_part_is_not_read_as_national(changes: dict[str, object]) -> None:
    assert standing_cells([_small(0, **changes)], "crimes-monthly", AXES) == {}


def test_a_release_without_every_victimisation_group_is_not_read_as_national() -> None:
    axes = {"month": ("2026-10",), "province": ("10",), "offence_group": ("G1", "G2", "G4")}
    partial = release("crimes-monthly", axes, {"count": lambda key: 5})
    assert standing_cells([partial], "crimes-monthly", AXES) == {}


def test_a_release_that_keeps_every_victimisation_group_is_national() -> None:
    kept = _small(0, query=_query(where={"offence_group": ("G1", "G2", "G3")}))
    assert len(standing_cells([kept], "crimes-monthly", AXES)) == 12


def test_a_measure_that_was_not_released_has_no_cells() -> None:
    assert standing_cells([_small(0)], "crimes-monthly", AXES, measure="damage_thb:sum") == {}


def test_of_several_clocks_the_newest_is_read() -> None:
    newer = crimes_clock(id="rel-clock-new", created=LATER)
    found = newest_cells([newer, crimes_clock()], CRIMES_CLOCK, ("hour", "offence_group"))
    assert found is not None
    assert found[0].body.id == "rel-clock-new"
    assert len(found[1]) == 4 * 24


def test_without_a_clock_there_is_nothing_to_read() -> None:
    assert newest_cells([_small(0)], CRIMES_CLOCK, ("hour", "offence_group")) is None

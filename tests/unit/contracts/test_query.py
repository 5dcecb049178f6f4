"""The closed query."""

import pytest
from pydantic import ValidationError

from tests.factories import query

pytestmark = pytest.mark.unit


def test_the_order_of_measures_and_filters_carries_no_meaning() -> None:
    one = query(measures=("damage_thb:sum", "count"), where={"province": ("90", "10"), "case_type": ("romance_scam",)})
    other = query(
        measures=("count", "damage_thb:sum"), where={"case_type": ("romance_scam",), "province": ("10", "90")}
    )

    assert one.model_dump_json() == other.model_dump_json()


def test_the_order_of_dimensions_is_kept() -> None:
    assert query(dimensions=("province", "month")).dimensions == ("province", "month")


@pytest.mark.parametrize(
    ("measures", "base"),
    [
        (("count",), ("count",)),
        (("damage_thb:sum",), ("damage_thb:sum",)),
        (("damage_thb:mean",), ("count", "damage_thb:sum")),
        (("count", "damage_thb:mean", "damage_thb:sum", "age:mean"), ("age:sum", "count", "damage_thb:sum")),
    ],
)
def test_a_mean_is_counted_as_a_sum_and_a_count(measures: tuple[str, ...], base: tuple[str, ...]) -> None:
    assert query(measures=measures).base_measures == base


@pytest.mark.parametrize(
    "changes",
    [
        {"measures": ()},
        {"measures": ("median",)},
        {"measures": ("damage_thb:max",)},
        {"measures": ("damage_thb; DROP TABLE x",)},
        {"measures": tuple(f"m{number}:sum" for number in range(17))},
        {"dimensions": ("month", "month")},
        {"dimensions": ("Month",)},
        {"dimensions": tuple(f"d{number}" for number in range(7))},
        {"where": {"province": ()}},
        {"where": {"province": ("' OR 1=1",)}},
        {"where": {"province) --": ("10",)}},
        {"period": {"from": "2025-10-01"}},
        {"sql": "SELECT 1"},
    ],
)
def test_what_is_not_of_the_closed_language_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        query(**changes)


def test_distinct_people_are_in_no_family_whose_coarse_cells_would_count_them_several_times() -> None:
    tables = [{"by": ["month", "province"]}, {"by": ["month"]}]
    with pytest.raises(ValidationError, match="distinct people"):
        query(measures=("people",), family={"tables": tables})
    assert query(measures=("count",), family={"tables": tables}).family

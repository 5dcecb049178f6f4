"""The three datasets: what each contract promises, in figures that the federation's documents repeat."""

from datetime import date

import pytest

from contracts.code_lists import derivation
from contracts.dataset import DatasetContract, Grain, ProtectAt
from contracts.fit import check_question
from contracts.odcs import bundled_ids, bundled_text, read_contract
from contracts.odcs_yaml import parse
from contracts.periods import Period
from contracts.query import Query

pytestmark = pytest.mark.unit
COLUMNS = {
    "tpo_complaint": "case_ref victim_id reported_at occurred_at province station channel case_type platform "
    "victim_age victim_sex damage_thb linked stage crimes_ref",
    "crimes_case": "case_no person_id station province district offence occurred_at reported_at place victim_age "
    "victim_sex cleared stage",
    "dop_case": "case_id person_id type office province opened_at closed_at offence result reoffended_12m",
}
PROMISES = {
    "tpo_complaint": ("ccib", "ccib/thaipoliceonline", "victim_id", 3, ProtectAt.CONNECTOR, 400_000_000),
    "crimes_case": ("rtp", "rtp/crimes", "person_id", 2, ProtectAt.GATEWAY, 400_000_000),
    "dop_case": ("dop", "dop/probation", "person_id", 2, ProtectAt.GATEWAY, 200_000_000),
}
DIMENSIONS = {
    "tpo_complaint": "month weekday hour province police_region channel case_type platform age_band sex stage",
    "crimes_case": "province police_region offence_group offence weekday hour month place cleared stage",
    "dop_case": "type province police_region month result reoffended_12m",
}


def contract(name: str) -> DatasetContract:
    return read_contract(bundled_text(name))


@pytest.mark.parametrize("name", PROMISES)
def test_a_contract_promises_what_the_federation_agreed(name: str) -> None:
    found = contract(name)
    assert (found.id, found.table) == (name, name)
    unit, privacy = found.unit, found.privacy
    promised = (found.agency, found.source, unit.column, unit.rows_per_window)
    assert (*promised, privacy.protect_at, privacy.nano_rho_per_window) == PROMISES[name]
    assert privacy.delta == "1e-7"
    assert tuple(each.name for each in found.dimensions) == tuple(DIMENSIONS[name].split())
    assert found.disjoint_from == ()


@pytest.mark.parametrize("name", COLUMNS)
def test_the_columns_are_those_of_the_source(name: str) -> None:
    table = parse(bundled_text(name))["schema"][0]  # type: ignore[index]  # the shape is checked by read_contract
    assert tuple(each["name"] for each in table["properties"]) == tuple(COLUMNS[name].split())


@pytest.mark.parametrize("name", bundled_ids())
def test_every_label_of_a_dimension_can_be_reached_from_its_column(name: str) -> None:
    for dimension in contract(name).dimensions:
        found = derivation(dimension)
        if found is None:
            assert dimension.grain is not None
            continue
        reached = {found.otherwise} | (
            set(found.mapping.values()) if hasattr(found, "mapping") else {each.code for each in found.bands}
        )
        assert reached - {None} == set(dimension.values), dimension.name


def test_crimes_are_counted_by_report_and_clocked_by_event() -> None:
    found = contract("crimes_case")
    assert found.event_time == "reported_at"
    columns = {each.grain: each.column for each in found.dimensions if each.grain}
    assert columns == {Grain.MONTH: "reported_at", Grain.WEEKDAY: "occurred_at", Grain.HOUR: "occurred_at"}


def test_offences_against_the_state_count_enforcement() -> None:
    found = contract("crimes_case")
    offence = found.dimension("offence")
    group = found.dimension("offence_group")
    assert offence is not None
    assert group is not None
    assert found.enforcement_values["offence_group"] == ("G4",)
    lookup = derivation(group)
    assert lookup is not None
    state = {code for code in offence.values if lookup.code_of(code) == "G4"}
    assert set(found.enforcement_values["offence"]) == state


def test_complaints_shared_through_accounts_are_not_offered() -> None:
    found = contract("tpo_complaint")
    assert all(each.column != "linked" for each in found.dimensions)


@pytest.mark.parametrize(
    ("name", "group"), [("tpo_complaint", "case_type"), ("crimes_case", "offence_group"), ("dop_case", "type")]
)
def test_the_standing_monthly_question_fits(name: str, group: str) -> None:
    found = contract(name)
    span = Period.model_validate({"from": date(2021, 10, 1), "until": date(2026, 10, 1)})
    query = Query(measures=("count",), dimensions=("month", "province", group), where={}, period=span)
    dimension = found.dimension(group)
    assert dimension is not None
    assert check_question(query, [found], date(2026, 11, 1)).size == 60 * 77 * len(dimension.values)

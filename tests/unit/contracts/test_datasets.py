"""The 17 datasets: what each contract promises, in figures that the federation's documents repeat."""

import csv
import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from contracts.code_lists import code_list, derivation
from contracts.dataset import DatasetContract, Grain, ProtectAt, Tier
from contracts.dataset_reference import page
from contracts.fit import check_question
from contracts.odcs import bundled_ids, bundled_text, read_contract
from contracts.odcs_yaml import parse
from contracts.periods import Period
from contracts.query import Query
from contracts.rollup import parent, rolls_up
from privacy.sensitivity import sensitivity

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
CONNECTOR, GATEWAY = ProtectAt.CONNECTOR, ProtectAt.GATEWAY
PROMISES = {
    "coj_case": ("coj", "coj/criminal_cases", "defendant_id", 2, CONNECTOR, 200_000_000),
    "crimes_arrest": ("rtp", "rtp/crimes_arrests", "suspect_id", 2, GATEWAY, 200_000_000),
    "crimes_case": ("rtp", "rtp/crimes", "person_id", 2, GATEWAY, 400_000_000),
    "cvs": ("oja", "oja/victim_survey", "respondent_id", 1, GATEWAY, 200_000_000),
    "doc_prisoner": ("doc", "doc/custody", "prisoner_id", 2, CONNECTOR, 100_000_000),
    "doc_release_cohort": ("doc", "doc/release_cohorts", "person_id", 1, CONNECTOR, 100_000_000),
    "dop_case": ("dop", "dop/probation", "person_id", 2, GATEWAY, 200_000_000),
    "dop_em": ("dop", "dop/em", "person_id", 2, CONNECTOR, 100_000_000),
    "dop_test": ("dop", "dop/tests", "person_id", 12, CONNECTOR, 100_000_000),
    "oag_case": ("oag", "oag/files", "accused_id", 2, GATEWAY, 200_000_000),
    "people_poll": ("rtp", "rtp/people_poll", None, 1, GATEWAY, 200_000_000),
    "ref_population": ("nso", "nso/population", None, 1, GATEWAY, 100_000_000),
    "ssz_station_month": ("rtp", "rtp/ssz_stations", None, 1, GATEWAY, 400_000_000),
    "tpo_complaint": ("ccib", "ccib/thaipoliceonline", "victim_id", 3, CONNECTOR, 400_000_000),
    "tpo_hold": ("ccib", "ccib/account_holds", "holder_id", 5, CONNECTOR, 200_000_000),
    "tpo_mule": ("ccib", "ccib/money_trail", "holder_id", 20, CONNECTOR, 100_000_000),
    "tpo_url": ("ccib", "ccib/illegal_urls", None, 1, GATEWAY, 200_000_000),
}
DIMENSIONS = {
    "coj_case": "month fiscal_year outcome offence_group offence age_band",
    "crimes_arrest": "offence_group offence age_band sex nationality province police_region month fiscal_year",
    "crimes_case": "ssz_station province police_region offence_group offence weekday hour month week fiscal_year"
    " place cleared stage",
    "cvs": "month fiscal_year region age_band sex victimised offence_group reported",
    "doc_prisoner": "status offence_group offence sentence_band month fiscal_year release_kind age_band sex",
    "doc_release_cohort": "month fiscal_year release_fy offence_group offence age_band sex returned_within",
    "dop_case": "type province police_region month fiscal_year offence_group result reoffended_12m",
    "dop_em": "basis month fiscal_year outcome",
    "dop_test": "month fiscal_year kind result",
    "oag_case": "month fiscal_year order offence_group offence province police_region",
    "people_poll": "station police_region month fiscal_year age_band sex feared_crime",
    "ref_population": "province police_region month fiscal_year sex age_band",
    "ssz_station_month": "station police_region month fiscal_year phase",
    "tpo_complaint": "month week fiscal_year weekday hour province police_region channel case_type platform age_band"
    " sex stage",
    "tpo_hold": "month fiscal_year hour acted_within result case_type province police_region",
    "tpo_mule": "hop month fiscal_year exit age_band province police_region",
    "tpo_url": "month fiscal_year kind source category progress",
}
ADDED = {
    "coj_case": {"days_to_judgment"},
    "crimes_arrest": {"arrest_id"},
    "crimes_case": {"person_id"},
    "cvs": {
        "answer_id",
        "respondent_id",
        "interviewed_at",
        "region",
        "age",
        "sex",
        "victimised",
        "offence",
        "reported",
    },
    "doc_prisoner": {"spell_id"},
    "doc_release_cohort": {"release_id", "released_at"},
    "dop_test": {"test_id"},
    "oag_case": {"days_to_order"},
    "people_poll": {"answer_id"},
    "ref_population": {"cell_id", "province", "year", "counted_at", "sex", "age_band", "population"},
    "ssz_station_month": {"station_month"},
    "tpo_hold": {"holder_id"},
    "tpo_mule": {"holder_id"},
    "tpo_url": {"days_to_block", "found_at", "progress"},
}
"""Columns that the federation's list of 131 has not: row keys, event times, people's keys, days, two whole datasets."""

SPREAD = {("ssz_station_month", "component_score"): "ssz_components", ("dop_em", "alerts"): "em_events"}
"""Lists of figures in that list, which become one column for each code."""

TYPES = {
    "string": "string",
    "code": "string",
    "timestamp": "timestamp",
    "date": "date",
    "month": "date",
    "bool": "boolean",
}
CLASSES = {"direct id": "direct-identifier", "quasi": "quasi-identifier", "sensitive": "sensitive", "-": "internal"}
ALL = pytest.mark.parametrize("name", sorted(PROMISES))


def contract(name: str) -> DatasetContract:
    return read_contract(bundled_text(name))


@lru_cache(maxsize=32)
def columns(name: str) -> dict[str, dict[str, Any]]:
    schema: Any = parse(bundled_text(name))["schema"]
    return {each["name"]: each for each in schema[0]["properties"]}


@lru_cache(maxsize=1)
def listed() -> tuple[dict[str, str], ...]:
    """The federation's list of columns."""
    text = Path(__file__).with_name("dataset_columns.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def names_of(row: dict[str, str]) -> tuple[str, ...]:
    spread = SPREAD.get((row["dataset"], row["column"]))
    codes = code_list(spread).values if spread else ()
    return tuple(f"{row['column']}_{code.lower()}" for code in codes) or (row["column"],)


def test_there_are_seventeen_datasets_and_131_listed_columns() -> None:
    assert set(bundled_ids()) == set(PROMISES)
    assert (len(PROMISES), len(listed())) == (17, 131)


@pytest.mark.parametrize("row", listed(), ids=[f"{each['dataset']}.{each['column']}" for each in listed()])
def test_a_listed_column_is_in_its_contract_with_its_type_and_disclosure(row: dict[str, str]) -> None:
    kind = TYPES.get(row["type"], "number" if row["type"].startswith("decimal") else "integer")
    for name in names_of(row):
        found = columns(row["dataset"])[name]
        assert (found["logicalType"], found["classification"]) == (kind, CLASSES[row["disclosure"]])


@ALL
def test_a_column_that_is_not_listed_is_one_that_the_contract_owns_up_to(name: str) -> None:
    known = {column for row in listed() if row["dataset"] == name for column in names_of(row)}
    assert set(columns(name)) - known == ADDED.get(name, set())


@ALL
def test_a_contract_promises_what_the_federation_agreed(name: str) -> None:
    found = contract(name)
    assert (found.id, found.table) == (name, name)
    unit, privacy = found.unit, found.privacy
    promised = (found.agency, found.source, unit.column, unit.rows_per_window)
    assert (*promised, privacy.protect_at, privacy.nano_rho_per_window) == PROMISES[name]
    assert privacy.nano_rho_per_window > 0
    assert privacy.delta == "1e-7"
    assert tuple(each.name for each in found.dimensions) == tuple(DIMENSIONS[name].split())
    assert found.measures[0] == "count"
    assert found.disjoint_from == ()


def test_no_two_datasets_share_the_budget_of_one_source() -> None:
    assert len({source for _, source, *_ in PROMISES.values()}) == len(PROMISES)


def thai_names(name: str) -> Iterator[str]:
    found = contract(name)
    yield from (found.title.th, found.unit.person.th, *(each.name for each in found.contacts))
    yield from (each.title.th for each in found.dimensions)
    yield from (each.title.th for each in found.measure_columns)
    yield from (each["businessName"] for each in columns(name).values())


@ALL
def test_everything_that_people_read_is_named_in_thai_and_english(name: str) -> None:
    assert all(re.search("[ก-๙]", each) for each in thai_names(name) if each != "Smart Safety Zone")
    found = contract(name)
    assert found.title.en
    assert found.unit.person.en
    assert all(each.title.en for each in found.dimensions)
    assert all(each.title.en for each in found.measure_columns)
    assert all(each.get("description") for each in columns(name).values())


@ALL
def test_a_contract_says_how_long_rows_are_kept_and_who_answers_for_them(name: str) -> None:
    found = contract(name)
    assert 5 * 365 <= found.retention_days <= 30 * 365
    assert [each.role for each in found.contacts] == ["data owner", "data protection officer"]
    assert found.catalogue is not None


@ALL
def test_no_direct_identifier_is_offered(name: str) -> None:
    found = contract(name)
    offered = {each.column for each in found.dimensions} | {each.column for each in found.measure_columns}
    hidden = {key for key, each in columns(name).items() if each["classification"] == "direct-identifier"}
    assert not offered & (hidden | {found.row_key, found.unit.column})


@ALL
def test_no_place_on_a_map_and_no_feature_of_a_body_is_a_column(name: str) -> None:
    words = {word for column in columns(name) for word in column.split("_")}
    assert not words & {"lat", "lon", "latitude", "longitude", "gps", "coordinates", "face", "plate", "fingerprint"}


@ALL
def test_exact_figures_about_people_are_statistics_and_never_a_feed(name: str) -> None:
    found = contract(name)
    assert set(found.tiers) <= {Tier.STATISTICS, Tier.FEED}
    if found.pdpa.classification != "none":
        assert Tier.STATISTICS in found.tiers
        assert (Tier.FEED in found.tiers) == (found.feed_rows is not None)
    assert (Tier.FEED in found.tiers) == (name in {"tpo_url", "ref_population"})


def test_only_web_addresses_leave_as_rows() -> None:
    found = contract("tpo_url")
    assert found.feed_rows is not None
    assert (found.feed_rows.column, found.feed_rows.codes) == ("kind", ("WEB",))


@ALL
def test_secret_data_stays_exact_inside_the_agency(name: str) -> None:
    found = contract(name)
    secret = {"tpo_mule", "doc_prisoner", "doc_release_cohort", "dop_em", "dop_test"}
    assert (found.government.dga_level == "SECRET") == (name in secret)
    assert name not in secret or found.privacy.protect_at is CONNECTOR


@ALL
def test_only_the_safety_zones_and_their_poll_are_bound_to_pilot_stations(name: str) -> None:
    pilot = contract(name).pilot
    assert (pilot is not None) == (name in {"ssz_station_month", "people_poll"})
    assert pilot is None or (pilot.column, pilot.codes) == ("station", code_list("ssz_stations").values)


@ALL
def test_limitations_say_whom_the_promise_does_not_protect(name: str) -> None:
    description: Any = parse(bundled_text(name))["description"]
    said = " ".join(str(description["limitations"]).split())
    by_row = {"people_poll", "ssz_station_month", "ref_population", "tpo_url", "crimes_case"}
    assert name in by_row or "Not protected" in said
    for added in ADDED.get(name, set()) if name not in {"cvs", "ref_population"} else ():
        assert added in said


@ALL
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


@ALL
def test_months_roll_up_to_the_fiscal_year(name: str) -> None:
    found = contract(name)
    month, year = found.dimension("month"), found.dimension("fiscal_year")
    assert month is not None
    assert year is not None
    assert rolls_up(month, year)
    assert parent(month, year, "2025-10") == "FY2569"


SHAPES = {
    "crimes_case": (("month", "offence_group"), 1, 2),
    "dop_case": (("month", "type"), 1, 2),
    "dop_test": (("month",), 2, 12),
    "tpo_complaint": (("month", "case_type"), 1, 3),
}


@ALL
def test_a_shape_bounds_where_rows_fall_and_leaves_the_year_s_bound_as_it_is(name: str) -> None:
    unit = contract(name).unit
    found = None if unit.shape is None else (unit.shape.by, unit.shape.rows, unit.shape.cells)
    assert found == SHAPES.get(name)
    assert unit.most_rows == unit.rows_per_window


@pytest.mark.parametrize(
    ("name", "by", "squared", "before"),
    [
        ("crimes_case", ("month", "province", "offence_group"), 2, 4),
        ("crimes_case", ("hour", "offence_group"), 4, 4),
        ("dop_case", ("month", "type"), 2, 4),
        ("dop_test", ("month", "result"), 24, 144),
        ("tpo_complaint", ("month", "case_type"), 3, 9),
        ("tpo_complaint", ("province",), 9, 9),
    ],
)
def test_what_a_shape_buys_is_noise_of_the_tables_that_group_by_it(
    name: str, by: tuple[str, ...], squared: int, before: int
) -> None:
    found = contract(name)
    year = Period.model_validate({"from": date(2024, 10, 1), "until": date(2025, 10, 1)})
    query = Query(measures=("count",), dimensions=by, where={}, period=year)
    plain = found.model_copy(update={"unit": found.unit.model_copy(update={"shape": None})})
    assert sensitivity(query, found, "count", by).l2_squared == squared
    assert sensitivity(query, plain, "count", by).l2_squared == before


@ALL
def test_rows_about_two_kinds_of_people_name_who_is_not_protected(name: str) -> None:
    unit = contract(name).unit
    assert bool(unit.others) == (unit.column is not None)
    assert all(re.search("[ก-๙]", each.th) and each.en for each in unit.others)
    assert unit.person not in unit.others


# The federation's figures: 146,754, 368,102, 1,271,342, 2,524,656 and 6,946,477 baht, rounded up.
PERCENTILE_99 = {"SHOP": 150_000, "LOAN": 370_000, "JOB": 1_280_000, "PHONE": 2_530_000, "INVEST": 7_000_000}


@pytest.mark.parametrize(
    ("name", "column", "most"),
    [
        ("tpo_complaint", "damage_thb", 1_000_000),
        ("tpo_hold", "requested_thb", 7_000_000),
        ("tpo_hold", "frozen_thb", 7_000_000),
    ],
)
def test_money_of_online_crime_is_clamped_at_the_99th_percentile_of_its_type(name: str, column: str, most: int) -> None:
    measured = contract(name).measure_column(column)
    assert measured is not None
    assert (measured.clamp_by, measured.clamp) == ("case_type", (0, most))
    for code, high in PERCENTILE_99.items():
        assert measured.clamps.get(code, measured.clamp) == (0, min(high, most))


def test_crimes_are_counted_by_report_and_clocked_by_event() -> None:
    found = contract("crimes_case")
    assert found.event_time == "reported_at"
    grains = {each.grain: each.column for each in found.dimensions if each.grain}
    assert grains == {
        Grain.MONTH: "reported_at",
        Grain.WEEK: "reported_at",
        Grain.YEAR: "reported_at",
        Grain.WEEKDAY: "occurred_at",
        Grain.HOUR: "occurred_at",
    }


@pytest.mark.parametrize(("name", "groups"), [("crimes_case", {"G4"}), ("crimes_arrest", {"G1", "G2", "G3", "G4"})])
def test_what_counts_enforcement_is_marked_so(name: str, groups: set[str]) -> None:
    found = contract(name)
    offence = found.dimension("offence")
    group = found.dimension("offence_group")
    assert offence is not None
    assert group is not None
    assert set(found.enforcement_values["offence_group"]) == groups
    lookup = derivation(group)
    assert lookup is not None
    marked = {code for code in offence.values if lookup.code_of(code) in groups}
    assert set(found.enforcement_values["offence"]) == marked


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


def test_the_page_of_the_reference_is_that_of_the_contracts() -> None:
    assert (ROOT / "docs/reference/datasets.md").read_text(encoding="utf-8") == page(), (
        "run: python -m contracts.dataset_reference > docs/reference/datasets.md"
    )

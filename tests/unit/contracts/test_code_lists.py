"""The public code lists: facts that answers hang on, and how a source's value becomes a code."""

import pytest

from contracts.code_lists import NAMES, Bands, Lookup, code_list, crosswalk, derivation, titles_of
from contracts.dataset import Dimension, Grain, Text
from contracts.errors import InvalidInput
from contracts.grid import WEEKDAYS

pytestmark = pytest.mark.unit


def dimension(**fields: object) -> Dimension:
    return Dimension.model_validate({"name": "d", "title": Text(th="ก", en="a"), "column": "c", **fields})


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_list_has_codes_once_with_titles_in_both_languages(name: str) -> None:
    found = code_list(name)
    assert found.name == name
    assert len(found.values) == len(set(found.values)) > 1
    dimension(values=found.values)
    assert all(found.titles[code].th and found.titles[code].en for code in found.values)
    assert sum(mark == "yes" for mark in found.facts.get("otherwise", {}).values()) <= 1


def test_a_list_that_nobody_keeps_is_unknown() -> None:
    with pytest.raises(InvalidInput) as caught:
        code_list("../code_lists/places")
    assert caught.value.code == "unknown-code-list"


def test_there_are_77_provinces_in_ten_police_commands() -> None:
    provinces = code_list("provinces")
    assert len(provinces.values) == 77
    assert all(provinces.facts["iso_3166_2"][code] == f"TH-{code}" for code in provinces.values)
    regions = list(crosswalk("provinces", "police_commands").values())
    sizes = [regions.count(code) for code in code_list("police_commands").values]
    assert sizes == [1, 9, 8, 8, 12, 8, 9, 8, 7, 7]
    assert crosswalk("provinces", "police_commands")["11"] == "P1"
    assert crosswalk("provinces", "police_commands")["53"] == "P6"


def test_only_the_four_groups_of_today_are_kept_and_every_offence_falls_into_one() -> None:
    assert code_list("offence_groups").values == ("G1", "G2", "G3", "G4")
    assert set(crosswalk("offences", "offence_groups").values()) == {"G1", "G2", "G3", "G4"}
    assert crosswalk("offences", "offence_groups")["DRUG"] == "G4"


@pytest.mark.parametrize(("via", "target"), [("provinces", "offences"), ("provinces", "pop_2566"), ("x", "offences")])
def test_a_list_that_does_not_lead_to_another_is_refused(via: str, target: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        crosswalk(via, target)
    assert caught.value.code == "unknown-code-list"


def test_a_column_of_another_list_is_mapped() -> None:
    found = derivation(dimension(code_list="offence_groups", via="offences"))
    assert isinstance(found, Lookup)
    assert [found.code_of(each) for each in ("THEFT", "G2", None)] == ["G2", None, None]


def test_a_code_outside_its_list_falls_in_no_cell() -> None:
    found = derivation(dimension(code_list="provinces"))
    assert isinstance(found, Lookup)
    assert [found.code_of(each) for each in ("10", 10, "99", None)] == ["10", "10", None, None]


def test_a_missing_value_is_counted_where_the_list_has_a_code_for_it() -> None:
    found = derivation(dimension(code_list="sex_codes"))
    assert isinstance(found, Lookup)
    assert [found.code_of(each) for each in ("F", "x", None)] == ["F", "U", "U"]


def test_truth_values_are_read_in_every_form_that_sources_write() -> None:
    found = derivation(dimension(code_list="yes_no"))
    assert isinstance(found, Lookup)
    given = [True, "true", "t", 1, "1", False, "false", "f", 0, "0", None, "perhaps"]
    assert [found.code_of(each) for each in given] == ["Y"] * 5 + ["N"] * 5 + ["U"] * 2


def test_ages_fall_into_bands_without_gap_and_nobody_is_lost() -> None:
    found = derivation(dimension(code_list="age_bands", via="age_bands"))
    assert isinstance(found, Bands)
    assert all(a.high is not None and a.high + 1 == b.low for a, b in zip(found.bands, found.bands[1:], strict=False))
    given = [10, 11, 14, 15, 59, 60, 110, None, "30"]
    expected = ["AU", "A11_14", "A11_14", "A15_17", "A45_59", "A60P", "A60P", "AU", "AU"]
    assert [found.code_of(each) for each in given] == expected


def test_age_codes_need_no_bands() -> None:
    found = derivation(dimension(code_list="age_bands"))
    assert isinstance(found, Lookup)
    assert found.code_of("A60P") == "A60P"


def test_a_time_dimension_is_derived_from_no_list() -> None:
    assert derivation(dimension(grain=Grain.MONTH)) is None


def test_weekdays_and_codes_have_titles() -> None:
    assert titles_of(dimension(grain=Grain.WEEKDAY))["mon"].th == "วันจันทร์"
    assert code_list("weekdays").values == WEEKDAYS
    assert titles_of(dimension(code_list="provinces"))["50"].en == "Chiang Mai"
    assert not titles_of(dimension(grain=Grain.HOUR))


def test_the_digest_of_a_list_covers_what_can_change_an_answer() -> None:
    assert code_list("yes_no").digest.startswith("sha-256:")
    assert len({code_list(name).digest for name in NAMES}) == len(NAMES)


def test_the_fifteen_pilot_stations_lie_in_all_ten_commands_and_in_their_provinces() -> None:
    stations = code_list("ssz_stations")
    assert len(stations.values) == 15
    assert set(crosswalk("ssz_stations", "police_commands").values()) == set(code_list("police_commands").values)
    region_of = crosswalk("provinces", "police_commands")
    provinces, commands = stations.facts["provinces"], stations.facts["police_commands"]
    assert all(region_of[provinces[code]] == commands[code] for code in stations.values)


@pytest.mark.parametrize("name", ["hold_minutes", "sentence_bands", "return_bands"])
def test_bands_begin_at_nought_and_have_neither_gap_nor_end(name: str) -> None:
    found = code_list(name)
    assert found.bands[0].low == 0
    assert [each.low for each in found.bands[1:]] == [(each.high or 0) + 1 for each in found.bands[:-1]]
    assert found.bands[-1].high is None
    assert found.otherwise is not None
    assert {each.code for each in found.bands} | {found.otherwise} == set(found.values)


def test_a_fiscal_year_is_named_with_the_months_that_it_spans() -> None:
    assert code_list("fiscal_years").titles["2569"].en == "Fiscal year B.E. 2569 (October 2025 to September 2026)"


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("hold_results", "FROZEN PARTIAL EMPTY REFUSED RELEASED"),
        ("trail_exits", "BANK CASH CRYPTO ABROAD NONE"),
        ("url_kinds", "WEB LINE TIKTOK FACEBOOK PHONE"),
        ("url_sources", "COMPLAINT TIP PATROL"),
        ("url_categories", "SCAM GAMBLING FAKE_NEWS PORN OTHER"),
        ("nationality_groups", "TH OTHER"),
        ("feared_crimes", "THEFT CALL_CENTRE ROBBERY ONLINE_GAMBLING ASSAULT OTHER"),
        ("prosecutor_orders", "IND NON SETTLE ABATE PENDING"),
        ("judgment_outcomes", "IMPRISON SUSPEND_PROB SUSPEND FINE DETAIN ACQUIT STRIKE PENDING"),
        ("prisoner_statuses", "CONVICTED REMAND_APPEAL REMAND_TRIAL REMAND_INQUIRY CONFINED DETAINED"),
        ("release_kinds", "EXPIRED PARDON PAROLE REMISSION BAIL DIED IN_CUSTODY"),
        ("em_bases", "COURT56 BAIL PAROLE DRUG_ASSESS JSOC"),
        ("em_events", "TAMPER ZONE_EXIT ZONE_ENTER CURFEW LOW_BATT NO_SIGNAL"),
        ("em_tests", "ID_FACE ID_FINGER URINE_NEG URINE_POS"),
        ("em_test_results", "NEG POS MATCH NO_MATCH"),
        ("ssz_components", "CCTV AI SOS CCOC APPS CPTED PARTNER"),
    ],
)
def test_a_list_has_the_federations_codes(name: str, codes: str) -> None:
    assert code_list(name).values == tuple(codes.split())

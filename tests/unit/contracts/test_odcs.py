"""Reading dataset contracts: what is read, and what is no contract."""

import pytest

from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.code_lists import code_list, derivation, titles_of
from contracts.dataset import ProtectAt, Tier
from contracts.errors import InvalidInput
from contracts.odcs import (
    bundled_ids,
    bundled_text,
    canonical_document,
    contract_from_document,
    examine,
    examine_text,
    read_contract,
)
from contracts.odcs_yaml import LONGEST, parse
from tests.odcs_documents import clamp_by, column, document, extra, ours, pilot

pytestmark = pytest.mark.unit


def test_a_contract_is_read_whole() -> None:
    contract = read_contract(bundled_text("tpo_complaint"))
    assert (contract.id, contract.agency, contract.source) == ("tpo_complaint", "ccib", "ccib/thaipoliceonline")
    assert (contract.table, contract.row_key, contract.event_time) == ("tpo_complaint", "case_ref", "reported_at")
    assert (contract.unit.column, contract.unit.rows_per_window) == ("victim_id", 3)
    assert contract.privacy.protect_at is ProtectAt.CONNECTOR
    assert contract.tiers == (Tier.STATISTICS,)
    region = contract.dimension("police_region")
    assert region is not None
    assert (region.column, region.code_list, region.via) == ("province", "police_commands", "provinces")
    assert region.values == code_list("police_commands").values
    month = contract.dimension("month")
    assert month is not None
    assert month.values == ()
    measured = contract.measure_column("damage_thb")
    assert measured is not None
    assert measured.kinds == ("sum", "mean", "histogram", "median", "p25", "p75", "p90")
    assert (measured.clamp, measured.unit) == ((0, 1_000_000), "THB")
    assert (measured.bins[0], measured.bins[-1], len(measured.bins)) == (1, 500_000, 10)
    assert (measured.clamp_by, measured.clamps["SHOP"]) == ("case_type", (0, 150_000))


def test_the_digest_is_that_of_the_canonical_document_and_covers_every_word() -> None:
    text = bundled_text("dop_case")
    contract = read_contract(text)
    assert contract.digest == digest_of_bytes(canonical_document(text))
    assert read_contract(canonical_document(text).decode()) == contract
    assert read_contract(text.replace("weekly", "daily")).digest == contract.digest
    assert read_contract(text.replace("DOP statistics desk", "DOP desk")).digest != contract.digest


def test_what_is_read_is_what_the_canonical_bytes_say() -> None:
    doc = document()
    extra(doc["schema"][0], "unitOfPrivacy")["rowsPerWindow"] = 3.0
    assert contract_from_document(doc) == read_contract(bundled_text("tpo_complaint"))


def test_the_table_may_have_another_physical_name() -> None:
    doc = document()
    doc["schema"][0]["physicalName"] = "v_complaints"
    assert contract_from_document(doc).table == "v_complaints"


def test_extras_of_other_vendors_are_left_alone() -> None:
    doc = document()
    doc["customProperties"].append({"property": "title", "vendor": "atlan", "value": 1})
    doc["team"]["customProperties"] = [{"property": "x", "value": 1}]
    assert contract_from_document(doc).title.en == "Online-crime complaints"


def test_a_dimension_may_bring_its_own_labels() -> None:
    doc = document()
    holder = column(doc, "station")
    holder["enum"] = [{"value": "north", "label": "North"}, {"value": "south"}]
    holder["customProperties"] = [ours("dimensions", [{"name": "station", "title": {"th": "สถานี", "en": "Station"}}])]
    dimension = contract_from_document(doc).dimension("station")
    assert dimension is not None
    assert dimension.values == ("north", "south")
    found = derivation(dimension)
    assert found is not None
    assert [found.code_of(each) for each in ("north", "west", None)] == ["north", None, None]
    assert not titles_of(dimension)


def test_every_row_may_be_a_person_of_its_own() -> None:
    doc = document()
    extra(doc["schema"][0], "unitOfPrivacy").update(column=None, shape=None)
    assert contract_from_document(doc).unit.column is None


def test_datasets_without_common_persons_may_be_declared() -> None:
    doc = document()
    doc["customProperties"].append(ours("disjointFrom", ["city_north"]))
    assert contract_from_document(doc).disjoint_from == ("city_north",)


def test_all_broken_rules_are_listed_together() -> None:
    doc = document()
    doc["status"] = "retired"
    extra(doc, "coverage").update(firstMonth="2031-12", lastMonth="2020-01")
    _, findings = examine(doc)
    assert {each.rule for each in findings} == {"status-active", "coverage"}


@pytest.mark.parametrize(
    ("text", "rule", "where"),
    [
        ("a: [", "yaml", "line 1"),
        ("a: b\nb: }", "yaml", "line 2"),
        ("- a", "yaml", "line 1"),
        ("", "yaml", "line 1"),
        ("a: \x00", "yaml", "line 1"),
        ("a: !!python/object:os.system {}", "yaml", "line 1"),
        ("a: !!int x", "yaml", "line 1"),
        ("[" * 200, "yaml-plain", "line 1"),
        ("a: " + "[" * 32 + "]" * 32, "yaml-plain", "line 1"),
        ("a: " + "b" * LONGEST, "yaml", "line 1"),
        ("id: a\nid: b", "yaml-plain", "line 1"),
        ("a: 1\nb:\n  c: 1\n  c: 2", "yaml-plain", "line 3"),
        ("a: &x {b: 1}\nc: *x", "yaml-plain", "line 2"),
        ("a: [&x [1], *x]", "yaml-plain", "line 1"),
        ("1: a", "yaml-plain", "line 1"),
        ("on: a", "yaml-plain", "line 1"),
        ("? [a]\n: b", "yaml-plain", "line 1"),
    ],
    ids=range(17),
)
def test_yaml_that_two_readers_may_read_differently_is_refused(text: str, rule: str, where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_contract(text)
    assert caught.value.code == "contract-invalid"
    assert caught.value.details == {"rule": rule, "where": where}
    contract, findings = examine_text(text)
    assert contract is None
    assert [each.rule for each in findings] == [rule]


def test_nesting_is_allowed_as_deep_as_a_contract_needs() -> None:
    assert parse("a: " + "[" * 31 + "]" * 31)


def test_dates_and_merge_keys_in_yaml_are_text() -> None:
    assert parse("a: 2026-01-01\nb: {<<: {c: 1}}") == {"a": "2026-01-01", "b": {"<<": {"c": 1}}}


def test_a_document_too_deep_to_be_canonical_is_refused() -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    _, findings = examine({"a": deep})
    assert [each.rule for each in findings] == ["canonical"]


def test_a_contract_that_does_not_come_along_is_unknown() -> None:
    assert len(bundled_ids()) == 17
    with pytest.raises(InvalidInput) as caught:
        bundled_text("../odcs")
    assert caught.value.code == "unknown-contract"


def test_the_canonical_document_is_canonical() -> None:
    text = bundled_text("crimes_case")
    assert canonical_document(text) == canonical_bytes(parse(text))


def test_a_pilot_and_clamps_for_each_code_are_read() -> None:
    doc = document()
    pilot(doc, "province", ["10", "50"])
    clamp_by(doc, "case_type", {"SHOP": [0, 150_000]})
    contract = contract_from_document(doc)
    assert contract.pilot is not None
    assert contract.pilot.codes == ("10", "50")
    (damage,) = contract.measure_columns
    assert damage.clamp_by == "case_type"
    assert damage.clamps == {"SHOP": (0, 150_000)}

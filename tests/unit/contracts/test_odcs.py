"""Reading dataset contracts: each rule is broken once, and must then be named."""

import copy
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest

from contracts import odcs
from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.code_lists import code_list, derivation, titles_of
from contracts.dataset import FeedRows, ProtectAt, Tier
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
from contracts.odcs_rules import CHECKS, FIXES, RULES
from contracts.odcs_yaml import LONGEST, parse

pytestmark = pytest.mark.unit
Doc = dict[str, Any]


def document() -> Doc:
    """The contract of tpo_complaint, to be changed at will."""
    return copy.deepcopy(original())


@lru_cache(maxsize=1)
def original() -> Doc:
    return dict(parse(bundled_text("tpo_complaint")))


def column(doc: Doc, name: str) -> Doc:
    found: Doc = next(each for each in doc["schema"][0]["properties"] if each["name"] == name)
    return found


def extra(holder: Doc, name: str) -> Any:  # noqa: ANN401  # an extra has any shape
    return next(each for each in holder["customProperties"] if each["property"] == name)["value"]


def set_extra(holder: Doc, name: str, value: object) -> None:
    next(each for each in holder["customProperties"] if each["property"] == name)["value"] = value


def ours(name: str, value: object) -> Doc:
    return {"property": name, "vendor": "saphan", "value": value}


def second_table(doc: Doc) -> None:
    doc["schema"].append({"name": "second", "properties": [{"name": "a", "logicalType": "date"}]})


def no_months(doc: Doc) -> None:
    extra(doc, "coverage").update(firstMonth="2031-12", lastMonth="2020-01")


def without_dimensions(doc: Doc) -> None:
    for each in doc["schema"][0]["properties"]:
        each.pop("customProperties", None)
    set_extra(doc, "codeLists", {})


def measure_on_text(doc: Doc) -> None:
    column(doc, "damage_thb")["logicalType"] = "string"


def month_of_another_time(doc: Doc) -> None:
    column(doc, "occurred_at")["customProperties"] = [
        ours("dimensions", [{"name": "month_of_event", "title": {"th": "เดือน", "en": "Month"}, "grain": "month"}])
    ]


def hour_of_a_day(doc: Doc) -> None:
    column(doc, "reported_at")["logicalType"] = "date"


def first_dimension(doc: Doc, name: str) -> Doc:
    found: Doc = extra(column(doc, name), "dimensions")[0]
    return found


def labels_twice(doc: Doc) -> None:
    first_dimension(doc, "channel").pop("codeList")
    column(doc, "channel")["enum"] = [{"value": "TPO", "label": "a"}, {"value": "TPO", "label": "b"}]
    extra(doc, "codeLists").pop("report_channels")


def pilot(doc: Doc, name: str, codes: list[str]) -> None:
    doc["customProperties"].append(ours("pilot", {"column": name, "codes": codes}))


def clamp_by(doc: Doc, name: str, clamps: dict[str, list[int]]) -> None:
    extra(column(doc, "damage_thb"), "measure")["clampBy"] = {"column": name, "clamps": clamps}


def secret(doc: Doc, protect_at: str) -> None:
    extra(doc, "government")["dgaLevel"] = "SECRET"
    extra(doc, "differentialPrivacy")["protectAt"] = protect_at


def feed(doc: Doc, name: str | None = None, codes: list[str] | None = None) -> None:
    extra(doc, "release")["tiers"] = ["statistics", "feed"]
    if name is not None:
        extra(doc, "release")["feedRows"] = {"column": name, "codes": codes}


def feed_rows_without_feed(doc: Doc) -> None:
    extra(doc, "release")["feedRows"] = {"column": "channel", "codes": ["TPO"]}


def harmless(doc: Doc) -> Doc:
    for each in doc["schema"][0]["properties"]:
        each["classification"] = "internal"
    return doc


def impersonal(doc: Doc) -> Doc:
    pdpa = extra(doc, "pdpa")
    pdpa.update(classification="none", section26=[])
    pdpa.pop("exemption")
    extra(doc, "government")["oia24"] = "none"
    return harmless(doc)


BREAKS: list[tuple[str, str, Callable[[Doc], object]]] = [
    ("canonical", "$", lambda d: d.update(price={"priceAmount": float("nan")})),
    ("canonical", "$", lambda d: column(d, "damage_thb").update(logicalTypeOptions={"maximum": 2**60})),
    ("canonical", "$", lambda d: extra(d, "differentialPrivacy").update(nanoRhoPerWindow=float("nan"))),
    ("canonical", "$", lambda d: extra(d, "differentialPrivacy").update(nanoRhoPerWindow=float("inf"))),
    ("size", "$", lambda d: d["description"].update(purpose="ก" * 3_400_000)),
    ("odcs-schema", "$", lambda d: d.update(colour="blue")),
    ("odcs-schema", "$", lambda d: d.pop("version")),
    ("odcs-schema", "$.schema[0]", lambda d: d["schema"][0].update(colour="blue")),
    ("odcs-schema", "$.schema[0].properties[1]", lambda d: column(d, "victim_id").update(logicalType="text")),
    ("odcs-version", "apiVersion", lambda d: d.update(apiVersion="v3.1.0")),
    ("status-active", "status", lambda d: d.update(status="draft")),
    ("status-active", "status", lambda d: d.pop("status")),
    (
        "one-table",
        "schema",
        second_table,
    ),
    ("one-table", "schema", lambda d: d.pop("schema")),
    ("one-table", "schema", lambda d: d["schema"][0].pop("properties")),
    ("extra-once", "customProperties", lambda d: d["customProperties"].append(ours("title", {"th": "ก", "en": "a"}))),
    ("extra-place", "$", lambda d: d["team"].update(customProperties=[ours("release", {})])),
    ("extra-place", "$", lambda d: d["team"]["members"][0].update(customProperties=[ours("release", {})])),
    ("extra-form", "customProperties", lambda d: d["customProperties"].append(ours("colour", "blue"))),
    ("extra-form", "customProperties.release", lambda d: extra(d, "release").update(minimum=3)),
    ("extra-form", "customProperties.differentialPrivacy", lambda d: extra(d, "differentialPrivacy").update(delta="1")),
    (
        "extra-form",
        "customProperties.differentialPrivacy",
        lambda d: extra(d, "differentialPrivacy").update(nanoRhoPerWindow="400000000"),
    ),
    (
        "extra-form",
        "customProperties.differentialPrivacy",
        lambda d: extra(d, "differentialPrivacy").update(nanoRhoPerWindow=0),
    ),
    (
        "extra-form",
        "customProperties.differentialPrivacy.nanoRhoPerWindow",
        lambda d: extra(d, "differentialPrivacy").update(nanoRhoPerWindow=-1),
    ),
    (
        "extra-form",
        "customProperties.differentialPrivacy.epsilon",
        lambda d: extra(d, "differentialPrivacy").update(epsilon=-1),
    ),
    (
        "extra-form",
        "customProperties.federation.source",
        lambda d: extra(d, "federation").update(source="ccib/x'; drop table y --"),
    ),
    (
        "extra-form",
        "channel.customProperties.dimensions.0.name",
        lambda d: first_dimension(d, "channel").update(name='x" OR 1=1'),
    ),
    (
        "extra-form",
        "damage_thb.customProperties.measure.clamp",
        lambda d: extra(column(d, "damage_thb"), "measure").update(clamp=[0, 1.5]),
    ),
    (
        "extra-form",
        "tpo_complaint.customProperties.unitOfPrivacy",
        lambda d: extra(d["schema"][0], "unitOfPrivacy").update(rowsPerWindow=0),
    ),
    (
        "extra-form",
        "damage_thb.customProperties.measure",
        lambda d: extra(column(d, "damage_thb"), "measure").pop("clamp"),
    ),
    ("extra-form", "customProperties.coverage", lambda d: extra(d, "coverage").update(lastMonth="2031-13")),
    ("extra-form", "customProperties.title", lambda d: d["customProperties"].pop(0)),
    ("contract-form", "$.id", lambda d: d.update(id="urn:th:ccib:complaints")),
    ("contract-form", "$.version", lambda d: d.update(version="1.0")),
    ("contract-form", "$.table", lambda d: d["schema"][0].update(physicalName="public.complaints; drop")),
    ("column-once", "stage", lambda d: d["schema"][0]["properties"].append({"name": "stage", "logicalType": "date"})),
    ("column-name", "station; drop table x", lambda d: column(d, "station").update(name="station; drop table x")),
    ("column-name", "Station", lambda d: column(d, "station").update(name="Station")),
    ("column-name", "station", lambda d: column(d, "station").update(physicalName="v_station")),
    ("column-classified", "station", lambda d: column(d, "station").pop("classification")),
    ("column-classified", "case_ref", lambda d: column(d, "case_ref").update(classification="direct identifier")),
    ("row-key", "case_ref", lambda d: column(d, "case_ref").update(unique=False)),
    ("row-key", "case_ref", lambda d: column(d, "case_ref").update(required=False)),
    ("row-key", "tpo_complaint", lambda d: column(d, "case_ref").update(primaryKey=False)),
    ("row-key", "tpo_complaint", lambda d: column(d, "crimes_ref").update(primaryKey=True, required=True, unique=True)),
    ("event-time", "eventTime: filed_at", lambda d: set_extra(d["schema"][0], "eventTime", "filed_at")),
    ("event-time", "eventTime: case_type", lambda d: set_extra(d["schema"][0], "eventTime", "case_type")),
    ("event-time", "eventTime: reported_at", lambda d: column(d, "reported_at").update(required=False)),
    ("unit-column", "unitOfPrivacy.column: person", lambda d: extra(d["schema"][0], "unitOfPrivacy").update(column="person")),
    ("unit-column", "unitOfPrivacy.column: victim_id", lambda d: column(d, "victim_id").update(required=False)),
    ("identifier-offered", "channel", lambda d: extra(d["schema"][0], "unitOfPrivacy").update(column="channel")),
    ("identifier-offered", "stage", lambda d: column(d, "stage").update(classification="direct-identifier")),
    (
        "identifier-offered",
        "damage_thb",
        lambda d: column(d, "damage_thb").update(primaryKey=True, required=True, unique=True),
    ),
    ("dimension-once", "channel.hour", lambda d: first_dimension(d, "channel").update(name="hour")),
    ("dimension-once", "tpo_complaint", without_dimensions),
    ("dimension-labels", "channel.channel", lambda d: first_dimension(d, "channel").pop("codeList")),
    ("dimension-labels", "channel.channel", labels_twice),
    ("dimension-labels", "reported_at.month", lambda d: first_dimension(d, "reported_at").update(codeList="places")),
    ("dimension-labels", "reported_at.month", lambda d: first_dimension(d, "reported_at").update(via="places")),
    ("dimension-time", "reported_at.hour", hour_of_a_day),
    (
        "dimension-time",
        "channel.channel",
        lambda d: first_dimension(d, "channel").update(grain="weekday", codeList=None),
    ),
    ("dimension-time", "occurred_at.month_of_event", month_of_another_time),
    ("code-list", "channel.channel", lambda d: first_dimension(d, "channel").update(codeList="colours")),
    ("code-list", "channel.channel", lambda d: first_dimension(d, "channel").update(via="provinces")),
    ("code-list", "channel.channel", lambda d: first_dimension(d, "channel").update(via="report_channels")),
    ("code-list-pinned", "codeLists.places", lambda d: extra(d, "codeLists").update(places=code_list("places").digest)),
    (
        "code-list-pinned",
        f"codeLists.sex_codes ({code_list('sex_codes').digest})",
        lambda d: extra(d, "codeLists").update(sex_codes=code_list("places").digest),
    ),
    (
        "code-list-pinned",
        f"codeLists.provinces ({code_list('provinces').digest})",
        lambda d: extra(d, "codeLists").pop("provinces"),
    ),
    ("measure-column", "damage_thb", measure_on_text),
    ("measure-column", "damage_thb", lambda d: extra(column(d, "damage_thb"), "measure").update(clamp=[0, 0])),
    ("measure-column", "damage_thb", lambda d: extra(column(d, "damage_thb"), "measure").update(clamp=[9, 1])),
    ("coverage", "coverage", no_months),
    ("purpose-known", "pdpa.purposes: marketing", lambda d: extra(d, "pdpa")["purposes"].append("marketing")),
    ("purpose-known", "pdpa.legalBasis: consent", lambda d: extra(d, "pdpa")["legalBasis"].append("consent")),
    ("level-registrable", "government.dgaLevel", lambda d: extra(d, "government").update(dgaLevel="TOP_SECRET")),
    ("level-registrable", "government.dgaLevel", lambda d: extra(d, "government").update(dgaLevel="PUBLIC")),
    ("personal-terms", "pdpa.section26", lambda d: extra(d, "pdpa").update(section26=[])),
    ("personal-terms", "pdpa.section26", lambda d: extra(d, "pdpa").update(classification="personal")),
    ("personal-terms", "pdpa.exemption", lambda d: extra(d, "pdpa").update(classification="none", section26=[])),
    ("personal-terms", "government.oia24", lambda d: extra(d, "pdpa").update(classification="none", section26=[])),
    ("personal-terms", "government.oia24", lambda d: extra(d, "government").update(oia24="none")),
    ("secret-at-connector", "differentialPrivacy.protectAt", lambda d: secret(d, "gateway")),
    ("secret-at-connector", "release.tiers", lambda d: (secret(d, "connector"), feed(d))),
    ("feed-not-personal", "victim_id", feed),
    ("feed-not-personal", "release.tiers", feed),
    ("feed-not-personal", "release.feedRows", lambda d: feed(harmless(d), "channel", ["BLUE"])),
    ("feed-not-personal", "release.feedRows", lambda d: feed(harmless(d), "province", ["P1"])),
    ("feed-not-personal", "release.feedRows", lambda d: feed(impersonal(d), "channel", ["TPO"])),
    ("feed-not-personal", "release.feedRows", feed_rows_without_feed),
    (
        "enforcement-known",
        "enforcementValues.case_type",
        lambda d: d["customProperties"].append(ours("enforcementValues", {"case_type": ["G4"]})),
    ),
    (
        "enforcement-known",
        "enforcementValues.colour",
        lambda d: d["customProperties"].append(ours("enforcementValues", {"colour": ["blue"]})),
    ),
    ("disjoint-from", "disjointFrom", lambda d: d["customProperties"].append(ours("disjointFrom", ["tpo_complaint"]))),
    ("source-owner", "federation.source", lambda d: extra(d, "federation").update(source="rtp/thaipoliceonline")),
    ("retention-given", "slaProperties.retention", lambda d: d.pop("slaProperties")),
    ("retention-given", "slaProperties.retention", lambda d: d["slaProperties"][1].update(unit="w")),
    ("retention-given", "slaProperties.retention", lambda d: d["slaProperties"][1].update(value="10")),
    ("retention-given", "slaProperties.retention", lambda d: d["slaProperties"][1].update(value=0)),
    ("retention-given", "slaProperties.retention", lambda d: d["slaProperties"].append(d["slaProperties"][1])),
    ("contacts-given", "team.members: data owner", lambda d: d["team"]["members"].pop(0)),
    ("contacts-given", "team.members: data owner", lambda d: d.pop("team")),
    ("pilot-codes", "pilot.province", lambda d: pilot(d, "province", ["999"])),
    ("pilot-codes", "pilot.colour", lambda d: pilot(d, "colour", ["10"])),
    ("clamp-by", "damage_thb.clampBy.colour", lambda d: clamp_by(d, "colour", {"SHOP": [0, 1]})),
    ("clamp-by", "damage_thb.clampBy.case_type", lambda d: clamp_by(d, "case_type", {"BLUE": [0, 1]})),
    ("clamp-by", "damage_thb.clampBy.SHOP", lambda d: clamp_by(d, "case_type", {"SHOP": [1, 0]})),
    ("clamp-by", "damage_thb.clampBy.SHOP", lambda d: clamp_by(d, "case_type", {"SHOP": [0, 2**40]})),
]


@pytest.mark.parametrize(("rule", "where", "change"), BREAKS, ids=[f"{n}-{b[0]}" for n, b in enumerate(BREAKS)])
def test_a_broken_rule_is_named_with_its_place(rule: str, where: str, change: Callable[[Doc], object]) -> None:
    doc = document()
    change(doc)
    contract, findings = examine(doc)
    assert contract is None
    assert any(each.rule == rule and each.where.startswith(where) for each in findings), findings
    with pytest.raises(InvalidInput) as caught:
        contract_from_document(doc)
    assert caught.value.code == "contract-invalid"
    assert caught.value.details == {"rule": findings[0].rule, "where": findings[0].where}


def test_every_rule_is_broken_by_some_test_and_explained_in_both_languages() -> None:
    assert {rule for rule, _, _ in BREAKS} | {"odcs-model", "yaml", "yaml-plain"} == set(RULES) == set(FIXES)
    assert set(CHECKS) <= set(RULES)
    assert all(each.th and each.en for each in (*RULES.values(), *FIXES.values()))


def test_rows_about_nobody_may_be_a_feed() -> None:
    doc = document()
    feed(harmless(doc), "channel", ["TPO", "AOC"])
    assert contract_from_document(doc).feed_rows == FeedRows(column="channel", codes=("TPO", "AOC"))


def test_a_dataset_about_nobody_may_be_a_feed_as_a_whole() -> None:
    doc = document()
    feed(impersonal(doc))
    contract = contract_from_document(doc)
    assert (contract.tiers, contract.feed_rows) == ((Tier.STATISTICS, Tier.FEED), None)


def test_secret_data_may_be_protected_at_the_connector() -> None:
    doc = document()
    secret(doc, "connector")
    assert contract_from_document(doc).government.dga_level == "SECRET"


def test_a_column_may_say_its_own_name_twice() -> None:
    doc = document()
    column(doc, "station")["physicalName"] = "station"
    assert contract_from_document(doc).id == "tpo_complaint"


def test_a_contact_is_the_office_where_the_team_names_one() -> None:
    doc = document()
    doc["team"]["members"][1].pop("name")
    owner, dpo = contract_from_document(doc).contacts
    assert "บช.สอท." in owner.name
    assert dpo.name == "dpo.ccib"


def test_the_standards_own_model_is_asked_as_well() -> None:
    with pytest.raises(odcs._Broken) as caught:
        odcs._model({"kind": 5, "colour": "blue"})
    assert [(each.rule, each.where.partition(":")[0]) for each in caught.value.findings] == [
        ("odcs-model", "$.kind"),
        ("odcs-model", "$.colour"),
    ]


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
    assert (measured.kinds, measured.clamp, measured.unit) == (("sum", "mean"), (0, 7_000_000), "THB")
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
    extra(doc["schema"][0], "unitOfPrivacy")["column"] = None
    assert contract_from_document(doc).unit.column is None


def test_datasets_without_common_persons_may_be_declared() -> None:
    doc = document()
    doc["customProperties"].append(ours("disjointFrom", ["city_north"]))
    assert contract_from_document(doc).disjoint_from == ("city_north",)


def test_all_broken_rules_are_listed_together() -> None:
    doc = document()
    doc["status"] = "retired"
    no_months(doc)
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

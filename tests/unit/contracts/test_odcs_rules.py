"""The rules of dataset contracts: each is broken once, and must then be named."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from contracts import odcs
from contracts.code_lists import code_list
from contracts.dataset import FeedRows, Tier
from contracts.errors import InvalidInput
from contracts.odcs import contract_from_document, examine
from contracts.odcs_extras import DocumentExtras, PropertyExtras, TableExtras
from contracts.odcs_rules import CHECKS, FIXES, RULES
from tests.odcs_documents import (
    Doc,
    clamp_by,
    column,
    document,
    extra,
    feed,
    first_dimension,
    harmless,
    impersonal,
    ours,
    pilot,
    secret,
    set_extra,
)

pytestmark = pytest.mark.unit


def second_table(doc: Doc) -> None:
    doc["schema"].append({"name": "second", "properties": [{"name": "a", "logicalType": "date"}]})


def unit(doc: Doc, name: str) -> None:
    extra(doc["schema"][0], "unitOfPrivacy")["column"] = name


def unit_terms(doc: Doc, **terms: object) -> None:
    extra(doc["schema"][0], "unitOfPrivacy").update(terms)


def shape_by(*names: str) -> Doc:
    return {"by": list(names), "rows": 3, "cells": 1}


def no_months(doc: Doc) -> None:
    extra(doc, "coverage").update(firstMonth="2031-12", lastMonth="2020-01")


def without_dimensions(doc: Doc) -> None:
    for each in doc["schema"][0]["properties"]:
        each.pop("customProperties", None)
    set_extra(doc, "codeLists", {})


def damage(doc: Doc, **changes: object) -> None:
    extra(column(doc, "damage_thb"), "measure").update(changes)


def measure_on_text(doc: Doc) -> None:
    column(doc, "damage_thb")["logicalType"] = "string"


def month_of_another_time(doc: Doc) -> None:
    column(doc, "occurred_at")["customProperties"] = [
        ours("dimensions", [{"name": "month_of_event", "title": {"th": "เดือน", "en": "Month"}, "grain": "month"}])
    ]


def hour_of_a_day(doc: Doc) -> None:
    column(doc, "reported_at")["logicalType"] = "date"


def labels_twice(doc: Doc) -> None:
    first_dimension(doc, "channel").pop("codeList")
    column(doc, "channel")["enum"] = [{"value": "TPO", "label": "a"}, {"value": "TPO", "label": "b"}]
    extra(doc, "codeLists").pop("report_channels")


def secret_feed(doc: Doc) -> None:
    secret(doc, "connector")
    feed(doc)


def feed_rows_without_feed(doc: Doc) -> None:
    extra(doc, "release")["feedRows"] = {"column": "channel", "codes": ["TPO"]}


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
    (
        "unit-column",
        "unitOfPrivacy.column: person",
        lambda d: extra(d["schema"][0], "unitOfPrivacy").update(column="person"),
    ),
    ("unit-column", "unitOfPrivacy.column: victim_id", lambda d: column(d, "victim_id").update(required=False)),
    ("unit-shape", "unitOfPrivacy.shape.by: moon", lambda d: unit_terms(d, shape=shape_by("moon"))),
    ("unit-others", "unitOfPrivacy.others.0", lambda d: unit_terms(d, others=[{"th": "ก", "en": "victim"}])),
    ("identifier-offered", "channel", lambda d: unit(d, "channel")),
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
    ("measure-bins", "damage_thb.bins", lambda d: damage(d, bins=[5, 1])),
    ("measure-bins", "damage_thb.bins", lambda d: damage(d, bins=[1, 1])),
    ("measure-bins", "damage_thb.bins", lambda d: damage(d, bins=[0, 1])),
    ("measure-bins", "damage_thb.bins", lambda d: damage(d, bins=[1, 1_000_001])),
    ("measure-bins", "damage_thb.bins", lambda d: damage(d, bins=list(range(1, 62)))),
    ("measure-bins", "damage_thb.kinds", lambda d: damage(d, bins=[])),
    ("measure-bins", "damage_thb.kinds", lambda d: damage(d, kinds=["sum", "median"])),
    ("measure-bins", "damage_thb.kinds", lambda d: damage(d, kinds=["sum", "mean"])),
    ("extra-form", "damage_thb.customProperties.measure.bins", lambda d: damage(d, bins=[1, 2.5])),
    ("extra-form", "damage_thb.customProperties.measure.bins", lambda d: damage(d, bins=["1"])),
    ("extra-form", "damage_thb.customProperties.measure.kinds", lambda d: damage(d, kinds=["sum", "p99"])),
    ("measure-per", "damage_thb.per.damage_thb", lambda d: damage(d, per=["damage_thb"])),
    ("measure-per", "damage_thb.per.victim_age", lambda d: damage(d, per=["victim_age"])),
    ("measure-per", "damage_thb.per.victim_age", lambda d: damage(d, kinds=["mean"], bins=[], per=["victim_age"])),
    ("measure-mean", "damage_thb", lambda d: column(d, "damage_thb").update(required=False)),
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
    ("secret-at-connector", "release.tiers", secret_feed),
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


def test_bins_may_end_at_the_top_of_the_clamp_and_there_may_be_sixty() -> None:
    doc = document()
    damage(doc, bins=[*range(1, 60), 1_000_000])
    assert examine(doc)[1] == ()


def test_a_ratio_to_another_sum_is_offered() -> None:
    doc = document()
    again = deepcopy(column(doc, "damage_thb")) | {"name": "asked_thb"}
    doc["schema"][0]["properties"].append(again)
    damage(doc, per=["asked_thb"])
    contract, findings = examine(doc)
    assert findings == ()
    assert contract is not None
    assert contract.offers("damage_thb:per:asked_thb")
    assert not contract.offers("asked_thb:per:damage_thb")


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


def test_the_page_of_the_format_says_what_every_rule_asks_for() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/contract-format.md").read_text(encoding="utf-8")
    assert all(f"| `{rule}` | {asks.en} | {FIXES[rule].en} |" in page for rule, asks in RULES.items())


def test_the_page_of_the_format_names_every_extra() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/contract-format.md").read_text(encoding="utf-8")
    for kind in (DocumentExtras, TableExtras, PropertyExtras):
        assert all(f"| `{field.alias}` |" in page for field in kind.model_fields.values())

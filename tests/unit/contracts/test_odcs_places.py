"""Where a finding points: the JSON path and the line of the file."""

from collections.abc import Callable

import pytest
import yaml

from contracts.odcs import bundled_text, examine_text
from contracts.odcs_places import Place, places_in
from tests.odcs_documents import Doc, clamp_by, column, document, extra, first_dimension, ours, pilot, secret

pytestmark = pytest.mark.unit


def written(doc: Doc) -> str:
    return yaml.safe_dump(doc, allow_unicode=True, sort_keys=False)


def duplicate_column(doc: Doc) -> None:
    doc["schema"][0]["properties"].append({"name": "stage", "logicalType": "date", "classification": "internal"})


BREAKS: list[tuple[str, str, Callable[[Doc], object]]] = [
    ("$.colour", "colour: blue", lambda d: d.update(colour="blue")),
    (
        "$.schema[0].properties[1].logicalType",
        "logicalType: text",
        lambda d: column(d, "victim_id").update(logicalType="text"),
    ),
    ("$.status", "status: draft", lambda d: d.update(status="draft")),
    ("$.version", "version: '1.0'", lambda d: d.update(version="1.0")),
    ("$.schema[0].physicalName", "physicalName: a b", lambda d: d["schema"][0].update(physicalName="a b")),
    ("$.schema[0].properties[5]", "- name: a.b", lambda d: column(d, "station").update(name="a.b")),
    ("$.schema[0].properties[15]", "- name: stage", duplicate_column),
    ("$.customProperties[3].value.minimum", "minimum: 3", lambda d: extra(d, "release").update(minimum=3)),
    ("$.customProperties[4].value.protectAt", "protectAt: gateway", lambda d: secret(d, "gateway")),
    ("$.customProperties[5].value.purposes", "purposes:", lambda d: extra(d, "pdpa")["purposes"].append("fun")),
    ("$.customProperties[9].value", "value:", lambda d: pilot(d, "colour", ["10"])),
    ("$.customProperties", "customProperties:", lambda d: d["customProperties"].pop(0)),
    (
        "$.schema[0].customProperties[0].value",
        "value: nothing",
        lambda d: d["schema"][0]["customProperties"][0].update(value="nothing"),
    ),
    (
        "$.schema[0].customProperties[1].value.rowsPerWindow",
        "rowsPerWindow: 0",
        lambda d: extra(d["schema"][0], "unitOfPrivacy").update(rowsPerWindow=0),
    ),
    (
        "$.schema[0].properties[6].customProperties[0].value[0]",
        "- name: hour",
        lambda d: first_dimension(d, "channel").update(name="hour"),
    ),
    (
        "$.schema[0].properties[6].customProperties[0].value[0].name",
        "- name: Hour",
        lambda d: first_dimension(d, "channel").update(name="Hour"),
    ),
    (
        "$.schema[0].properties[11].customProperties[0].value.clampBy.clamps.SHOP",
        "SHOP:",
        lambda d: clamp_by(d, "case_type", {"SHOP": [1, 0]}),
    ),
    (
        "$.schema[0].properties[11].customProperties[0].value.clampBy.column",
        "column: stage",
        lambda d: clamp_by(d, "stage", {"SHOP": [0, 1]}),
    ),
    ("$.slaProperties[1]", "- property: retention", lambda d: d["slaProperties"][1].update(unit="w")),
    ("$.team.members", "members:", lambda d: d["team"]["members"].pop(0)),
    ("$", "apiVersion: v3.2.0", lambda d: d["team"].update(customProperties=[ours("release", {})])),
    ("$.schema", "schema:", lambda d: d["schema"][0]["properties"].clear()),
]


@pytest.mark.parametrize(("path", "line", "change"), BREAKS, ids=[f"{n}-{b[0]}" for n, b in enumerate(BREAKS)])
def test_a_finding_points_to_what_is_wrong(path: str, line: str, change: Callable[[Doc], object]) -> None:
    doc = document()
    change(doc)
    text = written(doc)
    _, findings = examine_text(text)
    places = places_in(text, [each.where for each in findings])
    pointed = {place.path: text.splitlines()[place.line - 1].strip() for place in places}
    assert path in pointed, findings
    assert pointed[path].startswith(line)


def test_a_place_that_nobody_knows_is_the_document_itself() -> None:
    text = bundled_text("tpo_complaint")
    assert places_in(text, ["nowhere.at.all", "$.team.colour"]) == (
        Place(path="$", line=1),
        Place(path="$.team", line=1 + text.splitlines().index("team:")),
    )


def test_a_text_that_is_no_yaml_says_its_line() -> None:
    assert places_in("a: 1\na: 2", ["line 2", "elsewhere"]) == (Place(path="$", line=2), Place(path="$", line=1))

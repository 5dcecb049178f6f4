"""Values at the boundary: frozen, closed, and in one form each."""

import inspect

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.identifiers import (
    AgencyId,
    Code,
    DatasetId,
    Digest,
    Identifier,
    KeyId,
    MeasureName,
    Name,
    SourceId,
    Version,
)
from contracts.values import Value
from contracts.wire_schemas import WIRE
from tests.factories import agreement, contract, query

pytestmark = pytest.mark.unit


class Amount(Value):
    baht: float


def test_a_value_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        query().measures = ("count",)  # type: ignore[misc]  # what is tested


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Amount.model_validate({"baht": 1, "satang": 2})


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(ValidationError):
        Amount.model_validate_json(f'{{"baht":{number}}}')


@pytest.mark.parametrize("name", sorted(WIRE))
def test_every_wire_object_is_a_frozen_closed_value_that_says_what_it_means(name: str) -> None:
    model = WIRE[name]

    assert model.model_config["frozen"]
    assert model.model_config["extra"] == "forbid"
    assert inspect.getdoc(model)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (AgencyId, "ccib", ["", "C", "CCIB", "1a", "a b", "a" * 33, "a#b"]),
        (DatasetId, "tpo_complaint", ["", "Tpo", "tpo-complaint", "../x", "a" * 65]),
        (SourceId, "ccib/tpo", ["ccib", "ccib/", "/tpo", "ccib/tpo/x", "ccib/../x"]),
        (Name, "event_time", ["", "1a", "Event", "a-b", 'a"b', "a;b", "a" * 65]),
        (MeasureName, "damage_thb:sum", ["sum", "damage_thb:max", "count:sum;x", "damage_thb:", "COUNT"]),
        (Code, "2025-10", ["", " ", "a b", "'", "-a", "a" * 65, "<b>", "a\n"]),
        (Version, "1.0.0", ["1", "1.0", "1.0.0.0", "v1.0.0", "1.0.0-rc1"]),
        (Digest, f"sha-256:{'a' * 64}", ["a" * 64, f"sha-256:{'A' * 64}", f"sha-256:{'a' * 63}", f"md5:{'a' * 64}"]),
        (Identifier, "AGR-2569-001", ["", "abc", "-abcd", "a/b/c", "a" * 65, "../../x"]),
        (
            KeyId,
            "ccib#steward-1",
            ["ccib", "ccib#steward", "ccib#1", "ccib/steward-1", "#steward-1", "ccib#steward-1\n"],
        ),
    ],
)
def test_a_name_on_the_wire_has_one_form(kind: type[str], good: str, bad: list[str]) -> None:
    adapter = TypeAdapter(kind)

    assert adapter.validate_python(good) == good
    for each in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(each)


def test_a_contract_lists_what_may_be_asked() -> None:
    offered = contract()

    assert offered.measures == ("count", "people", "damage_thb:sum", "damage_thb:mean")
    assert offered.dimension("province") is offered.dimensions[1]
    assert offered.dimension("colour") is None
    assert offered.measure_column("damage_thb") is offered.measure_columns[0]
    assert offered.measure_column("count") is None
    assert offered.reference.digest == offered.digest


def test_another_contract_has_another_digest() -> None:
    assert contract().digest == contract().digest
    assert contract(max_dimensions=2).digest != contract().digest


@pytest.mark.parametrize("delta", ["1e-6", "0.000001", ".0001", "1e-10"])
def test_a_delta_is_a_small_decimal(delta: str) -> None:
    assert contract(delta=delta).privacy.delta == delta


@pytest.mark.parametrize(
    "changes",
    [
        {"delta": "1"},
        {"delta": "2e-6"},
        {"delta": "1e6"},
        {"delta": "0.000"},
        {"delta": "1e-0"},
        {"delta": ".5"},
        {"delta": "1e-99"},
        {"nano_rho_per_window": True},
        {"nano_rho_per_window": 2**53},
        {"nano_rho_per_window": 0},
        {"rows_per_window": 0},
        {"max_dimensions": 7},
        {"first_month": "2021-1"},
    ],
)
def test_terms_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        contract(**changes)


def test_an_agreement_names_its_parties_and_its_activities() -> None:
    agreed = agreement([contract(), contract(id="crimes_case", agency="rtp"), contract(id="other", agency="rtp")])

    assert agreed.parties == ("oja", "ccib", "rtp")
    assert agreed.activity("monthly-risk") is agreed.activities[0]
    assert agreed.activity("other") is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"providers": ("oja",)}, "once"),
        ({"providers": ("ccib", "ccib")}, "once"),
        ({"activities": agreement().activities * 2}, "named twice"),
        ({"activities": ()}, "at least 1"),
        ({"providers": ()}, "at least 1"),
        ({"retention_days": 0}, "greater"),
        ({"version": 0}, "greater"),
    ],
)
def test_an_agreement_that_makes_no_sense_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        agreement(**changes)

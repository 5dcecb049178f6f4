"""Documents that steward and DPO signed and that are no contract: refused by a named rule, and nothing is stored."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from contracts.canonical import canonical_bytes
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.odcs import bundled_text, canonical_document, read_contract
from contracts.odcs_yaml import parse
from contracts.signing import sign_document
from contracts.views import PublishedContract
from tests.gateway_world import World
from tests.odcs_documents import column, extra

pytestmark = pytest.mark.integration
Doc = dict[str, Any]
TEXT = bundled_text("dop_em")
EM: DatasetContract = read_contract(TEXT)


def signed(world: World, payload: bytes) -> PublishedContract:
    keys = [world.keys["dop#steward-1"], world.keys["dop#dpo-1"]]
    document = sign_document(payload, "contract", *keys)
    return PublishedContract(reference=EM.reference, agency=EM.agency, document=document)


def refused(world: World, payload: bytes) -> InvalidInput:
    """The error of publishing that payload, once it is seen that nothing was stored."""
    contracts, kinds = world.exchange.contracts(), world.kinds()
    with pytest.raises(InvalidInput) as caught:
        world.exchange.publish_contract(world.connector("dop"), signed(world, payload))
    assert (world.exchange.contracts(), world.kinds()) == (contracts, kinds)
    return caught.value


def changed(change: Callable[[Doc], object]) -> bytes:
    document = dict(parse(TEXT))
    change(document)
    return canonical_bytes(document)


def alerts(document: Doc) -> Doc:
    found: Doc = extra(column(document, "alerts_tamper"), "measure")
    return found


def privacy(document: Doc) -> Doc:
    found: Doc = extra(document, "differentialPrivacy")
    return found


def open_feed(document: Doc) -> None:
    extra(document, "release")["tiers"] = ["feed"]
    extra(document, "government")["dgaLevel"] = "OPEN"


BAD: list[tuple[str, Callable[[Doc], object]]] = [
    ("odcs-schema", lambda d: d.update(surprise=1)),
    ("extra-form", lambda d: privacy(d).update(surprise=1)),
    ("extra-form", lambda d: privacy(d).update(nanoRhoPerWindow=-1)),
    ("extra-form", lambda d: privacy(d).update(nanoRhoPerWindow=0)),
    ("extra-form", lambda d: privacy(d).update(nanoRhoPerWindow="NaN")),
    ("extra-form", lambda d: privacy(d).update(epsilon=-0.5)),
    ("extra-form", lambda d: extra(d, "federation").update(source="dop/em; drop table contracts")),
    ("measure-column", lambda d: alerts(d).update(clamp=[20, 0])),
    ("contract-form", lambda d: d["schema"][0].update(name='em"; drop table contracts; --')),
    ("column-name", lambda d: column(d, "basis").update(name="basis'; drop table x")),
    ("secret-at-connector", lambda d: privacy(d).update(protectAt="gateway")),
    ("feed-not-personal", open_feed),
]


def test_a_contract_of_ten_megabytes_is_refused_by_its_rule_and_nothing_is_stored(world: World) -> None:
    error = refused(world, canonical_document(TEXT).replace(b'"usage":"', b'"usage":"' + b"x" * 10_000_000, 1))
    assert (error.code, error.details) == ("contract-invalid", {"rule": "size", "where": "$"})


def test_a_bad_contract_is_refused_by_its_rule_and_nothing_is_stored(world: World) -> None:
    for rule, change in BAD:
        error = refused(world, changed(change))
        assert (error.code, error.details["rule"]) == ("contract-invalid", rule)


def with_not_a_number() -> bytes:
    document = dict(parse(TEXT))
    privacy(document)["nanoRhoPerWindow"] = float("nan")
    return json.dumps(document).encode()


TEXTS = [
    (canonical_document(TEXT).replace(b'{"apiVersion"', b'{"apiVersion":"v3.2.0","apiVersion"', 1), "not-canonical"),
    (with_not_a_number(), "not-canonical"),
    (b"[" * 200_000, "malformed-body"),
    (b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "malformed-body"),
    (b"a: &a [x, x]\nb: [*a, *a]", "malformed-body"),
]


def test_a_text_with_two_readings_or_none_is_no_document_and_nothing_is_stored(world: World) -> None:
    for payload, code in TEXTS:
        assert refused(world, payload).code == code

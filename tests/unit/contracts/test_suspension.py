"""Emergency suspension: who may order it, who may lift it, and what stands after all orders."""

import itertools
from datetime import timedelta

import pytest

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.signing import add_signature, kind_of, sign_compact, sign_document
from contracts.suspension import Order, Suspended, Suspension, read_order, suspended_by
from tests import factories
from tests.connector_world import with_key
from tests.factories import NOW, Keys

pytestmark = pytest.mark.unit

KEYS = factories.federation()


def order(**changes: object) -> Suspension:
    fields: dict[str, object] = {
        "id": "SUS-0001",
        "order": Order.SUSPEND,
        "by": "ccib",
        "agency": "ccib",
        "at": NOW,
        "reason": "keys may be stolen",
    }
    return Suspension.model_validate(fields | changes)


def signed(given: Suspension, *kids: str, keys: Keys = KEYS) -> str:
    return sign_document(canonical_bytes(given), "suspension", *(keys[kid] for kid in kids))


def read(given: Suspension, *kids: str, keys: Keys = KEYS) -> Suspension:
    return read_order(signed(given, *kids, keys=keys), keys.federation, NOW)


@pytest.mark.parametrize("kid", ["ccib#officer-1", "ccib#dpo-1", "ccib#steward-1"])
@pytest.mark.parametrize("dataset", [None, "tpo_complaint"])
def test_any_one_officer_dpo_or_steward_suspends_its_own_agency_or_a_dataset_of_it(
    kid: str, dataset: str | None
) -> None:
    assert read(order(dataset=dataset), kid) == order(dataset=dataset)


def test_the_operators_officer_suspends_any_agency() -> None:
    assert read(order(by="oja"), "oja#officer-1").agency == "ccib"


@pytest.mark.parametrize(
    ("changes", "kids"),
    [
        ({}, ("rtp#officer-1",)),
        ({"by": "rtp"}, ("rtp#officer-1",)),
        ({"by": "oja"}, ("ccib#officer-1",)),
        ({}, ("oja#officer-1",)),
        ({}, ("ccib#officer-1", "ccib#dpo-1")),
        ({}, ("ccib#officer-1", "oja#officer-1")),
        ({"order": Order.LIFT}, ("ccib#officer-1",)),
        ({"order": Order.LIFT}, ("ccib#dpo-1", "ccib#steward-1")),
        ({"order": Order.LIFT}, ("ccib#officer-1", "rtp#dpo-1")),
        ({"order": Order.LIFT}, ("ccib#officer-1", "ccib#dpo-1", "ccib#steward-1")),
        ({"order": Order.LIFT}, ("oja#officer-1", "ccib#officer-1")),
        ({"order": Order.LIFT, "by": "rtp"}, ("rtp#officer-1", "rtp#dpo-1")),
        ({"order": Order.LIFT, "by": "oja"}, ("oja#officer-1",)),
    ],
)
def test_anybody_else_is_refused(changes: dict[str, object], kids: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="suspension-signers-wrong"):
        read(order(**changes), *kids)


def test_the_operators_other_keys_suspend_nobody_but_itself() -> None:
    keys = with_key(KEYS, "oja#dpo-1", KeyPurpose.DPO)

    with pytest.raises(Refused, match="suspension-signers-wrong"):
        read(order(by="oja"), "oja#dpo-1", keys=keys)
    assert read(order(by="oja", agency="oja"), "oja#dpo-1", keys=keys).agency == "oja"


@pytest.mark.parametrize("kid", ["ccib#connector-1", "oja#client-1", "oja#gateway-1"])
def test_a_key_for_other_things_orders_nothing(kid: str) -> None:
    with pytest.raises(Refused, match="key-unknown"):
        read(order(), kid)


@pytest.mark.parametrize("second", ["ccib#dpo-1", "ccib#steward-1"])
def test_an_officer_and_a_second_person_lift(second: str) -> None:
    lift = order(order=Order.LIFT)

    assert read(lift, "ccib#officer-1", second) == lift


def test_two_officers_do_not_lift_where_there_is_a_dpo() -> None:
    with pytest.raises(Refused, match="suspension-signers-wrong"):
        read(order(order=Order.LIFT), "ccib#officer-1", "ccib#officer-2")


def test_two_officers_lift_for_a_side_that_has_only_officers() -> None:
    lift = order(order=Order.LIFT, by="oja")

    assert read(lift, "oja#officer-1", "oja#officer-2") == lift
    with pytest.raises(Refused, match="suspension-signers-wrong"):
        read(lift, "oja#officer-1")


def test_two_officers_of_the_operator_do_not_lift_once_it_has_a_dpo() -> None:
    keys = with_key(KEYS, "oja#dpo-1", KeyPurpose.DPO)

    with pytest.raises(Refused, match="suspension-signers-wrong"):
        read(order(order=Order.LIFT, by="oja"), "oja#officer-1", "oja#officer-2", keys=keys)
    lift = order(order=Order.LIFT, by="oja")
    assert read(lift, "oja#officer-1", "oja#dpo-1", keys=keys) == lift


def test_a_signature_that_was_taken_away_from_a_lift_is_missed() -> None:
    document = signed(order(order=Order.LIFT), "ccib#officer-1")

    with pytest.raises(Refused, match="suspension-signers-wrong"):
        read_order(document, KEYS.federation, NOW)
    both = add_signature(document, "suspension", KEYS["ccib#dpo-1"])
    assert read_order(both, KEYS.federation, NOW).order is Order.LIFT


def test_an_order_from_the_future_is_refused_and_one_of_a_clock_a_little_ahead_is_not() -> None:
    ahead = order(at=NOW + timedelta(minutes=4))

    assert read(ahead, "ccib#officer-1") == ahead
    with pytest.raises(Refused, match="signature-stale"):
        read(order(at=NOW + timedelta(minutes=6)), "ccib#officer-1")


def test_bytes_that_are_no_order_or_not_its_canonical_form_are_refused() -> None:
    for payload, code in ((b"{}", "malformed-body"), (canonical_bytes(order()) + b" ", "not-canonical")):
        document = sign_document(payload, "suspension", KEYS["ccib#officer-1"])
        with pytest.raises(InvalidInput, match=code):
            read_order(document, KEYS.federation, NOW)


def test_a_signature_over_another_kind_is_no_order() -> None:
    document = sign_document(canonical_bytes(order()), "agreement-act", KEYS["ccib#officer-1"])

    with pytest.raises(Refused, match="signature-wrong"):
        read_order(document, KEYS.federation, NOW)


def test_what_stands_does_not_depend_on_the_order_in_which_orders_come() -> None:
    given = (
        order(),
        order(order=Order.LIFT),
        order(id="SUS-0002", dataset="tpo_complaint"),
        order(id="SUS-0003", agency="rtp", by="oja"),
        order(id="SUS-0004", dataset="tpo_station", order=Order.LIFT),
    )
    expected = Suspended(agencies=frozenset({"rtp"}), datasets=frozenset({("ccib", "tpo_complaint")}))

    assert {suspended_by(each) for each in itertools.permutations(given)} == {expected}


@pytest.mark.parametrize("changes", [{"by": "oja"}, {"agency": "rtp"}, {"dataset": "tpo_complaint"}])
def test_a_lift_that_names_something_else_lifts_nothing(changes: dict[str, object]) -> None:
    assert suspended_by([order(), order(order=Order.LIFT, **changes)]).covers("ccib")


def test_a_lifted_suspension_does_not_come_back_when_it_is_sent_again() -> None:
    assert suspended_by([order(), order(order=Order.LIFT), order()]) == Suspended()


def test_a_suspended_agency_covers_its_datasets_and_not_the_other_way_round() -> None:
    whole, part = suspended_by([order()]), suspended_by([order(dataset="tpo_complaint")])

    assert whole.covers("ccib", "tpo_complaint")
    assert part.covers("ccib", "tpo_complaint")
    assert not part.covers("ccib")
    assert not part.covers("rtp", "tpo_complaint")


def test_the_kind_of_a_document_is_read_from_its_headers() -> None:
    document = signed(order(), "ccib#officer-1")

    assert kind_of(document) == "suspension"
    assert kind_of(sign_compact(b"x", "release", KEYS["oja#gateway-1"])) == "release"
    assert kind_of(add_signature(document, "agreement-act", KEYS["ccib#dpo-1"])) is None
    with pytest.raises(Refused, match="signature-wrong"):
        kind_of("{}")


def test_a_lift_lifts_what_was_ordered_until_then_and_nothing_later() -> None:
    early, lift = order(), order(order=Order.LIFT)

    assert not suspended_by([lift, early]).covers("ccib")
    assert suspended_by([lift, early, order(at=NOW + timedelta(seconds=1))]).covers("ccib")
    assert suspended_by([order(order=Order.LIFT, at=NOW - timedelta(seconds=1)), early]).covers("ccib")

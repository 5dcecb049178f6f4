"""Orders about people over HTTP: signed by a steward or by the operator, carried out once."""

import pytest

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, Refused
from contracts.people import PEOPLE_KIND, PeopleAct, PeopleOrder, read_people_order
from contracts.signing import sign_document
from gateway import people_calls
from gateway.people import orders
from gateway.people.orders import PageOrder
from gateway.people.roles import Giver
from tests.api_world import ApiWorld

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> ApiWorld:
    return ApiWorld(tmp_path_factory.mktemp("orders") / "gateway")


def order(api: ApiWorld, **changes: object) -> PeopleOrder:
    fields = {"id": f"ppl-{api.now:%H%M%S}", "by": "ccib", "at": api.now, "act": PeopleAct.LIST, "agency": "ccib"}
    return PeopleOrder.model_validate(fields | changes)


def test_an_order_is_carried_out_once_soon_and_for_who_signed_it(api: ApiWorld) -> None:
    gateway, key = api.gateway("ccib#connector-1"), api.keys["ccib#steward-1"]
    given = order(api)
    assert people_calls.order(gateway, given, key).people == ()

    for wrong in (given, order(api, id="ppl-late", at=api.now.replace(year=2025)), order(api, id="ppl-by", by="rtp")):
        with pytest.raises(Refused, match="people-order-refused"):
            people_calls.order(gateway, wrong, key)
    with pytest.raises(Refused, match="people-order-refused"):
        people_calls.order(gateway, order(api, id="ppl-rtp", agency="rtp"), key)
    with pytest.raises(Refused, match="not-allowed"):
        people_calls.order(api.gateway("oja#client-1"), order(api, id="ppl-other"), key)
    with pytest.raises(Refused, match="key-unknown"):
        people_calls.order(gateway, order(api, id="ppl-dpo"), api.keys["ccib#dpo-1"])


def test_an_officer_of_the_operator_orders_as_an_operator_does(api: ApiWorld) -> None:
    gateway, key = api.gateway("oja#client-1"), api.keys["oja#officer-1"]
    wish = {"by": "oja", "act": PeopleAct.INVITE, "agency": "rtp", "name": "ก"}

    first = people_calls.order(gateway, order(api, id="ppl-first", roles=("steward",), **wish), key)
    assert first.invitation is not None
    with pytest.raises(Refused, match="role-not-given"):
        people_calls.order(gateway, order(api, id="ppl-officer", roles=("officer",), **wish), key)


def test_a_document_that_is_no_order_in_canonical_form_by_one_person_is_refused(api: ApiWorld) -> None:
    steward, officer = api.keys["ccib#steward-1"], api.keys["oja#officer-1"]
    given = order(api, id="ppl-form")

    def read(payload: bytes, *keys: object, kind: str = PEOPLE_KIND) -> None:
        read_people_order(sign_document(payload, kind, *keys), api.keys.federation, api.now)  # type: ignore[arg-type]  # keys

    read(canonical_bytes(given), steward)
    with pytest.raises(InvalidInput, match="not-canonical"):
        read(given.model_dump_json(indent=1).encode(), steward)
    with pytest.raises(InvalidInput, match="malformed-body"):
        read(b"{}", steward)
    with pytest.raises(Refused, match="signature-wrong"):
        read(canonical_bytes(given), steward, kind="agreement")
    with pytest.raises(Refused, match="people-order-refused"):
        read(canonical_bytes(given), steward, officer)


def test_a_list_on_a_page_changes_nothing(api: ApiWorld) -> None:
    page = PageOrder(act=PeopleAct.LIST, agency="ccib")

    assert orders._done(api.desk.exchange.means, Giver("ccib", frozenset()), page) is None

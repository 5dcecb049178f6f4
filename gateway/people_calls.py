"""Orders about people as a steward gives them, over one ``Gateway``."""

from typing import Final

from contracts.canonical import canonical_bytes
from contracts.keys import SigningKey
from contracts.people import PEOPLE_KIND, PeopleAnswer, PeopleOrder
from contracts.signing import sign_document
from contracts.views import SignedText
from gateway.client import Gateway

PATH: Final = "/v1/people/orders"


def order(gateway: Gateway, given: PeopleOrder, key: SigningKey) -> PeopleAnswer:
    """Sign an order about people and have it carried out, once.

    Raises:
        Refused: ``people-order-refused``, ``role-not-given``, ``key-unknown``.
        InvalidInput: ``unknown-person``, ``unknown-agency``, ``malformed-body``.
    """
    document = sign_document(canonical_bytes(given), PEOPLE_KIND, key)
    return gateway.post(PATH, SignedText(document=document), PeopleAnswer)

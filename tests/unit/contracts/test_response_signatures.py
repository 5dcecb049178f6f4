"""Signed responses, and the headers that messages are read from."""

from dataclasses import replace

import pytest

from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.message_signatures import Tag, covered_components, new_nonce, sign, verify
from contracts.signature_base import Message, headers_of
from tests.factories import NOW, federation

pytestmark = pytest.mark.unit

KEYS = federation()
CLIENT, GATEWAY = KEYS["oja#client-1"], KEYS["oja#gateway-1"]
CLIENTS, GATEWAYS = KEYS.resolve(KeyPurpose.CLIENT), KEYS.resolve(KeyPurpose.GATEWAY)
NONCE = "nonce-0123456789abcdef"


def request(nonce: str = NONCE) -> Message:
    return sign(Message("POST", "/v1/requests", {}, b'{"id":"REQ-0001"}'), CLIENT, Tag.REQUEST, NOW, nonce)


def response(answered: Message, status: int = 202, body: bytes = b"{}") -> Message:
    return sign(Message("POST", "/v1/requests", {}, body, status, answered), GATEWAY, Tag.RESPONSE, NOW, new_nonce())


def code_of(message: Message, tag: Tag) -> str:
    with pytest.raises(Refused) as caught:
        verify(message, tag, CLIENTS if tag is Tag.REQUEST else GATEWAYS, NOW)
    return caught.value.code


def test_a_response_covers_its_status_and_the_signature_of_its_request() -> None:
    assert covered_components(response(request()), Tag.RESPONSE) == (
        '"@status"',
        '"content-type"',
        '"content-digest"',
        '"signature";req',
    )


def test_a_response_is_bound_to_the_request_that_it_answers() -> None:
    verified = verify(response(request()), Tag.RESPONSE, GATEWAYS, NOW)

    assert verified.kid == "oja#gateway-1"


def test_a_response_replayed_on_another_request_is_refused() -> None:
    other = request(nonce="another-0123456789abcdef")

    assert code_of(replace(response(request()), request=other), Tag.RESPONSE) == "signature-wrong"


@pytest.mark.parametrize("change", [{"status": 200}, {"body": b"{ }"}])
def test_an_altered_response_is_refused(change: dict[str, int | bytes]) -> None:
    altered = replace(response(request()), **change)  # type: ignore[arg-type]  # each fits its field

    assert code_of(altered, Tag.RESPONSE) == "signature-wrong"


def test_a_response_without_its_request_cannot_be_checked() -> None:
    assert code_of(replace(response(request()), request=None), Tag.RESPONSE) == "signature-wrong"


def test_an_unsigned_request_has_no_signed_answer() -> None:
    with pytest.raises(Refused, match="signature-wrong"):
        response(Message("GET", "/", {}, b""))


def test_a_request_cannot_be_passed_off_as_a_response() -> None:
    with pytest.raises(Refused, match="absent"):
        sign(request(), GATEWAY, Tag.RESPONSE, NOW, NONCE)


def test_a_client_cannot_sign_responses() -> None:
    forged = sign(Message("POST", "/", {}, b"{}", 200, request()), CLIENT, Tag.RESPONSE, NOW, new_nonce())

    assert code_of(forged, Tag.RESPONSE) == "key-unknown"


def test_repeated_headers_are_joined_and_names_are_lower_case() -> None:
    headers = headers_of([(b"Signature", b"a=:AA:"), (b"X", b" 1 "), (b"signature", b"b=:BB:")])

    assert headers == {"signature": "a=:AA:, b=:BB:", "x": "1"}


def test_a_second_signature_header_is_not_overlooked() -> None:
    message = request()
    pairs = [(name.encode(), value.encode()) for name, value in message.headers.items()]
    doubled = [*pairs, (b"signature-input", message.headers["signature-input"].replace("saphan=", "b=").encode())]

    assert code_of(replace(message, headers=headers_of(doubled)), Tag.REQUEST) == "signature-wrong"


def test_a_body_and_a_key_are_not_printed() -> None:
    assert "REQ-0001" not in repr(request())

"""A request on the wire: framed by the client alone, one line to a header, one request to a call."""

from collections.abc import Mapping

import pytest

from contracts.errors import InvalidInput
from contracts.signature_base import Message
from transport.wording import FRAMING, written

pytestmark = pytest.mark.unit

HOST = "gateway.example:8443"


def call(
    method: str = "POST", path: str = "/v1/requests", headers: Mapping[str, str] | None = None, body: bytes = b"{}"
) -> Message:
    return Message(method, path, headers or {}, body)


def test_a_request_is_written_as_rfc_9112_says() -> None:
    assert written(call(headers={"content-type": "application/json"}), HOST) == (
        b"POST /v1/requests HTTP/1.1\r\nhost: gateway.example:8443\r\naccept-encoding: identity\r\n"
        b"content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    )


def test_a_request_without_a_body_says_so_unless_it_never_has_one() -> None:
    assert written(call("POST", body=b""), HOST).endswith(b"\r\ncontent-length: 0\r\n\r\n")
    assert b"content-length" not in written(call("GET", body=b""), HOST)
    assert written(call("GET", body=b"x"), HOST).endswith(b"\r\ncontent-length: 1\r\n\r\nx")


@pytest.mark.parametrize(
    "path", ["", "v1", "http://elsewhere/", "/a b", "/a\r\nx: y", "/\N{THAI CHARACTER KO KAI}", "/\0"]
)
def test_a_path_that_no_request_can_have_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        written(call(path=path), HOST)
    assert caught.value.code == "unknown-address"


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\rb", "a\0b", "\x7f", "\N{THAI CHARACTER KO KAI}", "a\x85b"])
def test_a_header_of_more_than_one_printable_line_is_refused_and_not_told(value: str) -> None:
    with pytest.raises(ValueError, match="header") as caught:
        written(call(headers={"signature": value}), HOST)
    assert value not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "Upper", "\N{THAI CHARACTER KO KAI}", *sorted(FRAMING)])
def test_a_header_that_is_none_or_the_clients_own_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="header"):
        written(call(headers={name: "1"}), HOST)


@pytest.mark.parametrize("method", ["", "HEAD", "CONNECT", "get", "GET /other HTTP/1.1\r\nx: y\r\n\r\nGET"])
def test_a_method_whose_answers_are_framed_otherwise_is_refused(method: str) -> None:
    with pytest.raises(ValueError, match="method"):
        written(call(method), HOST)

"""Calls that change something come from the gateway's own pages; who says nothing of his origin is refused."""

import pytest

from contracts.errors import Refused
from gateway.people.origin import check_origin, origin_of, relying_party

pytestmark = pytest.mark.unit

OWN = "https://gateway.example:8443"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": OWN},
        {"sec-fetch-site": "same-origin"},
        {"origin": OWN, "sec-fetch-site": "same-origin"},
    ],
)
def test_the_own_pages_may_change_something(headers: dict[str, str]) -> None:
    check_origin("POST", headers, OWN)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "https://gateway.example"},
        {"origin": "http://gateway.example:8443"},
        {"origin": OWN, "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "none"},
        {"referer": OWN},
    ],
)
def test_other_pages_and_nobody_s_pages_may_not(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(Refused, match="cross-site-call"):
        check_origin(method, headers, OWN)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_needs_no_origin(method: str) -> None:
    check_origin(method, {"origin": "https://evil.example"}, OWN)


def test_the_origin_and_the_relying_party_are_the_issuer_s() -> None:
    assert origin_of(f"{OWN}/path") == OWN
    assert relying_party(f"{OWN}/path") == "gateway.example"
    assert relying_party("urn:nothing") == ""

"""Base64url has one text for some bytes, and one reading of a text."""

import base64

import pytest

from contracts.base64url import decoded, encoded

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff\xfe", b"\xfb\xef\xbe", bytes(range(256)), b"abcd"])
def test_bytes_come_back_and_the_text_is_the_standards(data: bytes) -> None:
    assert decoded(encoded(data).encode()) == data
    assert encoded(data) == base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [b"A", b"AAAAA", b"AB", b"AAB", b"AA=", b"AA==", b"A+AA", b"A/AA", b"AA AA", b"AAA\n", b"!AAA", "กกกก".encode()],
)
def test_what_is_another_text_for_bytes_or_none_is_not_read(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the library's own words
        decoded(text)

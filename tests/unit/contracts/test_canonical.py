"""Canonical bytes and digests."""

import math

import pytest

from contracts.canonical import canonical_bytes, digest_of, digest_of_bytes
from contracts.errors import InvalidInput
from tests.factories import period, query

pytestmark = pytest.mark.unit


def test_keys_are_sorted_and_nothing_is_spaced() -> None:
    assert canonical_bytes({"b": [1, 2.5, None, True], "a": "ก"}) == '{"a":"ก","b":[1,2.5,null,true]}'.encode()


def test_a_value_is_written_under_its_names_on_the_wire() -> None:
    assert canonical_bytes(period("2025-10-01", "2025-11-01")) == b'{"from":"2025-10-01","until":"2025-11-01"}'


def test_numbers_are_written_as_rfc_8785_does() -> None:
    """The examples of RFC 8785, section 3.2.2 (without its escapes)."""
    numbers = [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001]

    assert canonical_bytes({"numbers": numbers}) == b'{"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}'


def test_equal_questions_have_equal_digests() -> None:
    one = query(measures=("damage_thb:sum", "count"), where={"province": ("90", "10")})
    other = query(measures=("count", "damage_thb:sum", "count"), where={"province": ("10", "90", "10")})

    assert digest_of(one) == digest_of(other)


def test_another_question_has_another_digest() -> None:
    assert digest_of(query()) != digest_of(query(measures=("damage_thb:sum",)))


def test_a_digest_is_sha_256_over_the_canonical_bytes() -> None:
    assert digest_of({}) == digest_of_bytes(b"{}")
    assert digest_of_bytes(b"") == "sha-256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**53, -(2**53), [{"deep": math.nan}]])
def test_what_has_no_canonical_form_is_refused(value: float) -> None:
    with pytest.raises(InvalidInput, match="not-canonical"):
        canonical_bytes({"value": value})


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not-canonical"):
        canonical_bytes({"value": object()})

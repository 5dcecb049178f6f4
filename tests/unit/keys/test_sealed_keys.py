"""Sealed keys: what opens them, and everything that does not."""

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose
from contracts.keys import new_key
from keys.sealed import Cost, Sealer, sealed_key, unseal
from tests.factories import NOW

pytestmark = pytest.mark.unit

UNTIL = NOW + timedelta(days=1)

CHEAP = Cost(memory_kib=8_192, iterations=1, lanes=1)
SEALER = Sealer(b"a secret", CHEAP, b"0123456789abcdef", secrets.token_bytes)
KEY = new_key("oja#officer-1")


def opened(kid: str, data: bytes, secret: bytes = b"a secret") -> object:
    found = sealed_key(data)
    assert found is not None
    return unseal(kid, found, secret).public_key(KeyPurpose.OFFICER, NOW, UNTIL)


def test_a_sealed_key_opens_with_its_secret_and_shows_nothing_of_the_key() -> None:
    data = SEALER.seal(KEY)

    assert opened(KEY.kid, data) == KEY.public_key(KeyPurpose.OFFICER, NOW, UNTIL)
    assert b"PRIVATE" not in data
    assert b"a secret" not in data


def test_each_sealing_has_its_own_nonce() -> None:
    first, second = sealed_key(SEALER.seal(KEY)), sealed_key(SEALER.seal(KEY))
    assert first is not None
    assert second is not None
    assert first.nonce != second.nonce
    assert first.ciphertext != second.ciphertext


def test_another_secret_opens_nothing() -> None:
    with pytest.raises(InvalidInput, match="key-not-opened"):
        opened(KEY.kid, SEALER.seal(KEY), b"another secret")


def test_a_sealed_key_cannot_be_put_in_the_place_of_another() -> None:
    with pytest.raises(InvalidInput, match="key-not-opened"):
        opened("oja#officer-2", SEALER.seal(KEY))


@pytest.mark.parametrize("part", ["ciphertext", "nonce", "salt"])
def test_an_altered_file_does_not_open(part: str) -> None:
    found = sealed_key(SEALER.seal(KEY))
    assert found is not None
    value: bytes = getattr(found, part)
    altered = found.model_copy(update={part: bytes([value[0] ^ 1]) + value[1:]})
    with pytest.raises(InvalidInput, match="key-not-opened"):
        unseal(KEY.kid, altered, b"a secret")


def test_a_cost_that_was_lowered_does_not_open() -> None:
    found = sealed_key(replace(SEALER, cost=Cost(8_192, 2, 1)).seal(KEY))
    assert found is not None
    with pytest.raises(InvalidInput, match="key-not-opened"):
        unseal(KEY.kid, found.model_copy(update={"iterations": 1}), b"a secret")


def test_what_is_no_sealed_key_is_none_and_half_of_one_is_an_error() -> None:
    assert sealed_key(KEY.to_pem()) is None
    with pytest.raises(InvalidInput, match="setting-invalid"):
        sealed_key(SEALER.seal(KEY)[:-40])
    with pytest.raises(InvalidInput, match="setting-invalid"):
        sealed_key(SEALER.seal(KEY).replace(b'"memory_kib": 8192', b'"memory_kib": 8'))

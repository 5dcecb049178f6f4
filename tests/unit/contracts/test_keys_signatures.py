"""Raw ES256 signatures: by this key, over these bytes, 64 of them."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from contracts.keys import SoftwareKey, made_by, made_by_of_digest, new_key

pytestmark = pytest.mark.unit


def halves() -> tuple[SoftwareKey, ec.EllipticCurvePublicKey]:
    key = new_key("oja#client-1")
    assert isinstance(key.private, ec.EllipticCurvePrivateKey)
    return key, key.private.public_key()


def test_a_signature_is_known_by_its_key_and_its_data() -> None:
    (key, public), (other, _) = halves(), halves()
    signature = key.sign(b"data")

    assert made_by(public, signature, b"data")
    assert not made_by(public, signature, b"date")
    assert not made_by(public, other.sign(b"data"), b"data")


def test_a_signature_is_known_by_the_digest_of_its_data() -> None:
    key, public = halves()
    digests = [hashlib.sha256(each).digest() for each in (b"data", b"date")]

    assert [made_by_of_digest(public, key.sign(b"data"), each) for each in digests] == [True, False]


@pytest.mark.parametrize("bent", [b"", b"\x00" * 64, b"\xff" * 64, b"\x01" * 63, b"\x01" * 65])
def test_what_is_no_pair_of_numbers_of_the_curve_is_no_signature(bent: bytes) -> None:
    assert not made_by(halves()[1], bent, b"data")


def test_bytes_beyond_the_pair_make_it_another() -> None:
    key, public = halves()
    signature = key.sign(b"data")

    assert not made_by(public, signature + b"\x00", b"data")
    assert not made_by(public, b"\x00" + signature, b"data")

"""Proofs of possession as they leave: another library reads them, and the thumbprint is the RFC's own."""

import os
from sys import getrefcount

import jwt
import pytest

from contracts.keys import new_key
from contracts.proofs import ProofKey, address_of, thumbprint, token_hash
from tests.factories import ISSUER, NOW

pytestmark = pytest.mark.unit


def test_a_proof_is_one_that_another_library_accepts() -> None:
    key = ProofKey(new_key("oja#client-1"))
    proof = key.proof("POST", f"{ISSUER}/v1/requests", NOW, "once-and-never-again", "abc.def")
    header = jwt.get_unverified_header(proof)
    claims = jwt.decode(proof, jwt.PyJWK(header["jwk"]), algorithms=["ES256"], options={"verify_iat": False})

    assert header.keys() == {"alg", "jwk", "typ"}
    assert (header["alg"], header["typ"]) == ("ES256", "dpop+jwt")
    assert header["jwk"].keys() == {"crv", "kty", "x", "y"}
    assert claims == {
        "htm": "POST",
        "htu": f"{ISSUER}/v1/requests",
        "iat": int(NOW.timestamp()),
        "jti": "once-and-never-again",
        "ath": token_hash("abc.def"),
    }


def test_a_proof_for_the_token_endpoint_names_no_token() -> None:
    proof = ProofKey(new_key("oja#client-1")).proof("POST", ISSUER, NOW, "once")
    assert "ath" not in jwt.decode(proof, options={"verify_signature": False})


def test_a_thumbprint_is_that_of_rfc_7638() -> None:
    # The key and the thumbprint of RFC 9449, section 6.1, figure 8.
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    }
    assert thumbprint(jwk) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_a_token_is_hashed_as_in_the_rfc() -> None:
    # RFC 9449, section 7.1, figure 13.
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"  # noqa: S105  # the RFC's example
    assert token_hash(token) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


def test_a_token_that_was_hashed_is_held_by_nobody() -> None:
    token = os.urandom(16).hex()
    before = getrefcount(token)
    token_hash(token)
    assert getrefcount(token) == before


@pytest.mark.parametrize(
    ("issuer", "path", "address"),
    [
        ("https://gateway.example", "/v1/requests", "https://gateway.example/v1/requests"),
        ("https://gateway.example/", "/v1/requests?wait=3", "https://gateway.example/v1/requests"),
        ("https://gateway.example/saphan", "/v1/token", "https://gateway.example/saphan/v1/token"),
    ],
)
def test_an_address_is_the_issuers_with_the_path_and_without_the_query(issuer: str, path: str, address: str) -> None:
    assert address_of(issuer, path) == address

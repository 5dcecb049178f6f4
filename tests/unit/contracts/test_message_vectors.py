"""The published example of RFC 9421, appendix B.2.4 (ecdsa-p256-sha256), with the key of appendix B.1.3."""

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from contracts.message_signatures import Message, content_digest, signature_base

pytestmark = pytest.mark.unit

PUBLIC_KEY = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----
"""
SHA_512 = "mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ=="
RESPONSE = Message(
    "POST",
    "/foo?param=Value&Pet=dog",
    {
        "date": "Tue, 20 Apr 2021 02:07:56 GMT",
        "content-type": "application/json",
        "content-digest": f"sha-512=:{SHA_512}:",
        "content-length": "23",
    },
    b'{"message": "good dog"}\n',
    200,
)
COMPONENTS = ('"@status"', '"content-type"', '"content-digest"', '"content-length"')
PARAMETERS = ';created=1618884473;keyid="test-key-ecc-p256"'
BASE = f""""@status": 200
"content-type": application/json
"content-digest": sha-512=:{SHA_512}:
"content-length": 23
"@signature-params": ("@status" "content-type" "content-digest" "content-length"){PARAMETERS}"""
SIGNATURE = "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw=="


def check(base: bytes) -> None:
    raw = base64.b64decode(SIGNATURE)
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = serialization.load_pem_public_key(PUBLIC_KEY)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, base, ec.ECDSA(hashes.SHA256()))


def test_the_signature_base_of_the_example_is_ours() -> None:
    assert signature_base(RESPONSE, COMPONENTS, PARAMETERS) == BASE.encode()


def test_the_signature_of_the_example_verifies_over_our_base() -> None:
    check(signature_base(RESPONSE, COMPONENTS, PARAMETERS))

    with pytest.raises(InvalidSignature):
        check(signature_base(RESPONSE, COMPONENTS[1:], PARAMETERS))


def test_path_and_query_are_those_of_section_2_2() -> None:
    base = signature_base(RESPONSE, ('"@method"', '"@path"', '"@query"'), "")

    assert base == (
        b'"@method": POST\n"@path": /foo\n"@query": ?param=Value&Pet=dog\n'
        b'"@signature-params": ("@method" "@path" "@query")'
    )


def test_the_digest_of_the_example_of_rfc_9530_is_ours() -> None:
    """RFC 9530, appendix B.1: the digest of ``{"hello": "world"}`` and a line feed."""
    digest = content_digest(b'{"hello": "world"}\n')

    assert digest == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"

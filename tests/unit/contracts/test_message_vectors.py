"""The published examples of RFC 9421, appendix B.2 and section 2, and of RFC 9530: bases, signatures, components."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from contracts.errors import Refused
from contracts.signature_base import Message, content_digest, signature_base

pytestmark = pytest.mark.unit

RSA_PSS_KEY = b"""-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----
"""
ECC_P256_KEY = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----
"""
ED25519_KEY = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
"""
SHARED_SECRET = base64.b64decode(
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)

REQUEST_DIGEST = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
RESPONSE_DIGEST = "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:"
REQUEST = Message(
    "POST",
    "/foo?param=Value&Pet=dog",
    {
        "host": "example.com",
        "date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "content-type": "application/json",
        "content-digest": REQUEST_DIGEST,
        "content-length": "18",
    },
    b'{"hello": "world"}',
)
RESPONSE = Message(
    "POST",
    "/foo?param=Value&Pet=dog",
    {
        "date": "Tue, 20 Apr 2021 02:07:56 GMT",
        "content-type": "application/json",
        "content-digest": RESPONSE_DIGEST,
        "content-length": "23",
    },
    b'{"message": "good dog"}',
    200,
    REQUEST,
)

Check = Callable[[bytes, bytes], None]
"""Raises ``InvalidSignature`` unless the first is a signature of the second."""


def check_rsa_pss(signature: bytes, base: bytes) -> None:
    key = serialization.load_pem_public_key(RSA_PSS_KEY)
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, base, padding.PSS(padding.MGF1(hashes.SHA512()), salt_length=64), hashes.SHA512())


def check_ecdsa(signature: bytes, base: bytes) -> None:
    key = serialization.load_pem_public_key(ECC_P256_KEY)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key.verify(encode_dss_signature(r, s), base, ec.ECDSA(hashes.SHA256()))


def check_hmac(signature: bytes, base: bytes) -> None:
    if hmac.digest(SHARED_SECRET, base, hashlib.sha256) != signature:
        raise InvalidSignature


def check_ed25519(signature: bytes, base: bytes) -> None:
    key = serialization.load_pem_public_key(ED25519_KEY)
    assert isinstance(key, ed25519.Ed25519PublicKey)
    key.verify(signature, base)


B_2_1 = (
    REQUEST,
    "",
    ';created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
    "",
    check_rsa_pss,
    (
        "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG"
        "52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVro"
        "gUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ"
        "98Xw9Q=="
    ),
)
B_2_2 = (
    REQUEST,
    '"@authority" "content-digest" "@query-param";name="Pet"',
    ';created=1618884473;keyid="test-key-rsa-pss";tag="header-example"',
    f'"@authority": example.com\n"content-digest": {REQUEST_DIGEST}\n"@query-param";name="Pet": dog\n',
    check_rsa_pss,
    (
        "LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT"
        "8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBS"
        "pqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTu"
        "gEjHSw=="
    ),
)
B_2_3 = (
    REQUEST,
    '"date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length"',
    ';created=1618884473;keyid="test-key-rsa-pss"',
    (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@method": POST\n"@path": /foo\n"@query": ?param=Value&Pet=dog\n'
        '"@authority": example.com\n"content-type": application/json\n'
        f'"content-digest": {REQUEST_DIGEST}\n"content-length": 18\n'
    ),
    check_rsa_pss,
    (
        "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fU"
        "xN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA"
        "1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKE"
        "gM4cUA=="
    ),
)
B_2_4 = (
    RESPONSE,
    '"@status" "content-type" "content-digest" "content-length"',
    ';created=1618884473;keyid="test-key-ecc-p256"',
    f'"@status": 200\n"content-type": application/json\n"content-digest": {RESPONSE_DIGEST}\n"content-length": 23\n',
    check_ecdsa,
    "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==",
)
B_2_5 = (
    REQUEST,
    '"date" "@authority" "content-type"',
    ';created=1618884473;keyid="test-shared-secret"',
    '"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@authority": example.com\n"content-type": application/json\n',
    check_hmac,
    "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=",
)
B_2_6 = (
    REQUEST,
    '"date" "@method" "@path" "@authority" "content-type" "content-length"',
    ';created=1618884473;keyid="test-key-ed25519"',
    (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@method": POST\n"@path": /foo\n"@authority": example.com\n'
        '"content-type": application/json\n"content-length": 18\n'
    ),
    check_ed25519,
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
)
VECTORS = pytest.mark.parametrize(
    ("message", "components", "parameters", "lines", "check", "signature"),
    [B_2_1, B_2_2, B_2_3, B_2_4, B_2_5, B_2_6],
    ids=["B.2.1", "B.2.2", "B.2.3", "B.2.4", "B.2.5", "B.2.6"],
)


@VECTORS
def test_the_base_of_each_published_example_is_ours_and_its_signature_verifies_over_it(
    message: Message, components: str, parameters: str, lines: str, check: Check, signature: str
) -> None:
    base = signature_base(message, components.split(), parameters)

    assert base == f'{lines}"@signature-params": ({components}){parameters}'.encode()
    check(base64.b64decode(signature), base)


@VECTORS
def test_the_signature_of_a_published_example_does_not_verify_over_another_base(
    message: Message, components: str, parameters: str, lines: str, check: Check, signature: str
) -> None:
    other = signature_base(message, components.split(), parameters.replace("1618884473", "1618884474"))

    assert lines in other.decode()
    with pytest.raises(InvalidSignature):
        check(base64.b64decode(signature), other)


# ------------------------------------------------------------------ section 2: how a component gets its value
def value_of(message: Message, component: str) -> str:
    lines = signature_base(message, [component], "").decode().removeprefix(f"{component}: ")
    return lines.partition("\n")[0]


def refused(message: Message, *components: str) -> bool:
    with pytest.raises(Refused, match="signature-wrong"):
        signature_base(message, components, "")
    return True


@pytest.mark.parametrize(
    ("component", "value"),
    [
        ('"@method"', "POST"),
        ('"@target-uri"', "https://example.com/foo?param=Value&Pet=dog"),
        ('"@authority"', "example.com"),
        ('"@scheme"', "https"),
        ('"@request-target"', "/foo?param=Value&Pet=dog"),
        ('"@path"', "/foo"),
        ('"@query"', "?param=Value&Pet=dog"),
        ('"@query-param";name="param"', "Value"),
        ('"content-length"', "18"),
    ],
)
def test_what_is_derived_from_a_request_is_what_section_2_2_says(component: str, value: str) -> None:
    assert value_of(REQUEST, component) == value
    assert value_of(RESPONSE, f"{component};req") == value
    assert refused(RESPONSE, component) if component.startswith('"@') else True


@pytest.mark.parametrize(
    ("host", "scheme", "authority"),
    [
        ("WWW.Example.com", "https", "www.example.com"),
        ("example.com:443", "https", "example.com"),
        ("example.com:80", "https", "example.com:80"),
        ("example.com:80", "http", "example.com"),
        ("[2001:DB8::1]:8443", "https", "[2001:db8::1]:8443"),
    ],
)
def test_the_authority_is_in_lower_case_and_without_the_own_port_of_its_scheme(
    host: str, scheme: Literal["https", "http"], authority: str
) -> None:
    message = replace(REQUEST, headers={"host": host}, scheme=scheme)

    assert value_of(message, '"@authority"') == authority
    assert value_of(message, '"@target-uri"') == f"{scheme}://{authority}{REQUEST.path}"


@pytest.mark.parametrize("host", [None, "", "a b", "a,b", "a/b", "user@host", "a, b"])
@pytest.mark.parametrize("component", ['"@authority"', '"@target-uri"'])
def test_no_host_or_two_are_no_authority(host: str | None, component: str) -> None:
    assert refused(replace(REQUEST, headers={} if host is None else {"host": host}), component)


def test_a_request_without_a_query_has_the_question_mark_alone() -> None:
    assert value_of(replace(REQUEST, path="/foo"), '"@query"') == "?"


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/path?param=value&foo=bar&baz=batman&qux=", "baz", "batman"),
        ("/path?param=value&foo=bar&baz=batman&qux=", "qux", ""),
        ("/parameters?var=this%20is%20a%20big%0Amultiline%20value", "var", "this%20is%20a%20big%0Amultiline%20value"),
        ("/parameters?bar=with+plus+whitespace", "bar", "with%20plus%20whitespace"),
        ("/parameters?fa%C3%A7ade%22%3A%20=something", "fa%C3%A7ade%22%3A%20", "something"),
        ("/?a=~*-._", "a", "%7E*-._"),
    ],
)
def test_a_query_parameter_is_encoded_anew_as_section_2_2_8_says(path: str, name: str, value: str) -> None:
    assert value_of(replace(REQUEST, path=path), f'"@query-param";name="{name}"') == value


@pytest.mark.parametrize("path", ["/?a=1&a=2", "/?b=1", "/", "/?A=1"])
def test_a_query_parameter_that_is_absent_or_stands_twice_is_not_covered(path: str) -> None:
    assert refused(replace(REQUEST, path=path), '"@query-param";name="a"')


DICTIONARY = Message(
    "GET", "/", {"example-dict": 'a=1, b=2;x=1;y=2, c=(a b c), d=?1, e=:AQ==:, f=("p" "q");s=1, g=(a  b)'}, b""
)


@pytest.mark.parametrize(
    ("key", "value"),
    [("a", "1"), ("b", "2;x=1;y=2"), ("c", "(a b c)"), ("d", "?1"), ("e", ":AQ==:"), ("f", '("p" "q");s=1')],
)
def test_one_member_of_a_dictionary_is_covered_as_section_2_1_2_says(key: str, value: str) -> None:
    assert value_of(DICTIONARY, f'"example-dict";key="{key}"') == value
    assert value_of(Message("GET", "/", {}, b"", 200, DICTIONARY), f'"example-dict";req;key="{key}"') == value
    assert value_of(Message("GET", "/", {}, b"", 200, DICTIONARY), f'"example-dict";key="{key}";req') == value


@pytest.mark.parametrize("key", ["g", "z", ""])
def test_a_member_that_is_absent_or_not_written_canonically_is_not_covered(key: str) -> None:
    assert refused(DICTIONARY, f'"example-dict";key="{key}"')


@pytest.mark.parametrize(
    "component",
    [
        '"example-dict";sf',
        '"example-dict";bs',
        '"example-dict";tr',
        '"example-dict";req',
        '"example-dict";name="a"',
        '"@method";key="a"',
        '"@method";req',
        '"@query-param"',
        '"@query-param";key="a"',
        '"@unknown"',
        '"@status"',
        '"Example-Dict"',
        "example-dict",
        '"a b"',
        '"x";key="a";key="b"',
        '"x";req;key="a";req',
    ],
)
def test_what_is_no_component_here_is_refused(component: str) -> None:
    assert refused(DICTIONARY, component)


def test_a_component_is_covered_once() -> None:
    assert refused(REQUEST, '"@method"', '"@path"', '"@method"')


def test_the_digest_of_the_example_of_rfc_9530_is_ours() -> None:
    """RFC 9530, appendix B.1: the digest of ``{"hello": "world"}`` and a line feed."""
    digest = content_digest(b'{"hello": "world"}\n')

    assert digest == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"

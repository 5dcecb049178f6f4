"""Keys and signed documents."""

import base64
import json
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose, PublicKey
from contracts.keys import SigningKey, key_file_name, load_key, new_key
from contracts.signing import (
    MOST_SIGNATURES,
    add_signature,
    sign_claims,
    sign_compact,
    sign_document,
    verify_compact,
    verify_document,
    verifying_key,
)
from tests.factories import NOW, federation

pytestmark = pytest.mark.unit

CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KEYS = federation()
OJA, CCIB = KEYS["oja#officer-1"], KEYS["ccib#officer-1"]
OFFICERS = KEYS.resolve(KeyPurpose.OFFICER)
PAYLOAD = b'{"id":"AGR-1"}'


def refused(document: str, kind: str = "agreement") -> Refused:
    with pytest.raises(Refused) as caught:
        verify_document(document, kind, OFFICERS)
    return caught.value


def altered(document: str, **changes: object) -> str:
    return json.dumps(json.loads(document) | changes)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def with_header(token: str, header: dict[str, object], key: SigningKey) -> str:
    """The token's payload under another protected header, correctly signed by a key."""
    signed = f"{encoded(json.dumps(header).encode())}.{token.split('.')[1]}"
    return f"{signed}.{sign_raw(signed.encode(), key)}"


def sign_raw(data: bytes, key: SigningKey) -> str:
    return encoded(key.sign(data))


def test_a_document_names_everyone_who_signed_it() -> None:
    document = sign_document(PAYLOAD, "agreement", OJA, CCIB)

    verified = verify_document(document, "agreement", OFFICERS)

    assert verified.payload == PAYLOAD
    assert verified.signers == {"oja#officer-1", "ccib#officer-1"}


def test_a_second_officer_signs_the_same_text_later() -> None:
    document = add_signature(sign_document(PAYLOAD, "agreement", OJA), "agreement", CCIB)

    assert verify_document(document, "agreement", OFFICERS).signers == {"oja#officer-1", "ccib#officer-1"}


def test_nobody_signs_twice() -> None:
    document = sign_document(PAYLOAD, "agreement", OJA)
    first = json.loads(document)["signatures"][0]

    with pytest.raises(Refused, match="signed already"):
        add_signature(document, "agreement", OJA)
    assert refused(altered(document, signatures=[first, first])).code == "signature-wrong"


def test_an_altered_payload_is_refused() -> None:
    document = sign_document(PAYLOAD, "agreement", OJA)

    assert refused(altered(document, payload=encoded(b'{"id":"AGR-2"}'))).code == "signature-wrong"


def test_one_bad_signature_spoils_the_document() -> None:
    document = sign_document(PAYLOAD, "agreement", OJA, CCIB)
    good, other = json.loads(document)["signatures"]
    elsewhere = json.loads(sign_document(b"{}", "agreement", CCIB))["signatures"][0]

    assert (
        refused(altered(document, signatures=[good, other | {"signature": elsewhere["signature"]}])).code
        == "signature-wrong"
    )


def test_a_signature_of_one_kind_does_not_pass_for_another() -> None:
    document = sign_document(PAYLOAD, "contract", OJA)

    assert refused(document, "agreement").code == "signature-wrong"


def test_a_key_that_nobody_registered_is_refused() -> None:
    document = sign_document(PAYLOAD, "agreement", new_key("oja#officer-9"))

    error = refused(document)

    assert error.code == "key-unknown"
    assert "oja#officer-9" in str(error)


def test_a_key_of_another_purpose_is_refused() -> None:
    document = sign_document(PAYLOAD, "agreement", KEYS["ccib#steward-1"])

    assert refused(document).code == "key-unknown"


def test_another_key_under_a_registered_name_is_refused() -> None:
    assert refused(sign_document(PAYLOAD, "agreement", new_key("oja#officer-1"))).code == "signature-wrong"


@pytest.mark.parametrize("at", [NOW - timedelta(days=366), NOW + timedelta(days=3650)])
def test_a_key_outside_its_time_is_refused(at: datetime) -> None:
    document = sign_document(PAYLOAD, "agreement", OJA)

    with pytest.raises(Refused, match="key-unknown"):
        verify_document(document, "agreement", KEYS.resolve(KeyPurpose.OFFICER, at))


def test_a_resolver_that_gives_another_key_is_not_believed() -> None:
    token = sign_compact(PAYLOAD, "release", OJA)

    with pytest.raises(Refused, match="key-unknown"):
        verify_compact(token, "release", lambda _: OFFICERS("ccib#officer-1"))


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{}",
        "not json",
        '{"payload":"e30","signatures":[]}',
        '{"payload":"e30","signatures":[{"protected":"e30","signature":""}]}',
        '{"payload":"e30","signatures":[{"protected":"!!","signature":"AA"}]}',
        '{"payload":"e30","signatures":[{"protected":"W10","signature":"AA"}]}',
        '{"payload":"e30","signatures":[{"protected":"WyJhbGciXQ","signature":"AA"}]}',
        '{"payload":"e30","signatures":[{"protected":"Nw","signature":"AA"}]}',
        '{"payload":"e30","signatures":[{"protected":"e30","signature":"AA","header":{"alg":"none"}}]}',
    ],
)
def test_what_is_no_document_is_refused(document: str) -> None:
    assert refused(document).code == "signature-wrong"
    with pytest.raises(Refused, match="signature-wrong"):
        add_signature(document, "agreement", OJA)


def test_a_document_has_room_for_a_limited_number_of_signatures() -> None:
    document = sign_document(PAYLOAD, "agreement", OJA)
    signature = json.loads(document)["signatures"][0]

    assert "not a signed document" in str(refused(altered(document, signatures=[signature] * (MOST_SIGNATURES + 1))))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "saphan-release+jws", "kid": OJA.kid},
        {"alg": "HS256", "typ": "saphan-release+jws", "kid": OJA.kid},
        {"alg": "ES256", "kid": OJA.kid},
        {"alg": "ES256", "typ": "JWT", "kid": OJA.kid},
        {"alg": "ES256", "typ": "saphan-release+jws", "kid": OJA.kid, "jku": "https://elsewhere.example"},
        {"alg": "ES256", "typ": "saphan-release+jws", "kid": OJA.kid, "b64": False, "crit": ["b64"]},
        {"alg": "ES256", "typ": "saphan-release+jws", "kid": 7},
        {"alg": "ES256", "typ": "saphan-release+jws"},
    ],
)
def test_only_our_own_header_is_accepted_even_if_well_signed(header: dict[str, object]) -> None:
    token = with_header(sign_compact(PAYLOAD, "release", OJA), header, OJA)

    with pytest.raises(Refused) as caught:
        verify_compact(token, "release", OFFICERS)

    assert caught.value.code in ("signature-wrong", "key-unknown")


def test_the_forger_of_headers_signs_well() -> None:
    header: dict[str, object] = {"kid": OJA.kid, "typ": "saphan-release+jws", "alg": "ES256"}

    token = with_header(sign_compact(PAYLOAD, "release", OJA), header, OJA)

    assert verify_compact(token, "release", OFFICERS).payload == PAYLOAD


def test_an_error_does_not_repeat_a_key_id_that_is_none() -> None:
    header: dict[str, object] = {"alg": "ES256", "typ": "saphan-release+jws", "kid": "<script>"}

    with pytest.raises(Refused) as caught:
        verify_compact(with_header(sign_compact(PAYLOAD, "release", OJA), header, OJA), "release", OFFICERS)

    assert caught.value.details == {"kid": "?"}


def test_a_malleated_signature_still_verifies_so_signature_bytes_name_nothing() -> None:
    head, payload, signature = sign_compact(PAYLOAD, "release", OJA).split(".")
    raw = decoded(signature)
    mirrored = (CURVE_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")

    verified = verify_compact(f"{head}.{payload}.{encoded(raw[:32] + mirrored)}", "release", OFFICERS)

    assert verified.payload == PAYLOAD


def test_that_a_document_was_verified_before_makes_no_key_good_that_is_not_any_more() -> None:
    document = sign_document(PAYLOAD, "agreement", OJA, CCIB)
    assert verify_document(document, "agreement", OFFICERS).payload == PAYLOAD

    with pytest.raises(Refused, match="key-unknown"):
        verify_document(document, "agreement", lambda kid: None if kid == OJA.kid else OFFICERS(kid))
    other = new_key(OJA.kid).public_key(KeyPurpose.OFFICER, NOW, NOW + timedelta(days=1))
    with pytest.raises(Refused, match="signature-wrong"):
        verify_document(document, "agreement", lambda kid: other if kid == OJA.kid else OFFICERS(kid))
    assert refused(document, "contract").code == "signature-wrong"
    assert refused(altered(document, payload=encoded(b'{"id":"AGR-2"}'))).code == "signature-wrong"
    assert verify_document(document, "agreement", OFFICERS).signers == {OJA.kid, CCIB.kid}


@pytest.mark.parametrize("more", ["A", "AA", "=", "\n", "ก", "."])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_not_the_one_form_of_a_token_is_refused(place: int, more: str) -> None:
    parts = sign_compact(PAYLOAD, "release", OJA).split(".")
    parts[place] += more

    with pytest.raises(Refused, match="signature-wrong"):
        verify_compact(".".join(parts), "release", OFFICERS)


def test_a_signature_over_what_is_no_base64_is_no_release() -> None:
    head = sign_compact(PAYLOAD, "release", OJA).split(".")[0]
    for payload in ("!!!", "AAAAA", "AB"):
        signed = f"{head}.{payload}"
        with pytest.raises(Refused, match="not a JWS"):
            verify_compact(f"{signed}.{sign_raw(signed.encode(), OJA)}", "release", OFFICERS)


def test_a_header_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    header: dict[str, object] = {"alg": "ES256", "typ": "saphan-release+jws", "kid": "x" * 400}
    with pytest.raises(Refused, match="not a JWS"):
        verify_compact(with_header(sign_compact(PAYLOAD, "release", OJA), header, OJA), "release", OFFICERS)
    monkeypatch.setattr("contracts.signing.MOST_BYTES", 8)
    with pytest.raises(Refused, match="not a JWS"):
        verify_compact(sign_compact(PAYLOAD, "release", OJA), "release", OFFICERS)


def test_a_release_of_a_million_cells_can_be_signed() -> None:
    payload = b"1234567," * 1_000_000

    assert verify_compact(sign_compact(payload, "release", OJA), "release", OFFICERS).payload == payload


def test_claims_become_a_json_web_token() -> None:
    header, claims, _ = sign_claims({"sub": "oja#client-1", "aud": "https://gateway.example"}, OJA).split(".")

    assert json.loads(decoded(header)) == {"alg": "ES256", "kid": "oja#officer-1", "typ": "JWT"}
    assert json.loads(decoded(claims)) == {"aud": "https://gateway.example", "sub": "oja#client-1"}


def test_a_key_survives_its_file() -> None:
    loaded = load_key(OJA.kid, OJA.to_pem())

    assert verify_compact(sign_compact(PAYLOAD, "release", loaded), "release", OFFICERS).signers == {OJA.kid}
    assert b"BEGIN PRIVATE KEY" in OJA.to_pem()
    assert key_file_name(OJA.kid) == "oja~officer-1.key"


def test_a_private_key_is_not_printed() -> None:
    assert repr(OJA) == "SoftwareKey(kid='oja#officer-1')"


def pem_of(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, password: bytes | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        pem_of(ec.generate_private_key(ec.SECP384R1())),
        pem_of(ed25519.Ed25519PrivateKey.generate()),
        pem_of(ec.generate_private_key(ec.SECP256R1()), b"password"),
    ],
    ids=["empty", "broken", "P-384", "Ed25519", "encrypted"],
)
def test_only_a_plain_p256_key_can_be_loaded(pem: bytes) -> None:
    with pytest.raises(InvalidInput, match="setting-invalid"):
        load_key("oja#officer-1", pem)


@pytest.mark.parametrize("kid", ["oja", "oja#officer", "../oja#officer-1", "OJA#officer-1", ""])
def test_a_key_has_a_proper_name(kid: str) -> None:
    with pytest.raises(InvalidInput, match="setting-invalid"):
        new_key(kid)
    with pytest.raises(InvalidInput, match="setting-invalid"):
        load_key(kid, OJA.to_pem())


def test_a_registered_key_that_is_no_point_of_the_curve_is_refused() -> None:
    key = PublicKey(
        kid="oja#officer-1",
        purpose=KeyPurpose.OFFICER,
        x="A" * 43,
        y="A" * 43,
        valid_from=NOW,
        valid_until=NOW + timedelta(days=1),
    )

    with pytest.raises(Refused, match="no point"):
        verifying_key(key)
    with pytest.raises(Refused, match="no point"):
        verify_compact(sign_compact(PAYLOAD, "release", OJA), "release", lambda _: key)

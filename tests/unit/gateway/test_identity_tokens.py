"""Access tokens: what is issued, what is believed, and how much is remembered."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.canonical import digest_of
from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.keys import SigningKey
from contracts.signing import sign_claims
from contracts.task import Forwarded, Task
from gateway.identity import jwts
from gateway.identity.metadata import public_keys, server_metadata
from gateway.identity.token_keys import TokenKeys
from gateway.identity.tokens import AccessTokens
from tests.factories import ISSUER, NOW, Keys, contract, federation
from tests.token_world import CERTIFICATE, TokenWorld

pytestmark = pytest.mark.unit

KEYS = federation()
MINUTE = timedelta(minutes=1)


def fresh(client: str = "oja#client-1") -> str:
    return TokenWorld(KEYS).token(client)


def task_token(task: Task) -> str:
    return TokenWorld(KEYS).oauth.issuer.task_token(task, digest_of(task), NOW)


def reader(keys: Keys = KEYS, most: int = 4096) -> AccessTokens:
    return AccessTokens(keys.federation, lambda jti, now: False, most)


def payload(token: str) -> dict[str, object]:
    body = token.split(".")[1]
    claims: dict[str, object] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def forged(
    key: SigningKey | None = None,
    typ: str = "at+jwt",
    edit: Callable[[dict[str, object]], None] = lambda claims: None,
) -> str:
    claims = payload(fresh())
    edit(claims)
    return sign_claims(claims, key or KEYS["oja#token-1"], typ)


def refusal(token: str) -> Refused:
    with pytest.raises(Refused) as caught:
        reader().read(token, NOW)
    return caught.value


def header(**fields: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


def test_a_token_names_its_client_for_five_minutes() -> None:
    token = fresh()
    tokens = reader()
    assert tokens.read(token, NOW).client_id == "oja#client-1"
    assert tokens.read(token, NOW + timedelta(seconds=299)).client_id == "oja#client-1"
    with pytest.raises(Refused) as caught:
        tokens.read(token, NOW + timedelta(seconds=300))
    assert caught.value.details["why"] == "expired"
    assert len(tokens) == 0


def test_a_token_is_of_the_form_of_rfc_9068() -> None:
    token = fresh()
    head = token.split(".", maxsplit=1)[0]
    assert json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))) == {
        "alg": "ES256",
        "typ": "at+jwt",
        "kid": "oja#token-1",
    }
    issued = int(NOW.timestamp())
    assert payload(token) == {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": "oja#client-1",
        "client_id": "oja#client-1",
        "iat": issued,
        "exp": issued + 300,
        "jti": "jti-1",
        "cnf": {"x5t#S256": CERTIFICATE},
    }


def test_a_task_token_binds_the_task_to_its_agency() -> None:
    call = Forwarded(method="POST", path="/v1/requests", headers={}, body="{}")
    task = Task(id="TASK-1", agency="ccib", contract=contract().reference, request=call, agreement="{}")
    claims = payload(task_token(task))
    assert (claims["aud"], claims["sub"], claims["task_digest"]) == ("ccib", "TASK-1", digest_of(task))


def test_a_task_token_opens_nothing_at_the_gateway() -> None:
    call = Forwarded(method="POST", path="/v1/requests", headers={}, body="{}")
    task = Task(id="TASK-1", agency="ccib", contract=contract().reference, request=call, agreement="{}")
    assert refusal(task_token(task)).details["why"] == "aud"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("iss", "https://elsewhere.example", "iss"),
        ("aud", "https://elsewhere.example", "aud"),
        ("aud", [ISSUER], "aud"),
        ("client_id", "rtp#connector-1", "client_id"),
        ("client_id", 7, "client_id"),
        ("iat", int((NOW + MINUTE).timestamp()), "iat"),
        ("exp", int((NOW + 100 * MINUTE).timestamp()), "iat"),
        ("exp", "soon", "exp"),
        ("exp", True, "exp"),
        ("exp", 2**40, "exp"),
        ("iat", -1, "iat"),
        ("jti", 7, "jti"),
        ("jti", None, "jti"),
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(name: str, value: object, why: str) -> None:
    refused = refusal(forged(edit=lambda claims: claims.update({name: value})))
    assert (refused.code, refused.details["why"]) == ("token-invalid", why)


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"null", b"{", b"NaN", b"\xff"])
def test_a_well_signed_text_that_claims_nothing_is_refused(body: bytes) -> None:
    head, _, _ = fresh().split(".")
    signed = f"{head}.{base64.urlsafe_b64encode(body).decode().rstrip('=')}"
    signature = base64.urlsafe_b64encode(KEYS["oja#token-1"].sign(signed.encode())).decode().rstrip("=")
    assert refusal(f"{signed}.{signature}").details["why"] == "form"


@pytest.mark.parametrize("letter", ["+", "/", "=", " ", "\n", "é", "%"])
def test_a_letter_that_base64url_has_not_is_refused_wherever_it_stands(letter: str) -> None:
    parts = fresh().split(".")
    for place in range(3):
        bent = [part if at != place else f"{part[:8]}{letter}{part[9:]}" for at, part in enumerate(parts)]
        assert refusal(".".join(bent)).details["why"] == "form"
    assert refusal(f"{fresh()}{letter}").details["why"] == "form"


def test_a_token_of_another_kind_is_refused() -> None:
    assert refusal(forged(typ="JWT")).details["why"] == "typ"


def test_a_token_signed_by_a_key_for_something_else_is_refused() -> None:
    assert refusal(forged(KEYS["oja#client-1"])).code == "key-unknown"


def test_a_token_signed_by_another_members_token_key_is_refused() -> None:
    purposes = {"oja": (KeyPurpose.CLIENT, KeyPurpose.TOKEN), "rtp": (KeyPurpose.TOKEN,)}
    keys = federation(purposes)
    token = sign_claims(payload(fresh()), keys["rtp#token-1"], "at+jwt")
    with pytest.raises(Refused) as caught:
        reader(keys).read(token, NOW)
    assert caught.value.code == "key-unknown"


def test_an_unknown_kid_is_refused() -> None:
    _, body, signature = forged().split(".")
    assert refusal(f"{header(alg='ES256', typ='at+jwt', kid='oja#token-9')}.{body}.{signature}").code == "key-unknown"
    assert refusal(f"{header(alg='ES256', typ='at+jwt')}.{body}.{signature}").code == "key-unknown"


def test_a_changed_claim_spoils_the_signature() -> None:
    head, _, signature = forged().split(".")
    _, body, _ = forged(edit=lambda claims: claims.update({"client_id": "dop#connector-1"})).split(".")
    assert refusal(f"{head}.{body}.{signature}").details["why"] == "signature"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "ES384", "EdDSA"])
def test_another_algorithm_is_refused(algorithm: str) -> None:
    _, body, signature = forged().split(".")
    head = header(alg=algorithm, typ="at+jwt", kid="oja#token-1")
    assert refusal(f"{head}.{body}.{signature}").details["why"] == "header"
    assert refusal(f"{head}.{body}.").details["why"] == "form"


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c", "crit"])
def test_a_header_that_says_where_its_key_is_or_extends_the_form_is_refused(name: str) -> None:
    _, body, signature = forged().split(".")
    head = header(alg="ES256", typ="at+jwt", kid="oja#token-1", **{name: "https://evil.example"})
    assert refusal(f"{head}.{body}.{signature}").details["why"] == "header"


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "ก.ข.ค", "é"])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert refusal(token).details["why"] == "form"


def test_a_token_beyond_any_real_length_is_not_even_parsed() -> None:
    assert refusal("a" * (jwts.LONGEST_TOKEN + 1)).details["why"] == "length"


def test_no_more_tokens_are_remembered_than_allowed_and_the_used_ones_stay() -> None:
    tokens, world = reader(most=2), TokenWorld(KEYS)
    first, second, third = (world.token() for _ in range(3))
    for token in (first, second, first, third):
        tokens.read(token, NOW)
    assert len(tokens) == 2
    assert list(tokens._known) == [first, third]


def test_a_known_token_is_not_verified_again() -> None:
    tokens, token = reader(), fresh()
    tokens.read(token, NOW)
    tokens.federation = federation({"oja": (KeyPurpose.LOG,)}).federation
    assert tokens.read(token, NOW).client_id == "oja#client-1"


def test_a_refused_token_is_not_remembered() -> None:
    tokens = reader()
    with pytest.raises(Refused):
        tokens.read(forged(typ="JWT"), NOW)
    assert len(tokens) == 0


def test_the_published_keys_are_those_of_tokens_alone() -> None:
    keys = public_keys(TokenKeys(KEYS.federation, ()), NOW)["keys"]
    assert [key["kid"] for key in keys] == ["oja#token-1"]
    assert all("d" not in key for key in keys)


def test_the_metadata_names_only_what_is_accepted() -> None:
    metadata = server_metadata(ISSUER)
    assert metadata["issuer"] == ISSUER
    assert metadata["token_endpoint"] == f"{ISSUER}/v1/token"
    assert metadata["token_endpoint_auth_signing_alg_values_supported"] == ["ES256"]
    for endpoint in ("token", "revocation", "introspection"):
        assert metadata[f"{endpoint}_endpoint_auth_methods_supported"] == ["private_key_jwt"]
        assert metadata[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] == ["ES256"]
    assert metadata["dpop_signing_alg_values_supported"] == ["ES256"]
    assert metadata["tls_client_certificate_bound_access_tokens"] is True
    assert metadata["authorization_details_types_supported"] == ["saphan_activity"]

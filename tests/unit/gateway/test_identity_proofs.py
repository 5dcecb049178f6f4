"""DPoP at the token endpoint and at the door: every way in which a proof can be none."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from contracts.calls import ASSERTION_TYPE, SignedCalls
from contracts.errors import Refused
from contracts.keys import new_key
from contracts.message_signatures import Tag, sign
from contracts.proofs import ProofKey, token_hash
from contracts.signature_base import Message
from gateway.caller import Caller
from gateway.identity.oauth_calls import OAuthAnswer, OAuthCall
from tests.factories import ISSUER, NOW, federation
from tests.token_world import CERTIFICATE, TOKEN_ADDRESS, TokenWorld, assertion, bound_to, proof_key

pytestmark = pytest.mark.unit

KEYS = federation()
CLIENT = "oja#client-1"
NONCE = "nonce-0123456789abcdef"
ADDRESS = f"{ISSUER}/v1/preview"
PRIVATE = ec.generate_private_key(ec.SECP256R1())


def _unusual() -> str:
    """The coordinate as readers take it that overlook the bits at its end that stand for nothing."""
    x = str(jwk_of()["x"])
    return x[:-1] + chr(ord(x[-1]) + 1)


def jwk_of(private: ec.EllipticCurvePrivateKey = PRIVATE) -> dict[str, object]:
    made = jwt.algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {name: made[name] for name in ("kty", "crv", "x", "y")}


@dataclass(frozen=True)
class Bent:
    """A proof that PyJWT makes, with whatever is wrong about it."""

    headers: dict[str, object]
    claims: dict[str, object]
    algorithm: str = "ES256"

    def text(self, private: object = PRIVATE) -> str:
        key = "a secret that is long enough for HS256" if self.algorithm == "HS256" else private
        return jwt.encode(self.claims, key, self.algorithm, headers=self.headers)  # type: ignore[arg-type]  # any key


def bent(
    edit: Callable[[dict[str, object], dict[str, object]], object], target: str = TOKEN_ADDRESS, **claims: object
) -> Bent:
    headers: dict[str, object] = {"typ": "dpop+jwt", "jwk": jwk_of()}
    body: dict[str, object] = {"htm": "POST", "htu": target, "iat": int(NOW.timestamp()), "jti": "once-and-never"}
    body |= claims
    edit(headers, body)
    return Bent(headers, body)


def asked(proof: str | None, certificate: str | None = None, **fields: str) -> OAuthAnswer:
    return world_asked(TokenWorld(KEYS), proof, certificate, **fields)


def world_asked(world: TokenWorld, proof: str | None, certificate: str | None = None, **fields: str) -> OAuthAnswer:
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
    form |= {"client_assertion": assertion(KEYS[CLIENT], edit=lambda claims: claims.update(jti="a-" * 8)), **fields}
    return world.oauth.answer(OAuthCall(urlencode(form).encode(), proof, certificate))


WRONG: dict[str, Callable[[dict[str, object], dict[str, object]], object]] = {
    "typ": lambda headers, claims: headers.update(typ="JWT"),
    "header": lambda headers, claims: headers.update(kid="oja#client-1"),
    "header jku": lambda headers, claims: headers.update(jku="https://evil.example/keys"),
    "header x5u": lambda headers, claims: headers.update(x5u="https://evil.example/cert"),
    "header no key": lambda headers, claims: headers.pop("jwk"),
    "jwk": lambda headers, claims: headers.update(jwk="P-256"),
    "jwk private": lambda headers, claims: headers.update(jwk={**jwk_of(), "d": "A" * 43}),
    "jwk another curve": lambda headers, claims: headers.update(jwk={**jwk_of(), "crv": "P-384"}),
    "jwk another kind": lambda headers, claims: headers.update(jwk={**jwk_of(), "kty": "OKP"}),
    "jwk coordinate": lambda headers, claims: headers.update(jwk={**jwk_of(), "x": "A" * 42}),
    "jwk other coordinate": lambda headers, claims: headers.update(jwk={**jwk_of(), "y": 7}),
    "jwk no point": lambda headers, claims: headers.update(jwk={**jwk_of(), "x": "B" * 42 + "A"}),
    "jwk coordinate in another form": lambda headers, claims: headers.update(jwk={**jwk_of(), "x": _unusual()}),
    "htm": lambda headers, claims: claims.update(htm="GET"),
    "htu": lambda headers, claims: claims.update(htu=f"{ISSUER}/v1/token/revoke"),
    "htu of another host": lambda headers, claims: claims.update(htu="https://elsewhere.example/v1/token"),
    "htu with a query": lambda headers, claims: claims.update(htu=f"{TOKEN_ADDRESS}?a=1"),
    "iat": lambda headers, claims: claims.update(iat=int(NOW.timestamp()) - 61),
    "iat ahead": lambda headers, claims: claims.update(iat=int(NOW.timestamp()) + 6),
    "iat no number": lambda headers, claims: claims.update(iat="soon"),
    "iat missing": lambda headers, claims: claims.pop("iat"),
    "jti": lambda headers, claims: claims.pop("jti"),
    "jti empty": lambda headers, claims: claims.update(jti=""),
    "jti long": lambda headers, claims: claims.update(jti="x" * 129),
}


def no_change(headers: dict[str, object], claims: dict[str, object]) -> None:
    """Leave it good."""


def test_a_good_proof_binds_the_token_to_its_key() -> None:
    body = json.loads(asked(bent(no_change).text()).body)
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert body["token_type"] == "DPoP"  # noqa: S105  # a scheme
    assert claims["cnf"].keys() == {"jkt"}


@pytest.mark.parametrize("what", WRONG)
def test_a_proof_that_is_wrong_in_one_thing_obtains_no_token(what: str) -> None:
    world = TokenWorld(KEYS)
    answer = world_asked(world, bent(WRONG[what]).text())
    body = json.loads(answer.body)
    assert (answer.status, body["error"]) == (400, "invalid_dpop_proof")
    assert body["error_description"] == f"proof refused: {what.partition(' ')[0]}"
    assert not world.spent


@pytest.mark.parametrize(
    ("algorithm", "key"), [("HS256", None), ("ES384", ec.SECP384R1()), ("RS256", "rsa"), ("EdDSA", "ed")]
)
def test_a_proof_of_another_algorithm_obtains_no_token(algorithm: str, key: object) -> None:
    private: object = PRIVATE
    if key == "rsa":
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    elif key == "ed":
        private = ed25519.Ed25519PrivateKey.generate()
    elif isinstance(key, ec.EllipticCurve):
        private = ec.generate_private_key(key)
    made = bent(no_change)
    body = json.loads(asked(Bent(made.headers, made.claims, algorithm).text(private)).body)
    assert body["error"] == "invalid_dpop_proof"
    assert body["error_description"] in {"proof refused: header", "proof refused: form"}


def test_a_proof_signed_by_another_key_than_it_shows_obtains_no_token() -> None:
    body = json.loads(asked(bent(no_change).text(ec.generate_private_key(ec.SECP256R1()))).body)
    assert body["error_description"] == "proof refused: signature"


@pytest.mark.parametrize("proof", [None, "", "a.b.c", "x" * 5000, "two, proofs"])
def test_without_a_certificate_a_token_needs_a_proof(proof: str | None) -> None:
    assert json.loads(asked(proof).body)["error"] == "invalid_dpop_proof"


def test_over_mutual_tls_the_token_is_bound_to_the_certificate() -> None:
    body = json.loads(asked(None, CERTIFICATE).body)
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert (body["token_type"], claims["cnf"]) == ("Bearer", {"x5t#S256": CERTIFICATE})


def test_assertion_and_proof_are_spent_together() -> None:
    world = TokenWorld(KEYS)
    world_asked(world, bent(no_change).text())
    assert world.spent == {(CLIENT, "jti:once-and-never"), (CLIENT, f"jti:{'a-' * 8}")}

    other = assertion(KEYS[CLIENT], edit=lambda claims: claims.update(jti="another-assertion"))
    again = json.loads(world_asked(world, bent(no_change).text(), client_assertion=other).body)
    assert again == {"error": "invalid_client", "error_description": "assertion refused: request-replayed"}
    assert (CLIENT, "jti:another-assertion") not in world.spent


# ---------------------------------------------------------------- at the door


def message(
    key: ProofKey, token: str, proof: str | None = None, path: str = "/v1/preview", scheme: str = "DPoP"
) -> Message:
    made = key.proof("POST", ADDRESS, NOW, NONCE, token) if proof is None else proof
    headers = {"content-type": "application/json", "authorization": f"{scheme} {token}", "dpop": made}
    return sign(Message("POST", path, headers, b"{}"), KEYS[CLIENT], Tag.REQUEST, NOW, NONCE)


def refused(call: Message, certificate: str | None = None, later: float = 0) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        TokenWorld(KEYS).door.authenticate(call, NOW + timedelta(seconds=later), certificate)
    return caught.value.code, caught.value.details.get("why", "")


def test_a_call_with_a_good_proof_is_let_in() -> None:
    key, world = proof_key(), TokenWorld(KEYS)
    caller = world.door.authenticate(message(key, world.token(CLIENT, bound_to(key))), NOW)
    assert isinstance(caller, Caller)
    assert (caller.kid, caller.nonce) == (CLIENT, NONCE)


def test_a_bound_token_shown_as_bearer_is_refused() -> None:
    key, world = proof_key(), TokenWorld(KEYS)
    token = world.token(CLIENT, bound_to(key))
    for certificate in (None, CERTIFICATE, key.thumbprint):
        code, why = refused(message(key, token, scheme="Bearer"), certificate)
        assert (code, why) == ("token-invalid", "it is bound in another way than it is shown")


def test_a_token_that_is_bound_to_a_certificate_is_refused_without_it_and_on_another() -> None:
    key, world = proof_key(), TokenWorld(KEYS)
    token = world.token(CLIENT)
    why = "it is bound to the certificate of another connection"
    for certificate in (None, "d" * 43, ""):
        assert refused(message(key, token, scheme="Bearer"), certificate) == ("token-invalid", why)
    assert refused(message(key, token), CERTIFICATE)[0] == "token-invalid"
    assert world.door.authenticate(message(key, token, scheme="Bearer"), NOW, CERTIFICATE).kid == CLIENT


def test_a_token_that_is_bound_to_nothing_is_refused() -> None:
    claims = jwt.decode(TokenWorld(KEYS).token(CLIENT), options={"verify_signature": False})
    bindings: list[object] = [
        None,
        {},
        [],
        {"jkt": "short"},
        {"jkt": 7},
        {"kid": "c" * 43},
        {"jkt": "c" * 43, "x5t#S256": "c" * 43},
    ]
    for cnf in bindings:
        body = {name: value for name, value in claims.items() if name != "cnf"} | ({} if cnf is None else {"cnf": cnf})
        token = jwt.encode(body, KEYS["oja#token-1"].to_pem(), "ES256", {"typ": "at+jwt", "kid": "oja#token-1"})
        for scheme in ("DPoP", "Bearer"):
            assert refused(message(proof_key(), token, scheme=scheme), CERTIFICATE) == ("token-invalid", "cnf")


def test_a_call_without_a_proof_is_refused() -> None:
    key, world = proof_key(), TokenWorld(KEYS)
    call = message(key, world.token(CLIENT, bound_to(key)))
    bare = Message(call.method, call.path, {n: v for n, v in call.headers.items() if n != "dpop"}, call.body)
    assert refused(bare) == ("proof-invalid", "missing")


def test_a_proof_by_another_key_than_the_tokens_is_refused() -> None:
    key, thief, world = proof_key(), proof_key(), TokenWorld(KEYS)
    token = world.token(CLIENT, bound_to(key))
    assert refused(message(thief, token)) == ("proof-invalid", "key")


def test_a_proof_for_another_token_address_or_method_is_refused() -> None:
    key, world = proof_key(), TokenWorld(KEYS)
    token, other = world.token(CLIENT, bound_to(key)), world.token(CLIENT, bound_to(key))
    proofs = {
        "ath": [key.proof("POST", ADDRESS, NOW, NONCE, other), key.proof("POST", ADDRESS, NOW, NONCE)],
        "htu": [key.proof("POST", f"{ISSUER}/v1/requests", NOW, NONCE, token)],
        "htm": [key.proof("GET", ADDRESS, NOW, NONCE, token)],
        "jti": [key.proof("POST", ADDRESS, NOW, "nonce-of-another-call", token)],
        "iat": [key.proof("POST", ADDRESS, NOW - timedelta(seconds=61), NONCE, token)],
        "form": ["no proof"],
    }
    assert token_hash(token) != token_hash(other)
    for why, given in proofs.items():
        for proof in given:
            assert refused(message(key, token, proof)) == ("proof-invalid", why)


def test_the_address_is_the_issuers_whatever_host_the_call_names() -> None:
    key, world = proof_key(), TokenWorld(KEYS)
    token = world.token(CLIENT, bound_to(key))
    proof = key.proof("POST", "https://elsewhere.example/v1/preview", NOW, NONCE, token)
    call = message(key, token, proof)
    call = Message(call.method, call.path, {**call.headers, "host": "elsewhere.example"}, call.body)
    assert refused(call) == ("proof-invalid", "htu")


def test_a_proof_whose_signature_was_bent_is_refused() -> None:
    key, world = proof_key(), TokenWorld(KEYS)
    token = world.token(CLIENT, bound_to(key))
    head, body, _ = key.proof("POST", ADDRESS, NOW, NONCE, token).split(".")
    other = base64.urlsafe_b64encode(new_key(CLIENT).sign(b"something else")).decode().rstrip("=")
    assert refused(message(key, token, f"{head}.{body}.{other}")) == ("proof-invalid", "signature")


def test_an_expired_token_is_refused_although_its_proof_is_fresh() -> None:
    world, calls = TokenWorld(KEYS), SignedCalls(KEYS[CLIENT], "oja", ISSUER)
    request = calls.token_request(NOW)
    calls.accept_token(world.oauth.answer(OAuthCall(request.body, request.headers["dpop"])).body, NOW)
    late = NOW + timedelta(seconds=300)
    with pytest.raises(Refused, match="token-invalid"):
        world.door.authenticate(calls.message("GET", "/v1/budget", b"", late), late)

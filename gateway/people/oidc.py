"""Sign-in at an OpenID Connect provider: authorization code with PKCE (S256), state and nonce, one pinned algorithm.

The provider's metadata and keys are fetched for every sign-in, so nothing stale is believed. State, nonce and verifier
are kept at the gateway, good once and for one browser. What the provider says in an error is never repeated.
"""

import json
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
from authlib.common.urls import add_params_to_qs
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from pydantic import AwareDatetime, ConfigDict, Field, ValidationError

from contracts.errors import InvalidInput, Unavailable
from contracts.keys import SigningKey
from contracts.signing import sign_claims
from contracts.values import Value
from gateway.means import Means
from gateway.people.origin import origin_of
from gateway.people.secret_names import kept, new_secret
from gateway.store import people_sessions
from gateway.store.people_sessions import Challenge

CALLBACK: Final = "/account/oidc/callback"
WELL_KNOWN: Final = "/.well-known/openid-configuration"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KIND: Final = "oidc"
COMES_BACK_WITHIN: Final = timedelta(minutes=10)
LEEWAY: Final = timedelta(seconds=60)
ASSERTION_LASTS: Final = timedelta(seconds=60)
TIMEOUT_SECONDS: Final = 10.0
MOST_BYTES: Final = 512 * 1024
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_wrong: Final = (JoseError, ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True, slots=True)
class Provider:
    """A login provider and how this gateway is known there: by a key (``private_key_jwt``), or else by a secret.

    ``algorithm`` is the one by which it signs ID tokens.
    """

    metadata_url: str
    client_id: str
    algorithm: str = "RS256"
    key: SigningKey | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Why somebody is sent to the provider: ``sign-in``, ``join`` or ``step-up``, and about what."""

    purpose: str
    about: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Identified:
    """Who came back: the provider's issuer identifier, its subject, and for what he was sent."""

    issuer: str
    subject: str
    wanted: Wanted


class Returned(Value):
    """What the browser brings back from the provider; the address may carry more, which is not read."""

    model_config = ConfigDict(extra="ignore")

    state: str = Field(default="", max_length=200)
    code: str = Field(default="", max_length=4000)
    iss: str | None = Field(default=None, max_length=1000)
    error: str | None = Field(default=None, max_length=200)


class _Metadata(Value):
    """What is used of the provider's metadata (OpenID Connect Discovery 1.0, section 3)."""

    model_config = ConfigDict(extra="ignore")

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authorization_response_iss_parameter_supported: bool = False


class _Sent(Value):
    """What is kept about somebody who was sent to the provider."""

    purpose: str
    about: str
    session: str
    nonce: str
    verifier: str
    at: AwareDatetime


def start(means: Means, provider: Provider, wanted: Wanted, browser: str) -> str:
    """The address to which the browser is sent.

    Args:
        means: The gateway's surroundings.
        provider: Where to.
        wanted: Why; a step-up asks the provider to authenticate the person anew.
        browser: The secret by which this browser is known again when it comes back.

    Raises:
        Unavailable: ``login-provider-unreachable``.
        InvalidInput: ``login-provider-refused``, when its metadata are not its own.
    """
    now = means.clock()
    state, nonce, verifier = (new_secret(means.entropy) for _ in range(3))
    sent = _Sent(**_plain(wanted), nonce=nonce, verifier=verifier, at=now)
    again = {"prompt": "login", "max_age": "0"} if wanted.purpose == "step-up" else {}
    with _client(means, provider) as client:
        metadata = _metadata(client, provider)
        address, _ = client.create_authorization_url(
            metadata.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier, **again
        )
    row = Challenge(kept(state), KIND, kept(browser), sent.model_dump_json(), now + COMES_BACK_WITHIN)
    with means.store.transaction() as t:
        people_sessions.ask(t, row, now)
    return str(address)


def come_back(means: Means, provider: Provider, returned: Returned, browser: str) -> Identified:
    """Who came back from the provider, after every check.

    Raises:
        InvalidInput: ``login-provider-refused``: another browser's, a forged or used state, an error of the provider,
            or an ID token that is not by this provider, for this gateway, for this sign-in, now.
        Unavailable: ``login-provider-unreachable``.
    """
    with means.store.transaction() as t:
        found = people_sessions.answered(t, kept(returned.state), KIND, kept(browser), means.clock())
    if found is None:
        raise _refused("state")
    if returned.error is not None or not returned.code:
        raise _refused("the provider did not sign in")
    sent = _Sent.model_validate_json(found.about)
    with _client(means, provider) as client:
        metadata = _metadata(client, provider)
        if returned.iss != metadata.issuer and (
            returned.iss is not None or metadata.authorization_response_iss_parameter_supported
        ):
            raise _refused("issuer")
        token = _exchanged(client, means, (provider, metadata), returned.code, sent.verifier)
        keys = _fetched(client, metadata.jwks_uri)
    claims = _claims(means, (provider, metadata), token, keys, sent)
    return Identified(metadata.issuer, claims["sub"], Wanted(sent.purpose, sent.about, sent.session))


def check_address(address: str) -> str:
    """An address of a provider: https, or http on this very machine.

    Raises:
        InvalidInput: ``setting-invalid``.
    """
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return address
    raise InvalidInput("setting-invalid", setting="oidc_metadata_url", why="it is not https")


def _client(means: Means, provider: Provider) -> Any:  # noqa: ANN401  # authlib has no types
    method = "private_key_jwt" if provider.key else "client_secret_basic"
    client = OAuth2Client(
        client_id=provider.client_id,
        client_secret=provider.secret,
        token_endpoint_auth_method=method,
        scope="openid",
        redirect_uri=f"{origin_of(means.federation.gateway)}{CALLBACK}",
        code_challenge_method="S256",
        verify=_trusted(),
        trust_env=False,
        follow_redirects=False,
        timeout=TIMEOUT_SECONDS,
    )
    client.EXTRA_AUTHORIZE_PARAMS = (*client.EXTRA_AUTHORIZE_PARAMS, "max_age")
    return client


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities of this machine."""
    return ssl.create_default_context()


def _metadata(client: Any, provider: Provider) -> _Metadata:  # noqa: ANN401  # authlib has no types
    """The provider's metadata, which must be published under its own issuer identifier (Discovery, section 4.3)."""
    try:
        metadata = _Metadata.model_validate(_fetched(client, provider.metadata_url))
    except ValidationError as error:
        raise _refused("metadata") from error
    if metadata.issuer.rstrip("/") + WELL_KNOWN != provider.metadata_url:
        raise _refused("issuer")
    for address in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
        check_address(address)
    return metadata


def _fetched(client: Any, address: str) -> Any:  # noqa: ANN401  # authlib has no types; JSON
    try:
        answer = client.request("GET", address, withhold_token=True)
    except httpx2.HTTPError as error:
        raise Unavailable("login-provider-unreachable") from error
    if answer.status_code != httpx2.codes.OK or len(answer.content) > MOST_BYTES:
        raise Unavailable("login-provider-unreachable")
    try:
        return json.loads(answer.content)
    except ValueError as error:
        raise _refused("metadata") from error


def _exchanged(
    client: Any,  # noqa: ANN401  # authlib has no types
    means: Means,
    whose: tuple[Provider, _Metadata],
    code: str,
    verifier: str,
) -> Any:  # noqa: ANN401  # JSON
    """The tokens for a code, which the provider gives once, to this client, with the verifier of this sign-in."""
    provider, metadata = whose
    if provider.key is not None:
        client.register_client_auth_method(("private_key_jwt", _assertion(means, provider.key, whose)))
    try:
        return client.fetch_token(metadata.token_endpoint, code=code, code_verifier=verifier)
    except OAuthError as error:
        raise _refused("the provider gave no token") from error
    except httpx2.HTTPError as error:
        raise Unavailable("login-provider-unreachable") from error
    except ValueError as error:
        raise _refused("the provider gave no token") from error


def _assertion(means: Means, key: SigningKey, whose: tuple[Provider, _Metadata]) -> Any:  # noqa: ANN401  # authlib's
    """The client's proof of who it is (RFC 7523), its audience the issuer alone."""
    provider, metadata = whose

    def prove(_auth: object, _method: str, uri: str, headers: object, body: str) -> tuple[str, object, str]:
        now = int(means.clock().timestamp())
        claims = {
            "iss": provider.client_id,
            "sub": provider.client_id,
            "aud": metadata.issuer,
            "iat": now,
            "exp": now + int(ASSERTION_LASTS.total_seconds()),
            "jti": new_secret(means.entropy),
        }
        added = [("client_id", provider.client_id), ("client_assertion_type", ASSERTION_TYPE)]
        return uri, headers, add_params_to_qs(body or "", [*added, ("client_assertion", sign_claims(claims, key))])

    return prove


def _claims(
    means: Means,
    whose: tuple[Provider, _Metadata],
    token: Any,  # noqa: ANN401  # JSON
    keys: Any,  # noqa: ANN401  # JSON
    sent: _Sent,
) -> Any:  # noqa: ANN401  # claims
    """The claims of the ID token; the library verifies signature, by the pinned algorithm, and the standard claims."""
    provider, metadata = whose
    registry = JWSRegistry(algorithms=[provider.algorithm], strict_check_header=False)
    try:
        asymmetric = [key for key in keys["keys"] if key.get("kty") in ("EC", "RSA") and key.get("use", "sig") == "sig"]
        read = jwt.decode(token["id_token"], KeySet.import_key_set({"keys": asymmetric}), registry=registry)
        options = {"iss": {"essential": True, "value": metadata.issuer}, "aud": {"essential": True}}
        known = {"nonce": sent.nonce, "client_id": provider.client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(read.claims, read.header, options, known)
        claims.validate(now=int(means.clock().timestamp()), leeway=int(LEEWAY.total_seconds()))
        _check_more(claims, provider, sent)
    except _wrong as error:
        raise _refused("ID token") from error
    return claims


def _check_more(claims: Any, provider: Provider, sent: _Sent) -> None:  # noqa: ANN401  # authlib has no types
    """What the library leaves open: an audience of this client alone, a subject, and when the person proved himself."""
    if claims["aud"] not in (provider.client_id, [provider.client_id]):
        raise ValueError("audience")
    if not 0 < len(claims["sub"]) <= 255:  # noqa: PLR2004  # OIDC Core, section 2
        raise ValueError("subject")
    earliest = int((sent.at - LEEWAY).timestamp())
    if claims["iat"] < earliest:
        raise ValueError("issued before it was asked for")
    if sent.purpose == "step-up" and not (isinstance(claims["auth_time"], int) and claims["auth_time"] >= earliest):
        raise ValueError("not authenticated anew")


def _plain(wanted: Wanted) -> dict[str, Any]:
    return {"purpose": wanted.purpose, "about": wanted.about, "session": wanted.session}


def _refused(why: str) -> InvalidInput:
    return InvalidInput("login-provider-refused", why=why)

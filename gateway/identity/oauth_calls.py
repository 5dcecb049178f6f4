"""A call of the authorization server and its answer as plain values, and as Authlib wants to see them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote_plus

import pydantic_core
from authlib.oauth2.rfc6749.errors import OAuth2Error

from contracts.federation import PublicKey

GRANT_TYPE: Final = "client_credentials"
MOST_FIELDS: Final = 8


class OAuthCall(NamedTuple):
    """A call of one of the server's endpoints.

    Args:
        form: The body, form-encoded.
        proof: The header ``DPoP``, if there is one.
        certificate: SHA-256 of the client certificate of the connection, base64url; none without one.
    """

    form: bytes
    proof: str | None = None
    certificate: str | None = None


class OAuthAnswer(NamedTuple):
    """What an endpoint answers: OAuth's own JSON, not problem details, because RFC 6749 says so."""

    status: int
    body: bytes


class InvalidProofError(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """RFC 9449, section 5."""

    error = "invalid_dpop_proof"


class InvalidDetailsError(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """RFC 9396, section 5."""

    error = "invalid_authorization_details"


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """RFC 8707, section 2."""

    error = "invalid_target"


class FormRequest:
    """A form that was read already, each of its parameters once, and what came with it.

    Not Authlib's own request, which takes an address apart at each call, to see https in it, and asks the environment
    whether http will do. Whether the transport is safe is for whoever runs the server to see to.
    """

    def __init__(self, fields: dict[str, str], call: OAuthCall) -> None:
        self.form = fields
        self.call = call
        self.client: Client | None = None


class Client:
    """A registered key is a client of its own: the client identifier is its ``kid``. ``jti`` names its assertion."""

    def __init__(self, key: PublicKey, jti: str) -> None:
        self.key = key
        self.jti = jti

    @property
    def agency(self) -> str:
        """The member whose key it is."""
        return self.key.kid.partition("#")[0]


def fields_of(form: bytes) -> dict[str, str]:
    """The parameters of a form.

    Raises:
        ValueError: It is none, has too many parameters, or one twice.
    """
    pairs = form.decode("ascii").split("&")
    if len(pairs) > MOST_FIELDS:
        raise ValueError("too many parameters")
    fields = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals or name in fields:
            raise ValueError("no parameter, or one that stands twice")
        # An assertion, the longest of them, has nothing to decode.
        fields[name] = _unquoted(value) if "%" in value or "+" in value else value
    return fields


def answer_of(status: int, body: Mapping[str, object]) -> OAuthAnswer:
    """An answer in JSON."""
    return OAuthAnswer(status, pydantic_core.to_json(body))


@lru_cache(maxsize=256)
def _unquoted(value: str) -> str:
    """A decoded value; most forms say the same but for their assertion."""
    return unquote_plus(value, errors="strict")

"""The calling half of the protocol without its I/O: how a member obtains a token and signs each call.

Every call carries a bearer token (RFC 9068) and a fresh message signature by the same key, so a stolen token is of no
use. Sending is the caller's business.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from pydantic import BaseModel, Field, ValidationError

from contracts.errors import Refused, Unavailable
from contracts.keys import SigningKey
from contracts.message_signatures import JSON_TYPE, Message, Tag, new_nonce, sign
from contracts.signing import sign_claims

TOKEN_PATH = "/v1/token"  # noqa: S105  # a path, not a secret
FORM_TYPE = "application/x-www-form-urlencoded"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
RENEW_BEFORE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    until: datetime


class _TokenAnswer(BaseModel):
    """The token endpoint's answer (RFC 6749, sections 5.1 and 5.2), as far as it concerns us."""

    access_token: str = Field(default="", pattern=r"^[A-Za-z0-9._~+/-]*$")
    expires_in: int = Field(default=0, ge=0, le=86_400)
    error: str = Field(default="", pattern=r"^[a-z_]{0,40}$")


class SignedCalls:
    """Signs the calls of one key; holds the current token and nothing else.

    Args:
        key: The member's key; its ``kid`` is the OAuth client id.
        agency: The member.
        issuer: The gateway's issuer identifier, the audience of assertions.
        nonce: Gives a fresh unguessable text at each call.
    """

    def __init__(self, key: SigningKey, agency: str, issuer: str, nonce: Callable[[], str] = new_nonce) -> None:
        self.key = key
        self.agency = agency
        self.issuer = issuer
        self._nonce = nonce
        self._token: _Token | None = None

    def token_request(self, now: datetime) -> bytes:
        """The form to post to ``TOKEN_PATH`` as ``FORM_TYPE``: client credentials by private_key_jwt (RFC 7523)."""
        issued = int(now.timestamp())
        claims = {
            "iss": self.key.kid,
            "sub": self.key.kid,
            "aud": self.issuer,
            "jti": self._nonce(),
            "iat": issued,
            "exp": issued + ASSERTION_SECONDS,
        }
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": sign_claims(claims, self.key),
        }
        return urlencode(form).encode()

    def accept_token(self, body: bytes, now: datetime) -> None:
        """Keep the token that the gateway answered with.

        Raises:
            Refused: ``token-invalid``, when the gateway says why it gives none.
            Unavailable: ``unknown-answer``, when the answer is no token.
        """
        try:
            answer = _TokenAnswer.model_validate_json(body)
        except ValidationError as error:
            raise Unavailable("unknown-answer") from error
        if answer.error:
            raise Refused("token-invalid", why=answer.error)
        if not answer.access_token:
            raise Unavailable("unknown-answer")
        self._token = _Token(answer.access_token, now + timedelta(seconds=answer.expires_in))

    def needs_token(self, now: datetime) -> bool:
        """Whether a token must be obtained before the next call: there is none, or it is about to expire."""
        return self._token is None or now >= self._token.until - RENEW_BEFORE

    def message(self, method: str, path: str, body: bytes, now: datetime) -> Message:
        """A call with its token and a fresh signature, ready to be sent.

        Args:
            method: In capitals.
            path: Percent-encoded, with its query if it has one.
            body: The exact bytes to send, empty if there is none.
            now: The instant of signing.

        Raises:
            Refused: ``token-missing``, when no token was obtained yet.
        """
        if self._token is None:
            raise Refused("token-missing")
        headers = {"content-type": JSON_TYPE, "authorization": f"Bearer {self._token.value}"}
        return sign(Message(method, path, headers, body), self.key, Tag.REQUEST, now, self._nonce())

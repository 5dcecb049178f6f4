"""The calling half of the protocol without its I/O: how a member obtains tokens and signs each call.

Every call carries a token that is bound to this process (DPoP, RFC 9449, or the client certificate of the connection,
RFC 8705) and a fresh message signature by the member's key, so a stolen token is of no use. Sending is the caller's
business.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from pydantic import BaseModel, Field, ValidationError

from contracts.authorization import ActivityDetail, details_text
from contracts.errors import Refused, Unavailable
from contracts.keys import SigningKey, new_key
from contracts.message_signatures import JSON_TYPE, Tag, new_nonce, sign
from contracts.proofs import PROOF_HEADER, ProofKey, address_of
from contracts.signature_base import Message
from contracts.signing import sign_claims

TOKEN_PATH = "/v1/token"  # noqa: S105  # a path, not a secret
FORM_TYPE = "application/x-www-form-urlencoded"
REVOCATION_PATH = f"{TOKEN_PATH}/revoke"
INTROSPECTION_PATH = f"{TOKEN_PATH}/introspect"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
RENEW_BEFORE = timedelta(seconds=30)
BOUND_BY_PROOF: Final = "DPoP"
BOUND_BY_CERTIFICATE: Final = "Bearer"
"""How RFC 8705 calls a token that is bound to the certificate of the connection."""


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    kind: str
    until: datetime


class _TokenAnswer(BaseModel):
    """The token endpoint's answer (RFC 6749, sections 5.1 and 5.2), as far as it concerns us."""

    access_token: str = Field(default="", pattern=r"^[A-Za-z0-9._~+/-]*$")
    token_type: str = Field(default="", pattern=r"^[A-Za-z]{0,20}$")
    expires_in: int = Field(default=0, ge=0, le=86_400)
    error: str = Field(default="", pattern=r"^[a-z_]{0,40}$")


class SignedCalls:
    """Signs the calls of one key; holds the current tokens and the key of their proofs, and nothing else.

    Args:
        key: The member's key; its ``kid`` is the OAuth client id.
        agency: The member.
        issuer: The gateway's issuer identifier, the audience of assertions and the address in proofs.
        nonce: Gives a fresh unguessable text at each call.
        has_certificate: Whether the connections show a client certificate. Only then is a token believed that is bound
            to one.
    """

    def __init__(
        self,
        key: SigningKey,
        agency: str,
        issuer: str,
        nonce: Callable[[], str] = new_nonce,
        *,
        has_certificate: bool = False,
    ) -> None:
        self.key = key
        self.agency = agency
        self.issuer = issuer
        self._nonce = nonce
        self._kinds = {BOUND_BY_PROOF, BOUND_BY_CERTIFICATE} if has_certificate else {BOUND_BY_PROOF}
        self._proofs = ProofKey(new_key(key.kid))
        self._tokens: dict[ActivityDetail | None, _Token] = {}

    def sign_with(self, key: SigningKey) -> None:
        """Sign by another key of the member from now on; its tokens are obtained anew."""
        self.key, self._tokens = key, {}

    def token_request(self, now: datetime, detail: ActivityDetail | None = None) -> Message:
        """The call that obtains a token: client credentials by private_key_jwt (RFC 7523), with a proof.

        Args:
            now: The instant of signing.
            detail: The activity that the token is for; none for calls that ask no question.
        """
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(now),
            "resource": self.issuer,
        }
        if detail is not None:
            form["authorization_details"] = details_text([detail])
        # A name of its own: some servers keep the names of assertions and of proofs in one list.
        proof = self._proofs.proof("POST", address_of(self.issuer, TOKEN_PATH), now, self._nonce())
        return Message("POST", TOKEN_PATH, {"content-type": FORM_TYPE, PROOF_HEADER: proof}, urlencode(form).encode())

    def about_token(self, path: str, token: str, now: datetime) -> Message:
        """The call that revokes or introspects a token of the own agency (RFC 7009, RFC 7662)."""
        form = {"token": token, "client_assertion_type": ASSERTION_TYPE, "client_assertion": self._assertion(now)}
        return Message("POST", path, {"content-type": FORM_TYPE}, urlencode(form).encode())

    def accept_token(self, body: bytes, now: datetime, detail: ActivityDetail | None = None) -> None:
        """Keep the token that the gateway answered with.

        Raises:
            Refused: ``token-invalid``, when the gateway says why it gives none, or gives one that is bound to nothing.
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
        if answer.token_type not in self._kinds:
            raise Refused("token-invalid", why="token_type")
        self._tokens = {what: token for what, token in self._tokens.items() if now < token.until}
        until = now + timedelta(seconds=answer.expires_in)
        self._tokens[detail] = _Token(answer.access_token, answer.token_type, until)

    def needs_token(self, now: datetime, detail: ActivityDetail | None = None) -> bool:
        """Whether a token must be obtained before the next such call: there is none, or it is about to expire."""
        token = self._tokens.get(detail)
        return token is None or now >= token.until - RENEW_BEFORE

    def forget_tokens(self) -> None:
        """Obtain new ones before the next calls: the gateway no longer takes those that are here."""
        self._tokens = {}

    def message(
        self, method: str, path: str, body: bytes, now: datetime, detail: ActivityDetail | None = None
    ) -> Message:
        """A call with its token, its proof and a fresh signature, ready to be sent.

        Args:
            method: In capitals.
            path: Percent-encoded, with its query if it has one.
            body: The exact bytes to send, empty if there is none.
            now: The instant of signing.
            detail: The activity that the call asks under, if it asks a question.

        Raises:
            Refused: ``token-missing``, when no token was obtained yet.
        """
        token = self._tokens.get(detail)
        if token is None:
            raise Refused("token-missing")
        once = self._nonce()
        headers = {"content-type": JSON_TYPE, "authorization": f"{token.kind} {token.value}"}
        if token.kind == BOUND_BY_PROOF:
            # Proof and signature bear one name, so that the gateway spends both with one row.
            headers[PROOF_HEADER] = self._proofs.proof(method, address_of(self.issuer, path), now, once, token.value)
        return sign(Message(method, path, headers, body), self.key, Tag.REQUEST, now, once)

    def _assertion(self, now: datetime) -> str:
        issued = int(now.timestamp())
        claims = {
            "iss": self.key.kid,
            "sub": self.key.kid,
            "aud": self.issuer,
            "jti": self._nonce(),
            "iat": issued,
            "exp": issued + ASSERTION_SECONDS,
        }
        return sign_claims(claims, self.key)

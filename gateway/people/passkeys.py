"""Passkeys (WebAuthn): made by invitation, asked for at sign-in and at every approval, always with user verification.

A challenge is good once, for five minutes, for one purpose and one browser. The origin and the relying party are those
of the gateway's issuer, so that a passkey never answers another site.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from contracts.errors import InvalidInput, Refused
from contracts.values import Value
from gateway.means import Means
from gateway.people.origin import origin_of, relying_party
from gateway.people.secret_names import SECRET_BYTES, kept
from gateway.store import people, people_sessions
from gateway.store.engine import Transaction
from gateway.store.people import Passkey, Person
from gateway.store.people_sessions import Challenge

TITLE: Final = "Saphan"
ANSWERED_WITHIN: Final = timedelta(minutes=5)
SIGN_IN: Final = "sign-in"
MAKE: Final = "make"
_VERIFIED: Final = UserVerificationRequirement.REQUIRED
_unreadable: Final = (WebAuthnException, ValueError, TypeError, KeyError)


class CredentialResponse(Value):
    """What the authenticator answered, base64url; the fields of WebAuthn that are used here."""

    clientDataJSON: str  # noqa: N815  # the standard's name
    attestationObject: str | None = None  # noqa: N815  # the standard's name
    authenticatorData: str | None = None  # noqa: N815  # the standard's name
    signature: str | None = None
    userHandle: str | None = None  # noqa: N815  # the standard's name


class Credential(Value):
    """A public key credential as the browser's script sends it."""

    id: str
    rawId: str  # noqa: N815  # the standard's name
    type: str
    response: CredentialResponse


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of an authenticator: for which ``kind`` of step, bound to which browser or session, about what."""

    kind: str
    bound_to: str
    about: str = ""


def make_options(means: Means, asked: Asked, owner: tuple[str, str], known: tuple[Passkey, ...]) -> str:
    """What the browser needs to make a passkey, as JSON.

    Args:
        means: The gateway's surroundings.
        asked: What the passkey is for.
        owner: The account's identifier and what to call it on the device.
        known: Passkeys that the account has; no authenticator makes a second.
    """
    challenge = _ask(means, asked)
    name, label = owner
    options = webauthn.generate_registration_options(
        rp_id=relying_party(means.federation.gateway),
        rp_name=TITLE,
        user_id=name.encode(),
        user_name=label,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
        exclude_credentials=_described(known),
    )
    return webauthn.options_to_json(options)


def ask_options(means: Means, asked: Asked, known: tuple[Passkey, ...] = ()) -> str:
    """What the browser needs to ask for a passkey, as JSON; without ``known`` any of this site, so nobody is named."""
    options = webauthn.generate_authentication_options(
        rp_id=relying_party(means.federation.gateway),
        challenge=_ask(means, asked),
        user_verification=_VERIFIED,
        allow_credentials=_described(known),
    )
    return webauthn.options_to_json(options)


def made(means: Means, asked: Asked, credential: Credential, owner: Person, label: str) -> tuple[Passkey, str]:
    """A new passkey, verified, and what its challenge was about; it is not kept yet.

    Raises:
        InvalidInput: ``passkey-not-accepted``, for whatever reason.
    """
    found = _answered(means, asked, credential)
    if found is None:
        raise InvalidInput("passkey-not-accepted")
    challenge, about = found
    issuer, now = means.federation.gateway, means.clock()
    try:
        verified = webauthn.verify_registration_response(
            credential=credential.model_dump(),
            expected_challenge=challenge,
            expected_rp_id=relying_party(issuer),
            expected_origin=origin_of(issuer),
            require_user_verification=True,
        )
    except _unreadable as error:
        raise InvalidInput("passkey-not-accepted") from error
    name = bytes_to_base64url(verified.credential_id)
    key = Passkey(name, owner.id, verified.credential_public_key, verified.sign_count, label, now, now)
    return key, about


def proven(t: Transaction, means: Means, challenge: bytes, credential: Credential) -> Person:
    """Who answered a challenge that was taken away before, by which passkey, which has counted further since.

    Raises:
        Refused: ``sign-in-refused``, for whatever reason.
    """
    found = people.lock_owned(t, credential.id)
    if found is None or not _is_of(credential, found[1]):
        raise Refused("sign-in-refused")
    key, person = found
    issuer = means.federation.gateway
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential.model_dump(),
            expected_challenge=challenge,
            expected_rp_id=relying_party(issuer),
            expected_origin=origin_of(issuer),
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except _unreadable as error:
        raise Refused("sign-in-refused") from error
    people.used(t, key.id, verified.new_sign_count, means.clock())
    return person


def taken(means: Means, asked: Asked, credential: Credential) -> tuple[bytes, str]:
    """The challenge that a credential answers and what it was about; it is good no more, whatever follows.

    Raises:
        Refused: ``sign-in-refused``, unless it was asked of this browser, for this, within five minutes, once.
    """
    found = _answered(means, asked, credential)
    if found is None:
        raise Refused("sign-in-refused")
    return found


def owner_of(means: Means, credential: Credential) -> Person | None:
    """Whose passkey a credential claims to be."""
    with means.store.read() as r:
        key = people.passkey(r, credential.id)
        return people.person(r, key.person) if key else None


def _ask(means: Means, asked: Asked) -> bytes:
    challenge, now = means.entropy(SECRET_BYTES), means.clock()
    row = Challenge(kept(challenge.hex()), asked.kind, asked.bound_to, asked.about, now + ANSWERED_WITHIN)
    with means.store.transaction() as t:
        people_sessions.ask(t, row, now)
    return challenge


def _answered(means: Means, asked: Asked, credential: Credential) -> tuple[bytes, str] | None:
    try:
        challenge = parse_client_data_json(base64url_to_bytes(credential.response.clientDataJSON)).challenge
    except _unreadable:
        return None
    with means.store.transaction() as t:
        found = people_sessions.answered(t, kept(challenge.hex()), asked.kind, asked.bound_to, means.clock())
    return (challenge, found.about) if found else None


def _is_of(credential: Credential, person: Person) -> bool:
    """A credential that names its owner must name this one."""
    handle = credential.response.userHandle
    return not handle or handle == bytes_to_base64url(person.id.encode())


def _described(known: tuple[Passkey, ...]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.id)) for each in known]

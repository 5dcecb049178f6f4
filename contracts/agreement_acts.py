"""Acts on agreements as signed documents, and how they travel: one person's signature over one ``AgreementAct``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import Field, ValidationError

from contracts.agreement import Agreement
from contracts.agreement_signatures import owner_of, read_signed, signing_key_of
from contracts.canonical import canonical_bytes, digest_of
from contracts.errors import IntegrityError, InvalidInput, Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.identifiers import Digest, KeyId
from contracts.keys import SigningKey
from contracts.lifecycle import (
    ACT_KIND,
    Act,
    AgreementAct,
    AgreementStanding,
    AgreementState,
    Role,
    SignedAct,
    ends_at,
    fold,
)
from contracts.signing import payload_of, sign_document, verify_document
from contracts.values import Value
from contracts.views import AgreementView

SIGNS_THE_TEXT: Final = frozenset({Act.APPROVE, Act.SIGN})
"""Acts that come with a signature over the agreement's text itself."""


class AgreementProposal(Value):
    """A new version: its canonical text, and the signed act (draft, submit or counter) that puts it forward."""

    agreement: str = Field(max_length=500_000)
    act: str = Field(max_length=20_000)


class AgreementSignature(Value):
    """An act that signs the text: the signed act (approve or sign), and the text under the same key's signature."""

    act: str = Field(max_length=20_000)
    document: str = Field(max_length=700_000)


class HistoryEntry(Value):
    """One act of a version's history as it was signed, who did it, and where it led."""

    act: AgreementAct
    digest: Digest
    kid: KeyId
    role: Role
    state: AgreementState
    document: str


class AgreementHistory(Value):
    """A version with every act that moved it: all that somebody needs to fold its state anew, with no gateway."""

    view: AgreementView
    acts: tuple[HistoryEntry, ...]


def signed_act(act: AgreementAct, key: SigningKey) -> str:
    """An act under a person's signature."""
    return sign_document(canonical_bytes(act), ACT_KIND, key)


def read_act(document: str, federation: Federation, at: datetime | None = None) -> SignedAct:
    """The act in a signed document: one signature, of an officer or data protection officer, or of the gateway.

    Args:
        document: A JWS in general JSON serialisation.
        federation: The pinned keys.
        at: When the key must be able to sign; the time that the act names when left out, for acts of the past.

    Raises:
        Refused: ``key-unknown``, ``signature-wrong``; ``signers-incomplete`` unless exactly one key of the acting
            agency signed.
        InvalidInput: ``malformed-body``, ``not-canonical``.
    """
    when = _said_time(document) if at is None else at
    signed = verify_document(document, ACT_KIND, lambda kid: acting_key(federation, kid, when))
    act = _read(signed.payload)
    if canonical_bytes(act) != signed.payload:
        raise InvalidInput("not-canonical")
    keys = [key for key in (acting_key(federation, kid, when) for kid in signed.signers) if key is not None]
    if len(keys) != 1 or owner_of(keys[0].kid) != act.agency:
        raise Refused("signers-incomplete")
    return SignedAct(act=act, kid=keys[0].kid, purpose=keys[0].purpose)


def acting_key(federation: Federation, kid: str, at: datetime) -> PublicKey | None:
    """The registered key of a person who may act, or of this federation's gateway."""
    person = signing_key_of(federation, kid, at)
    if person is not None or owner_of(kid) != federation.operator:
        return person
    return federation.key(kid, KeyPurpose.GATEWAY, at)


def check_history(history: AgreementHistory, federation: Federation, now: datetime) -> AgreementStanding:
    """Fold a version's state anew from its signed acts, believing nothing that the gateway says of them.

    Raises:
        IntegrityError: ``agreement-history-wrong``, when an act does not count, the state is another one, or those who
            signed the text are not those who approved and signed by their acts.
        Refused: ``key-unknown``, ``signature-wrong``, ``signers-incomplete``, ``approves-own-draft``.
        InvalidInput: ``malformed-body``, ``not-canonical``.
    """
    view, agreement = history.view, history.view.agreement
    acts = [read_act(each.document, federation) for each in history.acts]
    standing = fold(acts, agreement, now)
    are_all_told = len(standing.history) == len(acts) and digest_of(agreement) == view.digest
    if not are_all_told or view.state not in _states(standing, agreement, now):
        raise IntegrityError("agreement-history-wrong", agreement=agreement.id)
    if _who_signed(view, acts, federation) != frozenset(each.kid for each in acts if each.act.act in SIGNS_THE_TEXT):
        raise IntegrityError("agreement-history-wrong", agreement=agreement.id)
    return standing


def _states(standing: AgreementStanding, agreement: Agreement, now: datetime) -> frozenset[AgreementState]:
    """The states that may have been shown: that of the last act, and expired once the period is over."""
    last = standing.history[-1].state if standing.history else AgreementState.DRAFT
    return frozenset({last, AgreementState.EXPIRED} if now >= ends_at(agreement) else {last})


def _who_signed(view: AgreementView, acts: Sequence[SignedAct], federation: Federation) -> frozenset[str]:
    if not view.document:
        return frozenset()
    signed = read_signed(view.document, federation, max(each.act.at for each in acts))
    return frozenset(signed.signers.values()) if signed.digest == view.digest else frozenset({""})


def _said_time(document: str) -> datetime:
    try:
        return _read(payload_of(document)).at
    except ValueError as error:  # not base64
        raise Refused("signature-wrong", why="not a signed document") from error


def _read(payload: bytes) -> AgreementAct:
    try:
        return AgreementAct.model_validate_json(payload)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="act") from error

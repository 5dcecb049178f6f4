"""Agreements as a member's officers use them, over one ``Gateway``.

Before anybody acts, the version's whole history is verified and folded here: what the gateway says of an agreement is
believed only as far as signatures carry it. The act then names the last one, so that it counts for what was read.
"""

from collections.abc import Sequence
from typing import Final

from pydantic import Field

from contracts.agreement import Agreement
from contracts.agreement_acts import (
    SIGNS_THE_TEXT,
    AgreementHistory,
    AgreementProposal,
    AgreementSignature,
    check_history,
    signed_act,
)
from contracts.agreement_signatures import AGREEMENT_KIND
from contracts.canonical import canonical_bytes, digest_of
from contracts.errors import InvalidInput, Refused, SaphanError
from contracts.keys import SigningKey
from contracts.lifecycle import Act, AgreementAct, AgreementState, Because
from contracts.signing import sign_document
from contracts.values import Value
from contracts.views import AgreementView, SignedText
from gateway.client import Gateway

TRIES: Final = 50
IN_FORCE: Final = (AgreementState.ACTIVE, AgreementState.SUSPENDED)
OPEN_TO_APPROVE: Final = frozenset({AgreementState.SUBMITTED, AgreementState.UNDER_REVIEW})
ABOUT_WHAT_IS_IN_FORCE: Final = frozenset({Act.SUSPEND, Act.RESUME, Act.REVOKE})


class Words(Value):
    """Why somebody acts: one of the listed reasons, which the log shows, and words of one's own, which it does not."""

    because: Because | None = None
    reason: str = Field(default="", max_length=1000)


def everything(gateway: Gateway) -> tuple[AgreementView, ...]:
    """Every version of every agreement that this member may see, oldest first."""
    return gateway.get_all("/v1/agreements", AgreementView, lambda each: each.digest)


def histories(gateway: Gateway, name: str) -> tuple[AgreementHistory, ...]:
    """Every version of an agreement with the acts that moved it, verified, oldest first.

    Raises:
        IntegrityError: ``agreement-history-wrong``.
        Refused: What a wrong signature is refused for.
        InvalidInput: ``unknown-agreement``.
    """
    found = gateway.get_all(f"/v1/agreements/{name}/history", AgreementHistory)
    for each in found:
        check_history(each, gateway.federation, gateway.now())
        if each.view.agreement.id != name:
            raise InvalidInput("unknown-agreement", agreement=name)
    return found


def meant(gateway: Gateway, name: str, act: Act, version: int | None = None) -> AgreementView:
    """The version that an act is about, verified: the one given, the one in force, or the newest.

    Raises:
        InvalidInput: ``unknown-agreement``.
    """
    views = [each.view for each in histories(gateway, name)]
    if version is not None:
        views = [each for each in views if each.agreement.version == version]
    elif act in ABOUT_WHAT_IS_IN_FORCE:
        views = [each for each in views if each.state in IN_FORCE] or views
    if not views:
        raise InvalidInput("unknown-agreement", agreement=name)
    return views[-1]


def put_forward(gateway: Gateway, agreement: Agreement, act: Act, drafter: SigningKey) -> AgreementView:
    """Put a version forward under the key of who drafted it: as a draft, submitted, or as a counter-offer."""
    digest = digest_of(agreement)
    known = _known(gateway, agreement.id)
    before = next((each for each in known if each.agreement.version == agreement.version), None) or next(
        (each for each in known if each.digest == agreement.supersedes), None
    )
    done = _act(gateway, (agreement, digest, before.head if before else None), act, Words())
    text = canonical_bytes(agreement).decode()
    proposal = AgreementProposal(agreement=text, act=signed_act(done, drafter))
    return gateway.post("/v1/agreements", proposal, AgreementView)


def move(gateway: Gateway, view: AgreementView, act: Act, key: SigningKey, words: Words) -> AgreementView:
    """Move a version that was read and verified; approving and signing put the key's signature under its text."""
    agreement = view.agreement
    document = signed_act(_act(gateway, (agreement, view.digest, view.head), act, words), key)
    if act not in SIGNS_THE_TEXT:
        return gateway.post(f"/v1/agreements/{agreement.id}/acts", SignedText(document=document), AgreementView)
    text = sign_document(canonical_bytes(agreement), AGREEMENT_KIND, key)
    signature = AgreementSignature(act=document, document=text)
    return gateway.post(f"/v1/agreements/{agreement.id}/signatures", signature, AgreementView)


def approve(gateway: Gateway, view: AgreementView, key: SigningKey) -> AgreementView:
    """Approve the text that was read, also when colleagues and other agencies approve it at the same moment."""
    for _ in range(TRIES):
        try:
            return move(gateway, view, Act.APPROVE, key, Words())
        except Refused as error:
            if error.code != "agreement-moved":
                raise
            moved = meant(gateway, view.agreement.id, Act.APPROVE, view.agreement.version)
            if moved.digest != view.digest or moved.state not in OPEN_TO_APPROVE:
                raise
            view = moved
    raise Refused("agreement-moved", agreement=view.agreement.id, state=view.state.value)


def _act(gateway: Gateway, text: tuple[Agreement, str, str | None], act: Act, words: Words) -> AgreementAct:
    agreement, digest, previous = text
    return AgreementAct(
        agreement=agreement.id,
        version=agreement.version,
        digest=digest,
        act=act,
        agency=gateway.agency,
        at=gateway.now(),
        previous=previous,
        because=words.because,
        reason=words.reason,
    )


def _known(gateway: Gateway, name: str) -> Sequence[AgreementView]:
    try:
        return [each.view for each in histories(gateway, name)]
    except SaphanError as error:
        if error.code == "unknown-agreement":
            return ()
        raise

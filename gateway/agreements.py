"""Agreements: proposed with a first signature, active once one officer of every party has signed the same text."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.agreement import Agreement
from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.signing import SignedDocument, verify_document
from contracts.views import AgreementView
from gateway import events
from gateway.caller import Caller
from gateway.means import Means
from gateway.store import registry, requests
from gateway.store.log import Event
from gateway.store.registry import HeldAgreement

AGREEMENT_KIND = "agreement"


class _Jws(BaseModel):
    """A JWS in general serialisation, as far as it matters for putting signatures together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    payload: str
    signatures: tuple[Mapping[str, str], ...]


def propose(means: Means, caller: Caller, document: str) -> AgreementView:
    """Register an agreement that at least one party's officer has signed.

    Raises:
        Refused: ``signature-wrong``, ``key-unknown``, ``signers-incomplete``; ``not-allowed`` for who is no party;
            ``agreement-changed`` when this version has another text.
        InvalidInput: ``malformed-body``, ``unknown-contract``.
    """
    now = means.clock()
    signed = _verified(means, document, now)
    agreement = _read(signed)
    held = HeldAgreement(
        agreement=agreement,
        digest=digest_of_bytes(signed.payload),
        document=document,
        signed_by=_by_party(agreement, signed.signers),
        active=False,
    )
    held = replace(held, active=all(held.signed_by.values()))
    _check_party(caller, agreement)
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        before = registry.agreement(t, agreement.id)
        if before is not None and before.agreement.requester != agreement.requester:
            raise Refused("agreement-changed", agreement=agreement.id)  # nobody takes another's name over
        for ref in {ref.digest: ref for each in agreement.activities for ref in each.contracts}.values():
            known = registry.contract(t, ref.digest)
            if known is None or known.reference != ref or known.agency not in agreement.providers:
                raise InvalidInput("unknown-contract", contract=f"{ref.id} {ref.version}")
        signers = {agency: kid for agency, kid in held.signed_by.items() if kid is not None}
        proposed = events.agreement_proposed(agreement, held.digest, caller.agency, now)
        if registry.add_agreement(t, held, now, [proposed, *_signing_events(held, signers, now)]):
            return held.view()
    if _same_is_known(means, held):
        return _merge(means, held.digest, document, now)
    raise Refused("agreement-changed", agreement=agreement.id)


def sign(means: Means, caller: Caller, name: str, document: str) -> AgreementView:
    """Add the signatures of a document to the agreement of the same text.

    Raises:
        Refused: As ``propose`` does; ``agreement-changed`` when the document is another text.
        InvalidInput: ``unknown-agreement``.
    """
    now = means.clock()
    signed = _verified(means, document, now)
    agreement = _read(signed)
    _check_party(caller, agreement)
    digest = digest_of_bytes(signed.payload)
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        if registry.agreement(t, name) is None:
            raise InvalidInput("unknown-agreement", agreement=name)
        held = registry.agreement_text(t, digest)
        if held is None or held.agreement.id != name:
            raise Refused("agreement-changed", agreement=name)
    return _merge(means, digest, document, now)


def _merge(means: Means, digest: str, document: str, now: datetime) -> AgreementView:
    """Put the signatures of two documents of one text together."""
    with means.store.transaction() as t:
        held = registry.lock_agreement(t, digest)
        if held is None:
            raise InvalidInput("unknown-agreement", agreement=digest)
        merged = _joined(held.document, document)
        signed_by = _by_party(held.agreement, _verified(means, merged, now).signers)
        added = {a: kid for a, kid in signed_by.items() if kid is not None and held.signed_by[a] is None}
        if not added:
            return held.view()
        new = replace(held, document=merged, signed_by=signed_by, active=all(signed_by.values()))
        registry.update_signatures(t, new, _signing_events(new, added, now))
        return new.view()


def _signing_events(held: HeldAgreement, added: Mapping[str, str], now: datetime) -> list[Event]:
    signed = [events.agreement_signed(held.agreement, held.digest, agency, now) for agency in added]
    activated = [events.agreement_activated(held.agreement, held.digest, now)] if held.active else []
    return [*signed, *activated]


def _verified(means: Means, document: str, now: datetime) -> SignedDocument:
    return verify_document(document, AGREEMENT_KIND, lambda kid: means.federation.key(kid, KeyPurpose.OFFICER, now))


def _read(signed: SignedDocument) -> Agreement:
    """The agreement in a verified document, whose bytes must be its canonical ones."""
    try:
        agreement = Agreement.model_validate_json(signed.payload)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="agreement") from error
    if canonical_bytes(agreement) != signed.payload:
        raise InvalidInput("not-canonical")
    return agreement


def _by_party(agreement: Agreement, signers: frozenset[str]) -> dict[str, str | None]:
    """Who signed for each party; at most one officer each, and nobody else."""
    signed_by: dict[str, str | None] = dict.fromkeys(agreement.parties)
    for kid in sorted(signers):
        agency = kid.partition("#")[0]
        if agency not in signed_by or signed_by[agency] is not None:
            raise Refused("signers-incomplete")
        signed_by[agency] = kid
    return signed_by


def _check_party(caller: Caller, agreement: Agreement) -> None:
    if caller.agency not in agreement.parties:
        raise Refused("not-allowed")


def _same_is_known(means: Means, held: HeldAgreement) -> bool:
    with means.store.read() as r:
        return registry.agreement_text(r, held.digest) is not None


def _joined(ours: str, theirs: str) -> str:
    """Our document with those of their signatures whose protected header (which names the key) is new."""
    left, right = _Jws.model_validate_json(ours), _Jws.model_validate_json(theirs)
    headers = {signature["protected"] for signature in left.signatures}
    new = tuple(signature for signature in right.signatures if signature["protected"] not in headers)
    return canonical_bytes({"payload": left.payload, "signatures": [*map(dict, (*left.signatures, *new))]}).decode()

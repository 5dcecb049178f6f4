"""Agreements: proposed with a first signature, active once one officer of every party has signed the same text."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from contracts.agreement import Agreement
from contracts.agreement_signatures import SignedAgreement, owner_of, read_signed
from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, Refused
from contracts.lifecycle import AgreementState
from contracts.views import AgreementView
from gateway import events
from gateway.caller import Caller
from gateway.means import Means
from gateway.store import registry, requests
from gateway.store.log import Event
from gateway.store.registry import HeldAgreement


class _Jws(BaseModel):
    """A JWS in general serialisation, as far as it matters for putting signatures together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    payload: str
    signatures: tuple[Mapping[str, str], ...]


def propose(means: Means, caller: Caller, document: str) -> AgreementView:
    """Register an agreement that at least one required signer has signed.

    Raises:
        Refused: ``signature-wrong``, ``key-unknown``, ``signers-incomplete``; ``not-allowed`` for who is no party;
            ``agreement-changed`` when this version has another text.
        InvalidInput: ``malformed-body``, ``unknown-contract``.
    """
    now = means.clock()
    signed = read_signed(document, means.federation, now)
    agreement = signed.agreement
    held = _as_signed(HeldAgreement(agreement, signed.digest, document, (), AgreementState.SUBMITTED), signed, document)
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
        proposed = events.agreement_proposed(agreement, held.digest, caller.agency, now)
        if registry.add_agreement(t, held, now, [proposed, *_signing_events(held, held.signers, now)]):
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
    signed = read_signed(document, means.federation, now)
    _check_party(caller, signed.agreement)
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        if registry.agreement(t, name) is None:
            raise InvalidInput("unknown-agreement", agreement=name)
        held = registry.agreement_text(t, signed.digest)
        if held is None or held.agreement.id != name:
            raise Refused("agreement-changed", agreement=name)
    return _merge(means, signed.digest, document, now)


def _merge(means: Means, digest: str, document: str, now: datetime) -> AgreementView:
    """Put the signatures of two documents of one text together."""
    with means.store.transaction() as t:
        held = registry.lock_agreement(t, digest)
        if held is None:
            raise InvalidInput("unknown-agreement", agreement=digest)
        merged = _joined(held.document, document)
        new = _as_signed(held, read_signed(merged, means.federation, now), merged)
        added = set(new.signers) - set(held.signers)
        if not added:
            return held.view()
        registry.update_agreement(t, new, _signing_events(new, sorted(added), now))
        return new.view()


def _as_signed(held: HeldAgreement, signed: SignedAgreement, document: str) -> HeldAgreement:
    state = held.state if signed.missing else AgreementState.ACTIVE
    return replace(held, document=document, signers=tuple(sorted(signed.signers.values())), state=state)


def _signing_events(held: HeldAgreement, added: Iterable[str], now: datetime) -> list[Event]:
    signed = [events.agreement_signed(held.agreement, held.digest, owner_of(kid), now) for kid in added]
    activated = [events.agreement_activated(held.agreement, held.digest, now)] if held.active else []
    return [*signed, *activated]


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

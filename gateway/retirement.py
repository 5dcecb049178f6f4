"""Retiring a contract: its steward and its data protection officer take it back, and nothing new is asked under it.

A retirement is final. What was released stays, what was spent stays spent, and the versions of the contract go on from
the highest one that was ever published, retired or not.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from pydantic import ValidationError

from contracts.canonical import canonical_bytes
from contracts.dataset import ContractRef
from contracts.errors import InvalidInput, Refused
from contracts.retirement import RETIREMENT_KIND, ContractRetirement
from contracts.signing import SignedDocument
from contracts.views import PublishedContract
from gateway import contract_signatures, events
from gateway.caller import Caller
from gateway.means import Means
from gateway.store import contract_life, registry, requests
from gateway.store.contract_life import HeldRetirement
from gateway.store.engine import Reading

MOST_AHEAD: Final = timedelta(minutes=5)
"""How far a signer's clock may be ahead of the gateway's."""


def retire(means: Means, caller: Caller, digest: str, document: str) -> PublishedContract:
    """Retire the contract of that digest; retiring it again changes nothing, and the first reason stands.

    Raises:
        Refused: ``not-allowed`` for another agency's contract; ``signers-incomplete`` unless exactly one steward and
            one data protection officer of the agency signed; ``signature-wrong``, ``key-unknown``,
            ``request-replayed``.
        InvalidInput: ``unknown-contract``; ``malformed-body`` for a document about another contract, or of the future;
            ``not-canonical``.
    """
    now = means.clock()
    signed = contract_signatures.verified(means, document, RETIREMENT_KIND, now)
    retirement = _read(signed)
    if retirement.reference.digest != digest:
        raise InvalidInput("malformed-body", where="reference.digest")
    if retirement.at > now + MOST_AHEAD:
        raise InvalidInput("malformed-body", where="at")
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        contract = registry.contract(t, digest)
        if contract is None or contract.reference != retirement.reference:
            raise InvalidInput("unknown-contract", contract=digest)
        if not (caller.agency == retirement.agency == contract.agency):
            raise Refused("not-allowed")
        contract_signatures.check_signers(means, signed, contract.agency, now)
        held = HeldRetirement(retirement, document, now)
        contract_life.add_retirement(t, held, events.contract_retired(retirement, now))
        return registry.published(t, digest)[0]


def check_not_retired(r: Reading, refs: Iterable[ContractRef]) -> None:
    """Refuse what would begin under a contract that its agency took back.

    Raises:
        Refused: ``contract-retired``, naming the contracts.
    """
    wanted = {ref.digest: ref for ref in refs}
    retired = contract_life.retired_among(r, wanted)
    if retired:
        named = sorted(f"{wanted[each].id} {wanted[each].version}" for each in retired)
        raise Refused("contract-retired", contract=", ".join(named))


def _read(signed: SignedDocument) -> ContractRetirement:
    try:
        retirement = ContractRetirement.model_validate_json(signed.payload)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="retirement") from error
    if canonical_bytes(retirement) != signed.payload:
        raise InvalidInput("not-canonical")
    return retirement

"""Gathering what a letter is written from, out of what members see: the gateway and a member do it alike."""

import json
from collections.abc import Iterable
from datetime import datetime

from contracts.dataset import DatasetContract
from contracts.errors import IntegrityError, InvalidInput
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.odcs import contract_from_document
from contracts.signing import verify_document
from contracts.views import AgreementView, PublishedContract
from gateway.letters.letter import Papers


def papers_of(view: AgreementView, contracts: Iterable[DatasetContract], federation: Federation) -> Papers:
    """The papers of an agreement.

    Args:
        view: The agreement with what was signed so far.
        contracts: Published contracts; those that the agreement does not cite are left aside.
        federation: Names the members.
    """
    cited = {ref.digest for each in view.agreement.activities for ref in each.contracts}
    return Papers(
        agreement=view.agreement,
        digest=view.digest,
        contracts={each.digest: each for each in contracts if each.digest in cited},
        titles={each.agency: each.title for each in federation.members},
        signed_by=view.signed_by,
    )


def check_addressee(papers: Papers, to: str | None) -> None:
    """Refuse a letter to somebody who provides nothing.

    Raises:
        InvalidInput: ``not-a-provider``.
    """
    if to is not None and to not in papers.agreement.providers:
        raise InvalidInput("not-a-provider", agency=to, choices=", ".join(papers.agreement.providers))


def verified_contract(published: PublishedContract, federation: Federation, now: datetime) -> DatasetContract:
    """A published contract as its agency signed it, checked on the reader's side.

    Raises:
        Refused: ``signature-wrong``, ``key-unknown``.
        IntegrityError: ``contract-altered``, when it is not the contract that it is published as.
    """

    def key(kid: str) -> PublicKey | None:
        found = (federation.key(kid, purpose, now) for purpose in (KeyPurpose.STEWARD, KeyPurpose.DPO))
        return next((each for each in found if each is not None), None)

    signed = verify_document(published.document, "contract", key)
    contract = contract_from_document(json.loads(signed.payload))
    if contract.reference != published.reference:
        raise IntegrityError("contract-altered", contract=published.reference.id)
    return contract

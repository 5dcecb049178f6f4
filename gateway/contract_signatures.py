"""What an agency says about its own contracts: the steward and the data protection officer sign it together."""

from datetime import datetime

from contracts.errors import Refused
from contracts.federation import KeyPurpose, PublicKey
from contracts.signing import SignedDocument, verify_document
from gateway.means import Means

SIGNS_CONTRACTS = (KeyPurpose.STEWARD, KeyPurpose.DPO)


def verified(means: Means, document: str, kind: str, now: datetime) -> SignedDocument:
    """A document under keys of stewards and data protection officers, whoever they are.

    Raises:
        Refused: ``signature-wrong``, ``key-unknown``.
    """
    return verify_document(document, kind, lambda kid: _key(means, kid, now))


def check_signers(means: Means, signed: SignedDocument, owner: str, now: datetime) -> None:
    """Exactly one steward and one data protection officer of the owner must have signed.

    Raises:
        Refused: ``signers-incomplete``.
    """
    purposes = {key.purpose for kid in signed.signers if (key := _key(means, kid, now)) is not None}
    owners = {kid.partition("#")[0] for kid in signed.signers}
    if len(signed.signers) != len(SIGNS_CONTRACTS) or purposes != set(SIGNS_CONTRACTS) or owners != {owner}:
        raise Refused("signers-incomplete")


def _key(means: Means, kid: str, at: datetime) -> PublicKey | None:
    found = (means.federation.key(kid, purpose, at) for purpose in SIGNS_CONTRACTS)
    return next((key for key in found if key is not None), None)

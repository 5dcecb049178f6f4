"""Who signed the text of an agreement: exactly one key of each required signer, nobody else, never a drafter.

Verifying each signature is not enough: a document from which one was taken away still verifies. Gateway, connector and
whoever signs next all read signed agreements here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from contracts.agreement import Agreement
from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.errors import InvalidInput, Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.signing import verify_document

AGREEMENT_KIND: Final = "agreement"
SIGNS_AGREEMENTS: Final = (KeyPurpose.OFFICER, KeyPurpose.DPO)

Signer = tuple[str, KeyPurpose]
"""An agency and which of its people signs for it."""


@dataclass(frozen=True, slots=True)
class SignedAgreement:
    """An agreement whose signatures were all verified; ``signers`` gives the key of each who signed so far."""

    agreement: Agreement
    digest: str
    signers: Mapping[Signer, str]

    @property
    def missing(self) -> frozenset[Signer]:
        """Whose signature it lacks."""
        return self.agreement.required_signers - self.signers.keys()


def read_signed(document: str, federation: Federation, now: datetime) -> SignedAgreement:
    """The agreement in a signed document, which not all need to have signed yet.

    Raises:
        Refused: ``key-unknown``, ``signature-wrong``; ``signers-incomplete`` when somebody signed who is not required,
            or twice for one; ``approves-own-draft`` when a signer drafted it.
        InvalidInput: ``malformed-body``, ``not-canonical``.
    """
    signed = verify_document(document, AGREEMENT_KIND, lambda kid: signing_key_of(federation, kid, now))
    try:
        agreement = Agreement.model_validate_json(signed.payload)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="agreement") from error
    if canonical_bytes(agreement) != signed.payload:
        raise InvalidInput("not-canonical")
    keys = (signing_key_of(federation, kid, now) for kid in signed.signers)
    signers = _by_signer(agreement, (key for key in keys if key is not None))
    return SignedAgreement(agreement, digest_of_bytes(signed.payload), signers)


def signing_key_of(federation: Federation, kid: str, at: datetime) -> PublicKey | None:
    """The registered officer's or data protection officer's key of that name."""
    found = (federation.key(kid, purpose, at) for purpose in SIGNS_AGREEMENTS)
    return next((key for key in found if key is not None), None)


def owner_of(kid: str) -> str:
    """The agency whose key it is."""
    return kid.partition("#")[0]


def _by_signer(agreement: Agreement, keys: Iterable[PublicKey]) -> dict[Signer, str]:
    signers: dict[Signer, str] = {}
    for key in keys:
        signer = (owner_of(key.kid), key.purpose)
        if signer not in agreement.required_signers or signer in signers:
            raise Refused("signers-incomplete")
        if key.kid == agreement.drafted_by:
            raise Refused("approves-own-draft", agreement=agreement.id)
        signers[signer] = key.kid
    return signers

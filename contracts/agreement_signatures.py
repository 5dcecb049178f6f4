"""Who signed the text of an agreement: exactly one key of each required signer, nobody else, never a drafter.

Verifying each signature is not enough: a document from which one was taken away still verifies. Gateway, connector and
whoever signs next all read signed agreements here.

One text comes with every request under it. That its signatures fit is remembered of the last few texts, of their exact
letters, with the keys that they fit. Whether these very keys may sign is asked of the federation each time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

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


MOST_KEPT: Final = 64
"""How many texts are remembered."""


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


class _Verified(NamedTuple):
    """What was verified of one text, and the keys by which, by their names."""

    signed: SignedAgreement
    keys: Mapping[str, PublicKey]


_verified: Final[dict[str, _Verified]] = {}


def read_signed(document: str, federation: Federation, now: datetime) -> SignedAgreement:
    """The agreement in a signed document, which not all need to have signed yet.

    Raises:
        Refused: ``key-unknown``, ``signature-wrong``; ``signers-incomplete`` when somebody signed who is not required,
            or twice for one; ``approves-own-draft`` when a signer drafted it.
        InvalidInput: ``malformed-body``, ``not-canonical``.
    """
    known = _verified.get(document)
    if known is not None and all(signing_key_of(federation, kid, now) == key for kid, key in known.keys.items()):
        return known.signed
    verified = _verify(document, federation, now)
    if len(_verified) >= MOST_KEPT:
        _verified.clear()
    _verified[document] = verified
    return verified.signed


def _verify(document: str, federation: Federation, now: datetime) -> _Verified:
    found = verify_document(document, AGREEMENT_KIND, lambda kid: signing_key_of(federation, kid, now))
    try:
        agreement = Agreement.model_validate_json(found.payload)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="agreement") from error
    if canonical_bytes(agreement) != found.payload:
        raise InvalidInput("not-canonical")
    keys = {kid: key for kid in found.signers if (key := signing_key_of(federation, kid, now)) is not None}
    signers = MappingProxyType(_by_signer(agreement, keys.values()))
    return _Verified(SignedAgreement(agreement, digest_of_bytes(found.payload), signers), keys)


def signing_key_of(federation: Federation, kid: str, at: datetime) -> PublicKey | None:
    """The registered officer's or data protection officer's key of that name."""
    for purpose in SIGNS_AGREEMENTS:
        key = federation.key(kid, purpose, at)
        if key is not None:
            return key
    return None


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

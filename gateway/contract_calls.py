"""Reading published contracts from the gateway, with nothing taken on its word."""

from collections.abc import Iterable

from contracts.canonical import digest_of_bytes
from contracts.contract_diff import Version
from contracts.errors import IntegrityError, InvalidInput
from contracts.federation import KeyPurpose, PublicKey
from contracts.signing import payload_of, verify_document
from contracts.views import PublishedContract
from gateway.client import Gateway

SIGNS = (KeyPurpose.STEWARD, KeyPurpose.DPO)


def published_version(gateway: Gateway, wanted: str) -> Version:
    """A published contract by its digest, or by ``id@version``.

    What is named by its digest must have that digest; what is named otherwise must bear the signatures of its agency's
    steward and data protection officer, under keys that are valid today.

    Raises:
        InvalidInput: ``unknown-contract``, also when two agencies have a contract of that name and version.
        IntegrityError: ``contract-altered``.
        Refused: ``signature-wrong``, ``key-unknown``.
    """
    found = [each for each in gateway.contracts() if wanted in _names(each)]
    if len(found) != 1:
        raise InvalidInput("unknown-contract", contract=wanted)
    payload = payload_of(found[0].document)
    if not wanted.startswith("sha-256:"):
        _check_signers(gateway, found[0])
    version = Version.read(payload)
    if digest_of_bytes(payload) != found[0].reference.digest or version.contract.reference != found[0].reference:
        raise IntegrityError("contract-altered", contract=wanted)
    return version


def _names(published: PublishedContract) -> Iterable[str]:
    reference = published.reference
    return (reference.digest, f"{reference.id}@{reference.version}")


def _check_signers(gateway: Gateway, published: PublishedContract) -> None:
    now = gateway.now()

    def key(kid: str) -> PublicKey | None:
        found = (gateway.federation.key(kid, purpose, now) for purpose in SIGNS)
        return next((each for each in found if each is not None), None)

    signers = verify_document(published.document, "contract", key).signers
    purposes = {each.purpose for kid in signers if (each := key(kid)) is not None}
    if purposes != set(SIGNS) or {kid.partition("#")[0] for kid in signers} != {published.agency}:
        raise IntegrityError("contract-altered", contract=published.reference.id)

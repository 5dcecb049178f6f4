"""Is a release what the gateway signed and logged? Checked from the pinned keys alone."""

from collections.abc import Sequence
from datetime import datetime

from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.checkpoints import cosigned, log_keys
from contracts.errors import IntegrityError, Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.merkle import verify_receipt
from contracts.question_form import is_answered_by
from contracts.release import Release
from contracts.request import Request
from contracts.signing import verify_compact
from contracts.transparency import EventKind, Receipt

RELEASE_KIND = "release"


def check_release(release: Release, federation: Federation) -> tuple[str, ...]:
    """Check digest, signature and receipt of a release; a receipt that is not there is not missed.

    The gateway attaches the receipt whenever a release is fetched, so who fetched one must miss it; the answer to a
    withdrawal, and a release that was written to a file, may come without.

    Returns:
        The agencies whose witnesses stand by the checkpoint of the receipt.

    Raises:
        IntegrityError: ``release-altered``, ``log-entry-changed`` or ``log-checkpoint-wrong``.
    """
    body = canonical_bytes(release.body)
    if digest_of_bytes(body) != release.digest:
        raise IntegrityError("release-altered")

    def gateway_key(kid: str) -> PublicKey | None:
        return operator_key(federation, kid, KeyPurpose.GATEWAY, release.body.created)

    try:
        signed = verify_compact(release.signature, RELEASE_KIND, gateway_key)
    except Refused as error:
        raise IntegrityError("release-altered") from error
    if signed.payload != body:
        raise IntegrityError("release-altered")
    return () if release.receipt is None else _check_receipt(release, release.receipt, federation)


def check_standing(release: Release, witnesses: Sequence[str], quorum: int) -> None:
    """Check that a release has its receipt, and that enough agencies stand by the checkpoint of it.

    Raises:
        IntegrityError: ``receipt-missing`` or ``log-quorum-missing``.
    """
    if release.receipt is None:
        raise IntegrityError("receipt-missing")
    if len(witnesses) < quorum:
        raise IntegrityError("log-quorum-missing", quorum=quorum, witnesses=len(witnesses))


def check_answer(release: Release, request: Request) -> None:
    """Check that a release answers a request: the same question, of the same texts of the same contracts.

    A repeated question gets the release of whoever asked it first, so identifiers, agreements, requesters and words may
    differ. The price is not compared: the release states the error of each of its measures itself.

    Raises:
        IntegrityError: ``release-altered``.
    """
    body = release.body
    told = sorted(promise.contract.digest for promise in body.promises)
    asked = sorted(ref.digest for ref in request.contracts)
    if not is_answered_by(request.query, body.query, body.grid) or told != asked:
        raise IntegrityError("release-altered")


def operator_key(federation: Federation, kid: str, purpose: KeyPurpose, at: datetime) -> PublicKey | None:
    """The key of that name, if it is the operator's and may sign for that purpose at that instant."""
    owner = kid.partition("#")[0]
    return federation.key(kid, purpose, at) if owner == federation.operator else None


def _check_receipt(release: Release, receipt: Receipt, federation: Federation) -> tuple[str, ...]:
    keys = log_keys(federation, release.body.created)
    entry = verify_receipt(receipt, keys)
    logged = (entry.kind, entry.subject, entry.facts.get("release_digest"))
    if logged != (EventKind.DATA_RELEASED, release.body.id, release.digest):
        raise IntegrityError("release-altered")
    return tuple(each.agency for each in cosigned(receipt.checkpoint, keys))

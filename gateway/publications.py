"""What forecasts and analyses have in common: signed by the publisher's client key, citing releases as they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import ValidationError

from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.forecast import Citation
from contracts.publication import MOST_PUBLISHED_BYTES
from contracts.signing import verify_compact
from contracts.values import Value
from gateway.caller import Caller
from gateway.means import Means
from gateway.store import publications, releases
from gateway.store.engine import Reading, Transaction
from gateway.store.publications import Look

Signable = TypeVar("Signable", bound=Value)


@dataclass(frozen=True, slots=True)
class Signed(Generic[Signable]):
    """A value whose signature by the caller's agency was checked."""

    value: Signable
    digest: str


def read_signed(means: Means, caller: Caller, document: str, kind: str, model: type[Signable]) -> Signed[Signable]:
    """What the caller's client key signed.

    Raises:
        Refused: ``publication-too-large``, before any time is spent on it; ``signature-wrong``, ``key-unknown``;
            ``not-allowed`` when another agency signed.
        InvalidInput: ``malformed-body``, ``not-canonical``.
    """
    if len(document) * 3 // 4 > MOST_PUBLISHED_BYTES:  # base64 writes three bytes as four letters
        raise Refused("publication-too-large", size=len(document) * 3 // 4, limit=MOST_PUBLISHED_BYTES)
    now = means.clock()
    signed = verify_compact(document, kind, lambda kid: means.federation.key(kid, KeyPurpose.CLIENT, now))
    if {kid.partition("#")[0] for kid in signed.signers} != {caller.agency}:
        raise Refused("not-allowed")
    try:
        value = model.model_validate_json(signed.payload)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or kind
        raise InvalidInput("malformed-body", where=where) from error
    if canonical_bytes(value) != signed.payload:
        raise InvalidInput("not-canonical")
    return Signed(value, digest_of_bytes(signed.payload))


def is_known(r: Reading, name: str, digest: str) -> bool:
    """Whether this very thing was published before.

    Raises:
        InvalidInput: ``request-id-reused`` when its identifier stands for another one.
    """
    known = publications.digest_of(r, name)
    if known is not None and known != digest:
        raise InvalidInput("request-id-reused")
    return known is not None


def check_citations(
    t: Transaction, cited: Iterable[Citation], caller: Caller, now: datetime, *, for_everybody: bool
) -> None:
    """Every cited release may be read by the caller, is the one that is meant, and is relied on still.

    Args:
        t: The transaction that publishes.
        cited: The releases as they are cited.
        caller: Who publishes.
        now: The present.
        for_everybody: Whether everybody may read the publication; everybody must then be able to read what it cites.

    Raises:
        InvalidInput: ``unknown-release``.
        Refused: ``release-withdrawn``, ``cited-release-not-public``.
    """
    for each in cited:
        standing = releases.standing(t, each.release)
        readable = releases.may_read(t, each.release, caller.agency, now)
        if standing is None or not readable or standing.digest != each.digest:
            raise InvalidInput("unknown-release")
        if standing.withdrawal is not None:
            raise Refused("release-withdrawn", why=standing.withdrawal.reason)
        if for_everybody and not releases.may_read(t, each.release, None, now):
            raise Refused("cited-release-not-public", release=each.release)


def look_of(means: Means, caller: Caller | None, as_of: datetime | None = None) -> Look:
    """How a caller (or, for ``None``, everybody) looks at what was published, now or as of an instant.

    Raises:
        InvalidInput: ``malformed-body`` for an instant to come: what will have been published nobody knows.
    """
    now = means.clock()
    if as_of is not None and as_of > now:
        raise InvalidInput("malformed-body", where="as_of")
    return Look(caller.agency if caller else None, now, as_of)

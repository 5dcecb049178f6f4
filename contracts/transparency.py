"""The log as everybody sees it: entries, checkpoints and receipts. ``contracts.merkle`` verifies them."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from contracts.identifiers import AgencyId, Digest
from contracts.task import LARGEST_NUMBER, Charge
from contracts.values import Value

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A node of the Merkle tree (RFC 6962, SHA-256), in hexadecimal."""


class EventKind(StrEnum):
    """What an entry records; ``docs/reference/audit-events.md`` explains each."""

    CONTRACT_PUBLISHED = "contract.published"
    CONTRACT_RETIRED = "contract.retired"
    AGREEMENT_PROPOSED = "agreement.proposed"
    AGREEMENT_SIGNED = "agreement.signed"
    AGREEMENT_ACTIVATED = "agreement.activated"
    AGREEMENT_MOVED = "agreement.moved"
    DATA_REQUESTED = "data.requested"
    DATA_REFUSED = "data.refused"
    DATA_RELEASED = "data.released"
    RELEASE_REPEATED = "release.repeated"
    RELEASE_WITHDRAWN = "release.withdrawn"
    FORECAST_PUBLISHED = "forecast.published"
    ANALYSIS_PUBLISHED = "analysis.published"
    PLAN_REGISTERED = "plan.registered"
    SUSPENSION_ORDERED = "suspension.ordered"
    SUSPENSION_LIFTED = "suspension.lifted"
    DISCLOSURE_RECORDED = "disclosure.recorded"
    REGISTER_WRITTEN = "register.written"
    REGISTRY_CHANGED = "registry.changed"
    RETENTION_DELETED = "retention.deleted"
    PERSON_SIGNED_IN = "person.signed-in"
    PERSON_SIGN_IN_FAILED = "person.sign-in-failed"
    PERSON_ROLE_CHANGED = "person.role-changed"


class LogEntry(Value):
    """One line of the log: agencies, activity, question, tier and cost in clear.

    ``subject`` is the identifier of what it is about. The client that asked, and the parts and figures that were given,
    stand only as ``commitments``: SHA-256 over a 256-bit secret salt and the digest, opened for an auditor one by one.
    """

    kind: EventKind
    at: AwareDatetime
    agency: AgencyId | None
    subject: str = Field(max_length=200)
    facts: dict[str, str] = Field(default_factory=dict)
    charges: tuple[Charge, ...] = ()
    commitments: dict[str, Digest] = Field(default_factory=dict)


class Checkpoint(Value):
    """The log's head: so many entries with this root. It is signed as a note (``contracts.checkpoints``)."""

    origin: str
    size: int = Field(ge=0)
    root: Hash


class Cosignature(Value):
    """A witness hands in that it stands by a checkpoint: the checkpoint's size and its own line (C2SP cosignature)."""

    size: int = Field(ge=0, le=LARGEST_NUMBER)
    line: str = Field(max_length=1000)


class Receipt(Value):
    """Proof that an entry is in the log: the entry's bytes, its place, the path to a signed checkpoint."""

    index: int = Field(ge=0)
    entry: str
    """The canonical bytes of the log entry, as text."""

    path: tuple[Hash, ...]
    checkpoint: str
    """The checkpoint as a signed note (C2SP), with the cosignatures of the witnesses that the gateway had by then."""

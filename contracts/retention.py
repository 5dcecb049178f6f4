"""What a retention run deleted, and the proof of it."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from contracts.identifiers import AgencyId, Digest
from contracts.transparency import Hash
from contracts.values import Value


class RetentionRule(StrEnum):
    """What is deleted, and when; ``docs/how-to/operator/breach-and-retention.md`` explains each."""

    REQUESTS = "requests"
    PARTS = "parts"
    RELEASES = "releases"
    NONCES = "nonces"
    DRAFTS = "drafts"
    SNAPSHOT_ROWS = "snapshot-rows"
    JOURNAL_PARTS = "journal-parts"
    IMPORT_FILES = "import-files"
    IMPORTED_ROWS = "imported-rows"


class RuleOutcome(Value):
    """What one rule deleted.

    ``root`` is the Merkle root (RFC 6962) over the digests of what was deleted, in the order of ``digests``; that of no
    leaves when it was nothing. ``oldest`` and ``newest`` date the things deleted. ``left`` counts what is due and still
    there, looked for anew after the deletion: it should be 0.
    """

    rule: RetentionRule
    what: str = Field(max_length=200)
    count: int = Field(ge=0)
    root: Hash
    oldest: AwareDatetime | None = None
    newest: AwareDatetime | None = None
    left: int = Field(ge=0)


class RetentionCertificate(Value):
    """One run, as the program's own key signs it (document kind ``retention-certificate``)."""

    id: str = Field(pattern=r"^[a-z0-9-]{4,80}$")
    agency: AgencyId
    program: str
    at: AwareDatetime
    dry_run: bool = False
    outcomes: tuple[RuleOutcome, ...]


class IssuedCertificate(Value):
    """A certificate with its signature; ``log_index`` is its place in the gateway's log, none for a connector's."""

    certificate: RetentionCertificate
    digest: Digest
    document: str
    log_index: int | None = None


class DeletedDigests(Value):
    """The leaves under one rule's root: enough to compute it again, and to find one's own among them."""

    rule: RetentionRule
    digests: tuple[str, ...]


class RetentionProof(Value):
    """A certificate with the digests of everything that it says was deleted."""

    issued: IssuedCertificate
    deleted: tuple[DeletedDigests, ...]

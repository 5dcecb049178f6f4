"""A connector's retention: rows of the snapshot, parts in the journal, imported files; each run leaves a certificate.

Never deleted: charges, refusals and approvals of the journal, ranks and keyed hashes of the snapshot. Nothing that was
spent comes back, and no rank is given twice.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from connectors.home import Home
from connectors.journal.retention_tables import RetentionBook
from connectors.snapshot_retention import Pruned, prune
from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.dataset import DatasetContract
from contracts.merkle import leaf_hash, root_of
from contracts.retention import IssuedCertificate, RetentionCertificate, RetentionRule, RuleOutcome
from contracts.signing import SigningKey, sign_compact

CERTIFICATE_KIND: Final = "retention-certificate"
PROGRAM: Final = "connector"
IMPORTS: Final = "imports"
"""The folder of the home in which imported files, and reports about them, wait."""

PARTS_KEPT: Final = timedelta(days=30)
"""How long a part is kept after the gateway's last word on it: to answer questions about it, not to send it again."""

IMPORTS_KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class _Deleted:
    """What one rule found: digests in the order of the root's leaves, dates, and what is left."""

    rule: RetentionRule
    what: str
    digests: tuple[str, ...]
    oldest: datetime | None
    newest: datetime | None
    left: int


def retain(
    home: Home, contracts: Sequence[DatasetContract], key: SigningKey, now: datetime, *, dry_run: bool = False
) -> IssuedCertificate:
    """Delete what is due, or only tell what would be.

    Args:
        home: The connector's home.
        contracts: The datasets of the snapshot, which say how long their rows are held.
        key: The connector's key; it signs the certificate.
        now: The instant.
        dry_run: Delete nothing and keep no certificate.

    Raises:
        IntegrityError: ``snapshot-damaged``.
    """
    book = RetentionBook(home.journal)
    try:
        deleted = [_rows(home, each, now, dry_run=dry_run) for each in contracts]
        deleted += [_parts(book, now, dry_run=dry_run), _files(home.path / IMPORTS, now, dry_run=dry_run)]
        certificate = RetentionCertificate(
            id=f"{'dry-run' if dry_run else 'run'}-{now.astimezone(UTC):%Y-%m-%d-%H%M%S-%f}",
            agency=key.kid.partition("#")[0],
            program=PROGRAM,
            at=now,
            dry_run=dry_run,
            outcomes=tuple(_outcome(each) for each in deleted),
        )
        payload = canonical_bytes(certificate)
        issued = IssuedCertificate(
            certificate=certificate,
            digest=digest_of_bytes(payload),
            document=sign_compact(payload, CERTIFICATE_KIND, key),
        )
        if not dry_run:
            book.certify(issued)
    finally:
        book.close()
    return issued


def certificates(home: Home) -> tuple[IssuedCertificate, ...]:
    """Every certificate of this connector, newest first."""
    book = RetentionBook(home.journal)
    try:
        return book.certificates()
    finally:
        book.close()


def _rows(home: Home, contract: DatasetContract, now: datetime, *, dry_run: bool) -> _Deleted:
    pruned = prune(home.snapshot, contract, now, dry_run=dry_run) if home.snapshot.exists() else Pruned()
    what = f"rows of {contract.id} more than {contract.retention_days} days after their event"
    return _Deleted(RetentionRule.SNAPSHOT_ROWS, what, pruned.digests, pruned.oldest, pruned.newest, pruned.left)


def _parts(book: RetentionBook, now: datetime, *, dry_run: bool) -> _Deleted:
    before = now - PARTS_KEPT
    found = book.settled_parts(before)
    if not dry_run:
        book.erase_parts(found)
    dates = [each.settled_at for each in found]
    return _Deleted(
        RetentionRule.JOURNAL_PARTS,
        f"parts more than {PARTS_KEPT.days} days after the gateway's last word",
        tuple(each.digest for each in found),
        min(dates, default=None),
        max(dates, default=None),
        len(book.settled_parts(before)),
    )


def _files(folder: Path, now: datetime, *, dry_run: bool) -> _Deleted:
    due = _old_files(folder, now)
    digests = tuple(f"sha-256:{_digest(path)}" for _, path in due)
    if not dry_run:
        for _, path in due:
            path.unlink(missing_ok=True)
    dates = [at for at, _ in due]
    return _Deleted(
        RetentionRule.IMPORT_FILES,
        f"imported files and their reports more than {IMPORTS_KEPT.days} days old",
        digests,
        min(dates, default=None),
        max(dates, default=None),
        len(_old_files(folder, now)),
    )


def _old_files(folder: Path, now: datetime) -> list[tuple[datetime, Path]]:
    if not folder.is_dir():
        return []
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    dated = sorted((datetime.fromtimestamp(path.stat().st_mtime, UTC), path) for path in files)
    return [(at, path) for at, path in dated if at <= now - IMPORTS_KEPT]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _outcome(deleted: _Deleted) -> RuleOutcome:
    return RuleOutcome(
        rule=deleted.rule,
        what=deleted.what,
        count=len(deleted.digests),
        root=root_of([leaf_hash(each.encode()) for each in deleted.digests]).hex(),
        oldest=deleted.oldest,
        newest=deleted.newest,
        left=deleted.left,
    )

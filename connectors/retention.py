"""A connector's retention: rows of the snapshot, parts in the journal, imported files; each run leaves a certificate.

What is about to be deleted is written down first. A run that ends between deletion and certificate is certified by the
next one, which sees what is still there.

Never deleted: charges, refusals and approvals of the journal, ranks and keyed hashes of the snapshot. Nothing that was
spent comes back, and no rank is given twice.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from connectors.home import Home
from connectors.intake.store import prune_imported
from connectors.journal.retention_tables import Intended, Leaves, RetentionBook
from connectors.snapshot import kept_from
from connectors.snapshot_retention import Pruned, prune
from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.dataset import DatasetContract
from contracts.keys import SigningKey
from contracts.merkle import leaf_hash, root_of
from contracts.retention import (
    DeletedDigests,
    IssuedCertificate,
    RetentionCertificate,
    RetentionProof,
    RetentionRule,
    RuleOutcome,
)
from contracts.signing import sign_compact

CERTIFICATE_KIND: Final = "retention-certificate"
PROGRAM: Final = "connector"
IMPORTS: Final = "imports"
"""The folder of the home in which imported files, and reports about them, wait."""

PARTS_KEPT: Final = timedelta(days=30)
"""How long a part is kept after the gateway's last word on it: to answer questions about it, not to send it again."""

IMPORTS_KEPT: Final = timedelta(days=30)


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
        due = Intended(
            id=f"{'dry-run' if dry_run else 'run'}-{now.astimezone(UTC):%Y-%m-%d-%H%M%S-%f}",
            at=now,
            leaves=_leaves(home, book, contracts, now, dry_run=True),
        )
        if dry_run:
            return _proof(due, key, dry_run=True).issued
        for each in book.intents():
            book.certify(_proof(_finished(each, due.leaves), key))
        book.intend(due)
        done = due.model_copy(update={"leaves": _leaves(home, book, contracts, now, dry_run=False)})
        proof = _proof(done, key)
        book.certify(proof)
    finally:
        book.close()
    return proof.issued


def proof_of(home: Home, name: str) -> RetentionProof | None:
    """A certificate of this connector with the digests from which its roots are computed again; none if unknown."""
    book = RetentionBook(home.journal)
    try:
        return book.proof(name)
    finally:
        book.close()


def _leaves(
    home: Home, book: RetentionBook, contracts: Sequence[DatasetContract], now: datetime, *, dry_run: bool
) -> tuple[Leaves, ...]:
    """Every rule in its order: what it deletes, or would."""
    rows = [_rows(home, each, now, dry_run=dry_run) for each in contracts]
    imported = [_imported(home, each, now, dry_run=dry_run) for each in contracts]
    return (*rows, *imported, _parts(book, now, dry_run=dry_run), _files(home.path / IMPORTS, now, dry_run=dry_run))


def _finished(intended: Intended, due: Sequence[Leaves]) -> Intended:
    """What a run that ended before its certificate has deleted: what it was about to, less what is still due now."""
    still = Counter((each.rule, digest) for each in due for digest in each.digests)
    return intended.model_copy(update={"leaves": tuple(_gone(each, still) for each in intended.leaves)})


def _gone(leaves: Leaves, still: Counter[tuple[RetentionRule, str]]) -> Leaves:
    gone = []
    for digest in leaves.digests:
        if still[leaves.rule, digest]:
            still[leaves.rule, digest] -= 1
        else:
            gone.append(digest)
    dates = {} if gone else {"oldest": None, "newest": None}
    return leaves.model_copy(update={"digests": tuple(gone), "left": len(leaves.digests) - len(gone), **dates})


def _proof(run: Intended, key: SigningKey, *, dry_run: bool = False) -> RetentionProof:
    certificate = RetentionCertificate(
        id=run.id,
        agency=key.kid.partition("#")[0],
        program=PROGRAM,
        at=run.at,
        dry_run=dry_run,
        outcomes=tuple(_outcome(each) for each in run.leaves),
    )
    payload = canonical_bytes(certificate)
    issued = IssuedCertificate(
        certificate=certificate,
        digest=digest_of_bytes(payload),
        document=sign_compact(payload, CERTIFICATE_KIND, key),
    )
    deleted = tuple(DeletedDigests(rule=each.rule, digests=each.digests) for each in run.leaves)
    return RetentionProof(issued=issued, deleted=deleted)


def certificates(home: Home) -> tuple[IssuedCertificate, ...]:
    """Every certificate of this connector, newest first."""
    book = RetentionBook(home.journal)
    try:
        return book.certificates()
    finally:
        book.close()


def _rows(home: Home, contract: DatasetContract, now: datetime, *, dry_run: bool) -> Leaves:
    pruned = prune(home.snapshot, contract, now, dry_run=dry_run) if home.snapshot.exists() else Pruned()
    what = f"rows of {contract.id} more than {contract.retention_days} days after their event"
    return Leaves(
        rule=RetentionRule.SNAPSHOT_ROWS,
        what=what,
        digests=pruned.digests,
        oldest=pruned.oldest,
        newest=pruned.newest,
        left=pruned.left,
    )


def _imported(home: Home, contract: DatasetContract, now: datetime, *, dry_run: bool) -> Leaves:
    """The rows that files brought, where the import store is the agency's source."""
    keep_from = kept_from(contract, now)
    digests = prune_imported(home, contract, keep_from, dry_run=dry_run)
    return Leaves(
        rule=RetentionRule.IMPORTED_ROWS,
        what=f"imported rows of {contract.id} more than {contract.retention_days} days after their event",
        digests=digests,
        oldest=None,
        newest=None,
        left=len(prune_imported(home, contract, keep_from, dry_run=True)),
    )


def _parts(book: RetentionBook, now: datetime, *, dry_run: bool) -> Leaves:
    before = now - PARTS_KEPT
    found = book.settled_parts(before)
    if not dry_run:
        book.erase_parts(found)
    dates = [each.settled_at for each in found]
    return Leaves(
        rule=RetentionRule.JOURNAL_PARTS,
        what=f"parts more than {PARTS_KEPT.days} days after the gateway's last word",
        digests=tuple(each.digest for each in found),
        oldest=min(dates, default=None),
        newest=max(dates, default=None),
        left=len(book.settled_parts(before)),
    )


def _files(folder: Path, now: datetime, *, dry_run: bool) -> Leaves:
    due = _old_files(folder, now)
    digests = tuple(f"sha-256:{_digest(path)}" for _, path in due)
    if not dry_run:
        for _, path in due:
            path.unlink(missing_ok=True)
    dates = [at for at, _ in due]
    return Leaves(
        rule=RetentionRule.IMPORT_FILES,
        what=f"imported files and their reports more than {IMPORTS_KEPT.days} days old",
        digests=digests,
        oldest=min(dates, default=None),
        newest=max(dates, default=None),
        left=len(_old_files(folder, now)),
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


def _outcome(deleted: Leaves) -> RuleOutcome:
    return RuleOutcome(
        rule=deleted.rule,
        what=deleted.what,
        count=len(deleted.digests),
        root=root_of([leaf_hash(each.encode()) for each in deleted.digests]).hex(),
        oldest=deleted.oldest,
        newest=deleted.newest,
        left=deleted.left,
    )

"""What the log says of the registers: that an entry was written, and little else.

The log is public. Whom an agency told what by law, whether a person asked for their rights, and that somebody has had a
breach are not: such an entry stands there as a commitment, to be opened for whoever may see the register.
"""

from datetime import datetime
from typing import Final

from contracts.personal_data import Disclosure
from contracts.retention import RetentionCertificate
from contracts.transparency import EventKind, LogEntry
from gateway.events import Entropy, commitment, sealed
from gateway.store.log import Event

REGISTERS: Final = "personal-data-registers"


def disclosed(disclosure: Disclosure, digest: str, now: datetime, entropy: Entropy) -> Event:
    """A disclosure beside the exchange: whose and of which kind in clear, all else sealed."""
    facts = {"kind": disclosure.kind.value, "corrects": "true" if disclosure.previous else "false"}
    return _sealed(EventKind.DISCLOSURE_RECORDED, disclosure.agency, "disclosures", facts, (digest, now, entropy))


def written(digest: str, now: datetime, entropy: Entropy) -> Event:
    """An entry about a person's request or about a breach: not even whose."""
    return _sealed(EventKind.REGISTER_WRITTEN, None, REGISTERS, {}, (digest, now, entropy))


def retained(certificate: RetentionCertificate, digest: str) -> Event:
    """A retention run: how much each rule deleted, under which root, and what is left that should not be."""
    facts = {"digest": digest}
    for each in certificate.outcomes:
        facts[each.rule.value] = f"{each.count} deleted, {each.left} left, root {each.root}"
    entry = LogEntry(
        kind=EventKind.RETENTION_DELETED,
        at=certificate.at,
        agency=certificate.agency,
        subject=certificate.id,
        facts=facts,
    )
    return Event(entry)


def _sealed(
    kind: EventKind, agency: str | None, subject: str, facts: dict[str, str], seal: tuple[str, datetime, Entropy]
) -> Event:
    digest, now, entropy = seal
    opening = sealed("entry", digest, entropy)
    entry = LogEntry(
        kind=kind,
        at=now,
        agency=agency,
        subject=subject,
        facts=facts,
        commitments={opening.name: commitment(opening)},
    )
    return Event(entry, (opening,))

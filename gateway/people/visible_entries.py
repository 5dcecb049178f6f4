"""What of the log and the registers somebody may see on a page: the own agency's, and for supervisors everybody's.

Who a person of the own agency is, is opened; of other agencies' people a supervisor sees the commitment alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.canonical import digest_of
from contracts.federation import KeyPurpose
from contracts.personal_data import DisclosureLine
from contracts.transparency import EventKind, LogEntry
from gateway.caller import Caller
from gateway.means import Means
from gateway.people import accounts
from gateway.people.roles import May, check_may
from gateway.privacy_office import disclosures
from gateway.privacy_office.signed_entries import sees_all
from gateway.store import log
from gateway.store.engine import Reading
from gateway.store.people import Person

KINDS: Final = (EventKind.PERSON_SIGNED_IN, EventKind.PERSON_SIGN_IN_FAILED, EventKind.PERSON_ROLE_CHANGED)
MOST_LOOKED_AT: Final = 20_000
MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class SeenEntry:
    """An entry about people: its place in the log, what it says, and who it was where that may be opened."""

    place: int
    entry: LogEntry
    name: str | None


def of_people(means: Means, reader: Person) -> tuple[SeenEntry, ...]:
    """The newest sign-ins, failures and changes of roles that somebody may see, newest first.

    Raises:
        Refused: ``role-missing``.
    """
    check_may(reader.roles, May.READ_SIGN_INS)
    everywhere = sees_all(means, _as_caller(reader))
    names = {digest_of(each.id): each.name for each in accounts.everybody(means, reader.agency)}
    with means.store.read() as r:
        size = log.head(r).size
        first = max(0, size - MOST_LOOKED_AT)
        read = enumerate(log.entries(r, first, size), first)
        found = [(place, LogEntry.model_validate_json(text)) for place, text in read if '"person.' in text]
        mine = [each for each in found if each[1].kind in KINDS and (everywhere or each[1].agency == reader.agency)]
        return tuple(SeenEntry(p, e, _opened(r, p, e, reader, names)) for p, e in reversed(mine[-MOST_SHOWN:]))


def disclosures_for(means: Means, reader: Person) -> tuple[DisclosureLine, ...]:
    """The register of disclosures that somebody may see: the agency's own, or a supervisor's everybody's.

    Raises:
        Refused: ``role-missing``.
    """
    check_may(reader.roles, May.READ_REGISTERS)
    caller = _as_caller(reader)
    return disclosures.lines(means, caller, None if sees_all(means, caller) else reader.agency)


def _opened(r: Reading, place: int, entry: LogEntry, reader: Person, names: Mapping[str, str]) -> str | None:
    if entry.agency != reader.agency:
        return None
    digests = {each.name: each.digest for each in log.openings(r, place)}
    return names.get(digests.get("person", ""))


def _as_caller(reader: Person) -> Caller:
    """The reader as the registers know callers, by the agency."""
    return Caller(reader.agency, reader.id, KeyPurpose.CLIENT, "")

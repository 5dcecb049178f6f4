"""What was published out of releases: kept as it was signed, read as it stands now or as it stood at an instant.

A publication never changes. What changes is how the releases that it cites stand: ``Flags`` says so for any instant.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, exists, select, true

from contracts.release import ReleaseState
from gateway.store.engine import AnyRow, Reading, Transaction
from gateway.store.log import Event, append
from gateway.store.publication_tables import citations, publications
from gateway.store.releases import readable
from gateway.store.tables import releases


class Sort(StrEnum):
    """What a publication is."""

    FORECAST = "forecast"
    ANALYSIS = "analysis"


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication to be kept: its body and its line in lists as JSON, the signed document, the cited releases.

    ``kind`` tells the publications of one sort apart, so that each kind has its latest one.
    """

    id: str
    sort: Sort
    kind: str
    public: bool
    digest: str
    document: str
    body: str
    summary: str
    cited: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks at what: a reader (``None``: everybody), the present, and the instant that is asked for, if one is."""

    reader: str | None
    now: datetime
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Flags:
    """The releases that a publication cites and that are no longer valid: by the instant asked for, and since then."""

    then: tuple[str, ...] = ()
    since: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A publication as it is kept."""

    id: str
    agency: str
    digest: str
    document: str
    body: str
    published_at: datetime
    flags: Flags


NO_FLAGS: Final = Flags()


def add(t: Transaction, new: Publication, event: Event) -> None:
    """Publish under an identifier that stands for nothing yet, and log it."""
    row = {
        "id": new.id,
        "sort": new.sort.value,
        "kind": new.kind,
        "agency": event.entry.agency,
        "digest": new.digest,
        "public": new.public,
        "document": new.document,
        "body": new.body,
        "summary": new.summary,
        "published_at": event.entry.at,
        "log_index": append(t, event),
    }
    t.add(publications, [row])
    t.add(citations, [{"publication": new.id, "release": each} for each in sorted(set(new.cited))])


def digest_of(r: Reading, name: str) -> str | None:
    """The digest of what was published under an identifier, whoever may read it."""
    row = r.one(select(publications.c.digest).where(publications.c.id == name))
    return row.digest if row else None


def find(r: Reading, sort: Sort, name: str, look: Look) -> Held | None:
    """The publication of that identifier, if it is there and may be read."""
    row = r.one(select(publications).where(publications.c.id == name, _seen(sort, look)))
    return _held(r, row, look) if row else None


def latest(r: Reading, sort: Sort, look: Look, kind: str | None = None) -> Held | None:
    """What was published last of a sort (and kind), as far as it may be read."""
    wanted = select(publications).where(_seen(sort, look), _of_kind(kind))
    row = r.one(wanted.order_by(publications.c.log_index.desc()).limit(1))
    return _held(r, row, look) if row else None


def summaries(r: Reading, sort: Sort, look: Look, kind: str | None = None) -> tuple[tuple[str, Flags], ...]:
    """The line of every publication that may be read, as JSON, with how it stands; newest first."""
    wanted = select(publications.c.id, publications.c.summary).where(_seen(sort, look), _of_kind(kind))
    rows = r.all(wanted.order_by(publications.c.log_index.desc()))
    flags = flags_of(r, publications.c.sort == sort.value, look.as_of)
    return tuple((row.summary, flags.get(row.id, NO_FLAGS)) for row in rows)


def flags_of(r: Reading, which: ColumnElement[bool], as_of: datetime | None) -> Mapping[str, Flags]:
    """How each of these publications stands that cites what is no longer valid; the others have no flags."""
    broken = select(citations.c.publication, releases.c.id, releases.c.withdrawn_at)
    broken = broken.join(releases, releases.c.id == citations.c.release)
    broken = broken.join(publications, publications.c.id == citations.c.publication)
    rows = r.all(broken.where(which, releases.c.state != ReleaseState.VALID).order_by(releases.c.id))
    by_name: dict[str, list[AnyRow]] = defaultdict(list)
    for row in rows:
        by_name[row.publication].append(row)
    return {name: _flags(each, as_of) for name, each in by_name.items()}


def _flags(broken: Iterable[AnyRow], as_of: datetime | None) -> Flags:
    rows = list(broken)
    # Where nobody knows when it was withdrawn, it counts as withdrawn at every instant.
    later = {row.id for row in rows if as_of is not None and row.withdrawn_at is not None and row.withdrawn_at > as_of}
    return Flags(tuple(row.id for row in rows if row.id not in later), tuple(row.id for row in rows if row.id in later))


def _seen(sort: Sort, look: Look) -> ColumnElement[bool]:
    """Of that sort, there by the instant asked for, and readable: public, or made of what the reader may read."""
    here = publications.c.sort == sort.value
    if look.as_of is not None:
        here &= publications.c.published_at <= look.as_of
    if look.reader is None:
        return here & publications.c.public.is_(true())
    open_to_reader = select(releases.c.id).where(readable(look.reader, look.now))
    hidden = exists().where(citations.c.publication == publications.c.id, citations.c.release.not_in(open_to_reader))
    return here & (publications.c.public.is_(true()) | ~hidden)


def _of_kind(kind: str | None) -> ColumnElement[bool]:
    return true() if kind is None else publications.c.kind == kind


def _held(r: Reading, row: AnyRow, look: Look) -> Held:
    flags = flags_of(r, publications.c.id == row.id, look.as_of).get(row.id, NO_FLAGS)
    return Held(row.id, row.agency, row.digest, row.document, row.body, row.published_at, flags)

"""Releases: written once, read for ever; a withdrawal is written beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Update, false, select, true, update

from contracts.errors import InvalidInput
from contracts.release import Release, ReleaseBody, ReleaseState, Withdrawal
from contracts.views import ReleaseSummary
from gateway.store.engine import AnyRow, AnySelect, Reading, Transaction
from gateway.store.log import Event, append
from gateway.store.prepared import prepared
from gateway.store.tables import release_sources, releases, requests

Dataset = tuple[str, str]
"""An agency and its dataset."""

ERASED: Final = ""
"""The body of a release whose retention is over; digest, summary and log entry stay."""


@dataclass(frozen=True, slots=True)
class NewRelease:
    """A release to be kept: signed body, its question, and which data of whom it came from.

    ``text`` is the body's canonical form, which ``digest`` and ``signature`` are of.
    """

    body: ReleaseBody
    text: str
    digest: str
    signature: str
    question: str
    sources: Mapping[Dataset, int]
    available_at: datetime


@dataclass(frozen=True, slots=True)
class HeldRelease:
    """A release as it is kept; ``receipt`` is still to be attached. ``log_index`` is the place of its log entry."""

    release: Release
    log_index: int
    available_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides about a release without its figures."""

    id: str
    digest: str
    requester: str
    agencies: frozenset[str]
    withdrawal: Withdrawal | None
    available_at: datetime


def add_release(t: Transaction, new: NewRelease, event: Event) -> None:
    """Log a release and keep it."""
    row = {
        "id": new.body.id,
        "digest": new.digest,
        "question": new.question,
        "requester": new.body.requester,
        "public": new.body.public,
        "body": new.text,
        "summary": _summary(new).model_dump_json(by_alias=True),
        "signature": new.signature,
        "available_at": new.available_at,
        "state": ReleaseState.VALID,
        "log_index": append(t, event),
    }
    t.add(releases, [row])
    sources = sorted(new.sources.items())
    t.add(
        release_sources,
        [{"release": new.body.id, "agency": a, "dataset": d, "data_version": v} for (a, d), v in sources],
    )


def release(r: Reading, name: str, reader: str | None, now: datetime) -> HeldRelease | None:
    """The release of that identifier, if that agency (or, for ``None``, everybody) may read it by now.

    Raises:
        InvalidInput: ``release-erased``, when its retention is over.
    """
    row = r.one(_public(name, now) if reader is None else _readable(name, reader, now))
    if row is not None and row.body == ERASED:
        raise InvalidInput("release-erased")
    return _held(row) if row else None


def any_release(r: Reading, name: str) -> Release | None:
    """The release of that identifier, whoever may read it; none also when it is erased."""
    row = r.one(select(releases).where(releases.c.id == name, releases.c.body != ERASED))
    return _held(row).release if row else None


def held_release(r: Reading, name: str) -> HeldRelease | None:
    """The release of that identifier with the place of its log entry; none also when it is erased."""
    row = r.one(select(releases).where(releases.c.id == name, releases.c.body != ERASED))
    return _held(row) if row else None


def may_read(r: Reading, name: str, reader: str | None, now: datetime) -> bool:
    """Whether that agency (or, for ``None``, everybody) may read a release by now."""
    return r.one(select(releases.c.id).where(releases.c.id == name, readable(reader, now))) is not None


def readable(reader: str | None, now: datetime) -> ColumnElement[bool]:
    """The releases that an agency (or, for ``None``, everybody) may read by now."""
    out = releases.c.available_at <= now
    if reader is None:
        return out & releases.c.public.is_(true())
    # Asked of each release, through its index; a list of all that an agency may read would be as long as its history.
    theirs = (requests.c.release_id == releases.c.id) & (requests.c.agency == reader)
    asked = select(requests.c.id).where(theirs, requests.c.available_at <= now).exists()
    sources = (release_sources.c.release == releases.c.id) & (release_sources.c.agency == reader)
    gave = select(release_sources.c.agency).where(sources).exists()
    return out & (releases.c.public.is_(true()) | asked | gave)


def summaries(r: Reading, reader: str | None, now: datetime) -> tuple[ReleaseSummary, ...]:
    """Every release that an agency (or everybody) may read by now, newest first."""
    erased = (releases.c.body == ERASED).label("erased")
    wanted = select(releases.c.summary, releases.c.state, releases.c.public, erased).where(readable(reader, now))
    rows = r.all(wanted.order_by(releases.c.available_at.desc(), releases.c.id))
    changes = [{"state": ReleaseState(row.state), "public": row.public, "erased": bool(row.erased)} for row in rows]
    kept = [ReleaseSummary.model_validate_json(row.summary) for row in rows]
    return tuple(s.model_copy(update=change) for s, change in zip(kept, changes, strict=True))


def standing(r: Reading, name: str) -> Standing | None:
    """The release of that identifier without its figures."""
    row = r.one(_standing().where(releases.c.id == name))
    return _stands(r, row) if row else None


def lock_standing(t: Transaction, name: str) -> Standing | None:
    """The same, and nobody else changes it until the transaction ends."""
    row = t.lock(_standing().where(releases.c.id == name))
    return _stands(t, row) if row else None


def withdraw(t: Transaction, withdrawal: Withdrawal, event: Event) -> None:
    """Say of a release that it is no longer to be relied on."""
    here = releases.c.id == withdrawal.release
    fate = {"state": withdrawal.state, "withdrawal": withdrawal.model_dump_json(), "withdrawn_at": event.entry.at}
    t.run(update(releases).where(here).values(**fate))
    append(t, event)


def make_public(t: Transaction, name: str) -> bool:
    """Let everybody read a release from its tick on; whether that is new. Its signed body stays as it is."""
    return t.run(_made_public(name)) > 0


def current_release(r: Reading, question: str, versions: Mapping[Dataset, int] | None) -> Standing | None:
    """The valid release of a question on exactly these data versions, or on whichever for ``None``, if there is one."""
    for row in r.all(_current(question)):
        if versions is None or _versions(r, row.id) == dict(versions):
            return _stands(r, row)
    return None


def _standing() -> AnySelect:
    return select(
        releases.c.id, releases.c.digest, releases.c.requester, releases.c.withdrawal, releases.c.available_at
    )


def _stands(r: Reading, row: AnyRow) -> Standing:
    return Standing(
        id=row.id,
        digest=row.digest,
        requester=row.requester,
        agencies=frozenset(agency for agency, _ in _versions(r, row.id)),
        withdrawal=Withdrawal.model_validate_json(row.withdrawal) if row.withdrawal else None,
        available_at=row.available_at,
    )


def _versions(r: Reading, name: str) -> dict[Dataset, int]:
    rows = r.all(_sources(name))
    return {(row.agency, row.dataset): row.data_version for row in rows}


def _held(row: AnyRow) -> HeldRelease:
    body = ReleaseBody.model_validate_json(row.body)
    kept = Release(
        body=body,
        digest=row.digest,
        signature=row.signature,
        made_public=row.public and not body.public,
        withdrawal=Withdrawal.model_validate_json(row.withdrawal) if row.withdrawal else None,
    )
    return HeldRelease(kept, row.log_index, row.available_at)


def _summary(new: NewRelease) -> ReleaseSummary:
    body = new.body
    return ReleaseSummary(
        id=body.id,
        digest=new.digest,
        requester=body.requester,
        agreement=body.agreement,
        activity=body.activity,
        purpose=body.purpose,
        public=body.public,
        contracts=tuple(promise.contract for promise in body.promises),
        query=body.query,
        cells=body.grid.size,
        charges=body.charges,
        created=body.created,
        state=ReleaseState.VALID,
    )


@prepared
def _public(name: str, now: datetime) -> AnySelect:
    return select(releases).where(releases.c.id == name, readable(None, now))


@prepared
def _readable(name: str, reader: str, now: datetime) -> AnySelect:
    return select(releases).where(releases.c.id == name, readable(reader, now))


@prepared
def _made_public(name: str) -> Update:
    return update(releases).where(releases.c.id == name, releases.c.public.is_(false())).values(public=True)


@prepared
def _sources(name: str) -> AnySelect:
    return select(release_sources).where(release_sources.c.release == name)


@prepared
def _current(question: str) -> AnySelect:
    stands = (releases.c.state == ReleaseState.VALID) & (releases.c.body != ERASED)
    return _standing().where(releases.c.question == question, stands).order_by(releases.c.available_at.desc())

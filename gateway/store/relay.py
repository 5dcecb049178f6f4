"""The relay: tasks wait here for their connectors, and parts for each other. Nothing is pushed to an agency.

A task is leased until it is answered; a lease that runs out is given again, so a connector that dies loses nothing.
The first part that is accepted for a task stays; the same part again is welcome, another one is refused.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from sqlalchemy import ColumnElement, FromClause, Select, Update, select, true, tuple_, update

from contracts.chain import answer_digest
from contracts.errors import Refused
from contracts.suspension import Suspended
from contracts.task import Forwarded, Part, Task
from gateway.store import suspensions, topics
from gateway.store.engine import EPOCH, AnyRow, AnySelect, Reading, Transaction
from gateway.store.prepared import prepared
from gateway.store.tables import connectors, data_versions, requests, tasks

SEEN_EVERY = timedelta(seconds=5)
"""How often a connector's presence is written down; more often would only wear the disk."""

MOST_KEPT: Final = 128
ERASED: Final = ""
"""The body of a part that is no longer kept."""


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task, its canonical text and the digest of that."""

    task: Task
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Leased:
    """A task that was handed out, for the so-manieth time, and its digest from when it was made."""

    task: Task
    digest: str
    attempt: int


@dataclass(frozen=True, slots=True)
class HeldTask:
    """A task as the relay holds it; ``part`` is the body of its part from when it is posted until it is erased.

    ``attempt`` counts how often it was handed out; a task that never was cannot have been charged.
    """

    task: Task
    digest: str
    request: str
    attempt: int
    part: Part | None
    part_digest: str | None
    answer: str | None
    """The digest of the part as its connector signed it, which outlives its figures."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A task with what its connector posted, signatures and all."""

    task: Task
    posted: Forwarded


@dataclass(frozen=True, slots=True)
class Seen:
    """When a connector last asked for work."""

    agency: str
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Beat:
    """What became of the tasks that a connector is working on.

    ``held`` are those whose lease still runs, and until when; ``lost`` those that were or may be handed out again, or
    taken back. What is answered already is neither.
    """

    held: Mapping[str, datetime]
    lost: tuple[str, ...]


def add_tasks(t: Transaction, request: str, new: Sequence[NewTask], now: datetime) -> None:
    """Let one task for each contract of a request wait for its connector."""
    for agency in dict.fromkeys(each.task.agency for each in new):
        t.tell(topics.of_agency(agency))
    t.add(
        tasks,
        [
            {
                "id": each.task.id,
                "request": request,
                "agency": each.task.agency,
                "dataset": each.task.contract.id,
                "place": place,
                "task": each.text,
                "digest": each.digest,
                "created_at": now,
                "leased_until": EPOCH,
                "attempt": 0,
            }
            for place, each in enumerate(new)
        ],
    )


def has_free_task(r: Reading, agency: str, now: datetime) -> bool:
    """Whether a lease would find something: a look that takes no lock."""
    suspended = suspensions.standing(r)
    if suspended == suspensions.NOTHING:
        return r.one(_any_free(agency, now)) is not None
    free = _free(agency, now) & _not_suspended(suspended)
    return r.one(select(tasks.c.id).where(free).limit(1)) is not None


def lease(t: Transaction, agency: str, most: int, now: datetime, until: datetime) -> tuple[Leased, ...]:
    """Hand the oldest free tasks of an agency to its connector until ``until``.

    No task of a request that touches a suspended agency or dataset is among them, nor any that a suspended agency asks.
    """
    suspended = suspensions.standing(t)
    free = (
        _oldest_free(agency, now, most)
        if suspended == suspensions.NOTHING
        else _unsuspended(agency, suspended, now, most)
    )
    rows = t.take_free(free)
    for row in rows:
        t.run(_taken(row.id, until))
    return tuple(Leased(_task(row.task), row.digest, row.attempt + 1) for row in rows)


def heartbeat(r: Reading, agency: str, working: Mapping[str, int], now: datetime) -> Beat:
    """How the leases stand of the tasks that an agency's connector names, each with its attempt."""
    if not working:
        return Beat({}, ())
    rows = [row for task in working for row in r.all(_how_it_stands(agency, task))]
    answered = {row.id for row in rows if row.part_digest is not None}
    held = {
        row.id: row.leased_until
        for row in rows
        if row.posted_at is None and row.leased_until > now and row.attempt == working[row.id]
    }
    return Beat(held, tuple(sorted(working.keys() - held.keys() - answered)))


def renew(t: Transaction, agency: str, held: Collection[str], now: datetime, until: datetime) -> None:
    """Let the leases of an agency's tasks go on until ``until``; one that ran out meanwhile stays out."""
    still = (tasks.c.agency == agency) & tasks.c.posted_at.is_(None) & (tasks.c.leased_until > now)
    rows = t.take_free(select(tasks.c.id).where(tasks.c.id.in_(held), still))
    if rows:
        t.run(update(tasks).where(tasks.c.id.in_([row.id for row in rows])).values(leased_until=until))


def held_task(r: Reading, task: str) -> HeldTask | None:
    """The task of that identifier."""
    row = r.one(_named(task))
    return _held(row) if row else None


def tasks_of(r: Reading, request: str) -> tuple[HeldTask, ...]:
    """Every task of a request, in the order of its contracts."""
    return tuple(map(_held, r.all(_of_request(request))))


def answered_tasks(r: Reading, request: str) -> tuple[HeldTask, ...]:
    """The same when all have their parts; nothing while one is missing, and then no part is read."""
    rows = r.all(_of_request(request))
    return () if any(row.part is None for row in rows) else tuple(map(_held, rows))


def waiting_for(r: Reading, request: str, seen: datetime) -> tuple[str, ...]:
    """The agencies that had not answered a request at the instant ``seen``, or whose answer a suspension holds back."""
    suspended = suspensions.standing(r)
    if suspended == suspensions.NOTHING:
        return tuple(sorted(row.agency for row in r.all(_missing(request, seen))))
    missing = tasks.c.posted_at.is_(None) | (tasks.c.posted_at > seen) | _is_of(suspended, tasks)
    rows = r.all(select(tasks.c.agency).where(tasks.c.request == request, missing).distinct())
    return tuple(sorted(row.agency for row in rows))


def answers_of(r: Reading, request: str) -> tuple[Answer, ...]:
    """What was answered to a request, as it was signed, in the order of its contracts; nothing once it is erased."""
    answered = (tasks.c.request == request) & tasks.c.part.is_not(None)
    rows = r.all(select(tasks.c.task, tasks.c.part).where(answered).order_by(tasks.c.place))
    found = [Answer(Task.model_validate_json(row.task), Forwarded.model_validate_json(row.part)) for row in rows]
    return tuple(each for each in found if each.task.request.body and each.posted.headers)


def accept_part(t: Transaction, task: str, part: Forwarded, digest: str, now: datetime) -> bool:
    """Keep the part of a task with its signature; whether it is new.

    Raises:
        Refused: ``part-already-posted``, when another part is there, or the task was closed without one.
    """
    row = t.lock(_answered(task))
    held = row.part_digest if row else None
    if row is not None and held is None and row.posted_at is not None:
        raise Refused("part-already-posted")
    if held is None:
        t.change(tasks, {"id": task}, {"part": part.model_dump_json(), "part_digest": digest, "posted_at": now})
    elif held != digest:
        raise Refused("part-already-posted")
    return held is None


def close_tasks(t: Transaction, request: str, now: datetime) -> None:
    """Take back the tasks of a request that ends without an answer to them: they are handed out no more."""
    t.run(update(tasks).where(tasks.c.request == request, tasks.c.posted_at.is_(None)).values(posted_at=now))


def erase_parts(t: Transaction, request: str, contracts: Collection[str]) -> None:
    """Forget the figures that a request's parts gave for these contracts (by digest), when it has ended.

    Digest, time and signature headers stay: enough to know the same part again, and to prove which one it was.
    """
    if not contracts:
        return
    for row in t.all(_of_request(request)):
        if row.part is None or _task(row.task).contract.digest not in contracts:
            continue
        posted = Forwarded.model_validate_json(row.part)
        if posted.body != ERASED and Part.model_validate_json(posted.body).measures:
            erased = posted.model_copy(update={"body": ERASED})
            t.change(tasks, {"id": row.id}, {"part": erased.model_dump_json()})


def note_presence(t: Transaction, agency: str, now: datetime) -> None:
    """Remember that a connector asked for work."""
    t.add_newer(connectors, {"agency": agency, "last_seen": now}, "last_seen")


def is_noted(r: Reading, agency: str, versions: Mapping[str, int], now: datetime) -> bool:
    """Whether a connector's presence and its data versions are written down well enough."""
    row = r.one(_last_seen(agency))
    known = known_versions(r, agency)
    return row is not None and now - row.last_seen < SEEN_EVERY and all(known.get(k) == v for k, v in versions.items())


def note_versions(t: Transaction, agency: str, versions: Mapping[str, int], now: datetime) -> None:
    """Remember on which snapshot a connector answers; a version never goes back."""
    for dataset, version in sorted(versions.items()):
        row = {"agency": agency, "dataset": dataset, "version": version, "seen_at": now}
        t.add_newer(data_versions, row, "version")


def known_versions(r: Reading, agency: str) -> dict[str, int]:
    """The current data version of each dataset of an agency, as far as it has been heard of."""
    rows = r.all(_known(agency))
    return {row.dataset: row.version for row in rows}


def seen(r: Reading) -> tuple[Seen, ...]:
    """When each connector last asked for work."""
    return tuple(Seen(row.agency, row.last_seen) for row in r.all(select(connectors).order_by(connectors.c.agency)))


def _free(agency: str, now: datetime) -> ColumnElement[bool]:
    return (tasks.c.agency == agency) & tasks.c.posted_at.is_(None) & (tasks.c.leased_until <= now)


def _not_suspended(suspended: Suspended) -> ColumnElement[bool]:
    if not suspended.agencies and not suspended.datasets:
        return true()
    asked_by = select(requests.c.id).where(requests.c.agency.in_(suspended.agencies))
    return tasks.c.request.not_in(requests_touching(suspended)) & tasks.c.request.not_in(asked_by)


def requests_touching(suspended: Suspended) -> Select[tuple[str]]:
    """The identifiers of the requests that have a task of a suspended agency or for a suspended dataset."""
    theirs = tasks.alias("theirs")
    return select(theirs.c.request).where(_is_of(suspended, theirs))


def _is_of(suspended: Suspended, of: FromClause) -> ColumnElement[bool]:
    """Whether a task is of a suspended agency or for a suspended dataset."""
    return of.c.agency.in_(suspended.agencies) | tuple_(of.c.agency, of.c.dataset).in_(sorted(suspended.datasets))


@lru_cache(maxsize=MOST_KEPT)
def _task(text: str) -> Task:
    """A task never changes, so that one text is parsed once in a process; a part may be erased, and is not kept."""
    return Task.model_validate_json(text)


def _held(row: AnyRow) -> HeldTask:
    posted = Forwarded.model_validate_json(row.part) if row.part is not None else None
    body = ERASED if posted is None else posted.body
    return HeldTask(
        task=_task(row.task),
        digest=row.digest,
        request=row.request,
        attempt=row.attempt,
        part=Part.model_validate_json(body) if body != ERASED else None,
        part_digest=row.part_digest,
        answer=None if posted is None else answer_digest(posted),
    )


@prepared
def _named(task: str) -> AnySelect:
    return _tasks().where(tasks.c.id == task)


@prepared
def _of_request(request: str) -> AnySelect:
    return _tasks().where(tasks.c.request == request).order_by(tasks.c.place)


def _tasks() -> AnySelect:
    """What a ``HeldTask`` is made of, and the key of its row."""
    held = (tasks.c.id, tasks.c.task, tasks.c.digest, tasks.c.request, tasks.c.attempt, tasks.c.part)
    return select(*held, tasks.c.part_digest)


@prepared
def _any_free(agency: str, now: datetime) -> AnySelect:
    return select(tasks.c.id).where(_free(agency, now)).limit(1)


@prepared
def _oldest_free(agency: str, now: datetime, most: int) -> AnySelect:
    return _tasks_where(_free(agency, now)).limit(most)


def _unsuspended(agency: str, suspended: Suspended, now: datetime, most: int) -> AnySelect:
    return _tasks_where(_free(agency, now) & _not_suspended(suspended)).limit(most)


def _tasks_where(free: ColumnElement[bool]) -> AnySelect:
    wanted = select(tasks.c.id, tasks.c.task, tasks.c.digest, tasks.c.attempt).where(free)
    return wanted.order_by(tasks.c.created_at, tasks.c.place)


@prepared
def _taken(task: str, until: datetime) -> Update:
    return update(tasks).where(tasks.c.id == task).values(leased_until=until, attempt=tasks.c.attempt + 1)


@prepared
def _missing(request: str, seen: datetime) -> AnySelect:
    missing = tasks.c.posted_at.is_(None) | (tasks.c.posted_at > seen)
    return select(tasks.c.agency).where(tasks.c.request == request, missing).distinct()


@prepared
def _answered(task: str) -> AnySelect:
    return select(tasks.c.part_digest, tasks.c.posted_at).where(tasks.c.id == task)


@prepared
def _last_seen(agency: str) -> AnySelect:
    return select(connectors.c.last_seen).where(connectors.c.agency == agency)


@prepared
def _known(agency: str) -> AnySelect:
    return select(data_versions).where(data_versions.c.agency == agency)


@prepared
def _how_it_stands(agency: str, task: str) -> AnySelect:
    columns = (tasks.c.id, tasks.c.attempt, tasks.c.leased_until, tasks.c.posted_at, tasks.c.part_digest)
    return select(*columns).where(tasks.c.agency == agency, tasks.c.id == task)

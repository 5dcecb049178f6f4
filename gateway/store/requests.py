"""Requests, where each stands, and the nonces that were seen."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, tuple_

from contracts.errors import InvalidInput, Problem, Refused
from contracts.request import TRANSITIONS, RequestState
from contracts.task import Forwarded
from gateway.store.engine import AnyRow, AnySelect, Reading, Transaction
from gateway.store.log import Event, append
from gateway.store.prepared import prepared
from gateway.store.tables import nonces, questions, requests, tasks

NONCES_LAST = timedelta(minutes=10)
"""Longer than a signature is accepted for, clocks and all."""


MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """A request as the store holds it.

    ``question`` is the key of what is asked; ``joined_to`` the request that asked the same before and is still out.
    ``text`` is the request as it was signed, as JSON: most steps never read it.
    """

    id: str
    digest: str
    agency: str
    question: str
    text: str
    state: RequestState
    joined_to: str | None
    release: str | None
    repeated: bool
    problem: Problem | None
    available_at: datetime | None

    @property
    def forwarded(self) -> Forwarded:
        """The request as its client signed it."""
        return Forwarded.model_validate_json(self.text)


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request that has just been permitted."""

    id: str
    digest: str
    agency: str
    question: str
    forwarded: Forwarded


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended: with a release, or with a problem; ``repeated`` when it cost nothing of its own."""

    available_at: datetime
    release: str | None = None
    repeated: bool = False
    problem: Problem | None = None

    @property
    def state(self) -> RequestState:
        """The state that it leads to."""
        return RequestState.RELEASED if self.release else RequestState.REFUSED


def spend_nonce(t: Transaction, kid: str, nonce: str, now: datetime) -> None:
    """Accept the nonce of a signature once.

    Raises:
        Refused: ``request-replayed``.
    """
    if not t.add_new(nonces, {"kid": kid, "nonce": nonce, "seen_at": now}):
        raise Refused("request-replayed")


def spend_nonces(t: Transaction, kid: str, names: Collection[str], now: datetime) -> None:
    """Accept several names of one key's holder once, all of them or none.

    Raises:
        Refused: ``request-replayed``.
    """
    # In one order, so that of two transactions that spend the same ones neither waits for the other's second.
    if not t.add_all_new(nonces, [{"kid": kid, "nonce": name, "seen_at": now} for name in sorted(names)]):
        raise Refused("request-replayed")


def has_old_nonces(r: Reading, now: datetime) -> bool:
    """Whether there are nonces that no acceptable signature can carry any more."""
    return r.one(_old_nonce(now - NONCES_LAST)) is not None


def forget_nonces(t: Transaction, now: datetime) -> None:
    """Drop old nonces; those that another process is dropping are left to it."""
    old = t.take_free(
        select(nonces.c.kid, nonces.c.nonce).where(nonces.c.seen_at < now - NONCES_LAST).limit(MOST_AT_ONCE)
    )
    t.run(delete(nonces).where(tuple_(nonces.c.kid, nonces.c.nonce).in_([(row.kid, row.nonce) for row in old])))


def receive(t: Transaction, new: NewRequest, now: datetime, event: Event) -> bool:
    """Write down a request; whether it is new.

    Raises:
        InvalidInput: ``request-id-reused``, when the identifier stands for another request.
    """
    t.add_new(questions, {"key": new.question})
    row = {
        "id": new.id,
        "digest": new.digest,
        "agency": new.agency,
        "question": new.question,
        "forwarded": new.forwarded.model_dump_json(),
        "state": RequestState.RECEIVED,
        "repeated": False,
        "received_at": now,
    }
    if t.add_new(requests, row):
        append(t, event)
        return True
    check_same(t, new.id, new.agency, new.digest)
    return False


def check_same(r: Reading, request: str, agency: str, digest: str) -> bool:
    """Whether this very request is known.

    Raises:
        InvalidInput: ``request-id-reused``, when the identifier stands for another request.
    """
    known = find(r, request)
    if known is not None and (known.digest, known.agency) != (digest, agency):
        raise InvalidInput("request-id-reused")
    return known is not None


def find(r: Reading, request: str) -> HeldRequest | None:
    """The request of that identifier."""
    row = r.one(_named(request))
    return _held(row) if row else None


def lock_question(t: Transaction, question: str) -> None:
    """Let nobody else decide about this question until the transaction ends."""
    t.hold(_asked(question))


def lock_request(t: Transaction, request: str) -> HeldRequest | None:
    """The request, which nobody else changes until the transaction ends."""
    row = t.lock(_named(request))
    return _held(row) if row else None


def is_unasked(r: Reading, request: HeldRequest) -> bool:
    """Whether a request is still to be asked of its connectors: just received, or left behind by one it had joined."""
    if request.state is RequestState.RECEIVED:
        return True
    if request.state is not RequestState.WAITING or request.joined_to is not None:
        return False
    return r.one(_any_task(request.id)) is None


def leader_of(r: Reading, request: HeldRequest) -> str | None:
    """The other request that is out with the same question, if any."""
    row = r.one(_leader(request.question, request.id))
    return row.id if row else None


def is_out(r: Reading, question: str) -> bool:
    """Whether a question is out, so that whoever asks the same now joins it at no cost."""
    return r.one(_out(question)) is not None


def followers_of(r: Reading, leader: HeldRequest) -> tuple[HeldRequest, ...]:
    """The requests that joined another one, oldest first."""
    return tuple(_held(row) for row in r.all(_followers(leader.question, leader.id)))


def wait(t: Transaction, request: HeldRequest, joined_to: str | None = None) -> None:
    """A request waits for its connectors, or for the one that it joined."""
    _move(t, request, RequestState.WAITING, joined_to=joined_to)


def end(t: Transaction, request: HeldRequest, outcome: Outcome) -> None:
    """A request has its release or its refusal; what it is logged as is the caller's step."""
    _move(
        t,
        request,
        outcome.state,
        release_id=outcome.release,
        repeated=outcome.repeated,
        problem=outcome.problem.model_dump_json() if outcome.problem else None,
        available_at=outcome.available_at,
    )


def unfinished(r: Reading) -> tuple[HeldRequest, ...]:
    """What a restarted gateway has to look at: received and not yet out, or out with every part in."""
    return tuple(_held(row) for row in r.all(_unfinished()))


def waiting(r: Reading) -> tuple[HeldRequest, ...]:
    """The requests that are out, those that joined another one too; oldest first."""
    out = requests.c.state == RequestState.WAITING
    return tuple(_held(row) for row in r.all(_requests().where(out).order_by(requests.c.received_at)))


def left_behind(r: Reading) -> tuple[HeldRequest, ...]:
    """The requests that wait although the one that they joined has ended: something stopped them then; oldest first."""
    return tuple(_held(row) for row in r.all(_left_behind()))


def is_left_behind(r: Reading, request: HeldRequest) -> bool:
    """Whether a request is one of these."""
    if request.state is not RequestState.WAITING or request.joined_to is None:
        return False
    led = find(r, request.joined_to)
    return led is None or led.state is not RequestState.WAITING


def _move(t: Transaction, request: HeldRequest, state: RequestState, **columns: object) -> None:
    if state is not request.state and state not in TRANSITIONS[request.state]:
        raise ValueError(f"a {request.state} request does not become {state}")
    t.change(requests, {"id": request.id}, {"state": state, **columns})


def _held(row: AnyRow) -> HeldRequest:
    return HeldRequest(
        id=row.id,
        digest=row.digest,
        agency=row.agency,
        question=row.question,
        text=row.forwarded,
        state=RequestState(row.state),
        joined_to=row.joined_to,
        release=row.release_id,
        repeated=row.repeated,
        problem=Problem.model_validate_json(row.problem) if row.problem else None,
        available_at=row.available_at,
    )


def _requests() -> AnySelect:
    """What a ``HeldRequest`` is made of."""
    return select(*(column for column in requests.c if column is not requests.c.received_at))


@prepared
def _named(request: str) -> AnySelect:
    return _requests().where(requests.c.id == request)


@prepared
def _old_nonce(before: datetime) -> AnySelect:
    return select(nonces.c.kid).where(nonces.c.seen_at < before).limit(1)


@prepared
def _asked(question: str) -> AnySelect:
    return select(questions).where(questions.c.key == question)


@prepared
def _any_task(request: str) -> AnySelect:
    return select(tasks.c.id).where(tasks.c.request == request).limit(1)


@prepared
def _leader(question: str, but: str) -> AnySelect:
    waiting = (requests.c.question == question) & (requests.c.state == RequestState.WAITING)
    leads = requests.c.joined_to.is_(None) & (requests.c.id != but)
    return select(requests.c.id).where(waiting, leads).limit(1)


@prepared
def _out(question: str) -> AnySelect:
    waiting = (requests.c.question == question) & (requests.c.state == RequestState.WAITING)
    return select(requests.c.id).where(waiting, requests.c.joined_to.is_(None)).limit(1)


@prepared
def _followers(question: str, leader: str) -> AnySelect:
    # Who joins asks the same question, by which those that wait are found.
    waiting = (requests.c.question == question) & (requests.c.state == RequestState.WAITING)
    return _requests().where(waiting, requests.c.joined_to == leader).order_by(requests.c.received_at)


@prepared
def _unfinished() -> AnySelect:
    missing = select(tasks.c.id).where(tasks.c.request == requests.c.id, tasks.c.posted_at.is_(None)).exists()
    received = requests.c.state == RequestState.RECEIVED
    complete = (requests.c.state == RequestState.WAITING) & requests.c.joined_to.is_(None) & ~missing
    return _requests().where(received | complete).order_by(requests.c.received_at)


@prepared
def _left_behind() -> AnySelect:
    led = requests.alias("led")
    out = (requests.c.state == RequestState.WAITING) & (led.c.state != RequestState.WAITING)
    wanted = _requests().join(led, led.c.id == requests.c.joined_to).where(out)
    return wanted.order_by(requests.c.received_at)

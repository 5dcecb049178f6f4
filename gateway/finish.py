"""The end of a request: steps (7) to (9) of ``gateway.exchange``, and how a refusal by a connector ends one.

Both ends are one transaction that finds the request still waiting, so that of two processes which finish the same
request one does it and the other finds it done; noise that was drawn for nothing never left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.dataset import ProtectAt
from contracts.error_catalogue import CATALOGUE
from contracts.errors import SaphanError, Spent, from_code
from contracts.question_form import canonical_filters
from contracts.release import ReleaseBody
from contracts.request import RequestState
from contracts.signing import sign_compact
from contracts.task import Charge, Part
from gateway import events
from gateway.crash import CrashPoint
from gateway.halts import Halt, halt_by_now, halt_of, lock_agreements
from gateway.means import Means
from gateway.question import Asked, look_up_again, read_request
from gateway.store import ledger, log, relay, releases, requests
from gateway.store.engine import EPOCH, Transaction
from gateway.store.log import Opening
from gateway.store.relay import HeldTask
from gateway.store.releases import NewRelease
from gateway.store.requests import HeldRequest, Outcome
from privacy.plan import plan, promise
from privacy.release import assemble

RELEASE_KIND = "release"
NAME_LENGTH = 32


@dataclass(frozen=True, slots=True)
class _Answered:
    """A task whose part is in."""

    task: HeldTask
    part: Part
    answer: str


def next_tick(now: datetime, seconds: float) -> datetime:
    """The first tick that is not before ``now``: when results and refusals leave (architecture, privacy rule 8)."""
    if seconds <= 0:
        return now
    step = timedelta(seconds=seconds)
    return EPOCH - ((EPOCH - now) // step) * step


def last_tick(now: datetime, seconds: float) -> datetime:
    """The last tick that is not after ``now``: what happened since is not told, for its time would tell of rows."""
    return now if seconds <= 0 else EPOCH + ((now - EPOCH) // timedelta(seconds=seconds)) * timedelta(seconds=seconds)


def finish(means: Means, request: str) -> str | None:
    """Release or refuse a request if every part is in; nothing happens otherwise, or when it is finished already.

    What a suspension, or that of its agreement, holds back stays as it is until that is lifted; ``gateway.held`` ends
    it when its time is over. Under an agreement that has ended meanwhile it is refused.

    Returns:
        A request that had joined this one and must now be asked on its own, if any.
    """
    with means.store.read() as r:
        held = requests.find(r, request)
        if held is None or held.state is not RequestState.WAITING:
            return None
        answered = _answered(relay.answered_tasks(r, request))
        if not answered:
            return None
        asked = look_up_again(r, read_request(held.forwarded), held.digest, means.clock())
        halt, charges = halt_of(r, asked, means.clock()), ledger.reserved(r, request)
    if any(each.part.refusal is not None for each in answered):
        return _refuse(means, held, asked, [each.part for each in answered], None)
    if halt.ends:
        return _refuse(means, held, asked, [each.part for each in answered], halt)
    if not halt.waits:
        _release(means, held, asked, answered, charges)
    return None


def _answered(tasks: Sequence[HeldTask]) -> tuple[_Answered, ...] | None:
    """The tasks with their parts, or nothing while one is missing."""
    found = [_Answered(t, t.part, t.answer) for t in tasks if t.part is not None and t.answer is not None]
    return tuple(found) if len(found) == len(tasks) else None


def _release(
    means: Means, held: HeldRequest, asked: Asked, answered: Sequence[_Answered], charges: tuple[Charge, ...]
) -> None:
    now = means.clock()
    # All that tells of the release bears its tick: the exact time would tell how long the work took.
    available_at = next_tick(now, means.settings.tick_seconds)
    # (7) Add up, protect what is still exact, derive.
    seals = tuple(_sealed(means, place, each) for place, each in enumerate(answered))
    body = _body(asked, [each.part for each in answered], seals, charges, available_at)
    payload = canonical_bytes(body)
    new = NewRelease(
        body=body,
        text=payload.decode(),
        digest=digest_of_bytes(payload),
        signature=sign_compact(payload, RELEASE_KIND, means.keys.gateway),
        question=held.question,
        sources={(each.part.agency, each.part.contract.id): each.part.data_version for each in answered},
        available_at=available_at,
    )
    means.crash(CrashPoint.AFTER_ASSEMBLED)
    # (8) ONE transaction: budget spent, release stored, "released" in the log.
    with means.store.transaction() as t:
        if not _is_still_waiting(t, held):
            return
        followers = requests.followers_of(t, held)
        lock_agreements(t, {asked.request.agreement, *(read_request(f.forwarded).agreement for f in followers)})
        if halt_by_now(t, asked, now).reasons:
            return
        ledger.spend(t, held.id, now)
        requests.end(t, held, Outcome(available_at, release=body.id))
        erase_exact_parts(t, held, asked)
        releases.add_release(t, new, events.released(asked, body, new.digest, seals))
        for follower in followers:
            _share(t, follower, new, now)
        means.crash(CrashPoint.BEFORE_SETTLED)
    # (9) The signed release leaves when it is fetched, with its receipt from the next checkpoint.
    means.crash(CrashPoint.AFTER_SETTLED)


def _share(t: Transaction, follower: HeldRequest, new: NewRelease, now: datetime) -> None:
    """Give the release to a request that had joined, unless something stops that one: its own agency or agreement.

    What may pass leaves it waiting (``gateway.held``); what will not refuses it. Then its activity publishes nothing.
    """
    joined = look_up_again(t, read_request(follower.forwarded), follower.digest, now)
    halt = halt_of(t, joined, now)
    if halt.ends:
        refuse_uncharged(t, follower, joined, halt, new.available_at)
    elif not halt.waits:
        requests.end(t, follower, Outcome(new.available_at, release=new.body.id, repeated=True))
        published = joined.activity.publish and releases.make_public(t, new.body.id)
        log.append(t, events.repeated(joined, new.body.id, new.digest, new.available_at, published=published))


def refuse_uncharged(t: Transaction, held: HeldRequest, asked: Asked, halt: Halt, at: datetime) -> None:
    """Refuse a request that had joined another one, so that nothing was ever reserved for it.

    Args:
        t: The transaction; the request is locked in it, or its question is.
        held: The request.
        asked: What it asks.
        halt: Why.
        at: When the refusal leaves.
    """
    requests.end(t, held, Outcome(at, problem=halt.error(asked).problem()))
    log.append(t, events.refused(asked, halt.reasons, (), at))


def _refuse(means: Means, held: HeldRequest, asked: Asked, parts: Sequence[Part], halt: Halt | None) -> str | None:
    """End a request that a connector refused, or whose agreement has ended (``halt``); no answer of it is released.

    The reservation is returned only when every connector signed that it charged nothing (privacy rule 6).
    """
    now = means.clock()
    charged = any(part.charged for part in parts)
    spent = Spent.CHARGED if charged else Spent.NOTHING
    error = halt.error(asked, spent) if halt else _error_of(parts, spent)
    available_at = next_tick(now, means.settings.tick_seconds)
    with means.store.transaction() as t:
        if not _is_still_waiting(t, held):
            return None
        settled = ledger.spend(t, held.id, now) if charged else ledger.give_back(t, held.id, now)
        requests.end(t, held, Outcome(available_at, problem=error.problem()))
        erase_exact_parts(t, held, asked)
        heir = hand_over(t, held)
        reasons = [reason.code for reason in error.reasons]
        log.append(t, events.refused(asked, reasons, settled if charged else (), available_at))
        means.crash(CrashPoint.BEFORE_SETTLED)
    means.crash(CrashPoint.AFTER_SETTLED)
    return heir


def erase_exact_parts(t: Transaction, held: HeldRequest, asked: Asked) -> None:
    """No exact figure outlives the request that it was for; parts that carry their own noise stay."""
    exact = {each.digest for each in asked.contracts if each.privacy.protect_at is ProtectAt.GATEWAY}
    relay.erase_parts(t, held.id, exact)


def hand_over(t: Transaction, leader: HeldRequest) -> str | None:
    """Let the oldest of those that joined a request take its place; the new leader, which is still to be asked."""
    followers = requests.followers_of(t, leader)
    for follower in followers:
        joined_to = None if follower is followers[0] else followers[0].id
        requests.wait(t, follower, joined_to=joined_to)
    return followers[0].id if followers else None


def _is_still_waiting(t: Transaction, held: HeldRequest) -> bool:
    requests.lock_question(t, held.question)
    current = requests.lock_request(t, held.id)
    return current is not None and current.state is RequestState.WAITING


def _error_of(parts: Sequence[Part], spent: Spent) -> SaphanError:
    """The connectors' refusals as one error; a code that this program does not know is not repeated."""
    refusing = [part for part in parts if part.refusal is not None]
    codes = [part.refusal if part.refusal in CATALOGUE else "unknown-answer" for part in refusing]
    first, *others = dict.fromkeys(str(code) for code in codes)
    return from_code(
        first,
        spent=spent,
        others=others,
        agency=", ".join(dict.fromkeys(part.agency for part in refusing)),
        source=", ".join(part.contract.id for part in refusing),
    )


def _sealed(means: Means, place: int, answered: _Answered) -> Opening:
    return events.sealed(f"part-{place + 1}-{answered.part.agency}", answered.answer, means.entropy)


def _body(
    asked: Asked, parts: Sequence[Part], seals: Sequence[Opening], charges: tuple[Charge, ...], created: datetime
) -> ReleaseBody:
    request = asked.request
    assembled = assemble(parts, asked.contracts, request.query, request.nano_rho)
    versions = [part.data_version for part in parts]
    promised = zip(asked.contracts, versions, strict=True)
    terms = plan(request.query, asked.contracts, request.nano_rho)
    return ReleaseBody(
        id=release_name(asked.digest),
        request_id=request.id,
        request_digest=asked.digest,
        agreement=request.agreement,
        agreement_digest=request.agreement_digest,
        activity=request.activity,
        requester=request.requester,
        purpose=request.purpose,
        tier=asked.activity.tier,
        public=asked.activity.publish,
        # As it would be written without the filters that leave nothing out, so that other words are seen to ask it.
        query=request.query.model_copy(update={"where": canonical_filters(request.query, asked.contracts)}),
        grid=asked.grid,
        released=assembled.released,
        derived=assembled.derived,
        tables=assembled.tables,
        charges=charges,
        promises=tuple(promise(c, request.query, request.nano_rho, version) for c, version in promised),
        epsilon=terms.epsilon,
        delta=terms.delta,
        parts=tuple(events.commitment(seal) for seal in seals),
        created=created,
    )


def release_name(request_digest: str) -> str:
    """The identifier of a request's release: one request has one."""
    return f"rel-{request_digest.removeprefix('sha-256:')[:NAME_LENGTH]}"

"""Requests that a suspension holds back, of an agency, a dataset or their agreement: nothing of them leaves meanwhile.

A request that was out when it was ordered waits. Lifted in time, it goes on where it was. When its ``deliver_until``
passes first, it is refused for the suspension, and charged by privacy rule 6: a reservation is returned only if no
connector can have charged, because each signed that it did not, or was never handed its task. One that had joined
another and was stopped when that was released is left behind: it is asked on its own when nothing stops it any more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from contracts.errors import Spent
from contracts.lifecycle import AgreementState
from contracts.request import RequestState
from gateway import events
from gateway.finish import erase_exact_parts, hand_over, next_tick, refuse_uncharged
from gateway.halts import halt_of
from gateway.means import Means
from gateway.question import look_up_again, read_request
from gateway.store import ledger, log, registry, relay, requests, suspensions
from gateway.store.engine import Reading
from gateway.store.relay import HeldTask
from gateway.store.requests import HeldRequest, Outcome

GRACE: Final = timedelta(minutes=5)
"""Beyond ``deliver_until``: longer than a token lasts and a connector's clock may be slow."""


def overdue(r: Reading, now: datetime) -> tuple[HeldRequest, ...]:
    """Requests that are out beyond their time, while something is suspended; ``end_overdue`` ends what is stopped."""
    suspended = suspensions.standing(r)
    if not (suspended.agencies or suspended.datasets or registry.in_state(r, AgreementState.SUSPENDED)):
        return ()
    return tuple(each for each in requests.waiting(r) if read_request(each.forwarded).deliver_until + GRACE <= now)


def end_overdue(means: Means, held: HeldRequest) -> str | None:
    """Refuse a request whose time passed while it was held back.

    Returns:
        A request that had joined it and must now be asked on its own, if any.
    """
    now = means.clock()
    with means.store.transaction() as t:
        requests.lock_question(t, held.question)
        current = requests.lock_request(t, held.id)
        asked = look_up_again(t, read_request(held.forwarded), held.digest, now)
        halt = halt_of(t, asked, now)
        if current is None or current.state is not RequestState.WAITING or not halt.reasons:
            return None
        charged = _may_be_charged(relay.tasks_of(t, held.id))
        error = halt.error(asked, Spent.CHARGED if charged else Spent.NOTHING)
        settled = ledger.spend(t, held.id, now) if charged else ledger.give_back(t, held.id, now)
        available_at = next_tick(now, means.settings.tick_seconds)
        requests.end(t, current, Outcome(available_at, problem=error.problem()))
        relay.close_tasks(t, held.id, now)
        erase_exact_parts(t, held, asked)
        heir = hand_over(t, current)
        log.append(t, events.refused(asked, halt.reasons, settled if charged else (), available_at))
    return heir


def take_up(means: Means, held: HeldRequest) -> str | None:
    """See to a request that was left behind: it is asked on its own if it may, refused if it never will, or waits.

    Returns:
        The request, if it must now be asked on its own.
    """
    now = means.clock()
    with means.store.transaction() as t:
        requests.lock_question(t, held.question)
        current = requests.lock_request(t, held.id)
        if current is None or not requests.is_left_behind(t, current):
            return None
        asked = look_up_again(t, read_request(current.forwarded), current.digest, now)
        halt = halt_of(t, asked, now)
        if halt.ends:
            refuse_uncharged(t, current, asked, halt, next_tick(now, means.settings.tick_seconds))
        if halt.reasons:
            return None
        requests.wait(t, current)
    return current.id


def _may_be_charged(tasks: Sequence[HeldTask]) -> bool:
    return any(each.attempt > 0 if each.part is None else each.part.charged for each in tasks)

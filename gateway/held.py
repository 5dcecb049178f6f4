"""Requests that a suspension holds back: nothing of them leaves while it stands.

A request that was out when an agency or a dataset was suspended waits. Lifted in time, it goes on where it was. When
its ``deliver_until`` passes first, it is refused for the suspension, and charged by privacy rule 6: a reservation is
returned only if no connector can have charged, because each signed that it did not, or was never handed its task.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from contracts.errors import Spent, from_code
from contracts.request import Request, RequestState
from contracts.suspension import Suspended
from gateway import events
from gateway.finish import erase_exact_parts, hand_over, next_tick
from gateway.means import Means
from gateway.question import look_up_again, read_request
from gateway.store import ledger, log, relay, requests, suspensions
from gateway.store.engine import Reading, Transaction
from gateway.store.relay import HeldTask
from gateway.store.requests import HeldRequest, Outcome
from gateway.suspensions import reasons_of

GRACE: Final = timedelta(minutes=5)
"""Beyond ``deliver_until``: longer than a token lasts and a connector's clock may be slow."""


def overdue(r: Reading, now: datetime) -> tuple[HeldRequest, ...]:
    """The requests that a suspension has held back beyond their time."""
    suspended = suspensions.standing(r)
    if not suspended.agencies and not suspended.datasets:
        return ()
    held = requests.held_back(r, suspended)
    return tuple(each for each in held if read_request(each.forwarded).deliver_until + GRACE <= now)


def end_overdue(means: Means, held: HeldRequest) -> str | None:
    """Refuse a request whose time passed while it was held back.

    Returns:
        A request that had joined it and must now be asked on its own, if any.
    """
    now = means.clock()
    request = read_request(held.forwarded)
    with means.store.transaction() as t:
        requests.lock_question(t, held.question)
        current = requests.lock_request(t, held.id)
        reasons = _reasons(t, request, suspensions.standing(t))
        if current is None or current.state is not RequestState.WAITING or not reasons:
            return None
        asked = look_up_again(t, request, held.digest, now)
        charged = _may_be_charged(relay.tasks_of(t, held.id))
        first, *others = reasons
        error = from_code(first, spent=Spent.CHARGED if charged else Spent.NOTHING, others=others)
        settled = ledger.spend(t, held.id, now) if charged else ledger.give_back(t, held.id, now)
        available_at = next_tick(now, means.settings.tick_seconds)
        requests.end(t, current, Outcome(available_at, problem=error.problem()))
        relay.close_tasks(t, held.id, now)
        erase_exact_parts(t, held, asked)
        heir = hand_over(t, current)
        log.append(t, events.refused(asked, reasons, settled if charged else (), available_at))
    return heir


def _reasons(t: Transaction, request: Request, suspended: Suspended) -> tuple[str, ...]:
    holders = [(each.task.agency, each.task.contract.id) for each in relay.tasks_of(t, request.id)]
    return reasons_of(suspended, request.requester, holders)


def _may_be_charged(tasks: Sequence[HeldTask]) -> bool:
    return any(each.attempt > 0 if each.part is None else each.part.charged for each in tasks)

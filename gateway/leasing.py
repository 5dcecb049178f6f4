"""Step (6) of ``gateway.exchange``, its first half: waiting work is handed out, and connectors are heard of.

Each call for work is the connector's heartbeat: the leases of the tasks that it names go on. A lease without heartbeats
runs out, and the task is handed out again; whoever held it is told at his next call. Nothing is lost by that, for the
first part that arrives counts, whoever made it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.protocol import choose
from contracts.task import Lease, LeaseCall, LeasedTask, Task
from gateway.caller import Caller
from gateway.crash import CrashPoint
from gateway.means import Means
from gateway.notices import notices_after
from gateway.store import relay

TaskToken = Callable[[Task, str, datetime], str]
"""Signs the gateway's access token for a leased task."""

RENEWED_AFTER: Final = 0.25
"""A lease is written anew when a quarter of it is over; every heartbeat would only wear the disk."""


def lease(means: Means, task_token: TaskToken, caller: Caller, call: LeaseCall) -> Lease:
    """Hand a connector its waiting tasks and the notices it has not heard of; it does not wait for any.

    Raises:
        Refused: ``not-allowed``, unless a connector asks for its own agency; ``connector-outdated`` or
            ``gateway-outdated``, when they speak no version in common.
    """
    if caller.purpose is not KeyPurpose.CONNECTOR or call.agency != caller.agency:
        raise Refused("not-allowed")
    spoken = means.settings.speaks
    protocol, now = choose(call.speaks, spoken), means.clock()
    working = {each.task: each.attempt for each in call.working}
    with means.store.read() as r:
        is_noted = relay.is_noted(r, call.agency, call.data_versions, now)
        has_work = call.most > 0 and relay.has_free_task(r, call.agency, now)
        notices = notices_after(r, call.agency, call.notices_after)
        beat = relay.heartbeat(r, call.agency, working, now)
    if not is_noted:
        with means.store.transaction() as t:
            relay.note_presence(t, call.agency, now)
            relay.note_versions(t, call.agency, call.data_versions, now)
    _renew(means, call.agency, beat.held, now)
    tasks = _leased(means, task_token, call, now) if has_work else ()
    return Lease(tasks=tasks, notices=notices, protocol=protocol, speaks=spoken, lost=beat.lost)


def _renew(means: Means, agency: str, held: Mapping[str, datetime], now: datetime) -> None:
    """Let the leases go on that were written down long enough ago."""
    span = timedelta(seconds=means.settings.lease_seconds)
    due = [task for task, until in held.items() if until - now <= span * (1 - RENEWED_AFTER)]
    if due:
        with means.store.transaction() as t:
            relay.renew(t, agency, due, now, now + span)


def _leased(means: Means, task_token: TaskToken, call: LeaseCall, now: datetime) -> tuple[LeasedTask, ...]:
    until = now + timedelta(seconds=means.settings.lease_seconds)
    with means.store.transaction() as t:
        leased = relay.lease(t, call.agency, call.most, now, until)
        means.crash(CrashPoint.BEFORE_LEASED)
    means.crash(CrashPoint.AFTER_LEASED)
    return tuple(
        LeasedTask(task=each.task, token=task_token(each.task, each.digest, now), attempt=each.attempt)
        for each in leased
    )

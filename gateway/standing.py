"""What holds at the moment of a decision, as the gateway knows it."""

from collections.abc import Collection
from datetime import datetime

from contracts.schedule import span_of
from contracts.standing import Standing
from contracts.task import Charge
from gateway.question import Asked, owed, released_before
from gateway.store import activities, contract_life, requests, suspensions
from gateway.store.engine import Reading, Transaction


def standing_of(r: Reading, asked: Asked, now: datetime) -> Standing:
    """The standing of a request's agreement and contracts at ``now``.

    Every register that can say no adds its line here; the policies turn each into a reason. A question that would cost
    nothing, because it was released before or is out already, is not held against its activity's schedule and ceiling.
    """
    costs_nothing = not is_limited(asked) or requests.is_out(r, asked.question)
    is_frozen = asked.request.query.series is not None
    if costs_nothing or released_before(r, asked.question, asked.contracts, frozen=is_frozen) is not None:
        return _standing(r, asked)
    return _used(r, asked, owed(r, asked), now)


def standing_when_charged(t: Transaction, asked: Asked, price: Collection[Charge], now: datetime) -> Standing:
    """The same for a question that is being charged: nobody else charges to its activity until ``t`` ends."""
    activities.lock(t, _key(asked))
    return _used(t, asked, price, now)


def note_use(t: Transaction, asked: Asked, now: datetime) -> None:
    """The question is being charged to its activity; it counts unless its reservation is returned."""
    activities.note(t, _key(asked), asked.request.id, now)


def is_limited(asked: Asked) -> bool:
    """Whether its activity has a schedule, or a ceiling for all its questions together."""
    return asked.activity.schedule is not None or asked.activity.nano_rho_in_all is not None


def _standing(r: Reading, asked: Asked) -> Standing:
    return Standing(
        agreement=asked.agreement.state,
        suspended=suspensions.standing(r),
        retired=contract_life.retired_among(r, {each.digest for each in asked.contracts}),
    )


def _used(r: Reading, asked: Asked, price: Collection[Charge], now: datetime) -> Standing:
    """What its activity has used: of the ceiling in the windows that the question would pay for, and of the schedule.

    A further question of a series that pays for no window is not held against the ceiling. The schedule counts it.
    """
    key, schedule = _key(asked), asked.activity.schedule
    used: dict[str, object] = {"nano_rho_spent": activities.dearest_window(r, key, price)}
    if schedule is not None:
        start, until = span_of(schedule.every, now, asked.agreement.agreement.period)
        used["asked_in_span"] = activities.asked_between(r, key, start, until)
    return _standing(r, asked).model_copy(update=used)


def _key(asked: Asked) -> activities.Key:
    return asked.request.agreement, asked.activity.id

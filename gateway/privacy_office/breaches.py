"""The register of breaches with its clock of 72 hours (PDPA s. 37 (4)).

An agency, or the operator for the gateway itself, records a breach and each update under the signature of its DPO or
officer. Only itself, the operator and the supervisors see it; others cannot even learn that it is there. The clock runs
from when the breach was detected, and what the gateway writes beside it is when it was told.
"""

from datetime import datetime
from typing import Final

from contracts.breach import Breach, BreachState, BreachView, Risk
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from gateway.caller import Caller
from gateway.means import Means
from gateway.privacy_office import log_entries
from gateway.privacy_office.disclosures import check_held
from gateway.privacy_office.signed_entries import (
    Form,
    check_past,
    check_previous,
    check_words,
    read,
    sees_all,
    write,
)
from gateway.store import register
from gateway.store.engine import Transaction
from gateway.store.register import Entry, Register

FORM: Final = Form("breach", Breach, (KeyPurpose.DPO, KeyPurpose.OFFICER), lambda each: each.agency)
ONCE_SAID: Final = ("notified_pdpc_at", "people_informed_at")
"""What is not taken back by a later version."""


def record(means: Means, caller: Caller, document: str) -> BreachView:
    """Write down a breach, or a newer version of one.

    Raises:
        Refused: ``register-signer-wrong``, ``signature-wrong``, ``key-unknown``; ``register-moved``;
            ``move-not-allowed`` for a breach that is closed.
        InvalidInput: ``malformed-body``, ``not-canonical``, ``identity-in-register``, ``unknown-entry``;
            ``entry-time-wrong`` for a time to come, a detection that moves later, or a notification taken back.
    """
    signed, now = read(means, caller, FORM, document), means.clock()
    breach = signed.value
    check_words(
        description=breach.description,
        categories=breach.categories,
        consequences=breach.consequences,
        measures=breach.measures,
        late_reason=breach.late_reason,
    )
    check_past(
        now,
        detected_at=breach.detected_at,
        notified_pdpc_at=breach.notified_pdpc_at,
        people_informed_at=breach.people_informed_at,
        closed_at=breach.closed_at,
    )

    def check(t: Transaction, before: tuple[Entry, ...]) -> None:
        check_held(t, breach.agency, breach.dataset)
        check_previous(before, breach.previous)
        if before:
            _check_update(Breach.model_validate_json(before[-1].text), breach)

    event = log_entries.written(signed.digest, now, means.entropy)
    write(means, caller, (Register.BREACHES, _subject(breach.agency, breach.id)), signed, event, check)
    return found(means, caller, breach.id)


def found(means: Means, caller: Caller, name: str) -> BreachView:
    """One breach: the caller's own; for who sees all, else the one of that name that was recorded first.

    Raises:
        InvalidInput: ``unknown-entry``, also for whom it does not concern.
    """
    with means.store.read() as r:
        entries = register.entries_of(r, Register.BREACHES, _subject(caller.agency, name))
        if not entries and sees_all(means, caller):
            listed = register.subjects(r, Register.BREACHES)
            entries = next((each for each in listed if each[0].subject.partition("/")[2] == name), ())
    if not entries:
        raise InvalidInput("unknown-entry")
    return _view(entries, means.clock())


def breaches(means: Means, caller: Caller) -> tuple[BreachView, ...]:
    """The caller's breaches, or all for the operator and the supervisors: those with the least time left first."""
    now = means.clock()
    with means.store.read() as r:
        listed = register.subjects(r, Register.BREACHES)
    shown = (each for each in listed if sees_all(means, caller) or caller.agency == each[0].agency)
    views = [_view(each, now) for each in shown]
    return tuple(sorted(views, key=lambda each: (each.seconds_left is None, each.due, each.breach.id)))


def _subject(agency: str, name: str) -> str:
    """Each agency names its own: whether another has one of that name would tell that there is a breach."""
    return f"{agency}/{name}"


def _check_update(old: Breach, new: Breach) -> None:
    if old.state is BreachState.CLOSED:
        raise Refused("move-not-allowed", state=old.state.value)
    if new.detected_at > old.detected_at:
        raise InvalidInput("entry-time-wrong", where="detected_at")
    for name in ONCE_SAID:
        if getattr(old, name) is not None and getattr(new, name) is None:
            raise InvalidInput("entry-time-wrong", where=name)


def _view(entries: tuple[Entry, ...], now: datetime) -> BreachView:
    newest = entries[-1]
    breach = Breach.model_validate_json(newest.text)
    runs = breach.state is BreachState.OPEN and breach.risk is not Risk.NONE
    return BreachView(
        breach=breach,
        digest=newest.digest,
        state=breach.state,
        due=breach.due,
        seconds_left=int((breach.due - now).total_seconds()) if runs else None,
        overdue=breach.is_overdue(now),
        late=breach.is_late,
        recorded_at=entries[0].at,
        updated_at=newest.at,
        signed_by=newest.signed_by,
        versions=len(entries),
    )

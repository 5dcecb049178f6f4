"""The acts that moved each version of an agreement, as they were signed, in their order."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from contracts.agreement import Agreement
from contracts.federation import KeyPurpose
from contracts.lifecycle import AgreementAct, SignedAct
from gateway.store.agreement_tables import agreement_acts
from gateway.store.engine import Reading, Transaction


@dataclass(frozen=True, slots=True)
class HeldAct:
    """An act that was verified when it was kept, and the signed document that it came in."""

    signed: SignedAct
    document: str


def add_act(t: Transaction, held: HeldAct, now: datetime) -> None:
    """Append an act to its version's."""
    act = held.signed.act
    of = (agreement_acts.c.agreement == act.agreement) & (agreement_acts.c.version == act.version)
    last = t.one(select(func.max(agreement_acts.c.place).label("place")).where(of))
    place = 0 if last is None or last.place is None else last.place + 1
    row = {
        "agreement": act.agreement,
        "version": act.version,
        "place": place,
        "digest": act.digest,
        "kid": held.signed.kid,
        "purpose": held.signed.purpose.value,
        "act": act.model_dump_json(),
        "document": held.document,
        "at": now,
    }
    t.add(agreement_acts, [row])


def acts_of(r: Reading, agreement: Agreement) -> tuple[HeldAct, ...]:
    """The acts of one version, first to last."""
    of = (agreement_acts.c.agreement == agreement.id) & (agreement_acts.c.version == agreement.version)
    rows = r.all(select(agreement_acts).where(of).order_by(agreement_acts.c.place))
    return tuple(
        HeldAct(
            SignedAct(act=AgreementAct.model_validate_json(row.act), kid=row.kid, purpose=KeyPurpose(row.purpose)),
            row.document,
        )
        for row in rows
    )


def discard_acts(t: Transaction, agreement: Agreement) -> None:
    """Forget the acts of a draft that nobody but its agency ever saw."""
    of = (agreement_acts.c.agreement == agreement.id) & (agreement_acts.c.version == agreement.version)
    t.run(delete(agreement_acts).where(of))

"""What the log says of an act on an agreement: agency, act, version, text and reason in clear, the person sealed.

Drafts are not in it: nobody but their agency knows of them.
"""

from datetime import datetime
from typing import Final

from contracts.canonical import digest_of
from contracts.federation import KeyPurpose
from contracts.lifecycle import Act, AgreementState, SignedAct
from contracts.transparency import EventKind, LogEntry
from gateway.events import Entropy, commitment, sealed
from gateway.store.log import Event

KINDS: Final = {
    Act.SUBMIT: EventKind.AGREEMENT_PROPOSED,
    Act.COUNTER: EventKind.AGREEMENT_PROPOSED,
    Act.APPROVE: EventKind.AGREEMENT_SIGNED,
    Act.SIGN: EventKind.AGREEMENT_SIGNED,
    Act.ACTIVATE: EventKind.AGREEMENT_ACTIVATED,
}
"""Every other act is ``agreement.moved``."""


def acted(signed: SignedAct, state: AgreementState, parties: tuple[str, ...], now: datetime, entropy: Entropy) -> Event:
    """The entry of one act; who acted, and the act with its words, stand only as commitments."""
    act = signed.act
    facts = {
        "act": act.act.value,
        "version": str(act.version),
        "digest": act.digest,
        "state": state.value,
        "parties": ",".join(parties),
    }
    if act.because is not None:
        facts["because"] = act.because.value
    seals = (sealed("act", digest_of(act), entropy), sealed("person", digest_of(signed.kid), entropy))
    entry = LogEntry(
        kind=KINDS.get(act.act, EventKind.AGREEMENT_MOVED),
        at=now,
        agency=None if signed.purpose is KeyPurpose.GATEWAY else act.agency,
        subject=act.agreement,
        facts=facts,
        commitments={each.name: commitment(each) for each in seals},
    )
    return Event(entry, seals)

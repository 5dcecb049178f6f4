"""What stops a request that was permitted before: a suspension, or where its own agreement stands by now.

Asked again before anything leaves, for each request by itself: of several that get one release, each has an agency and
an agreement of its own.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.errors import SaphanError, Spent, from_code
from contracts.lifecycle import AgreementState
from gateway.question import Asked
from gateway.store import registry
from gateway.store.engine import Reading, Transaction
from gateway.suspensions import what_stops

NOT_ACTIVE: Final = "agreement-not-active"
EXPIRED: Final = "agreement-expired"


@dataclass(frozen=True, slots=True)
class Halt:
    """Why a request gets nothing now, as error codes: what may pass (``waits``), and what will not (``ends``)."""

    waits: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """All of it, what is final first; nothing when nothing stops it."""
        return tuple(dict.fromkeys((*self.ends, *self.waits)))

    def error(self, asked: Asked, spent: Spent = Spent.NOTHING) -> SaphanError:
        """The refusal of a request that this has ended.

        Args:
            asked: The request.
            spent: What it was charged all the same.
        """
        first, *others = self.reasons
        return from_code(first, spent=spent, others=others, agreement=asked.request.agreement)


def halt_of(r: Reading, asked: Asked, now: datetime) -> Halt:
    """What stops a request at ``now``: its agency or one it asks, a dataset, or the version of its agreement.

    Its agreement stands where ``asked`` says, which ``r`` has just looked up.
    """
    return _halt(r, asked, asked.agreement.state_at(now))


def halt_by_now(t: Transaction, asked: Asked, now: datetime) -> Halt:
    """The same for what was looked up before ``t`` began: its agreement may have been moved since."""
    held = registry.agreement_text(t, asked.request.agreement_digest)
    return _halt(t, asked, held.state_at(now) if held else AgreementState.WITHDRAWN)


def _halt(r: Reading, asked: Asked, state: AgreementState) -> Halt:
    waits = what_stops(r, asked.request.requester, asked.contracts)
    if state is AgreementState.ACTIVE:
        return Halt(waits)
    if state is AgreementState.SUSPENDED:
        return Halt((*waits, NOT_ACTIVE))
    return Halt(waits, (EXPIRED if state is AgreementState.EXPIRED else NOT_ACTIVE,))


def lock_agreements(t: Transaction, names: Collection[str]) -> None:
    """Let nobody move these agreements until the transaction ends: in one order, after the requests."""
    for name in sorted(names):
        registry.lock_name(t, name)

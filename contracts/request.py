"""The request: one question under one activity, as the requester's client signs it."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from contracts.dataset import ContractRef
from contracts.identifiers import LARGEST_NANO_RHO, AgencyId, Code, Digest, Identifier, NanoRho
from contracts.query import Query
from contracts.values import Value

LONGEST_DELIVERY = timedelta(days=7)


class Request(Value):
    """One question. Its bytes are signed by the client and checked again by every connector.

    ``gateway`` is the issuer that it is meant for; ``nano_rho`` the price, in each window and contract it touches;
    ``deliver_until`` the instant after which no connector answers it.
    """

    id: Identifier
    gateway: str = Field(max_length=200)
    requester: AgencyId
    agreement: Identifier
    agreement_digest: Digest
    activity: Identifier
    purpose: Code
    contracts: tuple[ContractRef, ...] = Field(min_length=1, max_length=16)
    query: Query
    nano_rho: NanoRho = Field(gt=0, le=LARGEST_NANO_RHO)
    created: AwareDatetime
    deliver_until: AwareDatetime

    @model_validator(mode="after")
    def _is_deliverable(self) -> Self:
        if not timedelta(0) < self.deliver_until - self.created <= LONGEST_DELIVERY:
            raise ValueError("deliver_until is after created, by at most seven days")
        if len({ref.id for ref in self.contracts}) != len(self.contracts):
            raise ValueError("a contract is named twice")
        return self

    def is_deliverable(self, now: datetime) -> bool:
        """Whether a connector may still answer."""
        return now <= self.deliver_until


class RequestState(StrEnum):
    """Where a request stands; see ``TRANSITIONS``."""

    RECEIVED = "received"
    WAITING = "waiting"
    RELEASED = "released"
    REFUSED = "refused"


TRANSITIONS: dict[RequestState, frozenset[RequestState]] = {
    RequestState.RECEIVED: frozenset({RequestState.WAITING, RequestState.RELEASED, RequestState.REFUSED}),
    RequestState.WAITING: frozenset({RequestState.RELEASED, RequestState.REFUSED}),
    RequestState.RELEASED: frozenset(),
    RequestState.REFUSED: frozenset(),
}
"""Which state may follow which; what is released or refused stays so."""

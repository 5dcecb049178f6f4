"""Which published contracts their agency took back, and the signed word for it. A retirement is never undone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from contracts.retirement import ContractRetirement
from gateway.store.contract_life_tables import contract_retirements
from gateway.store.engine import AnySelect, Reading, Transaction
from gateway.store.log import Event, append
from gateway.store.prepared import prepared


@dataclass(frozen=True, slots=True)
class HeldRetirement:
    """A retirement and the document in which steward and DPO signed it."""

    retirement: ContractRetirement
    document: str
    retired_at: datetime


def add_retirement(t: Transaction, held: HeldRetirement, event: Event) -> bool:
    """Keep a retirement; whether it is the first of its contract. A later one is not written."""
    row = {
        "digest": held.retirement.reference.digest,
        "agency": held.retirement.agency,
        "document": held.document,
        "retirement": held.retirement.model_dump_json(by_alias=True),
        "retired_at": held.retired_at,
    }
    if not t.add_new(contract_retirements, row):
        return False
    append(t, event)
    return True


def retired_among(r: Reading, digests: Collection[str]) -> frozenset[str]:
    """Which of these contracts are retired."""
    return frozenset(each for each in digests if r.one(_retired(each)) is not None)


@prepared
def _retired(digest: str) -> AnySelect:
    return select(contract_retirements.c.digest).where(contract_retirements.c.digest == digest)

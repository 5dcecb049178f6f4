"""What left, line by line, of the rows that tell of it."""

from connectors.journal.entries import Departure
from connectors.journal.tables import Answer, Refusal


def answered(row: Answer) -> Departure:
    """A question that was charged."""
    return Departure(
        at=row.opened_at,
        task=row.task_id,
        request_digest=row.request_digest,
        contract=row.contract,
        requester=row.requester,
        activity=row.activity,
        state=row.outcome or row.state,
        refusal=None,
        charged=True,
        cells=row.cells,
        part_digest=row.part_digest,
        policy=row.policy,
    )


def refused(row: Refusal) -> Departure:
    """A refusal."""
    return Departure(
        at=row.at,
        task=row.task_id,
        request_digest=row.request_digest,
        contract=row.contract,
        requester=None,
        activity=None,
        state="refused",
        refusal=row.code,
        charged=row.charged,
        cells=0,
        part_digest=None,
        policy=row.policy,
    )

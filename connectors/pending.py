"""What an officer sees of a request that waits: the question, its price and how good its answer would be; no figure.

All of it comes from the contract, the signed request and the agency's own journal; the data are not touched.
"""

from datetime import datetime

from pydantic import AwareDatetime

from connectors.answer import cap_of
from connectors.journal import approvals
from connectors.journal.approvals import PendingTask
from connectors.journal.book import Journal
from contracts.dataset import ContractRef, DatasetContract
from contracts.identifiers import AgencyId, Code, Digest, Identifier, NanoRho
from contracts.periods import Window
from contracts.query import Query
from contracts.values import Value
from contracts.views import PreviewMeasure
from privacy.plan import plan


class WindowLeft(Value):
    """What one window of one source may still cost by this agency's own count, before and after this request."""

    source: str
    window: Window
    nano_rho: NanoRho
    left_before: int
    left_after: int


class PendingRequest(Value):
    """A request that waits for this agency's officer, with its price and expected error."""

    request: Identifier
    request_digest: Digest
    requester: AgencyId
    agreement: Identifier
    activity: Identifier
    purpose: Code
    contract: ContractRef
    query: Query
    measures: tuple[PreviewMeasure, ...]
    windows: tuple[WindowLeft, ...]
    waits_since: AwareDatetime
    deliver_until: AwareDatetime


def pending_requests(
    journal: Journal, contracts: dict[str, DatasetContract], cap_nano_rho: int | None, now: datetime
) -> tuple[PendingRequest, ...]:
    """Every request that waits for an officer and may still be delivered, oldest first.

    Args:
        journal: The agency's journal.
        contracts: The approved contracts by digest; a request for one that was retired since is left out, for it would
            be refused anyway.
        cap_nano_rho: The agency's own cap of each window, below its contracts' budgets.
        now: The present.
    """
    spent = {(each.source, each.window): each.nano_rho for each in journal.spending()}
    waiting = [(each, contracts.get(each.task.contract.digest)) for each in approvals.pending(journal, now)]
    return tuple(_preview(each, c, spent, cap_of(c, cap_nano_rho)) for each, c in waiting if c is not None)


def _preview(
    pending: PendingTask, contract: DatasetContract, spent: dict[tuple[str, str], int], cap: int
) -> PendingRequest:
    request = pending.request
    terms = plan(request.query, [contract], request.nano_rho)
    return PendingRequest(
        request=request.id,
        request_digest=pending.request_digest,
        requester=request.requester,
        agreement=request.agreement,
        activity=request.activity,
        purpose=request.purpose,
        contract=pending.task.contract,
        query=request.query,
        measures=tuple(
            PreviewMeasure(measure=each.measure, unit=each.unit, sigma=each.sigma, expected_error_95=each.error_95)
            for each in terms.vectors
        ),
        windows=tuple(
            WindowLeft(
                source=each.source,
                window=each.window,
                nano_rho=each.nano_rho,
                left_before=cap - spent.get((each.source, each.window), 0),
                left_after=cap - spent.get((each.source, each.window), 0) - each.nano_rho,
            )
            for each in terms.charges
        ),
        waits_since=pending.waits_since,
        deliver_until=request.deliver_until,
    )

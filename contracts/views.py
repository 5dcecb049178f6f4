"""What the gateway answers to members: where a request stands, what it would cost, what is left."""

from pydantic import AwareDatetime, Field

from contracts.agreement import Agreement
from contracts.dataset import ContractRef
from contracts.errors import Problem
from contracts.identifiers import AgencyId, Code, Digest, Identifier, KeyId, NanoRho
from contracts.lifecycle import AgreementState
from contracts.periods import Window
from contracts.query import Query
from contracts.release import ReleaseState
from contracts.request import RequestState
from contracts.retirement import RetiredContract
from contracts.task import Charge
from contracts.values import Value


class RequestStatus(Value):
    """Where a request stands. ``waiting_for`` names the agencies that have not answered yet."""

    request: Identifier
    state: RequestState
    waiting_for: tuple[AgencyId, ...] = ()
    release: Identifier | None = None
    repeated: bool = False
    """Whether the release existed before and so cost nothing."""

    problem: Problem | None = None
    available_at: AwareDatetime | None = None
    """When the result leaves: results and refusals leave on a fixed tick."""


class PreviewCall(Value):
    """A question that nobody has asked yet."""

    agreement: Identifier
    activity: Identifier
    contracts: tuple[ContractRef, ...] = Field(min_length=1, max_length=16)
    query: Query
    nano_rho: NanoRho | None = Field(default=None, gt=0)


class PreviewMeasure(Value):
    """The error that a measure would have in each cell, in ``unit``."""

    measure: str
    unit: str
    sigma: float
    expected_error_95: float


class BudgetLine(Value):
    """One window of one physical source: its budget and what became of it, in nano-rho."""

    source: str
    window: Window
    budget: NanoRho
    spent: NanoRho
    reserved: NanoRho

    @property
    def left(self) -> int:
        """What may still be spent."""
        return self.budget - self.spent - self.reserved


class Preview(Value):
    """What a question would cost and how good its answer would be; it spends nothing and touches no data."""

    cells: int
    nano_rho: NanoRho
    epsilon: float
    delta: str
    measures: tuple[PreviewMeasure, ...]
    before: tuple[BudgetLine, ...]
    affordable: bool
    already_released: Identifier | None = None


class AgreementView(Value):
    """A version of an agreement, where it stands and who signed its text so far.

    ``document`` is the JWS in general JSON serialisation, empty before the first signature.
    """

    agreement: Agreement
    digest: Digest
    document: str
    signed_by: tuple[KeyId, ...]
    state: AgreementState
    head: Digest | None = None
    """The digest of the last act that moved it; the next act names it as its ``previous``."""

    blocked: tuple[str, ...] = ()
    """Why a version that all have signed is not in force, as error codes; none while it waits for its first day."""

    @property
    def active(self) -> bool:
        """Whether it is in force."""
        return self.state is AgreementState.ACTIVE


class PublishedContract(Value):
    """A dataset contract as its agency signed it: a JWS over the canonical ODCS document.

    ``retired`` stands there once the agency took the contract back; who publishes one leaves it out.
    """

    reference: ContractRef
    agency: AgencyId
    document: str
    retired: RetiredContract | None = None


class ReleaseSummary(Value):
    """A release without its figures, as lists show it."""

    id: Identifier
    digest: Digest
    requester: AgencyId
    agreement: Identifier
    activity: Identifier
    purpose: Code
    public: bool
    contracts: tuple[ContractRef, ...]
    query: Query
    cells: int
    charges: tuple[Charge, ...]
    created: AwareDatetime
    state: ReleaseState
    erased: bool = False
    """Whether its figures were deleted when their retention was over; digest and log entry stay."""


class SignedText(Value):
    """A signed document as text: a JWS in general JSON or in compact serialisation."""

    document: str

"""What the gateway answers to members: where a request stands, what it would cost, what is left."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from contracts.agreement import Agreement
from contracts.dataset import ContractRef
from contracts.errors import Problem
from contracts.identifiers import LARGEST_NANO_RHO, AgencyId, Code, Digest, Identifier, KeyId, Name, NanoRho
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
    nano_rho: NanoRho | None = Field(default=None, gt=0, le=LARGEST_NANO_RHO)


class PreviewMeasure(Value):
    """The error that a measure would have in each cell, in ``unit``; of a family, that of one table.

    ``sigma`` and ``expected_error_95`` are those of the cell with most noise, of a family once its tables agree.
    ``noisy_share`` is the share of cells whose error exceeds half the size that past releases let expect.
    """

    measure: str
    unit: str
    sigma: float
    expected_error_95: float
    by: tuple[Name, ...] = ()
    cells: int = 0
    noisy_share: float | None = None


class PreviewDerived(Value):
    """The error that a mean, ratio, share or quantile would typically have: the median over its cells, in ``unit``.

    It depends on the figures themselves, so it comes from a past release: both are none where that tells nothing, and
    ``expected_error_95`` alone where noise would hide every figure. ``noisy_share`` is the share of cells without a
    meaning, or with an error of more than half the figure.
    """

    measure: str
    unit: str
    expected_error_95: float | None = None
    noisy_share: float | None = None


class Remedy(StrEnum):
    """What to change in a question: ``none`` says that no price and no coarser form within the agreement helps."""

    COARSER = "coarser"
    DEARER = "dearer"
    CHEAPER = "cheaper"
    NONE = "none"


class Suggestion(Value):
    """What to ask instead, and the share of its cells that would still be mostly noise."""

    remedy: Remedy
    dimensions: tuple[Name, ...]
    nano_rho: NanoRho
    noisy_share: float


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
    derived: tuple[PreviewDerived, ...] = ()
    """Of each asked measure that follows from others, in the order of the question."""

    before: tuple[BudgetLine, ...]
    after: tuple[BudgetLine, ...] = ()
    """The same windows once the answer is paid for; without them when it is not affordable."""

    affordable: bool
    already_released: Identifier | None = None
    suggestion: Suggestion | None = None
    sizes_from: Identifier | None = None
    """The past release that the expected sizes come from; none if there is none that the asking agency may read."""


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

"""The release: the protected answer, immutable, every number with its error."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from contracts.dataset import ContractRef, ProtectAt, Text, Tier
from contracts.grid import Grid
from contracts.identifiers import AgencyId, Code, Digest, Identifier, Name
from contracts.query import Query
from contracts.task import Charge
from contracts.transparency import Receipt
from contracts.values import Value


class Released(Value):
    """One noisy base measure, unbiased and unclipped, in the order of the cells.

    ``sigma`` is the standard deviation of the noise in each cell, in ``unit``; ``expected_error_95`` the half-width of
    the interval that holds the exact (bounded and clamped) figure 95 times in 100. Where the noise differs by a code
    of the dimension ``along``, they are the largest, and ``sigmas`` has each code's. ``bins`` are the edges of a
    histogram, whose bins run faster than the last axis of the grid.
    """

    measure: str
    unit: str
    cells: tuple[int, ...]
    sigma: float = Field(gt=0)
    expected_error_95: float = Field(gt=0)
    along: Name | None = None
    sigmas: dict[Code, float] = Field(default_factory=dict)
    bins: tuple[int, ...] = ()


class Derived(Value):
    """A measure computed from released ones at no further cost, such as a mean; null where it has no meaning.

    ``errors_95`` has the half-width of each cell's 95 % interval, by the delta method.
    """

    measure: str
    unit: str
    cells: tuple[float | None, ...]
    errors_95: tuple[float | None, ...]


class ReleasedTable(Value):
    """One table of a family, made consistent with the others.

    ``measured`` are the noisy figures of this table alone, unbiased, with noise of scale ``sigma``; none for a table
    that follows from the others. ``estimates`` are the best linear unbiased estimates from all tables together, which
    forecasts read, and ``sigmas`` their standard deviations. ``integers``, if the family asks for them, are whole, not
    negative and add up over all tables; they are for reading, and slightly biased upwards where cells are small. Sums
    that may be below nothing have none.
    """

    measure: str
    unit: str
    by: tuple[Name, ...]
    grid: Grid
    measured: tuple[int, ...]
    sigma: float = Field(gt=0)
    estimates: tuple[float, ...]
    sigmas: tuple[float, ...]
    integers: tuple[int, ...] = ()


class Promise(Value):
    """What a person in the data is promised: whom it protects, from whom, and at what epsilon."""

    contract: ContractRef
    person: Text
    protect_at: ProtectAt
    rows_per_window: int
    others: tuple[Text, ...] = ()
    """Who else stands in the rows and is not protected by the bound."""

    row_is_person: bool = False
    """Whether each row counts as a person of its own, since the agency has no key of persons."""

    epsilon: float
    """Of this release for one person, over all the windows that it touches, at ``delta``."""

    delta: str
    data_version: int


class ReleaseBody(Value):
    """All of a release that is signed and digested."""

    id: Identifier
    request_id: Identifier
    request_digest: Digest
    agreement: Identifier
    agreement_digest: Digest
    activity: Identifier
    requester: AgencyId
    purpose: Code
    tier: Tier
    public: bool
    query: Query
    grid: Grid
    released: tuple[Released, ...]
    derived: tuple[Derived, ...]
    tables: tuple[ReleasedTable, ...] = ()
    """Every table of a family; ``released`` then has the measured figures of the table of all dimensions."""

    charges: tuple[Charge, ...]
    promises: tuple[Promise, ...]
    epsilon: float
    """For one person over all windows and all datasets of the release together, at ``delta``."""

    delta: str
    parts: tuple[Digest, ...]
    """Commitments to the connectors' answers as they signed them (``contracts.chain``), as the log has them."""

    created: AwareDatetime


class ReleaseState(StrEnum):
    """Whether a release may still be relied on."""

    VALID = "valid"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class Withdrawal(Value):
    """Why a release is no longer to be relied on; all that cites it is flagged."""

    release: Identifier
    state: ReleaseState
    reason: str = Field(min_length=3, max_length=500)
    replaced_by: Identifier | None = None


class Release(Value):
    """A release as it is fetched: the signed body, and what came after it."""

    body: ReleaseBody
    digest: Digest
    signature: str
    """The gateway's JWS over the canonical body (compact serialisation)."""

    receipt: Receipt | None = None
    withdrawal: Withdrawal | None = None
    made_public: bool = False
    """Whether a later repeat under a publishing activity opened it to everybody; its signed body stays as it was."""

    @property
    def is_public(self) -> bool:
        """Whether everybody may read it now."""
        return self.body.public or self.made_public

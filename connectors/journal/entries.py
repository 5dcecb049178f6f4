"""What goes into the journal and what is read from it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from contracts.dataset import ContractRef
from contracts.identifiers import AgencyId, Digest, Identifier, NanoRho, SourceId
from contracts.periods import Window
from contracts.request import Request
from contracts.task import Charge, Part, Task
from contracts.values import Value


class Approval(Value):
    """A contract that this agency allows to be asked, until it is retired; ``document`` is its canonical ODCS text."""

    contract: ContractRef
    document: str
    approved_at: datetime
    retired_at: datetime | None = None


class Spending(Value):
    """What one window of one physical source has cost so far, by this agency's own count."""

    source: SourceId
    window: Window
    nano_rho: NanoRho


class Departure(Value):
    """One line of what was asked and what left; never a figure.

    ``cells`` counts the figures that left; ``policy`` is the digest of the rules by which it was decided.
    """

    at: datetime
    task: Identifier
    request_digest: Digest
    contract: str
    requester: AgencyId | None
    activity: str | None
    state: str
    refusal: str | None
    charged: bool
    cells: int
    part_digest: Digest | None
    policy: Digest | None = None


class Use(NamedTuple):
    """The activity that a question counts for, by its agreement's name and its own.

    ``span`` is its schedule's, none without one; ``is_capped`` says whether it sets a limit to what it charges in all.
    """

    agreement: str
    activity: str
    span: tuple[datetime, datetime] | None
    is_capped: bool = True


class Used(NamedTuple):
    """What an activity asked in the present span, and what it charged to the dearest window that is touched.

    What has no limit is not counted: it is 0.
    """

    asked_in_span: int
    nano_rho_spent: int


class Claim(NamedTuple):
    """What a question takes of its standing series.

    ``key`` is the key of the series, ``months`` those that are asked of ``source``; ``data_version`` is that of the
    snapshot by which they will be counted, ``lineage`` has the token of that version and of all that it was made from.
    """

    key: str
    source: SourceId
    months: tuple[str, ...]
    data_version: int
    lineage: Mapping[int, str]

    @property
    def token(self) -> str:
        """The token of the version that will be counted by."""
        return self.lineage[self.data_version]


class Opening(NamedTuple):
    """What is asked of the journal before any data is touched: the question, its price and the cap it must respect.

    ``series`` is what it takes of its standing series, if it is of one. ``permit`` raises when the activity has used
    too much; it is asked under the lock of the charge, so it may not read the journal itself.
    """

    task: Task
    request: Request
    request_digest: str
    charges: tuple[Charge, ...]
    cap: int
    use: Use
    permit: Callable[[Used], None]
    series: Claim | None = None


class Unfinished(NamedTuple):
    """A charged task whose part the gateway has not acknowledged; ``part`` is there once it was made."""

    task: Task
    part: Part | None

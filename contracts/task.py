"""Task and part: what the gateway hands to a connector, and what the connector signs in return."""

from typing import Annotated, Final, Self

from pydantic import AwareDatetime, Field, model_validator

from contracts.dataset import ContractRef
from contracts.identifiers import AgencyId, Code, Digest, Identifier, Name, NanoRho
from contracts.periods import Window
from contracts.protocol import FIRST, Protocol, Protocols
from contracts.values import Value

LARGEST_CELL: Final = 2**52
"""No cell is larger in size, so that the sum of two still has an exact canonical form (RFC 8785 ends at 2^53)."""

LARGEST_VERSION: Final = 2**31
LARGEST_NUMBER: Final = 2**53 - 1
"""The largest running number that has a canonical form."""

Cell = Annotated[int, Field(ge=-LARGEST_CELL, le=LARGEST_CELL)]
"""One cell of a base measure."""

DataVersion = Annotated[int, Field(ge=0, le=LARGEST_VERSION)]
"""The running number of a connector's snapshot."""


class Forwarded(Value):
    """A signed message as it was received: the exact body and the headers that its signature covers."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


class Task(Value):
    """One agency's share of a request.

    The connector believes none of it on the gateway's word: ``request`` carries the requester's own signature,
    ``agreement`` all officers' signatures, and ``contract`` must be on the connector's local list.
    """

    id: Identifier
    agency: AgencyId
    contract: ContractRef
    request: Forwarded
    agreement: str
    """The agreement as a JWS in general JSON serialisation."""


class LeasedTask(Value):
    """A task with the gateway's access token for it (RFC 9068, audience the agency, bound to the task's digest)."""

    task: Task
    token: str
    attempt: int = Field(ge=1)


class Notice(Value):
    """A signed document that connectors must hear of, with its running number.

    Its kind stands in its protected header: ``suspension`` or ``agreement-act``. A connector believes its signatures.
    """

    number: int = Field(ge=1)
    document: str


class Holding(Value):
    """A task that a connector is working on, as the so-manieth time that it was handed out."""

    task: Identifier
    attempt: int = Field(ge=1, le=LARGEST_VERSION)


class Lease(Value):
    """The answer to a connector that asks for work; ``notices`` are those behind the number that it gave.

    ``protocol`` is the version that both speak, ``speaks`` all that the gateway does. ``lost`` names the tasks in hand
    whose leases ran out or were taken back: they may be handed to somebody else. The next call for work is asked not to
    come before ``pause_seconds`` have passed.
    """

    tasks: tuple[LeasedTask, ...]
    notices: tuple[Notice, ...] = ()
    protocol: Protocol = FIRST
    speaks: Protocols = (FIRST,)
    lost: tuple[Identifier, ...] = ()
    pause_seconds: int = Field(default=0, ge=0, le=3600)


class LeaseCall(Value):
    """A connector asks for work and says on which snapshot it would answer.

    ``data_versions`` gives the number of the current snapshot for each dataset, ``notices_after`` the last notice that
    the connector has written down. Who wants no tasks (``most`` is 0) asks for notices alone. ``speaks`` names the
    versions of the protocol that the connector knows. ``working`` is its heartbeat: the leases of these tasks go on.
    """

    agency: AgencyId
    data_versions: dict[str, DataVersion]
    wait_seconds: int = Field(ge=0, le=30)
    most: int = Field(default=4, ge=0, le=16)
    notices_after: int = Field(default=0, ge=0, le=LARGEST_NUMBER)
    speaks: Protocols = (FIRST,)
    working: tuple[Holding, ...] = Field(default=(), max_length=16)


class Charge(Value):
    """What one answer costs one window of one physical source, in nano-rho."""

    source: str
    window: Window
    nano_rho: NanoRho


class PartMeasure(Value):
    """One base measure over the whole grid, in the order of its cells.

    A histogram's bins run faster than the last axis. ``by`` names the axes of a table of a family; an exact part gives
    the table of all dimensions alone. ``sigma`` is the largest standard deviation of the noise already in ``cells``,
    ``sigmas`` that of each code, where they differ; none when the cells are exact.
    """

    measure: str
    cells: tuple[Cell, ...]
    sigma: float | None = None
    by: tuple[Name, ...] | None = None
    sigmas: dict[Code, float] = Field(default_factory=dict)


class Part(Value):
    """A connector's answer to its task, or its refusal.

    ``charged`` says whether the connector's own journal charged for it: a reservation is returned only if every
    connector signed that it did not.
    """

    task: Identifier
    task_digest: Digest
    agency: AgencyId
    contract: ContractRef
    request_digest: Digest
    data_version: DataVersion
    charged: bool
    measures: tuple[PartMeasure, ...] = ()
    refusal: str | None = None
    finished: AwareDatetime

    @model_validator(mode="after")
    def _answers_or_refuses(self) -> Self:
        if (self.refusal is None) != bool(self.measures):
            raise ValueError("a part answers or refuses")
        if self.refusal is None and not self.charged:
            raise ValueError("an answer is charged")
        return self

"""Emergency suspension: an agency, or one dataset of it, answers and asks nothing until the suspension is lifted."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from contracts.identifiers import AgencyId, DatasetId, Identifier
from contracts.values import Value


class Order(StrEnum):
    """What is ordered: one signature suspends, two people lift."""

    SUSPEND = "suspend"
    LIFT = "lift"


class Suspension(Value):
    """An order, as it is signed (document kind ``suspension``); ``id`` names the suspension that it opens or lifts.

    ``by`` is the agency itself, or the gateway's operator in an emergency. Without ``dataset`` it is the whole agency.
    """

    id: Identifier
    order: Order
    by: AgencyId
    agency: AgencyId
    dataset: DatasetId | None = None
    at: AwareDatetime
    reason: str = Field(min_length=1, max_length=1000)


class Suspended(Value):
    """What stands suspended at a moment: whole agencies, and datasets as (agency, dataset)."""

    agencies: frozenset[AgencyId] = frozenset()
    datasets: frozenset[tuple[AgencyId, DatasetId]] = frozenset()

    def covers(self, agency: str, dataset: str | None = None) -> bool:
        """Whether an agency, or a dataset of it, is suspended."""
        return agency in self.agencies or (dataset is not None and (agency, dataset) in self.datasets)

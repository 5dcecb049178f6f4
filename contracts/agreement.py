"""The agreement: which requester may use which contracts, for which activities, on what terms."""

from typing import Self

from pydantic import Field, model_validator

from contracts.dataset import ContractRef, Text, Tier
from contracts.identifiers import AgencyId, Code, Identifier, KeyId, MeasureName, Name, NanoRho
from contracts.periods import Period
from contracts.values import Value


class Activity(Value):
    """One thing that the requester does: purpose, legal basis, fields, tier and budget hang together here.

    ``nano_rho_per_request`` is the most that one request may charge to each window it touches. ``publish`` says that
    its releases are public.
    """

    id: Identifier
    title: Text
    purpose: Code
    legal_basis: tuple[Code, ...] = Field(min_length=1)
    contracts: tuple[ContractRef, ...] = Field(min_length=1)
    measures: tuple[MeasureName, ...] = Field(min_length=1)
    dimensions: tuple[Name, ...]
    tier: Tier = Tier.STATISTICS
    nano_rho_per_request: NanoRho = Field(gt=0)
    publish: bool = False


class Agreement(Value):
    """What all parties' officers sign; no state stands in it, so a signature never goes stale by bookkeeping."""

    id: Identifier
    version: int = Field(ge=1)
    requester: AgencyId
    providers: tuple[AgencyId, ...] = Field(min_length=1)
    drafted_by: KeyId
    activities: tuple[Activity, ...] = Field(min_length=1)
    period: Period
    retention_days: int = Field(ge=1)
    obligations: tuple[Code, ...] = ()

    @model_validator(mode="after")
    def _parties_differ(self) -> Self:
        if self.requester in self.providers or len(set(self.providers)) != len(self.providers):
            raise ValueError("every party stands once in an agreement")
        if len({activity.id for activity in self.activities}) != len(self.activities):
            raise ValueError("an activity is named twice")
        return self

    @property
    def parties(self) -> tuple[str, ...]:
        """Every agency whose officer signs, the requester first."""
        return (self.requester, *self.providers)

    def activity(self, name: str) -> Activity | None:
        """The activity of that name."""
        return next((each for each in self.activities if each.id == name), None)

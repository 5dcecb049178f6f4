"""The agreement: which requester may use which contracts, for which activities, on what terms."""

from datetime import date
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from contracts.dataset import ContractRef, Text, Tier
from contracts.federation import KeyPurpose
from contracts.identifiers import (
    LARGEST_NANO_RHO,
    AgencyId,
    Code,
    Digest,
    Identifier,
    KeyId,
    MeasureName,
    Name,
    NanoRho,
)
from contracts.periods import Period
from contracts.query import Family
from contracts.values import Value


class Every(StrEnum):
    """A calendar span in Bangkok; ``agreement`` is the whole time that the agreement runs."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    AGREEMENT = "agreement"


class Schedule(Value):
    """How often an activity may ask what was not released before: ``requests`` times in each ``every``.

    A question that was released on the same data already costs nothing and is not counted.
    """

    every: Every
    requests: int = Field(ge=1, le=100_000)


class Approval(StrEnum):
    """Whether signing the agreement approves every request under it, or an officer looks at each."""

    STANDING = "standing"
    EACH = "each"


class PolicyDecision(Value):
    """The decision that a tier beyond statistics, or a linked cohort, rests on: its number, date and digest.

    ``digest`` is SHA-256 of the decision's file as it was issued, so that the paper can be held against it.
    """

    number: str = Field(min_length=1, max_length=100)
    decided_on: date
    digest: Digest
    body: Text
    """Who decided, such as the National Commission on Justice Administration Development."""


class Activity(Value):
    """One thing that the requester does: purpose, legal basis, fields, tier and budget hang together here.

    ``nano_rho_per_request`` is the most that one request may charge to each window it touches; ``nano_rho_in_all``, if
    given, the most that all of them together may charge to one window. ``publish`` says that its releases are public.
    ``linked`` says that it follows the same people through several agencies. ``need`` tells the officers who decide why
    the requester cannot do without it. ``families`` are the families of tables that it may ask for, each table with its
    weight, exactly so.
    """

    id: Identifier
    title: Text
    purpose: Code
    legal_basis: tuple[Code, ...] = Field(min_length=1)
    contracts: tuple[ContractRef, ...] = Field(min_length=1)
    measures: tuple[MeasureName, ...] = Field(min_length=1)
    dimensions: tuple[Name, ...]
    tier: Tier = Tier.STATISTICS
    nano_rho_per_request: NanoRho = Field(gt=0, le=LARGEST_NANO_RHO)
    nano_rho_in_all: NanoRho | None = Field(default=None, gt=0, le=LARGEST_NANO_RHO)
    publish: bool = False
    schedule: Schedule | None = None
    approval: Approval = Approval.STANDING
    linked: bool = False
    policy_decision: PolicyDecision | None = None
    need: Text | None = None
    families: tuple[Family, ...] = Field(default=(), max_length=8)

    @property
    def needs_policy_decision(self) -> bool:
        """Whether it stays inactive without a policy decision."""
        return self.linked or self.tier is Tier.MICRODATA


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
    supersedes: Digest | None = None
    """The version that this one takes the place of when it becomes active."""

    @model_validator(mode="after")
    def _parties_differ(self) -> Self:
        if self.requester in self.providers or len(set(self.providers)) != len(self.providers):
            raise ValueError("every party stands once in an agreement")
        if len({activity.id for activity in self.activities}) != len(self.activities):
            raise ValueError("an activity is named twice")
        return self

    @property
    def required_signers(self) -> frozenset[tuple[str, KeyPurpose]]:
        """Whose signatures make it binding: exactly one key each, and no other.

        The requester's officer, and of every provider its officer and its data protection officer: two people.
        """
        officers = {(agency, KeyPurpose.OFFICER) for agency in self.parties}
        return frozenset(officers | {(agency, KeyPurpose.DPO) for agency in self.providers})

    @property
    def parties(self) -> tuple[str, ...]:
        """Every agency whose officer signs, the requester first."""
        return (self.requester, *self.providers)

    def activity(self, name: str) -> Activity | None:
        """The activity of that name."""
        return next((each for each in self.activities if each.id == name), None)

"""A breach of personal data and its clock: 72 hours from when it was detected (PDPA s. 37 (4))."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from contracts.dataset import Text
from contracts.identifiers import AgencyId, DatasetId, Digest
from contracts.values import Value

CLOCK: Final = timedelta(hours=72)
BreachId = Annotated[str, StringConstraints(pattern=r"^breach-[0-9a-f]{16}$")]
Statement = Annotated[str, Field(min_length=2, max_length=2000)]


class BreachNature(StrEnum):
    """What was breached, as the Committee's notice of B.E. 2565 divides it; several may be true at once."""

    CONFIDENTIALITY = "confidentiality"
    INTEGRITY = "integrity"
    AVAILABILITY = "availability"


NATURES: Final = {
    BreachNature.CONFIDENTIALITY: Text(th="การรักษาความลับ (มีการเข้าถึงหรือเปิดเผย)", en="confidentiality"),
    BreachNature.INTEGRITY: Text(th="ความถูกต้องครบถ้วน (มีการแก้ไขเปลี่ยนแปลง)", en="integrity"),
    BreachNature.AVAILABILITY: Text(th="ความพร้อมใช้งาน (ข้อมูลสูญหายหรือใช้ไม่ได้)", en="availability"),
}


class Risk(StrEnum):
    """The risk to people's rights and freedoms: it decides who is told."""

    NONE = "none"
    RISK = "risk"
    HIGH = "high"


RISKS: Final = {
    Risk.NONE: Text(th="ไม่มีความเสี่ยง (ไม่ต้องแจ้ง)", en="no risk: nobody need be notified"),
    Risk.RISK: Text(th="มีความเสี่ยง (แจ้งสำนักงานภายใน 72 ชั่วโมง)", en="risk: notify the Office within 72 hours"),
    Risk.HIGH: Text(
        th="มีความเสี่ยงสูง (แจ้งสำนักงานภายใน 72 ชั่วโมงและแจ้งเจ้าของข้อมูล)",
        en="high risk: notify the Office within 72 hours, and the people",
    ),
}


class BreachState(StrEnum):
    """Where a breach stands."""

    OPEN = "open"
    NOTIFIED = "notified"
    CLOSED = "closed"


class Breach(Value):
    """A breach as an agency's DPO or officer signs it (document kind ``breach``); an update repeats all fields.

    ``people`` and ``records`` are approximate. ``previous`` is the digest of the version before.
    """

    id: BreachId
    agency: AgencyId
    dataset: DatasetId | None = None
    occurred_at: AwareDatetime | None = None
    detected_at: AwareDatetime
    nature: tuple[BreachNature, ...] = Field(min_length=1)
    description: Statement
    categories: Statement
    people: int = Field(ge=0, le=10**9)
    records: int | None = Field(default=None, ge=0, le=10**12)
    consequences: Statement
    measures: Statement
    risk: Risk
    contact: str = Field(min_length=2, max_length=300)
    """The office to ask, never a private person."""

    notified_pdpc_at: AwareDatetime | None = None
    people_informed_at: AwareDatetime | None = None
    late_reason: str = Field(default="", max_length=2000)
    closed_at: AwareDatetime | None = None
    previous: Digest | None = None

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.occurred_at is not None and self.occurred_at > self.detected_at:
            raise ValueError("a breach is detected after it occurred")
        later = (self.notified_pdpc_at, self.people_informed_at, self.closed_at)
        if any(at is not None and at < self.detected_at for at in later):
            raise ValueError("what follows a breach follows its detection")
        if self.is_late and not self.late_reason:
            raise ValueError("a late notification gives its reason")
        if self.closed_at is not None and not self._may_close():
            raise ValueError("a breach is closed after those were told whom its risk requires")
        return self

    def _may_close(self) -> bool:
        told = self.notified_pdpc_at is not None
        return self.risk is Risk.NONE or (told and (self.risk is Risk.RISK or self.people_informed_at is not None))

    @property
    def due(self) -> datetime:
        """By when the Office of the PDPC is notified."""
        return self.detected_at + CLOCK

    @property
    def is_late(self) -> bool:
        """Whether the notification came after its time."""
        return self.notified_pdpc_at is not None and self.notified_pdpc_at > self.due

    @property
    def state(self) -> BreachState:
        """Where it stands."""
        if self.closed_at is not None:
            return BreachState.CLOSED
        return BreachState.OPEN if self.notified_pdpc_at is None else BreachState.NOTIFIED

    def is_overdue(self, now: datetime) -> bool:
        """Whether the Office should have been notified by now and was not."""
        return self.state is BreachState.OPEN and self.risk is not Risk.NONE and now > self.due


class BreachView(Value):
    """A breach as the register shows it; ``seconds_left`` of its clock is negative beyond it, none once it stopped."""

    breach: Breach
    digest: Digest
    state: BreachState
    due: AwareDatetime
    seconds_left: int | None
    overdue: bool
    late: bool
    recorded_at: AwareDatetime
    """When the gateway wrote the first version down, whatever the signed text says."""

    updated_at: AwareDatetime
    signed_by: str
    versions: int

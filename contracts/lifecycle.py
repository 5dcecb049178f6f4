"""The life of an agreement: states, acts, and who may do what, as one table of data.

An agreement's state is never stored as a fact of its own: it is folded from signed acts.
"""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from contracts.identifiers import AgencyId, Digest, Identifier
from contracts.values import Value


class AgreementState(StrEnum):
    """Where a version of an agreement stands. ``expired`` is computed from its period and never stored."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    COUNTERED = "countered"
    APPROVED = "approved"
    SIGNED = "signed"
    ACTIVE = "active"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


class Act(StrEnum):
    """What moves an agreement on. ``activate``, ``supersede`` are the gateway's, all others an agency's."""

    DRAFT = "draft"
    SUBMIT = "submit"
    REVIEW = "review"
    COUNTER = "counter"
    ACCEPT = "accept"
    APPROVE = "approve"
    SIGN = "sign"
    ACTIVATE = "activate"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    SUPERSEDE = "supersede"


class AgreementAct(Value):
    """One act of one agency on one version, as its officer signs it (document kind ``agreement-act``).

    ``previous`` is the digest of the act before it, so that nobody acts on a standing that has moved meanwhile.
    """

    agreement: Identifier
    version: int = Field(ge=1)
    digest: Digest
    act: Act
    agency: AgencyId
    at: AwareDatetime
    previous: Digest | None = None
    reason: str = Field(default="", max_length=1000)

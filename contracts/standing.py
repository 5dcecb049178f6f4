"""What holds at the moment of a decision, beside what was signed: each program states it as it knows it."""

from pydantic import Field

from contracts.identifiers import Digest
from contracts.lifecycle import AgreementState
from contracts.suspension import Suspended
from contracts.values import Value


class Standing(Value):
    """The moment of a decision.

    ``retired`` are contracts that their agency took back. ``asked_in_span`` counts the activity's charged questions in
    the present span of its schedule, and ``nano_rho_spent`` what they charged to the dearest window that is touched;
    this question is not among them. ``officer_approved`` says that the agency's officer approved this very request; it
    counts only where the activity wants that, and only at the connector (``at_agency``).
    """

    agreement: AgreementState = AgreementState.ACTIVE
    suspended: Suspended = Suspended()
    retired: frozenset[Digest] = frozenset()
    asked_in_span: int = Field(default=0, ge=0)
    nano_rho_spent: int = Field(default=0, ge=0)
    officer_approved: bool = False
    at_agency: bool = False

"""What an audit reports: for each agency and mechanism the claims of the releases beside what was found."""

from typing import Final

import numpy as np

from contracts.dataset import ProtectAt
from contracts.query import Mechanism
from contracts.release import ReleaseBody
from contracts.values import Value
from privacy.audit import FALSE_ALARM, MISS, Claim, Findings, Worlds, examine
from privacy.mechanisms import NANO
from saphan.privacy_audit.federation import Answers
from saphan.privacy_audit.world import EXACT_ABSENT, EXACT_PRESENT, World

CONFIDENCE: Final = 1 - MISS


class MechanismAudit(Value):
    """One mechanism at one place of protection: what its releases say, and what their cells show.

    ``scale`` is the parameter of the noise's law, ``cells`` the number of cells in each of the two releases.
    """

    contract: str
    protect_at: ProtectAt
    mechanism: Mechanism
    cells: int
    scale: float
    found: Findings


class AuditReport(Value):
    """The whole audit: bounds hold at ``confidence``, a test that fails does so by mistake once in ``false_alarm``."""

    confidence: float
    false_alarm: float
    audits: tuple[MechanismAudit, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """The tests that failed, each with its contract and mechanism."""
        return tuple(
            f"{each.contract} {each.mechanism.value}: {name}" for each in self.audits for name in each.found.failed
        )


def report_of(answers: Answers) -> AuditReport:
    """Hold every pair of neighbouring releases against what they claim.

    Raises:
        InvalidInput: ``audit-too-small``.
    """
    pairs = [(world, mechanism) for world, mechanism in answers if world.has_person]
    audits = tuple(_audit(world, mechanism, answers) for world, mechanism in pairs)
    return AuditReport(confidence=CONFIDENCE, false_alarm=FALSE_ALARM, audits=audits)


def _audit(world: World, mechanism: Mechanism, answers: Answers) -> MechanismAudit:
    present = answers[world, mechanism]
    absent = answers[world._replace(has_person=False), mechanism]
    worlds = Worlds(_cells(absent), _cells(present), EXACT_ABSENT, EXACT_PRESENT)
    claim = claim_of(present, mechanism)
    return MechanismAudit(
        contract=present.promises[0].contract.id,
        protect_at=present.promises[0].protect_at,
        mechanism=mechanism,
        cells=present.grid.size,
        scale=claim.scale,
        found=examine(worlds, claim),
    )


def _cells(body: ReleaseBody) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(body.released[0].cells, dtype=np.int64)


def claim_of(body: ReleaseBody, mechanism: Mechanism) -> Claim:
    """What a release of one window says of the noise in each of its cells."""
    return Claim(
        mechanism=mechanism,
        scale=body.released[0].sigma,
        epsilon=body.epsilon,
        delta=float(body.delta),
        rho=max(charge.nano_rho for charge in body.charges) / NANO,
    )

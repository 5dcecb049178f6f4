"""What an audit reports: for each agency and mechanism the claims of the releases beside what was found."""

from typing import Final

import numpy as np
from rich.table import Table

from contracts.dataset import ProtectAt
from contracts.query import Mechanism
from contracts.release import ReleaseBody
from contracts.values import Value
from privacy.audit import FALSE_ALARM, MISS, Claim, Findings, Worlds, examine
from privacy.mechanisms import NANO
from saphan.output import table_of
from saphan.privacy_audit.federation import Answers
from saphan.privacy_audit.world import EXACT_ABSENT, EXACT_PRESENT, World

CONFIDENCE: Final = 1 - MISS


class MechanismAudit(Value):
    """One mechanism at one place of protection: what its releases say, and what their cells show.

    ``sigma`` is the standard deviation of the noise, ``cells`` the number of cells in each of the two releases.
    """

    contract: str
    protect_at: ProtectAt
    mechanism: Mechanism
    cells: int
    sigma: float
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


def claim_of(body: ReleaseBody, mechanism: Mechanism) -> Claim:
    """What a release of one window says of the noise in each of its cells."""
    return Claim(
        mechanism=mechanism,
        sigma=body.released[0].sigma,
        epsilon=body.epsilon,
        delta=float(body.delta),
        rho=None if mechanism is Mechanism.LAPLACE else max(charge.nano_rho for charge in body.charges) / NANO,
    )


def report_table(report: AuditReport) -> Table:
    """The report for people: each claim beside the bound that was found."""
    table = table_of("contract", "noise at", "noise", "claimed", "found at least", "fit p", "independence p", "verdict")
    for each in report.audits:
        table.add_row(*_row(each))
    table.caption = (
        f"Lower bounds at {report.confidence:.0%}. A test fails when even its bound at "
        f"1 - {report.false_alarm:g} lies above the claim, or its p-value below {report.false_alarm:g}."
    )
    return table


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
        sigma=claim.sigma,
        found=examine(worlds, claim),
    )


def _cells(body: ReleaseBody) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(body.released[0].cells, dtype=np.int64)


def _row(each: MechanismAudit) -> tuple[str, ...]:
    found = each.found
    claimed = [f"epsilon {found.epsilon_claimed:.3f} (delta {found.delta:g})"]
    bounds = [f"epsilon {found.epsilon_bound:.3f}"]
    if found.rho_claimed is not None and found.rho_bound is not None:
        claimed.append(f"rho {found.rho_claimed:.4f}")
        bounds.append(f"rho {found.rho_bound:.4f}")
    return (
        each.contract,
        each.protect_at.value,
        f"{each.mechanism.value} {each.sigma:.3f} × {each.cells:,}",
        "\n".join(claimed),
        "\n".join(bounds),
        f"{found.fit_p_value:.3g}",
        f"{found.independence_p_value:.3g}",
        ", ".join(found.failed) or "ok",
    )

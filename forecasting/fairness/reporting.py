"""Who is not heard: the share of victims who reported, by region and by type, from the victimisation survey.

Counts of the police are reported crime. Where fewer victims report, an area looks safer than it is, and a forecast of
reports repeats it. The survey says how many reported; a region whose share differs from the others' beyond chance and
noise is told, so that nobody ranks regions by their reports.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import norm

from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, CellTable, cell_table

SURVEY: Final = "cvs"
REPORTED: Final = "reported"
YES, NO = "Y", "N"
AXES: Final = ("region", "offence_group")
ALPHA: Final = 0.05
FEWEST: Final = 30.0
"""Victims in the sample, beyond twice the noise, below which a share is not told."""

DIFFERS: Final = 0.05
"""Shares that differ by less are called alike, however sure the difference is."""


@dataclass(frozen=True, slots=True)
class Share:
    """The reported share of one region or type.

    Attributes:
        by: ``region`` or ``offence_group``; ``all`` for the whole sample.
        code: Its code.
        victims: Victims in the sample whose answer is known, noise and all.
        share: Those who reported, 0 to 1; none where the sample is too small.
        low: The share of all victims lies above this,
        high: and below this 95 times in 100, sampling and noise together.
        differs: Whether it lies apart from the rest of the sample for sure: +1 above, -1 below, 0 neither.
    """

    by: str
    code: str
    victims: float
    share: float | None
    low: float
    high: float
    differs: int = 0


def reported_shares(bodies: Sequence[ReleaseBody]) -> tuple[Share, ...]:
    """The shares that releases of the survey tell, the whole sample first; none without such releases."""
    found: list[Share] = []
    for axis in AXES:
        try:
            table = cell_table(bodies, SURVEY, "count", (axis, REPORTED))
        except InvalidInput:
            continue
        rows = _rows(table, axis)
        if not found:
            found.append(_share("all", "all", _total(list(rows.values()))))
        found += _compared(axis, rows)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Answers:
    """Victims who did and did not report, and the variance of the noise in each."""

    yes: float
    no: float
    noise_yes: float
    noise_no: float

    @property
    def known(self) -> float:
        return self.yes + self.no

    def error(self, share: float) -> float:
        """The standard deviation of the share: of the sample, and of the noise by the delta method."""
        sampled = max(share * (1.0 - share), 0.0) / self.known
        noise = ((1.0 - share) ** 2 * self.noise_yes + share**2 * self.noise_no) / self.known**2
        return float(np.sqrt(sampled + noise))

    def is_enough(self) -> bool:
        return self.known >= FEWEST + 2.0 * float(np.sqrt(self.noise_yes + self.noise_no))


def _rows(table: CellTable, axis: str) -> dict[str, _Answers]:
    found = {}
    for code, rows in table.frame.groupby(axis, sort=False):
        told = rows.set_index(REPORTED)
        yes, no = told.loc[YES], told.loc[NO]
        found[str(code)] = _Answers(
            float(yes[ESTIMATE]), float(no[ESTIMATE]), float(yes[SIGMA]) ** 2, float(no[SIGMA]) ** 2
        )
    return found


def _total(rows: Sequence[_Answers]) -> _Answers:
    return _Answers(
        sum(each.yes for each in rows),
        sum(each.no for each in rows),
        sum(each.noise_yes for each in rows),
        sum(each.noise_no for each in rows),
    )


def _compared(axis: str, rows: dict[str, _Answers]) -> list[Share]:
    """Each against all the others; the level is shared by all comparisons (Bonferroni)."""
    limit = float(norm.isf(ALPHA / 2.0 / len(rows)))
    found = []
    for code, answers in rows.items():
        rest = _total([other for name, other in rows.items() if name != code])
        found.append(_share(axis, code, answers, _differs(answers, rest, limit)))
    return found


def _differs(answers: _Answers, rest: _Answers, limit: float) -> int:
    if not answers.is_enough() or not rest.is_enough():
        return 0
    own, other = _clipped(answers), _clipped(rest)
    apart = own - other
    spread = float(np.hypot(answers.error(own), rest.error(other)))
    return int(np.sign(apart)) if abs(apart) > max(limit * spread, DIFFERS) else 0


def _share(by: str, code: str, answers: _Answers, differs: int = 0) -> Share:
    if not answers.is_enough():
        return Share(by, code, answers.known, None, 0.0, 1.0)
    share = _clipped(answers)
    half = float(norm.isf(ALPHA / 2.0)) * answers.error(share)
    return Share(by, code, answers.known, share, max(share - half, 0.0), min(share + half, 1.0), differs)


def _clipped(answers: _Answers) -> float:
    return float(np.clip(answers.yes / answers.known, 0.0, 1.0))

"""Fairness before publication: what the releases say of who is not heard, who is served worse, and of arrests.

The checks of the round's crimes stand beside every report about crime and on the forecast. A report that a check says
to withhold is not published; a forecast is published with what was found. A survey that is not public tells nothing
here, since what it tells would be public.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from contracts.analysis import AnalysisKind, Report, Statement
from contracts.dataset import Text
from contracts.errors import SaphanError, Unavailable
from contracts.release import Release, ReleaseBody
from forecasting.fairness.assess import assess
from forecasting.fairness.checks import SAYS_WHERE, Check, Standing, publishable
from forecasting.fairness.report import checks_of
from forecasting.warnings.expected import PooledLevel
from gateway.centre.feed import Gathered

ASSESSED: Final = "crimes-monthly"
"""The forecasts that are checked are of this activity."""

SURVEY: Final = "cvs-reported"
"""Tells the checks who does not report, where there is one."""

CRIME_KINDS: Final = frozenset(
    {
        AnalysisKind.WARNINGS,
        AnalysisKind.CLOCK,
        AnalysisKind.FACTORS,
        AnalysisKind.EVALUATION,
        AnalysisKind.HOLIDAYS,
        AnalysisKind.WEEKLY,
    }
)
"""Reports about crime, whichever activity they read. The report on fairness tells all checks itself."""

SAID: Final = (Standing.FLAGGED, Standing.WITHHOLD)
UNCHECKED: Final = Text(
    th="ตรวจความเป็นธรรมของพยากรณ์นี้ไม่ได้ในรอบนี้", en="The fairness of this forecast could not be checked in this round."
)

log = logging.getLogger("saphan.centre")

Judge = Callable[[Sequence[ReleaseBody]], tuple[Check, ...]]


def fairness_checks(bodies: Sequence[ReleaseBody]) -> tuple[Check, ...]:
    """What the releases say of who is not heard, who is served worse, and whether forecasts follow arrests."""
    return checks_of(assess(bodies, PooledLevel()))


@dataclass(frozen=True)
class Fairness:
    """The checks of one round, made once.

    Args:
        gathered: The centre's releases.
        judge: Makes the checks.
    """

    gathered: Gathered
    judge: Judge = fairness_checks

    def reads(self, kind: AnalysisKind) -> tuple[Release, ...]:
        """The releases that the checks of a kind of report are made from; none if it is not about crime."""
        return self.releases if kind in CRIME_KINDS else ()

    @cached_property
    def releases(self) -> tuple[Release, ...]:
        """The releases that the checks are made from."""
        return (*self.gathered.releases(ASSESSED), *(each for each in self.gathered.releases(SURVEY) if each.is_public))

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """Every check; raises as the judge does."""
        return self.judge([each.body for each in self.releases])

    def checked(self, report: Report) -> Report:
        """The report with what the checks say of its kind beside it.

        Raises:
            Unavailable: ``analysis-withheld``.
            SaphanError: The checks could not be made.
        """
        checks = self.checks if report.kind in CRIME_KINDS else ()
        verdict = publishable(report, checks)
        if not verdict.publish:
            raise Unavailable("analysis-withheld", kind=report.kind.value, checks=", ".join(verdict.because))
        about = (each for each in checks if not each.kinds or report.kind in each.kinds)
        beside = [Statement(text=each.text, flags=each.flags) for each in about if each.standing is Standing.FLAGGED]
        return report.model_copy(update={"statements": (*report.statements, *beside)})

    def of_forecast(self) -> tuple[Text, ...]:
        """What a reader of the forecast must know, which says where as the reports do that checks may withhold."""
        try:
            checks = self.checks
        except SaphanError as error:
            log.warning("no fairness checks: %s", error.code)
            return (UNCHECKED,)
        except Exception as error:  # noqa: BLE001  # a check that cannot go on is said on the forecast
            log.error("no fairness checks: %s", type(error).__name__)  # noqa: TRY400  # it may hold figures
            return (UNCHECKED,)
        about = (each for each in checks if not each.kinds or set(each.kinds) & set(SAYS_WHERE))
        return tuple(dict.fromkeys(each.text for each in about if each.standing in SAID))

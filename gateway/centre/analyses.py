"""What the centre says besides forecasts: analyses of its releases, made and published after the forecast.

    releases that it needs -> report -> checks of fairness -> signed and published, or withheld

An analysis is a pure function of releases. It is skipped where the agreement lacks what it needs, and one that fails is
a problem of the round and stops no other. The same releases give the same report under the same identifier.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import Final, Protocol

import numpy as np

from contracts.analysis import Analysis, AnalysisKind, PublishedAnalysis, Report, Statement
from contracts.canonical import digest_of
from contracts.errors import SaphanError, Unavailable
from contracts.forecast import Citation
from contracts.publication import AnalysisSummary
from contracts.release import Release, ReleaseBody
from forecasting.fairness.assess import assess
from forecasting.fairness.checks import Check, publishable
from forecasting.fairness.checks import Standing as Found
from forecasting.fairness.report import checks_of
from forecasting.interventions.plans import Plan
from forecasting.warnings.expected import PooledLevel
from gateway.centre.feed import Clock, Gathered, Stage, Step, Told

ENGINE_VERSION: Final = version("saphan")
"""Another version of the program may say something else of the same releases."""

ASSESSED: Final = "crimes-monthly"
"""Whoever reads this activity is checked for fairness."""

SURVEY: Final = "cvs-reported"
"""Tells the checks who does not report, where there is one."""

ID_LETTERS: Final = 32
SEED_BYTES: Final = 16

log = logging.getLogger("saphan.centre")


class Line(Protocol):
    """What publishing needs of the gateway; ``gateway.client.Gateway`` is it."""

    def analyses(self) -> tuple[AnalysisSummary, ...]:
        """Every analysis that may be read."""
        ...

    def publish_analysis(self, analysis: Analysis) -> PublishedAnalysis:
        """Publish an analysis."""
        ...


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an analysis gets besides releases: draws that follow from its identifier, and the registered plans."""

    generator: np.random.Generator
    plans: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """One analysis.

    Args:
        name: What the round calls it.
        kind: What it is about.
        make: The analysis.
        needs: Activities without which it says nothing.
        also: Activities that it reads where they are there; without ``needs`` one of them is enough.
        of_plans: Whether it is about the registered action plans.
    """

    name: str
    kind: AnalysisKind
    make: Callable[[Sequence[ReleaseBody], Inputs], Report]
    needs: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    of_plans: bool = False

    def reads(self, gathered: Gathered, plans: Sequence[Plan]) -> tuple[Release, ...]:
        """The releases that it is made from; none if it cannot be made."""
        there = {name for name, fed in gathered.fed.items() if fed.releases}
        if not there.issuperset(self.needs) or (self.of_plans and not plans):
            return ()
        read = [name for name in (*self.needs, *self.also) if name in there]
        return gathered.releases(*read) if read else ()


@dataclass(frozen=True, slots=True)
class Analysed:
    """What came of the analyses: the identifier of each that stands published, and what could not be made."""

    published: dict[str, str] = field(default_factory=dict)
    problems: dict[str, tuple[SaphanError, ...]] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()


def fairness_checks(bodies: Sequence[ReleaseBody]) -> tuple[Check, ...]:
    """What the releases say of who is not heard, who is served worse, and whether forecasts follow arrests."""
    return checks_of(assess(bodies, PooledLevel()))


@dataclass(frozen=True)
class Desk:
    """Where analyses are made.

    Args:
        line: The line to the gateway.
        gathered: The centre's releases.
        clock: The present, aware UTC.
        plans: The registered plans.
        fairness: The checks that reports of ``ASSESSED`` must pass, of its releases.
    """

    line: Line
    gathered: Gathered
    clock: Clock
    plans: tuple[Plan, ...] = ()
    fairness: Callable[[Sequence[ReleaseBody]], tuple[Check, ...]] = fairness_checks

    def analyse(self, wanted: Sequence[Standing], told: Told) -> Analysed:
        """Make and publish every analysis that is not published yet.

        Args:
            wanted: The analyses.
            told: Told how far it is.
        """
        due = [each for each in wanted if each.reads(self.gathered, self.plans)]
        found = Analysed(skipped=tuple(each.name for each in wanted if each not in due))
        try:
            known = {each.id for each in self.line.analyses()} if due else set()
        except SaphanError as error:
            found.problems.update({each.name: (error,) for each in due})
            return found
        for done, each in enumerate(due):
            told(Step(Stage.ANALYSES, done, len(due)))
            self._try(each, known, found)
        told(Step(Stage.ANALYSES, len(due), len(due)))
        return found

    def _try(self, standing: Standing, known: set[str], found: Analysed) -> None:
        releases = standing.reads(self.gathered, self.plans)
        name = self._name(standing, releases)
        try:
            if name not in known:
                self.line.publish_analysis(self._analysis(standing, name, releases))
            found.published[standing.name] = name
        except SaphanError as error:
            log.warning("no analysis %s: %s", standing.name, error.code)
            found.problems[standing.name] = (error,)
        except Exception as error:  # noqa: BLE001  # one analysis that cannot go on must not hold up the others
            log.error("no analysis %s: %s", standing.name, type(error).__name__)  # noqa: TRY400  # it may hold figures
            found.problems[standing.name] = (Unavailable("analysis-failed", kind=standing.name),)

    def _analysis(self, standing: Standing, name: str, releases: Sequence[Release]) -> Analysis:
        seed = int.from_bytes(digest_of([name]).encode()[-SEED_BYTES:], "big")
        inputs = Inputs(np.random.default_rng(seed), self.plans)
        report = standing.make([each.body for each in releases], inputs)
        checked = self._checked(report, self._checks if ASSESSED in standing.needs else ())
        is_public = report.public and all(each.is_public for each in releases)
        return Analysis(
            id=name,
            report=checked.model_copy(update={"public": is_public}),
            citations=tuple(Citation(release=each.body.id, digest=each.digest) for each in releases),
            created=self.clock(),
        )

    @cached_property
    def _checks(self) -> tuple[Check, ...]:
        return self.fairness([each.body for each in self.gathered.releases(ASSESSED, SURVEY)])

    @staticmethod
    def _checked(report: Report, checks: Sequence[Check]) -> Report:
        """The report with what the checks say of its kind beside it.

        Raises:
            Unavailable: ``analysis-withheld``.
        """
        verdict = publishable(report, checks)
        if not verdict.publish:
            raise Unavailable("analysis-withheld", kind=report.kind.value, checks=", ".join(verdict.because))
        if report.kind is AnalysisKind.FAIRNESS:
            return report
        about = (each for each in checks if not each.kinds or report.kind in each.kinds)
        beside = [Statement(text=each.text, flags=each.flags) for each in about if each.standing is Found.FLAGGED]
        return report.model_copy(update={"statements": (*report.statements, *beside)})

    def _name(self, standing: Standing, releases: Sequence[Release]) -> str:
        plans = [str(each) for each in self.plans] if standing.of_plans else []
        made_of = digest_of([standing.name, ENGINE_VERSION, *plans, *(each.digest for each in releases)])
        return f"{standing.name}-{made_of.removeprefix('sha-256:')[:ID_LETTERS]}"

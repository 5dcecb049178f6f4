"""What the centre says besides forecasts: analyses of its releases, made and published after the forecast.

    releases that it needs -> report -> checks of fairness -> signed and published, or withheld

An analysis is a pure function of releases. It is skipped where the agreement lacks what it needs, and one that fails is
a problem of the round and stops no other. The same releases give the same report under the same identifier.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import numpy as np

from contracts.analysis import Analysis, AnalysisKind, PublishedAnalysis, Report
from contracts.canonical import digest_of
from contracts.errors import SaphanError, Unavailable
from contracts.forecast import Citation
from contracts.publication import AnalysisSummary
from contracts.release import Release, ReleaseBody
from forecasting.interventions.simulation import RUNS
from gateway.centre.fairness import Fairness
from gateway.centre.feed import Clock, Gathered, Stage, Step, Told
from gateway.centre.judged_plans import JudgedPlan, by_groups, not_judged
from gateway.centre.made_by import named

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
    """What an analysis gets besides releases.

    Attributes:
        generator: Draws that follow from its identifier.
        plans: The registered plans that it is about.
        groups: The offence groups that these are against.
        simulations: Runs of its simulations.
    """

    generator: np.random.Generator
    plans: tuple[JudgedPlan, ...] = ()
    groups: tuple[str, ...] = ()
    simulations: int = RUNS


@dataclass(frozen=True, slots=True)
class Standing:
    """One analysis.

    Args:
        name: What the round calls it.
        kind: What it is about.
        make: The analysis.
        needs: Activities without which it says nothing.
        also: Activities that it reads where they are there; without ``needs`` one of them is enough.
        of_plans: Whether it is about the registered action plans; it is made once for each set of offence groups.
        groups: That set.
        options: What it is made with, besides releases: other options are another analysis.
    """

    name: str
    kind: AnalysisKind
    make: Callable[[Sequence[ReleaseBody], Inputs], Report]
    needs: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    of_plans: bool = False
    groups: tuple[str, ...] = ()
    options: tuple[object, ...] = ()

    def reads(self, gathered: Gathered) -> tuple[Release, ...]:
        """The releases that it is made from; none if it cannot be made."""
        there = {name for name, fed in gathered.fed.items() if fed.releases}
        if not there.issuperset(self.needs):
            return ()
        read = [name for name in (*self.needs, *self.also) if name in there]
        return gathered.releases(*read) if read else ()

    def against(self, groups: tuple[str, ...]) -> "Standing":
        """The same about the plans against these groups."""
        return replace(self, name="-".join((self.name, *groups)).lower(), groups=groups)


@dataclass(frozen=True, slots=True)
class Analysed:
    """What came of the analyses: the identifier of each that stands published, and what could not be made."""

    published: dict[str, str] = field(default_factory=dict)
    problems: dict[str, tuple[SaphanError, ...]] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """Where analyses are made.

    Args:
        line: The line to the gateway.
        gathered: The centre's releases.
        clock: The present, aware UTC.
        fairness: The checks that reports about crime must pass.
        plans: The registered plans.
        simulations: Runs of each simulation.
    """

    line: Line
    gathered: Gathered
    clock: Clock
    fairness: Fairness
    plans: tuple[JudgedPlan, ...] = ()
    simulations: int = RUNS

    def analyse(self, wanted: Sequence[Standing], told: Told) -> Analysed:
        """Make and publish every analysis that is not published yet.

        Args:
            wanted: The analyses.
            told: Told how far it is.
        """
        wishes = {each.name: self._each(each) if each.reads(self.gathered) else () for each in wanted}
        due = [one for each in wishes.values() for one in each]
        found = Analysed(skipped=tuple(name for name, each in wishes.items() if not each))
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

    def _each(self, standing: Standing) -> tuple[Standing, ...]:
        """What is made of it: itself, or one for each set of groups that plans are against."""
        return tuple(map(standing.against, by_groups(self.plans))) if standing.of_plans else (standing,)

    def _try(self, standing: Standing, known: set[str], found: Analysed) -> None:
        releases = standing.reads(self.gathered)
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
        plans = self._plans(standing)
        inputs = Inputs(np.random.default_rng(seed), plans, standing.groups, self.simulations)
        report = self.fairness.checked(standing.make([each.body for each in releases], inputs))
        read = self._cited(standing, releases)
        is_public = report.public and all(each.is_public for each in read)
        # Plans against arrests alone are in no set of groups: every evaluation says that they are not judged.
        beside = not_judged((*plans, *(each for each in self.plans if standing.of_plans and not each.groups)))
        return Analysis(
            id=name,
            report=report.model_copy(update={"public": is_public, "statements": (*report.statements, *beside)}),
            citations=tuple(Citation(release=each.body.id, digest=each.digest) for each in read),
            created=self.clock(),
        )

    def _plans(self, standing: Standing) -> tuple[JudgedPlan, ...]:
        return by_groups(self.plans)[standing.groups] if standing.of_plans else ()

    def _cited(self, standing: Standing, releases: Sequence[Release]) -> tuple[Release, ...]:
        """What it is made from, and what its checks are made from."""
        read = {each.body.id: each for each in (*releases, *self.fairness.reads(standing.kind))}
        return tuple(read.values())

    def _name(self, standing: Standing, releases: Sequence[Release]) -> str:
        plans = [str(each) for each in self.plans] if standing.of_plans else []
        digests = (each.digest for each in self._cited(standing, releases))
        return named(standing.name, *digests, *map(repr, standing.options), *plans, str(self.simulations))

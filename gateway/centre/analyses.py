"""What the centre says besides forecasts: each analysis with the activities that it reads, run after the forecast.

An analysis is a pure function of releases. It is skipped where the agreement lacks what it needs, and one that fails is
a problem of the round and stops no other. The same releases give the same report under the same identifier.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Final, Protocol

import numpy as np

from contracts.analysis import Analysis, AnalysisKind, PublishedAnalysis, Report
from contracts.canonical import digest_of
from contracts.errors import SaphanError, Unavailable
from contracts.forecast import Citation
from contracts.publication import AnalysisSummary
from contracts.release import Release, ReleaseBody
from forecasting.factors.report import Wanted, factors_report
from forecasting.flow.caseload_report import caseload_report
from forecasting.flow.report import flow_report
from forecasting.warnings.expected import PooledLevel
from forecasting.warnings.find import watch_areas
from forecasting.warnings.limits import Watch
from forecasting.warnings.report import report_of as warnings_report
from gateway.centre.feed import Clock, Gathered, Stage, Step, Told

ENGINE_VERSION: Final = version("saphan")
"""Another version of the program may say something else of the same releases."""

ID_LETTERS: Final = 32
SEED_BYTES: Final = 16
FLOW: Final = ("tpo-stages", "crimes-stages", "oag-monthly", "coj-monthly", "doc-monthly", "dop-results")
PROBATION: Final = ("dop-monthly", "dop-results", "dop-em")

Bodies = Sequence[ReleaseBody]
Make = Callable[[Bodies, np.random.Generator], Report]
"""A report of releases; the generator is seeded by them, so that the same ones give the same report."""

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
class Standing:
    """One analysis.

    Args:
        kind: What it is about.
        needs: Activities without which it says nothing; one of them is enough if ``any_of``.
        make: The analysis.
        any_of: Whether any of what it needs is enough.
    """

    kind: AnalysisKind
    needs: tuple[str, ...]
    make: Make
    any_of: bool = False

    def reads(self, gathered: Gathered) -> tuple[Release, ...]:
        """The releases that it is made from; none if it cannot be made."""
        found = [name for name in self.needs if name in gathered.fed and gathered.fed[name].releases]
        is_enough = bool(found) if self.any_of else len(found) == len(self.needs)
        return gathered.releases(*found) if is_enough else ()


def _warnings(bodies: Bodies, _: np.random.Generator) -> Report:
    return warnings_report(watch_areas(bodies, PooledLevel(), Watch()))


def _factors(bodies: Bodies, _: np.random.Generator) -> Report:
    return factors_report(bodies, Wanted())


ANALYSES: Final = (
    Standing(AnalysisKind.WARNINGS, ("crimes-monthly",), _warnings),
    Standing(AnalysisKind.FACTORS, ("crimes-monthly",), _factors),
    Standing(AnalysisKind.FLOW, FLOW, flow_report, any_of=True),
    Standing(AnalysisKind.CASELOAD, PROBATION, caseload_report, any_of=True),
)


@dataclass(frozen=True, slots=True)
class Analysed:
    """What came of the analyses: the identifier of each that stands published, and what could not be made."""

    published: dict[str, str] = field(default_factory=dict)
    problems: dict[str, tuple[SaphanError, ...]] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()


def analyse(
    line: Line, gathered: Gathered, clock: Clock, told: Told, wanted: Sequence[Standing] = ANALYSES
) -> Analysed:
    """Make and publish every analysis that is not published yet.

    Args:
        line: The line to the gateway.
        gathered: The centre's releases.
        clock: The present, aware UTC.
        told: Told how far it is.
        wanted: The analyses.
    """
    found = Analysed(skipped=tuple(each.kind.value for each in wanted if not each.reads(gathered)))
    due = [each for each in wanted if each.reads(gathered)]
    try:
        known = {each.id for each in line.analyses()} if due else set()
    except SaphanError as error:
        return Analysed(problems={each.kind.value: (error,) for each in due}, skipped=found.skipped)
    for done, each in enumerate(due):
        told(Step(Stage.ANALYSES, done, len(due)))
        releases = each.reads(gathered)
        name = _name(each.kind, releases)
        try:
            if name not in known:
                line.publish_analysis(_analysis(each, name, releases, clock()))
            found.published[each.kind.value] = name
        except SaphanError as error:
            log.warning("no analysis %s: %s", each.kind.value, error.code)
            found.problems[each.kind.value] = (error,)
        except Exception as error:  # noqa: BLE001  # one analysis that cannot go on must not hold up the others
            log.error("no analysis %s: %s", each.kind.value, type(error).__name__)  # noqa: TRY400  # it may hold figures
            found.problems[each.kind.value] = (Unavailable("analysis-failed", kind=each.kind.value),)
    told(Step(Stage.ANALYSES, len(due), len(due)))
    return found


def _analysis(standing: Standing, name: str, releases: Sequence[Release], now: datetime) -> Analysis:
    seed = int.from_bytes(digest_of([name]).encode()[-SEED_BYTES:], "big")
    report = standing.make([each.body for each in releases], np.random.default_rng(seed))
    is_public = report.public and all(each.is_public for each in releases)
    return Analysis(
        id=name,
        report=report.model_copy(update={"public": is_public}),
        citations=tuple(Citation(release=each.body.id, digest=each.digest) for each in releases),
        created=now,
    )


def _name(kind: AnalysisKind, releases: Sequence[Release]) -> str:
    made_of = digest_of([kind.value, ENGINE_VERSION, *(each.digest for each in releases)])
    return f"{kind.value}-{made_of.removeprefix('sha-256:')[:ID_LETTERS]}"

"""The centre's work, in one straight line.

    standing series -> asked -> releases (checked by the client) -> forecast -> signed and published

The centre sees nothing but releases. It spends its own agreement's budget, and what it publishes cites what it used.
The same releases, settings and engine make the same forecast under the same identifier: it is published once.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from pydantic import Field

from contracts.canonical import digest_of
from contracts.dataset import Text
from contracts.errors import InvalidInput, SaphanError, Unavailable
from contracts.forecast import Citation, Forecast, PublishedForecast
from contracts.periods import Period
from contracts.release import Release
from contracts.values import Value
from contracts.views import RequestStatus
from forecasting.engine import EngineSettings
from forecasting.hierarchy import Hierarchy
from forecasting.interventions.plans import Plan
from forecasting.released_levels import released_levels
from forecasting.run import PUBLISHED, Outlook, look_ahead_hierarchy
from gateway.centre import analyses, feed
from gateway.centre.analyses import ENGINE_VERSION, Desk, Standing
from gateway.centre.feed import Clock, Feed, Gathered, Stage, Step, Told, quietly
from gateway.centre.home import CentreHome, Revision
from gateway.centre.questions import CRIMES_MONTHLY, STANDING
from gateway.centre.revising import declare
from gateway.centre.settings import CentreSettings
from gateway.centre.standing_analyses import ANALYSES

ID_LETTERS: Final = 32
TITLE = Text(th="พยากรณ์คดีอาญารายจังหวัดและกลุ่มฐานความผิด", en="Criminal cases by province and offence group")
LIMITS = Text(
    th=(
        "พยากรณ์จากจำนวนคดีที่รับแจ้งซึ่งเผยแพร่พร้อมสัญญาณรบกวนเพื่อคุ้มครองบุคคล ไม่ใช่อาชญากรรมทั้งหมดที่เกิดขึ้น "
        "กลุ่มที่รัฐเป็นผู้เสียหายนับการจับกุมและไม่ใช่ความเสี่ยงของประชาชน "
        "ไม่รวมผลของกฎหมายใหม่หรือเหตุการณ์ที่ยังไม่เกิด คะแนนเทียบกับตัวเลขที่เผยแพร่ ไม่ใช่ตัวเลขจริง"
    ),
    en=(
        "Made from reported cases as released, with noise that protects people; not all crime is reported. The group "
        "in which the State is the injured party counts arrests: never read it as risk. New laws and events to come "
        "are not foreseen. Scores compare with released figures, not with exact ones."
    ),
)

log = logging.getLogger("saphan.centre")


class Line(feed.Line, analyses.Line, Protocol):
    """What the centre needs of the gateway; ``gateway.client.Gateway`` is it."""

    def latest_forecast(self) -> PublishedForecast:
        """The newest forecast."""
        ...

    def publish_forecast(self, forecast: Forecast) -> PublishedForecast:
        """Publish a forecast."""
        ...


class Round(Value):
    """What one round did.

    ``releases`` names the valid releases of each activity, ``gaps`` the months of it that nobody has answered,
    ``problems`` the error codes of what could not be had, and ``skipped`` the activities that the agreement lacks and
    the analyses that need them. ``analyses`` has the identifier of each that stands published, by its kind, and
    ``analysis_problems`` why others could not be made.
    ``revisions`` are all that were declared.
    ``published`` is false when the same forecast stood there already. Seconds are of wall time.
    """

    releases: dict[str, tuple[str, ...]]
    gaps: dict[str, tuple[str, ...]]
    problems: dict[str, tuple[str, ...]]
    skipped: tuple[str, ...]
    revisions: tuple[Revision, ...] = ()
    forecast: str
    published: bool
    series: int
    horizon: int
    exchange_seconds: float
    forecast_seconds: float
    analyses: dict[str, str] = Field(default_factory=dict)
    analysis_problems: dict[str, tuple[str, ...]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Centre:
    """The centre at work.

    Args:
        settings: How it runs.
        home: Where it keeps what it asked.
        line: Its line to the gateway.
        clock: The present, aware UTC.
        analyses: What it says besides the forecast.
        plans: The registered action plans.
        ahead: Forecasts the levels of its releases.
    """

    settings: CentreSettings
    home: CentreHome
    line: Line
    clock: Clock
    analyses: tuple[Standing, ...] = ANALYSES
    plans: Callable[[], tuple[Plan, ...]] = tuple
    ahead: Callable[[Hierarchy, int, int, EngineSettings], Outlook] = look_ahead_hierarchy

    def round(self, told: Told = quietly) -> Round:
        """Ask everything, forecast, publish.

        Args:
            told: Told how far it is.

        Raises:
            SaphanError: The forecast's own input could not be had, or the forecast not be published.
        """
        started = time.monotonic()
        gathered = self.gather(told)
        asked = time.monotonic()
        told(Step(Stage.FORECAST, 0, 1))
        forecast, published = self._forecast(gathered)
        told(Step(Stage.FORECAST, 1, 1))
        forecast_seconds = time.monotonic() - asked
        analysed = Desk(self.line, gathered, self.clock, self.plans()).analyse(self.analyses, told)
        return Round(
            releases={name: tuple(each.body.id for each in fed.releases) for name, fed in gathered.fed.items()},
            gaps={name: fed.gaps for name, fed in gathered.fed.items() if fed.gaps},
            problems={name: tuple(each.code for each in errors) for name, errors in gathered.problems.items()},
            skipped=(*gathered.skipped, *analysed.skipped),
            revisions=self.home.asked().revisions,
            forecast=forecast.id,
            published=published,
            series=len(forecast.series),
            horizon=len(forecast.months),
            exchange_seconds=round(asked - started, 3),
            forecast_seconds=round(forecast_seconds, 3),
            analyses=analysed.published,
            analysis_problems={kind: tuple(each.code for each in errors) for kind, errors in analysed.problems.items()},
        )

    def revise(self, activity: str, period: Period, reason: str) -> Revision:
        """Declare that closed months are to be asked anew; the next round asks them and they are charged anew.

        Raises:
            InvalidInput: ``not-a-standing-activity``, ``nothing-to-revise``.
        """
        return declare(self.line, self.home, self.settings.agreement, (activity, period, reason), self.clock())

    def gather(self, told: Told = quietly) -> Gathered:
        """Ask every standing question for what it lacks, and read what was released.

        Raises:
            SaphanError: The agreement or the list of releases could not be had.
        """
        settings = self.settings
        looking = Feed(self.line, self.home, settings.agreement, settings.wait_seconds, self.clock, _waiting, told)
        return looking.gather(STANDING)

    def forecast(self, releases: tuple[Release, ...]) -> Forecast:
        """The forecast from the releases of the monthly series; the same ones give one of the same identifier.

        Raises:
            InvalidInput: ``release-not-a-series``.
            Unavailable: ``not-enough-history``; ``spread-not-installed``.
        """
        levels = released_levels([each.body for each in releases])
        settings = EngineSettings(spread=self.settings.engine, processes=self.settings.processes)
        outlook = self.ahead(levels.hierarchy, self.settings.horizon, self.settings.level, settings)
        return Forecast(
            id=self._name(releases),
            title=TITLE,
            model=outlook.model,
            level=outlook.level,
            months=outlook.months,
            dimensions=outlook.dimensions,
            series=outlook.series,
            upper=outlook.upper,
            scores=outlook.scores,
            citations=tuple(Citation(release=each.body.id, digest=each.digest) for each in releases),
            limits=LIMITS,
            card=outlook.card,
            created=self.clock(),
        )

    def _forecast(self, gathered: Gathered) -> tuple[Forecast, bool]:
        """The forecast of what was gathered, and whether it is new."""
        releases = gathered.releases(CRIMES_MONTHLY.activity)
        if not releases:
            raise self._why_none(gathered)
        latest = self._latest()
        if latest is not None and latest.id == self._name(releases):
            return latest, False
        made = self.forecast(releases)
        self.line.publish_forecast(made)
        return made, True

    def _why_none(self, gathered: Gathered) -> SaphanError:
        """Why the forecast has no input: what the gateway said, or that the agreement does not cover it."""
        name = CRIMES_MONTHLY.activity
        told = gathered.problems.get(name)
        return told[0] if told else InvalidInput("unknown-activity", agreement=self.settings.agreement, activity=name)

    def _name(self, releases: tuple[Release, ...]) -> str:
        made_of = [*(each.digest for each in releases), str(self.settings.horizon), str(self.settings.level)]
        return f"forecast-{digest_of([*made_of, PUBLISHED.name, ENGINE_VERSION]).removeprefix('sha-256:')[:ID_LETTERS]}"

    def _latest(self) -> Forecast | None:
        try:
            return self.line.latest_forecast().forecast
        except Unavailable as error:
            if error.code != "nothing-published":
                raise
            return None


def _waiting(status: RequestStatus) -> None:
    if status.waiting_for:
        log.info("waiting for %s", ", ".join(status.waiting_for))

"""The centre's work, in one straight line.

    standing series -> asked -> releases (checked by the client) -> forecast -> signed and published

The centre sees nothing but releases. It spends its own agreement's budget, and what it publishes cites what it used.
The same releases, settings and engine make the same forecast under the same identifier: it is published once.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from contracts.dataset import Text
from contracts.errors import InvalidInput, SaphanError
from contracts.forecast import Citation, Forecast, PublishedForecast
from contracts.periods import Period
from contracts.release import Release
from contracts.views import RequestStatus
from forecasting.engine import EngineSettings
from forecasting.hierarchy import Hierarchy
from forecasting.released_levels import released_levels
from forecasting.run import PUBLISHED, Given, Outlook, look_ahead_hierarchy
from gateway.centre import analyses, feed
from gateway.centre.analyses import Desk, Standing
from gateway.centre.fairness import Fairness, Judge, fairness_checks
from gateway.centre.feed import Clock, Feed, Gathered, Stage, Step, Told, quietly
from gateway.centre.home import CentreHome, Revision
from gateway.centre.judged_plans import JudgedPlan
from gateway.centre.made_by import named
from gateway.centre.questions import CRIMES_MONTHLY, STANDING
from gateway.centre.revising import declare
from gateway.centre.round import Round
from gateway.centre.settings import CentreSettings
from gateway.centre.standing_analyses import ANALYSES
from gateway.centre.windows import wanted_months

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

    def forecast(self, name: str) -> PublishedForecast:
        """One forecast by its identifier."""
        ...

    def publish_forecast(self, forecast: Forecast) -> PublishedForecast:
        """Publish a forecast."""
        ...


def fixed() -> None:
    """The keys are fixed: nothing to take over."""


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
        judge: Makes the checks of fairness.
        follow: Takes over what changed in the trust registry; refuses to begin by one that does not hold.
    """

    settings: CentreSettings
    home: CentreHome
    line: Line
    clock: Clock
    analyses: tuple[Standing, ...] = ANALYSES
    plans: Callable[[], tuple[JudgedPlan, ...]] = tuple
    ahead: Callable[[Hierarchy, int, int, EngineSettings, Given], Outlook] = look_ahead_hierarchy
    judge: Judge = fairness_checks
    follow: Callable[[], None] = fixed

    def round(self, told: Told = quietly) -> Round:
        """Ask everything, forecast, publish.

        Args:
            told: Told how far it is.

        Raises:
            SaphanError: The forecast's own input could not be had, or the forecast not be published.
        """
        started = time.monotonic()
        self.follow()
        gathered = self.gather(told)
        asked = time.monotonic()
        told(Step(Stage.FORECAST, 0, 1))
        fairness = Fairness(gathered, self.judge)
        forecast, published = self._forecast(gathered, fairness)
        told(Step(Stage.FORECAST, 1, 1))
        forecast_seconds = time.monotonic() - asked
        plans = self.plans()
        desk = Desk(self.line, gathered, self.clock, fairness, plans, self.settings.simulations)
        analysed = desk.analyse(self.analyses, told)
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
            plans_not_judged={each.plan.id: each.unjudged for each in plans if each.unjudged},
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

    def forecast(self, releases: tuple[Release, ...], fairness: Fairness) -> Forecast:
        """The forecast from the releases of the monthly series; the same ones give one of the same identifier.

        Args:
            releases: Of the monthly series.
            fairness: The checks whose findings stand on it.

        Raises:
            InvalidInput: ``release-not-a-series``.
            Unavailable: ``not-enough-history``; ``spread-not-installed``.
        """
        levels = released_levels([each.body for each in releases])
        settings = EngineSettings(spread=self.settings.engine, processes=self.settings.processes)
        given = Given(until=pd.Period(self._until(), freq="M"), dataset=CRIMES_MONTHLY.contract)
        outlook = self.ahead(levels.hierarchy, self.settings.horizon, self.settings.level, settings, given)
        cited = _cited(releases, fairness)
        return Forecast(
            id=self._name(cited),
            title=TITLE,
            model=outlook.model,
            level=outlook.level,
            months=outlook.months,
            dimensions=outlook.dimensions,
            series=outlook.series,
            upper=outlook.upper,
            scores=outlook.scores,
            citations=tuple(Citation(release=each.body.id, digest=each.digest) for each in cited),
            limits=_joined([LIMITS, *fairness.of_forecast()]),
            card=outlook.card,
            created=self.clock(),
        )

    def _forecast(self, gathered: Gathered, fairness: Fairness) -> tuple[Forecast, bool]:
        """The forecast of what was gathered, and whether it is new."""
        releases = gathered.releases(CRIMES_MONTHLY.activity)
        if not releases:
            raise self._why_none(gathered)
        known = self._published(self._name(_cited(releases, fairness)))
        if known is not None:
            return known, False
        made = self.forecast(releases, fairness)
        self.line.publish_forecast(made)
        return made, True

    def _why_none(self, gathered: Gathered) -> SaphanError:
        """Why the forecast has no input: what the gateway said, or that the agreement does not cover it."""
        name = CRIMES_MONTHLY.activity
        told = gathered.problems.get(name)
        return told[0] if told else InvalidInput("unknown-activity", agreement=self.settings.agreement, activity=name)

    def _until(self) -> str:
        """The newest month that was asked for, whether it was told or not."""
        return wanted_months(CRIMES_MONTHLY.months, CRIMES_MONTHLY.pace, self.clock())[-1]

    def _name(self, cited: Sequence[Release]) -> str:
        settings = self.settings
        made_with = (settings.agency, self._until(), str(settings.horizon), str(settings.level), PUBLISHED.name)
        return named("forecast", *(each.digest for each in cited), *made_with)

    def _published(self, name: str) -> Forecast | None:
        """The forecast of this name, whatever was published after it. A stranger's under it is none of the centre's."""
        try:
            found = self.line.forecast(name)
        except InvalidInput as error:
            if error.code != "unknown-publication":
                raise
            return None
        return found.forecast if found.agency in (None, self.settings.agency) else None


def _cited(releases: Sequence[Release], fairness: Fairness) -> tuple[Release, ...]:
    """What a forecast is made from, and what its checks are made from."""
    return tuple({each.body.id: each for each in (*releases, *fairness.releases)}.values())


def _joined(texts: Sequence[Text]) -> Text:
    return Text(th=" ".join(each.th for each in texts), en=" ".join(each.en for each in texts))


def _waiting(status: RequestStatus) -> None:
    if status.waiting_for:
        log.info("waiting for %s", ", ".join(status.waiting_for))

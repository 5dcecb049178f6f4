"""The centre's work, in one straight line.

    standing questions -> asked -> releases (checked by the client) -> forecast -> signed and published

The centre sees nothing but releases. It spends its own agreement's budget, and what it publishes cites what it used.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.canonical import digest_of
from contracts.dataset import Text
from contracts.errors import SaphanError, Unavailable
from contracts.forecast import Citation, Forecast, PublishedForecast
from contracts.query import Query
from contracts.release import Release
from contracts.request import Request
from contracts.values import Value
from contracts.views import PreviewCall, RequestStatus
from forecasting.panel import panel_of
from forecasting.run import look_ahead
from gateway.centre.home import CentreHome
from gateway.centre.questions import CRIMES_MONTHLY, STANDING, StandingQuestion
from gateway.centre.settings import CentreSettings
from gateway.client import Result

Clock = Callable[[], datetime]
ID_LETTERS = 32

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


class Line(Protocol):
    """What the centre needs of the gateway; ``gateway.client.Gateway`` is it."""

    def question(self, agreement: str, activity: str, query: Query, *, contracts: Sequence[str] = ...) -> PreviewCall:
        """Put a question to an activity."""
        ...

    def request(self, call: PreviewCall) -> Request:
        """The question as it is signed."""
        ...

    def submit(self, request: Request) -> RequestStatus:
        """Send a request."""
        ...

    def wait(self, request: str, seconds: float = ..., progress: Callable[[RequestStatus], None] = ...) -> Result:
        """Wait for a release, and check it."""
        ...

    def latest_forecast(self) -> PublishedForecast:
        """The newest forecast."""
        ...

    def publish_forecast(self, forecast: Forecast) -> PublishedForecast:
        """Publish a forecast."""
        ...


class Round(Value):
    """What one round did.

    ``releases`` names the release of each activity that was answered, ``problems`` the error code of each that was not.
    ``published`` is false when the same forecast stood there already. Seconds are of wall time.
    """

    releases: dict[str, str]
    problems: dict[str, str]
    forecast: str
    published: bool
    series: int
    horizon: int
    exchange_seconds: float
    forecast_seconds: float


@dataclass(frozen=True, slots=True)
class Centre:
    """The centre at work.

    Args:
        settings: How it runs.
        home: Where it keeps what it asked.
        line: Its line to the gateway.
        clock: The present, aware UTC.
    """

    settings: CentreSettings
    home: CentreHome
    line: Line
    clock: Clock

    def round(self) -> Round:
        """Ask everything, forecast, publish.

        Raises:
            SaphanError: The forecast's own input could not be had, or the forecast not be published.
        """
        started = time.monotonic()
        releases, problems = self.ask_all()
        source = releases.get(CRIMES_MONTHLY.activity)
        if source is None:
            raise problems[CRIMES_MONTHLY.activity]
        asked = time.monotonic()
        forecast = self.forecast(source)
        published = self._publish(forecast)
        return Round(
            releases={activity: release.body.id for activity, release in releases.items()},
            problems={activity: error.code for activity, error in problems.items()},
            forecast=forecast.id,
            published=published,
            series=len(forecast.series),
            horizon=len(forecast.months),
            exchange_seconds=round(asked - started, 3),
            forecast_seconds=round(time.monotonic() - asked, 3),
        )

    def ask_all(self) -> tuple[dict[str, Release], dict[str, SaphanError]]:
        """Ask every standing question before waiting for any: the agencies then work side by side."""
        asked: dict[str, str] = {}
        releases: dict[str, Release] = {}
        problems: dict[str, SaphanError] = {}
        for question in STANDING:
            try:
                asked[question.activity] = self._ask(question)
            except SaphanError as error:
                problems[question.activity] = error
        for activity, request in asked.items():
            try:
                releases[activity] = self._answer(activity, request)
            except SaphanError as error:
                problems[activity] = error
        return releases, problems

    def forecast(self, release: Release) -> Forecast:
        """The forecast from one release. The same release gives a forecast of the same identifier."""
        outlook = look_ahead(panel_of(release.body), self.settings.horizon, self.settings.level)
        return Forecast(
            id=self._name(release),
            title=TITLE,
            model=outlook.model,
            level=outlook.level,
            months=outlook.months,
            dimensions=outlook.dimensions,
            series=outlook.series,
            scores=outlook.scores,
            citations=(Citation(release=release.body.id, digest=release.digest),),
            limits=LIMITS,
            created=self.clock(),
        )

    def _name(self, release: Release) -> str:
        made_of = [release.digest, str(self.settings.horizon), str(self.settings.level)]
        return f"forecast-{digest_of(made_of).removeprefix('sha-256:')[:ID_LETTERS]}"

    def _ask(self, question: StandingQuestion) -> str:
        query, contracts = question.query(self.clock()), (question.contract,)
        call = self.line.question(self.settings.agreement, question.activity, query, contracts=contracts)
        request = self._asked_before(question.activity, call) or self.line.request(call)
        # Kept before it is sent: after a crash the very same request goes out again, and is not charged again.
        self.home.remember(question.activity, request)
        try:
            return self.line.submit(request).request
        except SaphanError as error:
            self._forget(question.activity, error)
            raise

    def _asked_before(self, activity: str, call: PreviewCall) -> Request | None:
        kept = self.home.asked().requests.get(activity)
        if kept is None or not kept.is_deliverable(self.clock()):
            return None
        same = (kept.agreement, kept.contracts, kept.query) == (call.agreement, call.contracts, call.query)
        return kept if same else None

    def _answer(self, activity: str, request: str) -> Release:
        try:
            return self.line.wait(request, self.settings.wait_seconds, _waiting).release
        except SaphanError as error:
            self._forget(activity, error)
            raise

    def _forget(self, activity: str, error: SaphanError) -> None:
        """A refusal is final for its request, not for its question; who is only late is waited for again."""
        if not isinstance(error, Unavailable):
            self.home.remember(activity, None)

    def _publish(self, forecast: Forecast) -> bool:
        try:
            if self.line.latest_forecast().forecast.id == forecast.id:
                return False
        except Unavailable as error:
            if error.code != "nothing-published":
                raise
        self.line.publish_forecast(forecast)
        return True


def _waiting(status: RequestStatus) -> None:
    if status.waiting_for:
        log.info("waiting for %s", ", ".join(status.waiting_for))

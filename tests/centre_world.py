"""A gateway as the centre sees it, in memory: series answer each month once, and every release is in a list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from contracts.agreement import Activity
from contracts.analysis import Analysis, PublishedAnalysis
from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Refused, SaphanError, Unavailable
from contracts.forecast import Forecast, ForecastSeries, ModelCard, PublishedForecast
from contracts.grid import Axis, Grid
from contracts.lifecycle import AgreementState
from contracts.publication import AnalysisSummary, summary_of_analysis
from contracts.query import Query
from contracts.release import Release, ReleaseBody, ReleaseState, Withdrawal
from contracts.request import Request, RequestState
from contracts.views import AgreementView, PreviewCall, ReleaseSummary, RequestStatus
from forecasting.engine import EngineSettings
from forecasting.fairness.checks import Check
from forecasting.hierarchy import Hierarchy
from forecasting.panel import months_after
from forecasting.run import Given, Outlook
from gateway.centre.analyses import Standing
from gateway.centre.feed import LATE
from gateway.centre.home import CentreHome
from gateway.centre.judged_plans import JudgedPlan
from gateway.centre.questions import STANDING
from gateway.centre.run import Centre
from gateway.centre.settings import CentreSettings
from gateway.client import Result
from tests import factories
from tests.factories import NOW
from tests.forecast_panels import body, noisy

SETTINGS = {"agency": "oja", "gateway": "http://127.0.0.1:1", "agreement": "AGR-2569-001", "refresh_seconds": 0.01}
LABELS = {"province": ("10", "50"), "offence_group": ("G1",)}


def activities(names: Sequence[str] = ()) -> tuple[Activity, ...]:
    """The activities of the standing questions, or those of these names."""
    wanted = (each for each in STANDING if not names or each.activity in names)
    made = ((each, factories.contract(id=each.contract)) for each in wanted)
    return tuple(factories.activity((contract,), id=each.activity) for each, contract in made)


@dataclass
class FakeLine:
    """Answers at once, with noise of its own for each release, or with the trouble it was given.

    ``trouble`` meets whoever waits for an activity, ``unsent`` whoever submits it. ``taken`` are months of a series, by
    activity and revision, that were asked before; ``unpaid`` windows that a request has reserved, ``paid`` those paid.
    """

    trouble: dict[str, SaphanError] = field(default_factory=dict)
    unsent: dict[str, SaphanError] = field(default_factory=dict)
    taken: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    unpaid: dict[str, set[tuple[str, int, str]]] = field(default_factory=dict)
    paid: set[tuple[str, int, str]] = field(default_factory=set)
    agreed: tuple[Activity, ...] = field(default_factory=activities)
    submitted: list[Request] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    held: dict[str, Release] = field(default_factory=dict)
    published: list[Forecast] = field(default_factory=list)
    analysed: list[Analysis] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    no_forecast: SaphanError = field(default_factory=lambda: InvalidInput("unknown-publication"))

    def agreement(self, name: str) -> AgreementView:
        agreed = factories.agreement(id=name, activities=self.agreed)
        return AgreementView(
            agreement=agreed, digest=digest_of(agreed), document="", signed_by=(), state=AgreementState.ACTIVE
        )

    def releases(self) -> tuple[ReleaseSummary, ...]:
        return tuple(_summary(each) for each in self.held.values())

    def release(self, name: str) -> Result:
        return Result(self.held[name])

    def question(self, agreement: str, activity: str, query: Query, *, contracts: Sequence[str] = ()) -> PreviewCall:
        refs = tuple(factories.contract(id=name).reference for name in contracts)
        return PreviewCall(agreement=agreement, activity=activity, contracts=refs, query=query)

    def request(self, call: PreviewCall) -> Request:
        number = f"req-{len(self.log):08d}"
        named = {"id": number, "agreement": call.agreement, "activity": call.activity, "contracts": call.contracts}
        return factories.request(None, call.query, **named)

    def submit(self, request: Request) -> RequestStatus:
        self.log.append(f"submit {request.activity}")
        self.submitted.append(request)
        if request.activity in self.unsent:
            raise self.unsent[request.activity]
        taken = self.taken.get(_series(request), set()) & set(request.query.period.months())
        if taken:
            raise Refused("series-overlaps", months=", ".join(sorted(taken)))
        if any(other != request.id and windows & _windows(request) for other, windows in self.unpaid.items()):
            raise Unavailable("series-busy")
        if not _windows(request) & self.paid:
            self.unpaid[request.id] = _windows(request)
        return RequestStatus(request=request.id, state=RequestState.WAITING)

    def wait(
        self, request: str, seconds: float = 0.0, progress: Callable[[RequestStatus], None] = lambda _: None
    ) -> Result:
        asked = next(each for each in self.submitted if each.id == request)
        self.log.append(f"wait {asked.activity}")
        progress(RequestStatus(request=request, state=RequestState.WAITING, waiting_for=("rtp",)))
        progress(RequestStatus(request=request, state=RequestState.WAITING))
        if asked.activity in self.trouble:
            error = self.trouble[asked.activity]
            if error.code not in LATE:
                self.unpaid.pop(request, None)
            raise error
        self.paid |= self.unpaid.pop(request, set())
        self.taken.setdefault(_series(asked), set()).update(asked.query.period.months())
        return Result(self.answer(asked))

    def answer(self, asked: Request) -> Release:
        """The release of a request: about 30 in each cell."""
        made = _body(asked, len(self.held))
        self.held[made.id] = Release(body=made, digest=digest_of(made), signature="s")
        return self.held[made.id]

    def withdraw(self, name: str) -> None:
        withdrawal = Withdrawal(release=name, state=ReleaseState.WITHDRAWN, reason="counted twice")
        self.held[name] = self.held[name].model_copy(update={"withdrawal": withdrawal})

    def forecast(self, name: str) -> PublishedForecast:
        found = next((each for each in self.published if each.id == name), None)
        if found is None:
            raise self.no_forecast
        return PublishedForecast(forecast=found, digest=digest_of(found), agency=self.owners.get(name, "oja"))

    def publish_forecast(self, forecast: Forecast) -> PublishedForecast:
        """A name that was used for something else is refused, as the gateway does."""
        known = next((each for each in self.published if each.id == forecast.id), None)
        if known is not None and digest_of(known) != digest_of(forecast):
            raise InvalidInput("request-id-reused")
        if known is None:
            self.published.append(forecast)
        return self.forecast(forecast.id)

    def analyses(self) -> tuple[AnalysisSummary, ...]:
        return tuple(summary_of_analysis(each, digest_of(each), "oja", NOW) for each in self.analysed)

    def publish_analysis(self, analysis: Analysis) -> PublishedAnalysis:
        if any(each.id == analysis.id and digest_of(each) != digest_of(analysis) for each in self.analysed):
            raise InvalidInput("request-id-reused")
        self.analysed.append(analysis)
        return PublishedAnalysis(analysis=analysis, digest=digest_of(analysis))

    def asked_months(self, activity: str, revision: int = 0) -> list[tuple[str, ...]]:
        """The months of each request of an activity, as they were sent."""
        return [each.query.period.months() for each in self.submitted if _series(each) == (activity, revision)]


@dataclass
class Desk:
    """A centre that can be restarted; its home and its line stay."""

    path: Path
    line: FakeLine = field(default_factory=FakeLine)
    now: datetime = NOW
    settings: dict[str, object] = field(default_factory=lambda: dict(SETTINGS))
    analyses: tuple[Standing, ...] = ()
    plans: tuple[JudgedPlan, ...] = ()
    checks: tuple[Check, ...] = ()
    engines: list[EngineSettings] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)

    @property
    def home(self) -> CentreHome:
        return CentreHome(self.path)

    def centre(self) -> Centre:
        """A fresh process."""
        settings = CentreSettings.model_validate({"home": self.path, **self.settings})
        asked = (settings, self.home, self.line, lambda: self.now, self.analyses, lambda: self.plans)
        return Centre(*asked, ahead=self._ahead, judge=self._judge)

    def _judge(self, _: Sequence[ReleaseBody]) -> tuple[Check, ...]:
        return self.checks

    def _ahead(  # the signature is that of the function that it stands for
        self, hierarchy: Hierarchy, horizon: int, level: int, settings: EngineSettings, given: Given
    ) -> Outlook:
        self.engines.append(settings)
        self.given.append(given)
        return flat_outlook(hierarchy, horizon, level, settings, given)


def flat_outlook(hierarchy: Hierarchy, horizon: int, level: int, _: EngineSettings, __: Given) -> Outlook:
    """The mean of each finest series for ever: the engine has tests of its own, and takes its time."""
    leaves, words = hierarchy.levels[-1], factories.text("card")
    flat = [tuple([float(mean)] * horizon) for mean in np.nanmean(leaves.figures, axis=1)]
    return Outlook(
        model="flat",
        level=level,
        months=tuple(str(month) for month in months_after(leaves.months, horizon)),
        dimensions=leaves.dimensions,
        series=tuple(
            ForecastSeries(labels=labels, mean=mean, low=mean, high=mean, usual=mean)
            for labels, mean in zip(leaves.labels(), flat, strict=True)
        ),
        scores=(),
        upper=(),
        card=ModelCard(
            data=words,
            method=words,
            limits=words,
            first=str(leaves.months[0]),
            last=str(leaves.months[-1]),
            models=("flat",),
        ),
    )


def _windows(request: Request) -> set[tuple[str, int, str]]:
    return {(*_series(request), window) for window in request.query.period.windows()}


def _series(request: Request) -> tuple[str, int]:
    assert request.query.series is not None
    return request.activity, request.query.series.revision


def _body(asked: Request, seed: int) -> ReleaseBody:
    query = asked.query
    labels = {**LABELS, "month": query.period.months(), "week": query.period.weeks()}
    cells = Grid(axes=tuple(Axis(name=name, values=labels.get(name, ("A",))) for name in query.dimensions))
    figures = noisy(np.full(cells.size, 30.0), seed)
    contract = factories.contract(id=asked.contracts[0].id)
    promise = body(cells, [0] * cells.size).promises[0].model_copy(update={"contract": contract.reference})
    made = body(cells, [int(each) for each in figures], query.period, promises=(promise,), derived=())
    name = f"rel-{digest_of([asked.id, query.model_dump_json()])[8:32]}"
    return made.model_copy(update={"id": name, "activity": asked.activity, "query": query, "request_id": asked.id})


def _summary(release: Release) -> ReleaseSummary:
    body = release.body
    return ReleaseSummary(
        id=body.id,
        digest=release.digest,
        requester=body.requester,
        agreement=body.agreement,
        activity=body.activity,
        purpose=body.purpose,
        public=body.public,
        contracts=tuple(each.contract for each in body.promises),
        query=body.query,
        cells=body.grid.size,
        charges=body.charges,
        created=body.created,
        state=release.withdrawal.state if release.withdrawal else ReleaseState.VALID,
    )

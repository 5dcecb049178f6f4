"""Analyses and forecasts out of a release, so that a test names only what it is about."""

from contracts.analysis import Analysis, AnalysisKind, Column, Report, Statement, Table
from contracts.canonical import canonical_bytes
from contracts.forecast import Citation, Forecast, ForecastSeries, ModelCard
from contracts.release import Release, ReleaseState, Withdrawal
from contracts.request import Request
from contracts.signing import sign_compact
from contracts.values import Value
from gateway import publishing_analyses, publishing_forecasts
from tests import factories
from tests.factories import NOW
from tests.gateway_world import World

CARD = ModelCard(
    data=factories.text("reported cases, protected"),
    method=factories.text("a count beside the usual one"),
    limits=factories.text("reported cases only"),
    first="2025-10",
    last="2025-12",
    models=("control limits",),
)
TABLE = Table(
    name="provinces",
    title=factories.text("Provinces above expectation"),
    columns=(
        Column(name="province", title=factories.text("province")),
        Column(name="excess", title=factories.text("excess"), unit="cases"),
        Column(name="sure", title=factories.text("sure")),
        Column(name="note", title=factories.text("note")),
    ),
    rows=(("10", 12.5, True, "=1+1"), ("50", -3, False, None)),
)


def released(world: World, asked: Request | None = None, /, **changes: object) -> Release:
    """The release of a question that was asked and answered."""
    request = asked or factories.request(**changes)
    world.submit(request)
    world.answer()
    world.later()
    name = str(world.exchange.status(world.caller(), request.id).release)
    return world.exchange.release(world.caller(), name)


def cites(release: Release) -> Citation:
    """A release as it is cited."""
    return Citation(release=release.body.id, digest=release.digest)


def report(**changes: object) -> Report:
    """A small report of warnings; every field can be overridden."""
    fields: dict[str, object] = {
        "kind": AnalysisKind.WARNINGS,
        "title": factories.text("Warnings"),
        "statements": (Statement(text=factories.text("More than usual"), flags=("below-noise",)),),
        "tables": (TABLE,),
        "card": CARD,
    }
    return Report.model_validate(fields | changes)


def analysis_from(*cited: Citation, name: str = "analysis-0001", **changes: object) -> Analysis:
    """An analysis that cites releases; the changes are those of its report."""
    return Analysis(id=name, report=report(**changes), citations=cited, created=NOW)


def forecast_of(*cited: Citation, name: str = "forecast-0001", **changes: object) -> Forecast:
    """A small forecast that cites releases."""
    series = ForecastSeries(labels={"province": "10"}, mean=(1.0,), low=(0.0,), high=(2.0,), usual=(1.0,))
    fields: dict[str, object] = {
        "id": name,
        "title": factories.text("forecast"),
        "model": "AutoETS",
        "level": 80,
        "months": ("2026-01",),
        "dimensions": ("province",),
        "series": (series,),
        "scores": (),
        "citations": cited,
        "limits": factories.text("limits"),
        "created": NOW,
    }
    return Forecast.model_validate(fields | changes)


def signed(world: World, value: Value, kind: str, kid: str = "oja#client-1") -> str:
    """A value under a client's key."""
    return sign_compact(canonical_bytes(value), kind, world.keys[kid])


def publish_forecast(world: World, forecast: Forecast) -> None:
    """Publish a forecast as the centre."""
    publishing_forecasts.publish(world.exchange.means, world.caller(), signed(world, forecast, "forecast"))


def publish_analysis(world: World, analysis: Analysis) -> None:
    """Publish an analysis as the centre."""
    publishing_analyses.publish(world.exchange.means, world.caller(), signed(world, analysis, "analysis"))


def withdraw(world: World, release: Release, reason: str = "wrong code list") -> None:
    """Say that a release is no longer to be relied on."""
    gone = Withdrawal(release=release.body.id, state=ReleaseState.WITHDRAWN, reason=reason)
    world.exchange.withdraw(world.caller(), gone)

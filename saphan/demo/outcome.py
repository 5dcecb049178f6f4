"""What the demonstration reports: one object, every figure read back from the running federation and verified."""

from contracts.values import Value
from gateway.audit_calls import audit_verify
from gateway.centre.round import Round
from gateway.client import Gateway
from privacy.mechanisms import NANO


class MeasureOutcome(Value):
    """The error of one measure in each cell, in ``unit``."""

    unit: str
    sigma: float
    expected_error_95: float


class ReleaseOutcome(Value):
    """One release: ``rho`` in each window that it paid for, ``epsilon`` over all; errors are of the first measure."""

    id: str
    contracts: tuple[str, ...]
    cells: int
    rho: float
    epsilon: float
    delta: float
    sigma: float
    expected_error_95: float
    measures: dict[str, MeasureOutcome]


class ForecastOutcome(Value):
    """How many series were forecast, how many months ahead."""

    series: int
    horizon: int


class AuditOutcome(Value):
    """How many entries the log has, and whether all of them were verified."""

    size: int
    verified: bool


class Seconds(Value):
    """Wall time of the three stages."""

    setup: float
    exchange: float
    forecast: float


class Outcome(Value):
    """The main job, done once."""

    agencies: int
    contracts: int
    agreements: int
    releases: tuple[ReleaseOutcome, ...]
    forecast: ForecastOutcome
    audit: AuditOutcome
    seconds: Seconds


def outcome_of(visitor: Gateway, done: Round, agencies: int, seconds: Seconds) -> Outcome:
    """Read the result back as any visitor could, checking signatures, receipts and the whole log.

    Raises:
        IntegrityError: A release or the log is not what was signed.
    """
    releases = tuple(_release(visitor, name) for name in _names(done))
    forecast = visitor.latest_forecast().forecast
    size = audit_verify(visitor)
    return Outcome(
        agencies=agencies,
        contracts=len(visitor.contracts()),
        agreements=len({visitor.public_release(name).release.body.agreement for name in _names(done)}),
        releases=releases,
        forecast=ForecastOutcome(series=len(forecast.series), horizon=len(forecast.months)),
        audit=AuditOutcome(size=size, verified=True),
        seconds=seconds,
    )


def _names(done: Round) -> tuple[str, ...]:
    return tuple(name for names in done.releases.values() for name in names)


def _release(visitor: Gateway, name: str) -> ReleaseOutcome:
    body = visitor.public_release(name).release.body
    return ReleaseOutcome(
        id=body.id,
        contracts=tuple(promise.contract.id for promise in body.promises),
        cells=body.grid.size,
        rho=max((charge.nano_rho for charge in body.charges), default=0) / NANO,
        epsilon=body.epsilon,
        delta=float(body.delta),
        sigma=body.released[0].sigma,
        expected_error_95=body.released[0].expected_error_95,
        measures={
            each.measure: MeasureOutcome(unit=each.unit, sigma=each.sigma, expected_error_95=each.expected_error_95)
            for each in body.released
        },
    )

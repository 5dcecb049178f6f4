"""Forecasts read a family's unbiased estimates, never its whole numbers, each series with its own noise."""

import math

import numpy as np
import pytest

from contracts.errors import InvalidInput
from contracts.query import Query
from contracts.release import ReleaseBody, ReleasedTable
from forecasting.clock.day import hour_profiles
from forecasting.panel import panel_of, panel_of_family
from tests import factories
from tests.family_world import family, family_body
from tests.forecast_panels import body as plain_body
from tests.forecast_panels import grid

pytestmark = pytest.mark.unit

AXES = ("month", "province")
TABLES = ((), ("month",), ("month", "police_region"), AXES)


def asked() -> Query:
    period = factories.period("2025-08-01", "2026-01-01")
    return factories.query(dimensions=AXES, period=period, family=family(TABLES))


def table(body: ReleaseBody, *by: str) -> ReleasedTable:
    return next(each for each in body.tables if each.by == tuple(sorted(by)))


def test_a_panel_has_the_estimates_with_the_noise_of_each_series() -> None:
    body = family_body(asked(), level=0)
    leaf = table(body, *AXES)

    panel = panel_of(body)

    assert panel.figures.tolist() == np.asarray(leaf.estimates).reshape(5, 5).T.tolist()
    assert panel.figures.min() < 0 <= min(leaf.integers)
    assert panel.noise[:, 0].tolist() == pytest.approx((np.asarray(leaf.sigmas).reshape(5, 5) ** 2).mean(axis=0))
    assert panel.noise_variance == panel.noise.max() < leaf.sigma**2
    # Two provinces share a police region, which tells something of each; three are alone in theirs.
    assert len({round(each, 6) for each in panel.variances}) == 2


def test_a_coarser_table_has_a_panel_of_its_own() -> None:
    body = family_body(asked())

    panel = panel_of_family(body, "count", ("police_region", "month"))

    assert panel.dimensions == ("police_region",)
    assert panel.figures.T.ravel().tolist() == list(table(body, "month", "police_region").estimates)


def test_all_in_one_is_a_series_too() -> None:
    body = family_body(asked())

    assert panel_of_family(body, "count", ["month"]).figures.shape == (1, 5)


@pytest.mark.parametrize(("measure", "by"), [("count", ["month", "hour"]), ("damage_thb:sum", list(AXES))])
def test_a_table_that_is_not_there_is_no_series(measure: str, by: list[str]) -> None:
    with pytest.raises(InvalidInput, match="release-not-a-series"):
        panel_of_family(family_body(asked()), measure, by)


def clock_body(*, with_hours: bool) -> ReleaseBody:
    """Ten cases in every hour of two groups: estimates that differ from what was measured."""
    cells = grid(hour=tuple(f"{hour:02d}" for hour in range(24)), offence_group=("G1", "G2"))
    by_hour = grid(hour=cells.axes[0].values)

    def of(figure: float, sigma: float, by: tuple[str, ...]) -> ReleasedTable:
        at = cells if len(by) == 2 else by_hour
        size = at.size
        return ReleasedTable(
            measure="count",
            unit="case",
            by=by,
            grid=at,
            measured=(99,) * size,
            sigma=9,
            estimates=(figure,) * size,
            sigmas=(sigma,) * size,
        )

    tables = (of(10.0, 2.0, ("hour", "offence_group")), of(20.0, 1.0, ("hour",)))
    period = factories.period()
    return plain_body(cells, [99] * 48, period, tables=tables if with_hours else tables[:1])


def test_the_clock_reads_the_estimates_and_the_noise_of_the_table_by_hour() -> None:
    joint, alone = (hour_profiles(clock_body(with_hours=each))[()] for each in (True, False))

    assert joint.pace is not None
    assert alone.pace is not None
    assert joint.pace.seconds == alone.pace.seconds == 92 * 86_400 / 480
    ratio = (480 / joint.pace.seconds * joint.pace.high - 480) / (480 / alone.pace.seconds * alone.pace.high - 480)
    assert ratio < 1 / math.sqrt(4)


def test_each_group_of_the_clock_has_its_estimates() -> None:
    group = hour_profiles(clock_body(with_hours=True))["G1",]

    assert group.pace is not None
    assert group.pace.seconds == 92 * 86_400 / 240

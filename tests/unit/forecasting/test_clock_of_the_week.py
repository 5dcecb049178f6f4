"""The clock of the week: planted hours are found by region and group, intervals hold as often as they say."""

import numpy as np
import pytest

from contracts.errors import InvalidInput
from forecasting.clock.report import report_of
from forecasting.clock.risk import Cells, Risk, crossed_shape, flat_shape, relative_risk
from forecasting.clock.week import Clock, clocks_of
from forecasting.panel import Floats
from tests.clock_releases import CASES, CRIMES, EVENING, REGIONS, YEAR, clock_release, truth
from tests.made_releases import made_release

pytestmark = pytest.mark.unit

HOURS_A_WEEK = 168
RUNS = 60


@pytest.fixture(scope="module")
def clocks() -> tuple[Clock, ...]:
    found = clocks_of([clock_release()])
    return (*found.nation, *found.regions)


def test_there_is_a_clock_for_the_country_and_every_region_and_group_of_victims(clocks: tuple[Clock, ...]) -> None:
    assert len(clocks) == 3 + 3 * len(REGIONS)
    assert {len(each.cells) for each in clocks} == {HOURS_A_WEEK}
    assert {each.group for each in clocks} == {"G1", "G2", "G3"}


def test_the_planted_hours_are_found_and_no_others(clocks: tuple[Clock, ...]) -> None:
    nation = clocks[0]
    marked = {cell for cell, above in zip(nation.cells, nation.risk.above, strict=True) if above}
    planted = {(day, f"{hour:02}") for day in ("fri", "sat") for hour in EVENING}

    assert marked == planted


def test_a_regions_clock_is_nearer_to_the_truth_than_its_noisy_cells_are(clocks: tuple[Clock, ...]) -> None:
    expected = truth()[1, 0].ravel()
    exact = HOURS_A_WEEK * expected / expected.sum()
    found = next(each for each in clocks if (each.region, each.group) == (REGIONS[1], "G1"))
    body = clock_release()
    cells = np.array(body.released[0].cells, dtype=np.float64).reshape(len(REGIONS), 4, HOURS_A_WEEK)[1, 0]
    raw = HOURS_A_WEEK * cells / cells.sum()

    assert np.abs(found.risk.risk - exact).mean() < 0.4 * np.abs(raw - exact).mean()


def test_the_pace_is_the_length_of_the_period_over_the_cases_and_its_error_holds_it(clocks: tuple[Clock, ...]) -> None:
    pace = clocks[0].pace

    assert pace is not None
    assert pace.low < 365 * 86_400 / CASES["G1"] * 1.03
    assert pace.high > 365 * 86_400 / CASES["G1"] * 0.97
    assert clocks[0].cases == pytest.approx(CASES["G1"], rel=0.05)


def made(draw: np.random.Generator, cases: float, sigma: float, tau: float) -> tuple[Cells, Cells, Floats, Floats]:
    """A region's and the nation's noisy cells, and the true risks of both; regions differ by ``tau``."""
    day = 1 + 0.3 * np.cos(2 * np.pi * (np.arange(24) - 20) / 24)
    week = np.outer([0.9, 0.9, 0.9, 0.95, 1.0, 1.2, 1.15], day) * np.exp(draw.normal(0, 0.1, (7, 24)))
    shares = week.ravel() * np.exp(draw.normal(0, tau, (10, HOURS_A_WEEK)))
    shares /= shares.sum(axis=1, keepdims=True)
    counts = draw.poisson(cases * shares) + draw.normal(0, sigma, shares.shape)
    hours = np.full(HOURS_A_WEEK, 52.0)
    region = Cells(counts[0], np.full(HOURS_A_WEEK, sigma**2), hours)
    nation = Cells(counts.sum(axis=0), np.full(HOURS_A_WEEK, 10 * sigma**2), hours)
    return region, nation, shares[0] * HOURS_A_WEEK, shares.mean(axis=0) * HOURS_A_WEEK


def held(risk: Risk, exact: Floats) -> float:
    return float(((risk.low <= exact) & (exact <= risk.high)).mean())


@pytest.mark.parametrize(("cases", "sigma", "tau"), [(2000, 3.0, 0.1), (6000, 8.0, 0.2), (600, 10.0, 0.1)])
def test_intervals_hold_the_truth_as_often_as_they_say_and_hardly_an_hour_is_marked_wrongly(
    cases: float, sigma: float, tau: float
) -> None:
    draw = np.random.default_rng(8)
    held_by, wrong = [], 0
    for _ in range(RUNS):
        region, nation, of_region, of_nation = made(draw, cases, sigma, tau)
        national = relative_risk(nation, crossed_shape(nation, 7))
        own = relative_risk(region, national.shape)
        held_by.append((held(own, of_region), held(national, of_nation)))
        wrong += bool((own.above & (of_region <= 1)).any()) + bool((national.above & (of_nation <= 1)).any())

    for rate in np.mean(held_by, axis=0):
        assert 0.92 < rate <= 1.0
    assert wrong <= 0.05 * 2 * RUNS


def test_where_noise_hides_every_case_the_intervals_say_nothing() -> None:
    hours = np.full(24, 365.0)
    found = relative_risk(Cells(np.full(24, -1.0), np.full(24, 400.0), hours), flat_shape(hours))

    assert found.risk == pytest.approx(np.ones(24))
    assert not found.above.any()
    assert found.low.max() == 0.0
    assert found.high == pytest.approx(np.full(24, 24.0))


def test_a_weekday_that_comes_more_often_is_no_riskier_for_it() -> None:
    hours = np.array([53.0, 52.0])
    found = relative_risk(Cells(1000 * hours, np.zeros(2), hours), flat_shape(hours))

    assert found.risk == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("dimensions", "hours", "regions"),
    [
        (("offence_group", "hour"), 24, 0),
        (("offence_group", "weekday", "hour"), HOURS_A_WEEK, 0),
        (("police_region", "offence_group", "hour"), 24, 30),
    ],
)
def test_the_clock_is_as_fine_as_what_was_released(dimensions: tuple[str, ...], hours: int, regions: int) -> None:
    found = clocks_of([clock_release(dimensions=dimensions)])

    assert {len(each.cells) for each in (*found.nation, *found.regions)} == {hours}
    assert len(found.regions) == regions


def test_a_national_clock_by_weekday_guides_regions_that_are_told_by_hour_alone() -> None:
    bodies = [
        clock_release(dimensions=("offence_group", "weekday", "hour")),
        clock_release(dimensions=("police_region", "offence_group", "hour")),
    ]

    found = clocks_of(bodies)

    assert (len(found.nation[0].cells), len(found.regions[0].cells)) == (HOURS_A_WEEK, 24)
    evening = found.regions[0].risk.risk[list(EVENING)]
    assert evening.min() > 1.1


def test_counts_that_have_arrests_in_them_have_no_clock() -> None:
    with pytest.raises(InvalidInput) as by_group:
        clocks_of([clock_release()], ("G4",))
    with pytest.raises(InvalidInput) as by_sum:
        clocks_of([clock_release(dimensions=("weekday", "hour"))])

    assert by_group.value.code == "enforcement-is-not-risk"
    assert by_sum.value.code == "release-not-a-series"


def test_the_report_tells_hours_and_pace_in_both_languages() -> None:
    report = report_of(clocks_of([clock_release()]))
    said = [each.text for each in report.statements]

    assert any("take most care Friday 18:00 to 22:00, Saturday 18:00 to 22:00" in each.en for each in said)
    assert any("วันศุกร์ 18:00-22:00 น." in each.th for each in said)
    assert any("every 3.6 minutes" in each.en for each in said)
    assert {each.name: len(each.rows) for each in report.tables} == {"pace": 33, "risk": 33 * 168, "sources": 1}
    assert (report.card.first, report.card.last) == (YEAR.months()[0], YEAR.months()[-1])


def test_hours_that_are_the_same_every_day_are_told_once() -> None:
    found = clocks_of([clock_release(nano_rho=10**13)])

    said = " ".join(each.text.en for each in report_of(found).statements)
    assert "every day 12:00 to 18:00" in said


def test_a_country_without_cases_has_a_clock_that_says_so() -> None:
    body = clock_release(dimensions=("offence_group", "hour"))
    empty = made_release(CRIMES, body.query, {"count": [0] * body.grid.size}, 1_000_000)

    report = report_of(clocks_of([empty]))

    flags = {flag for each in report.statements for flag in each.flags}
    assert flags <= {"below-noise"}
    assert any("no hour can be told" in each.text.en for each in report.statements)

"""New Year and Songkran: what is compared, what is found by months and by weeks, and how well the method does."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from contracts.analysis import AnalysisKind, Report
from contracts.canonical import digest_of
from contracts.errors import InvalidInput
from contracts.periods import Period
from contracts.query import Query
from contracts.release import Release, ReleaseBody
from forecasting.interventions.areas import Counted
from forecasting.interventions.holiday_checks import check_holiday
from forecasting.interventions.holidays import (
    NEW_YEAR,
    SONGKRAN,
    Timeline,
    block_of,
    festive,
    holiday_blocks,
    holiday_effect,
    month_effects,
    pooled,
    times_of,
)
from forecasting.interventions.holidays_report import evaluate_holidays, timeline_of
from forecasting.panel import Floats
from saphan import forecast_commands
from tests import factories
from tests.intervention_world import GROUPS, counts, released
from tests.made_releases import bundled, made_release

pytestmark = pytest.mark.unit

YEARS = 5
PERIOD = factories.period("2018-10-01", "2023-10-01")
APRIL = [month for month in range(60) if month % 12 == 6]
"""Columns of April, from October on."""


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def monthly(figures: Floats, noise: float = 0.0) -> Timeline:
    months = [date(2018 + (9 + number) // 12, (9 + number) % 12 + 1, 1) for number in range(figures.shape[1])]
    days = [((first + timedelta(days=31)).replace(day=1) - first).days for first in months]
    names = tuple(f"A{number:02d}" for number in range(len(figures)))
    return Timeline(names, figures, np.full(len(figures), noise), tuple(months), np.array(days, float), "month")


def weekly(figures: Floats, first: date = date(2018, 10, 1)) -> Timeline:
    starts = tuple(first + timedelta(weeks=number) for number in range(figures.shape[1]))
    names = tuple(f"A{number:02d}" for number in range(len(figures)))
    return Timeline(names, figures, np.zeros(len(figures)), starts, np.full(len(starts), 7.0), "week")


def daily_rate(areas: int = 30, per_day: float = 5.0, seed: int = 1) -> Floats:
    """Rates of months of 30 days or so; the shocks of a month move every area alike."""
    rng = generator(seed)
    days = monthly(np.zeros((1, 60))).days
    level = per_day * np.exp(0.5 * rng.standard_normal((areas, 1)))
    return level * days * np.exp(0.03 * rng.standard_normal(60))


def festival(rate: Floats, share: float) -> Floats:
    made = rate.copy()
    made[:, APRIL] *= 1.0 + share
    return made


def test_a_month_is_compared_a_day_with_the_free_months_around_it() -> None:
    line = monthly(monthly(np.zeros((2, 60))).days * np.array([[3.0], [7.0]]))
    [(_, first), *_] = holiday_blocks(line, SONGKRAN)
    times = times_of(line, [first])

    # April 2019 against February, March, May and June.
    assert (first.before, first.held, first.after) == ((4, 5), (6,), (7, 8))
    assert times.expected[0] == pytest.approx([90.0, 210.0])
    assert times.ratios[0] == pytest.approx([0.0, 0.0], abs=0.01)


def test_new_year_lies_in_two_months() -> None:
    blocks = dict(holiday_blocks(monthly(daily_rate()), NEW_YEAR))

    # December 2018 and January 2019; November and October before, February and March after.
    assert blocks[date(2018, 12, 29)].held == (2, 3)
    assert blocks[date(2018, 12, 29)].before == (0, 1)
    assert len(blocks) == YEARS


def test_a_month_beside_a_holiday_passes_it_over() -> None:
    line = monthly(daily_rate())
    block = block_of(line, (17,))

    # March 2020: January and December hold New Year, so February and November; then May, for April holds Songkran.
    assert block is not None
    assert block.before == (13, 16)
    assert block.after == (19, 20)
    assert festive(line)[[14, 15, 18]].all()


@pytest.mark.parametrize("share", [0.0, 0.3, -0.2])
def test_a_planted_holiday_is_found_and_where_there_is_none_none_is(share: float) -> None:
    found = holiday_effect(monthly(counts(generator(2), festival(daily_rate(), share))), SONGKRAN)

    assert found.effect.low < share < found.effect.high
    assert found.effect.told is (share != 0.0)
    assert len(found.times) == YEARS


def test_an_area_that_celebrates_more_stands_out() -> None:
    rate = festival(daily_rate(per_day=20.0), 0.2)
    rate[4, APRIL] *= 1.5
    found = holiday_effect(monthly(counts(generator(3), rate)), SONGKRAN)
    place = {each.area: each for each in found.places}

    assert place["A04"].low > 0.1
    assert place["A04"].share == pytest.approx(0.8, abs=0.3)
    assert sum(each.low > 0 or each.high < 0 for each in found.places) <= 4


def test_the_years_differences_are_the_error_not_the_number_of_areas() -> None:
    rng = generator(4)
    rate = daily_rate(70)
    rate[:, APRIL] *= np.exp(0.25 * rng.standard_normal(YEARS))
    found = holiday_effect(monthly(counts(rng, rate)), SONGKRAN)

    assert found.effect.high - found.effect.low > 0.25


def test_one_series_alone_is_enough() -> None:
    found = holiday_effect(monthly(counts(generator(5), festival(daily_rate(1, 50.0), 0.4))), SONGKRAN)

    assert found.effect.low > 0.0
    assert found.places == ()


def test_areas_that_noise_drowns_are_left_out_and_named() -> None:
    rate = daily_rate(12)
    rate[0] = 0.1
    found = holiday_effect(monthly(counts(generator(6), rate)), SONGKRAN)

    assert found.left_out == ("A00",)
    assert found.effect.areas == 11


def test_with_nothing_to_tell_it_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        holiday_effect(monthly(np.full((5, 60), 0.2)), SONGKRAN)

    assert caught.value.code == "treated-too-small"


def test_two_years_are_too_few() -> None:
    with pytest.raises(InvalidInput) as caught:
        holiday_blocks(monthly(daily_rate()[:, :24]), SONGKRAN)

    assert caught.value.code == "plan-unusable"


def test_a_spread_needs_two_times() -> None:
    line = monthly(daily_rate())
    [(_, first), *_] = holiday_blocks(line, SONGKRAN)
    times = times_of(line, [first])
    with pytest.raises(ValueError, match="two blocks"):
        pooled(type(times)(times.observed[None], times.expected[None], times.variance[None], times.noise[None]))


def test_every_month_is_shown_beside_the_holiday() -> None:
    found = dict(month_effects(monthly(counts(generator(7), festival(daily_rate(), 0.5)))))

    assert sorted(found) == list(range(1, 13))
    assert max(found, key=lambda month: found[month].share) == 4


def test_weeks_tell_the_holiday_sooner_than_months() -> None:
    rng = generator(8)
    rate = np.full((20, 260), 40.0)
    line = weekly(rate)
    rate[:, [held for _, block in holiday_blocks(line, SONGKRAN) for held in block.held]] *= 1.4
    found = holiday_effect(weekly(counts(rng, rate)), SONGKRAN)

    # The seven days lie in one or two weeks.
    assert {len(block.held) for _, block in holiday_blocks(line, SONGKRAN)} <= {1, 2}
    assert found.effect.low < 0.4 < found.effect.high
    assert found.effect.low > 0.2


def test_stretches_without_a_holiday_seldom_look_like_one() -> None:
    line = monthly(counts(generator(9), festival(daily_rate(), 0.3)))
    found = check_holiday(line, SONGKRAN, generator(1), 400)
    null, small, large = found.effect

    assert null.noticed <= 0.09
    assert min(each.covered for each in found.effect) >= 0.91
    assert null.noticed <= small.noticed < large.noticed
    assert large.noticed > 0.5
    assert found.place[0].noticed <= 0.09
    assert found.place[2].noticed > found.place[0].noticed
    assert check_holiday(line, SONGKRAN, generator(1), 400) == found


def test_where_no_stretch_has_cases_there_are_effects_but_no_checks() -> None:
    rate = daily_rate()
    # Cases from February to June alone: enough around Songkran, nothing to pretend a holiday in.
    rate[:, [month for month in range(60) if month % 12 not in range(4, 9)]] = 0.0
    line = monthly(counts(generator(10), rate))
    found = check_holiday(line, SONGKRAN, generator(), 100)

    assert holiday_effect(line, SONGKRAN).effect.areas > 20
    assert found.runs == 0
    assert found.effect == ()


# ---------------------------------------------------------------- from releases


def table(report: Report, name: str) -> list[dict[str, object]]:
    found = next(each for each in report.tables if each.name == name)
    return [dict(zip([column.name for column in found.columns], row, strict=True)) for row in found.rows]


def flags(report: Report) -> set[str]:
    return {flag for statement in report.statements for flag in statement.flags}


@pytest.fixture(scope="module")
def body() -> ReleaseBody:
    return released("crimes_case", "police_region", counts(generator(11), festival(daily_rate(10, 60.0), 0.3)), PERIOD)


@pytest.fixture(scope="module")
def report(body: ReleaseBody) -> Report:
    return evaluate_holidays([body], generator(), area="police_region", runs=200)


def test_a_planted_songkran_is_told_from_releases_with_its_checks(report: Report) -> None:
    found = {row["holiday"]: row for row in table(report, "holidays")}

    assert report.kind is AnalysisKind.HOLIDAYS
    assert float(str(found[SONGKRAN]["low"])) > 15.0
    assert float(str(found[NEW_YEAR]["low"])) < 0.0 < float(str(found[NEW_YEAR]["high"]))
    assert {row["holiday"] for row in table(report, "checks")} == {NEW_YEAR, SONGKRAN}
    assert len(table(report, "months")) == 12
    assert {row["area"] for row in table(report, "places")} >= {"BMB", "P9"}
    assert "holiday-not-season" in flags(report)
    assert "cases a day in the months that hold the holiday" in report.statements[0].text.en


def weeks_release(figures: Floats, period: Period) -> ReleaseBody:
    asked = Query.model_validate(
        {
            "measures": ("count",),
            "dimensions": ("week", "police_region", "offence_group"),
            "where": {"offence_group": GROUPS},
            "period": period,
        }
    )
    cells = np.repeat(figures.T[..., None] / 3, 3, axis=2).round().astype(int)
    return made_release(bundled("crimes_case"), asked, {"count": cells.ravel().tolist()}, 20_000_000_000)


def test_weeks_are_read_where_there_are_any_and_cut_ones_left_out() -> None:
    period = factories.period("2018-10-01", "2021-10-01")
    made = weeks_release(np.full((10, len(period.weeks())), 300.0), period)
    found, releases = timeline_of([made], Counted(), "police_region")

    assert found.grain == "week"
    assert found.figures.shape == (10, len(period.weeks()) - 2)
    assert found.starts[1] - found.starts[0] == timedelta(days=7)
    assert len(releases) == 1
    told = evaluate_holidays([made], generator(), area="police_region", runs=100)
    assert "holiday-not-season" not in flags(told)
    assert {row["period"] for row in table(told, "holidays")} == {"week"}


def test_a_missing_period_is_refused() -> None:
    first, last = (factories.period(start, f"{int(start[:4]) + 2}-10-01") for start in ("2016-10-01", "2020-10-01"))
    rate = daily_rate(10)[:, :24]
    bodies = [released("crimes_case", "police_region", rate, each) for each in (first, last)]
    with pytest.raises(InvalidInput) as caught:
        timeline_of(bodies, Counted(), "police_region")

    assert caught.value.code == "release-not-a-series"


def test_series_that_no_simulation_can_check_are_flagged() -> None:
    rate = daily_rate(10, 60.0)
    # Silent from June to November: a holiday that is pretended in August has nothing around it.
    rate[:, [month for month in range(60) if month % 12 in (8, 9, 10, 11, 0, 1)]] = 0.0
    told = evaluate_holidays(
        [released("crimes_case", "police_region", rate, PERIOD)], generator(), area="police_region"
    )

    assert "not-simulated" in flags(told)


def test_probation_cases_are_told_as_what_an_agency_did() -> None:
    asked = Query.model_validate({"measures": ("count",), "dimensions": ("month", "police_region"), "period": PERIOD})
    figures = counts(generator(12), festival(daily_rate(10, 60.0), 0.5))
    exact = {"count": figures.T.astype(int).ravel().tolist()}
    made = made_release(bundled("dop_case"), asked, exact, 20_000_000_000)
    told = evaluate_holidays([made], generator(), Counted("dop_case", {}), "police_region", runs=100)

    assert "enforcement" in flags(told)


def test_reported_crime_with_arrests_among_it_is_refused(body: ReleaseBody) -> None:
    with pytest.raises(InvalidInput) as caught:
        evaluate_holidays([body], generator(), Counted("crimes_case", {}))

    assert caught.value.code == "enforcement-is-not-risk"


def test_the_command_shows_the_holidays(tmp_path: Path, body: ReleaseBody) -> None:
    path = tmp_path / "release.json"
    path.write_text(Release(body=body, digest=digest_of(body), signature="s").model_dump_json(by_alias=True))
    result = CliRunner().invoke(
        forecast_commands.app,
        ["evaluate", str(path), "--holidays", "--area", "police_region", "--runs", "100", "--csv", "months"],
    )

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("month,effect,low,high,areas")

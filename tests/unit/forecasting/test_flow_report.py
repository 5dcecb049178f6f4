from datetime import date

import numpy as np
import pytest

from contracts.analysis import AnalysisKind, Figure, Report, Table
from contracts.errors import InvalidInput, Refused
from contracts.release import ReleaseBody
from forecasting.flags import meaning_of
from forecasting.flow.cohorts import month_of, number_of, snapshots
from forecasting.flow.inflow import entries_of
from forecasting.flow.outlook import Outlook, Part, month_ends, outlook, quarter_ends
from forecasting.flow.report import flow_report, quarter_of
from forecasting.flow.stages import stages
from tests import factories
from tests.justice_world import FIRM, Lives, by_state, lives, release_of, with_cells

pytestmark = pytest.mark.unit

ORDERS = {"IND": 0.93, "NON": 0.03, "SETTLE": 0.03, "ABATE": 0.01}
SPAN, DAY = ("2021-10-01", "2025-10-01"), "2025-10-10"
FILES = Part(stages()["oag_case"])


@pytest.fixture(scope="module")
def world() -> Lives:
    """Files of 600 accused a month, who wait four months on average; four years behind and one ahead."""
    return lives(np.random.default_rng(21), "2021-10", 60, 600.0, 4.0, ORDERS)


@pytest.fixture(scope="module")
def files(world: Lives) -> ReleaseBody:
    """What was released of them in October 2025."""
    return by_state("oag_case", world, SPAN, DAY)


def table(report: Report, name: str) -> Table:
    """One table of a report."""
    return next(each for each in report.tables if each.name == name)


def rows(given: Table) -> list[dict[str, Figure]]:
    """Its rows by column."""
    return [dict(zip([column.name for column in given.columns], row, strict=True)) for row in given.rows]


def told(bodies: list[ReleaseBody], instants: tuple[float, ...] = (float(number_of("2026-01")),)) -> Outlook:
    """The outlook of the prosecutors' files."""
    seen = snapshots(bodies, FILES.stage, {}, None)
    entries = entries_of(bodies, "oag_case", "", instants[-1], 90)
    return outlook(FILES, seen, entries.get("all"), instants, 90, np.random.default_rng(1))


def test_the_backlog_of_four_quarters_holds_what_comes(world: Lives, files: ReleaseBody) -> None:
    report = flow_report([files], np.random.default_rng(1), 99)

    backlog = rows(table(report, "backlog"))
    assert [row["quarter"] for row in backlog] == ["", "FY2569Q1", "FY2569Q2", "FY2569Q3", "FY2569Q4"]
    for row, month in zip(backlog[1:], ("2026-01", "2026-04", "2026-07", "2026-10"), strict=True):
        open_then = world.open_at(float(number_of(month)))
        assert isinstance(row["low"], float)
        assert isinstance(row["high"], float)
        # The noise is real, so that one of a hundred intervals misses; none misses by its own width.
        width = row["high"] - row["low"]
        assert row["low"] - width <= open_then <= row["high"] + width
        assert width < 0.3 * open_then


def test_how_long_files_wait_is_found(files: ReleaseBody) -> None:
    report = flow_report([files], np.random.default_rng(1))

    shares = {row["age"]: row["share"] for row in rows(table(report, "open_share"))}
    assert shares[3] == pytest.approx(100 * np.exp(-3 / 4), abs=12)
    assert shares[12] == pytest.approx(100 * np.exp(-12 / 4), abs=6)


def test_a_report_says_what_is_counted_in_which_unit_and_what_open_means(files: ReleaseBody) -> None:
    report = flow_report([files], np.random.default_rng(1))

    assert report.kind is AnalysisKind.FLOW
    assert rows(table(report, "stages"))[0]["unit_en"] == "accused in files"
    said = " ".join(each.text.en for each in report.statements)
    assert "without the prosecutor's order" in said
    assert "never multiply shares" in said
    assert report.card.first == "2021-10"
    assert report.card.last == "2025-09"
    assert all(meaning_of(flag) for each in report.statements for flag in each.flags)


def test_complaints_beside_cases_are_said_never_to_be_added() -> None:
    year = factories.period("2024-10-01", "2025-10-01")
    asked = {"dimensions": ("stage",), "period": year}
    bodies = [release_of(name, asked, lambda cell: 50, DAY) for name in ("tpo_complaint", "crimes_case")]

    report = flow_report(bodies, np.random.default_rng(1))

    assert any("never added" in each.text.en for each in report.statements)
    said = [each for each in report.statements if each.text.en.startswith("Criminal cases under police inquiry: open")]
    assert said[0].flags == ("enforcement",)
    assert "backlog" not in {each.name for each in report.tables}
    assert all(row["stage"] != "all" for row in rows(table(report, "entered")))


def test_the_same_releases_and_seed_give_the_same_report(files: ReleaseBody) -> None:
    assert flow_report([files], np.random.default_rng(1)) == flow_report([files], np.random.default_rng(1))


def test_releases_that_tell_no_state_are_refused() -> None:
    period = factories.period("2024-10-01", "2025-10-01")
    counts = release_of("oag_case", {"dimensions": ("month",), "period": period}, lambda cell: 50, DAY)

    with pytest.raises(InvalidInput) as invalid:
        flow_report([counts], np.random.default_rng(1))
    assert invalid.value.code == "release-not-a-series"


def test_a_data_day_within_the_months_counted_is_refused(files: ReleaseBody) -> None:
    with pytest.raises(Refused) as refused:
        flow_report([files], np.random.default_rng(1), data_as_of=date(2025, 9, 1))
    assert refused.value.code == "data-day-too-early"


def test_less_than_a_year_of_entries_gives_no_backlog_but_says_why(world: Lives) -> None:
    short = by_state("oag_case", world, ("2025-01-01", "2025-10-01"), DAY)

    report = flow_report([short], np.random.default_rng(1))

    assert [row["day"] for row in rows(table(report, "backlog"))] == ["now"]
    flags = {flag for each in report.statements for flag in each.flags}
    assert {"too-few-cohorts", "history-too-short", "entries-unknown"} <= flags
    assert any("no forecast" in each.text.en for each in report.statements)


def test_less_than_two_years_of_entries_give_a_curve_but_no_forecast(world: Lives) -> None:
    found = told([by_state("oag_case", world, ("2024-04-01", "2025-10-01"), DAY)])

    assert found.curve is not None
    assert found.levels == ()
    assert "history-too-short" in found.flags


def test_a_stock_below_zero_is_not_forecast() -> None:
    period = factories.period(*SPAN)
    asked = {"dimensions": ("month", "order"), "period": period}
    body = release_of("oag_case", asked, lambda cell: 0, DAY)

    found = told([with_cells(body, [30, 2, 2, 1, -4] * 48)])

    assert found.now is not None
    assert (found.now.signed, found.now.mean, found.now.low) == (-192, 0.0, 0.0)
    assert found.levels == ()
    assert "stock-below-zero" in found.flags


def test_a_stock_within_its_noise_is_flagged() -> None:
    period = factories.period(*SPAN)
    body = release_of("oag_case", {"dimensions": ("month", "order"), "period": period}, lambda cell: 0, DAY)

    found = told([with_cells(body, [30, 2, 2, 1, 0] * 47 + [30, 2, 2, 1, 9])])

    assert "below-noise" in found.flags
    assert found.levels[0].low >= 0


def monthly(world: Lives, since: str) -> list[ReleaseBody]:
    """A standing series: the years before at once, then each month by itself soon after it closed, never again."""
    numbers = range(number_of(since), number_of("2025-10"))
    spans = [(f"{month_of(each)}-01", f"{month_of(each + 1)}-01") for each in numbers]
    return [by_state("oag_case", world, span, span[1]) for span in spans]


def test_months_told_on_earlier_days_are_brought_forward_and_it_is_flagged(world: Lives) -> None:
    history = by_state("oag_case", world, ("2021-10-01", "2024-10-01"), "2024-10-01")
    now = float(number_of("2025-10"))

    found = told([history, *monthly(world, "2024-10")])

    assert found.now is not None
    width = found.now.high - found.now.low
    assert found.now.low - width <= world.open_at(now) <= found.now.high + width
    assert found.now.mean == pytest.approx(world.open_at(now), rel=0.08)
    assert "aged-forward" in found.flags
    assert len(found.levels) == 1


def test_states_told_soon_after_each_month_alone_say_nothing_of_old_cases(world: Lives) -> None:
    bodies = monthly(world, "2023-04")

    found = told(bodies)
    report = flow_report(bodies, np.random.default_rng(1))

    assert (found.now, found.curve, found.levels) == (None, None, ())
    assert {"too-few-cohorts", "aged-forward"} <= set(found.flags)
    assert rows(table(report, "backlog"))[0]["open"] is None
    assert any("how many are open cannot be told" in each.text.en for each in report.statements)


def test_a_year_whose_months_were_told_on_days_far_apart_is_flagged(world: Lives, files: ReleaseBody) -> None:
    apart = flow_report(monthly(world, "2024-10"), np.random.default_rng(1))
    together = flow_report([files], np.random.default_rng(1))

    assert "different-days" in str(rows(table(apart, "entered"))[-1]["flags"])
    assert "different-days" not in str(rows(table(together, "entered"))[-1]["flags"])


def test_old_cohorts_still_open_make_the_tail_decide_and_it_is_flagged() -> None:
    slow = lives(np.random.default_rng(3), "2021-10", 48, 300.0, 60.0, ORDERS)

    assert "tail-extrapolated" in told([by_state("oag_case", slow, SPAN, DAY)]).flags


def test_a_month_missing_between_releases_is_passed_over_and_flagged(world: Lives) -> None:
    spans = (("2021-10-01", "2024-01-01"), ("2024-02-01", SPAN[1]))

    found = told([by_state("oag_case", world, span, DAY) for span in spans])

    assert found.entries is not None
    assert "month-missing" in found.flags
    assert len(found.levels) == 1


def test_a_month_missing_after_the_newest_state_leaves_no_forecast(world: Lives) -> None:
    state = by_state("oag_case", world, ("2021-10-01", "2025-07-01"), "2025-07-05")
    asked = {"dimensions": ("month",), "period": factories.period("2025-08-01", "2025-10-01")}

    found = told([state, release_of("oag_case", asked, lambda cell: 600, DAY)])

    assert found.levels == ()
    assert "entries-unknown" in found.flags


def test_months_released_as_totals_alone_count_as_entries(world: Lives) -> None:
    state = by_state("oag_case", world, ("2021-10-01", "2025-07-01"), "2025-07-05", FIRM)
    months = np.floor(world.entered)
    later = release_of(
        "oag_case",
        {"dimensions": ("month",), "period": factories.period("2025-07-01", "2025-10-01")},
        lambda cell: int((months == number_of(cell["month"])).sum()),
        DAY,
        FIRM,
    )
    end = float(number_of("2025-10"))

    found = told([state, later], (end,))

    assert found.last == "2025-06"
    assert found.levels[0].mean == pytest.approx(world.open_at(end), rel=0.06)


def test_releases_made_long_after_what_they_count_are_flagged(world: Lives) -> None:
    late = by_state("oag_case", world, SPAN, "2026-06-01")

    assert "releases-old" in told([late], quarter_ends(float(number_of("2026-06")))).flags


def test_a_release_that_is_a_year_older_than_its_months_cannot_be_forecast_beyond_three_years(world: Lives) -> None:
    late = by_state("oag_case", world, SPAN, "2029-06-01")

    found = told([late], quarter_ends(float(number_of("2029-06"))))

    assert found.levels == ()
    assert "entries-unknown" in found.flags


def test_quarters_are_thai_fiscal_quarters_and_follow_the_data() -> None:
    now = number_of("2025-12") + 0.9

    assert quarter_ends(now)[0] == number_of("2026-01")
    assert quarter_ends(float(number_of("2026-01")))[0] == number_of("2026-04")
    assert month_ends(now, 2) == (number_of("2026-01"), number_of("2026-02"))
    assert quarter_of("2025-12") == "FY2569Q1"
    assert quarter_of("2026-09") == "FY2569Q4"


def test_entries_that_are_lost_in_their_noise_have_an_interval_and_a_variance_that_hold_them() -> None:
    true, rng, axis = 3, np.random.default_rng(3), FILES.stage.axis
    asked = {"dimensions": ("month", axis), "period": factories.period(*SPAN)}
    exact = release_of("oag_case", asked, lambda _: true, DAY, 2_000_000)
    noise = np.rint(rng.normal(0.0, exact.released[0].sigma, (6, len(exact.released[0].cells))))
    bodies = [with_cells(exact, [true + int(each) for each in row]) for row in noise]

    ahead = [each.ahead for body in bodies for each in entries_of([body], "oag_case", axis, None, 90).values()]

    known = [each for each in ahead if each is not None]
    assert len(known) == 6 * 5
    assert all(each.high.min() > 0 for each in known)
    assert np.mean([(each.low <= true) & (true <= each.high) for each in known]) >= 0.8
    assert min(float(each.variance.min()) for each in known) >= 1.0

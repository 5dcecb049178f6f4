from collections.abc import Mapping
from datetime import date

import numpy as np
import pytest

from contracts.analysis import AnalysisKind, Figure, Report
from contracts.errors import InvalidInput, Refused
from contracts.grid import grid_of
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.flags import meaning_of
from forecasting.flow.ratios import Count
from forecasting.reoffending.followup import Cohort, cohorts, data_day
from forecasting.reoffending.lifetable import Point, curve
from forecasting.reoffending.report import reoffending_report
from tests import factories
from tests.justice_world import FIRM, at, release_of, with_cells
from tests.made_releases import bundled, made_release

pytestmark = pytest.mark.unit

YEARS = ("2562", "2563", "2564", "2565", "2566")
DAY = "2025-11-01"
REACHED = date(2024, 11, 1)
BANDS = {"R0_12": 150, "R13_24": 102, "R25_36": 60, "R37P": 40, "NONE": 648}
"""Of 1,000 released: 15.0 % within a year, 25.2 % within two, 31.2 % within three."""


def released(
    counts: Mapping[str, int] = BANDS, day: str = DAY, nano_rho: int = 100_000_000, **changes: object
) -> ReleaseBody:
    """Cohorts of five fiscal years, all alike."""
    asked = {
        "dimensions": ("release_fy", "returned_within"),
        "where": {"release_fy": YEARS},
        "period": factories.period("2018-10-01", "2023-10-01"),
        **changes,
    }
    return release_of("doc_release_cohort", asked, lambda cell: 20 * counts[cell["returned_within"]], day, nano_rho)


def months_of(returned: list[int], whole: int, nano_rho: int = FIRM) -> ReleaseBody:
    """The cohort of fiscal year 2562 as a histogram of months, beside how many were released."""
    query = Query.model_validate(
        {
            "measures": ("count", "returned_months:histogram"),
            "dimensions": (),
            "period": factories.period("2018-10-01", "2019-10-01"),
        }
    )
    contract = bundled("doc_release_cohort")
    assert grid_of(query, contract).size == 1
    return made_release(contract, query, {"count": [whole], "returned_months:histogram": returned}, nano_rho, at(DAY))


def report_of(*bodies: ReleaseBody, data_as_of: date | None = None) -> Report:
    """The report of releases."""
    return reoffending_report(bodies, np.random.default_rng(1), data_as_of=data_as_of)


def rows(report: Report, name: str) -> list[dict[str, Figure]]:
    """The rows of one table by column."""
    (table,) = [each for each in report.tables if each.name == name]
    return [dict(zip([column.name for column in table.columns], row, strict=True)) for row in table.rows]


def cohort(name: str, followed: float, returned: list[float], rest: float, variance: float = 1e-6) -> Cohort:
    """A cohort of three bands."""
    cells = np.array([(each, variance) for each in returned])
    return Cohort(name, followed, (12, 24, 36), cells, Count(rest, variance), other_is_all=False)


def points(*given: Cohort) -> tuple[Point, ...]:
    """Their curve."""
    return curve(given, 90, np.random.default_rng(1))


def test_the_planted_shares_are_found_at_one_two_and_three_years() -> None:
    report = report_of(released())

    everybody = [row for row in rows(report, "curve") if row["by"] == "all"]
    assert report.kind is AnalysisKind.REOFFENDING
    assert [row["months"] for row in everybody] == [12, 24, 36]
    for row, share in zip(everybody, (15.0, 25.2, 31.2), strict=True):
        assert row["returned"] == pytest.approx(share, abs=0.4)
        assert isinstance(row["low"], float)
        assert isinstance(row["high"], float)
        assert row["low"] < share < row["high"]
        assert row["not_returned"] == pytest.approx(100 - share, abs=0.4)


def test_the_definition_is_printed_and_told_from_the_share_of_repeaters() -> None:
    said = [each.text for each in report_of(released()).statements]

    assert "imprisoned again" in said[0].en
    assert "not the share of repeaters" in said[0].en
    assert "นิยาม" in said[0].th
    assert "2024-11-01" in said[1].en


def test_a_cohort_that_was_not_followed_long_enough_is_left_out_of_that_band() -> None:
    # Without a guard the unfinished years would pull the curve down: nobody of them had time to return.
    young = {"R0_12": 10, "R13_24": 0, "R25_36": 0, "R37P": 0, "NONE": 990}

    def counts(cell: Mapping[str, str]) -> int:
        return 20 * (young if cell["release_fy"] == "2566" else BANDS)[cell["returned_within"]]

    asked = {"dimensions": ("release_fy", "returned_within"), "where": {"release_fy": YEARS}}
    period = factories.period("2018-10-01", "2023-10-01")
    body = release_of("doc_release_cohort", {**asked, "period": period}, counts, "2025-01-01")

    report = report_of(body)

    assert rows(report, "curve")[0]["returned"] == pytest.approx(15.0, abs=0.4)
    last = [row for row in rows(report, "cohorts") if row["cohort"] == "FY2566"]
    assert [row["returned"] for row in last] == [None] * 3
    assert {row["flags"] for row in last} == {"cohort-incomplete"}


def test_month_twelve_is_over_thirteen_months_after_the_release() -> None:
    almost, whole = cohort("FY2566", 12.9, [150, 0, 0], 850), cohort("FY2566", 13.0, [150, 0, 0], 850)

    assert points(almost)[0].flags == ("cohort-incomplete",)
    assert points(whole)[0].share == pytest.approx(0.15, abs=1e-3)


def test_newer_cohorts_tell_the_first_year_alone_and_it_is_flagged() -> None:
    found = points(cohort("FY2564", 40.0, [100, 90, 81], 729), cohort("FY2566", 14.0, [300, 0, 0], 700))

    assert found[0].share == pytest.approx(0.2)
    assert found[0].cohorts == ("FY2564", "FY2566")
    assert found[0].flags == ()
    assert found[1].share == pytest.approx(1 - 0.8 * 0.9)
    assert found[1].cohorts == ("FY2564",)
    assert found[1].flags == ("cohorts-differ",)


def test_noise_does_not_make_the_curve_fall() -> None:
    found = points(cohort("FY2562", 60.0, [30.0, -12.0, 4.0], 120.0, 64.0))

    shares = [each.share for each in found]
    assert None not in shares
    assert shares == sorted(shares, key=lambda each: each or 0.0)
    for each in found:
        assert each.low is not None
        assert each.high is not None
        assert 0.0 <= each.low <= (each.share or 0.0) <= each.high <= 1.0


def test_a_cohort_within_its_noise_gives_no_share_but_a_flag() -> None:
    for hidden in (cohort("FY2562", 60.0, [3.0, 2.0, 1.0], 4.0, 100.0), cohort("FY2562", 60.0, [1.0, 0.0, 0.0], -90.0)):
        assert [each.share for each in points(hidden)] == [None] * 3
        assert {each.flags for each in points(hidden)} == {("divisor-below-noise",)}


def test_more_noise_and_fewer_people_widen_the_interval() -> None:
    def width(given: Cohort) -> float:
        first = points(given)[0]
        assert first.high is not None
        assert first.low is not None
        return first.high - first.low

    plain = width(cohort("FY2562", 60.0, [300.0, 200.0, 100.0], 1400.0))
    noisy = width(cohort("FY2562", 60.0, [300.0, 200.0, 100.0], 1400.0, 900.0))
    small = width(cohort("FY2562", 60.0, [30.0, 20.0, 10.0], 140.0))

    assert plain == pytest.approx(2 * 1.645 * np.sqrt(0.15 * 0.85 / 2000), rel=0.1)
    assert noisy > 1.5 * plain
    assert small == pytest.approx(plain * np.sqrt(10), rel=0.1)


def test_groups_are_told_where_releases_have_them_and_never_as_a_judgement() -> None:
    body = released(dimensions=("release_fy", "sex", "returned_within"))

    report = report_of(body)

    women = [row for row in rows(report, "curve") if (row["by"], row["code"]) == ("sex", "F")]
    assert women[0]["returned"] == pytest.approx(15.0, abs=0.5)
    assert [each.flags for each in report.statements if "Groups differ" in each.text.en] == [("group-rates",)]


def test_months_of_release_are_cohorts_of_their_own() -> None:
    found = cohorts([released(dimensions=("month", "returned_within"), where={})], {}, None)

    assert len(found) == 60
    assert found[0].name == "2018-10"
    assert found[0].followed == pytest.approx(72.0, abs=0.1)
    assert found[-1].complete == 1


def test_months_and_years_never_stand_together() -> None:
    by_month = released(
        dimensions=("month", "returned_within"), where={}, period=factories.period("2018-10-01", "2019-04-01")
    )

    found = cohorts([by_month, released()], {}, None)

    assert {each.name[:2] for each in found} == {"FY"}


def test_one_year_without_a_label_is_the_cohort_of_its_period() -> None:
    body = released(dimensions=("returned_within",), where={}, period=factories.period("2020-10-01", "2021-10-01"))

    assert [each.name for each in cohorts([body], {}, None)] == ["FY2564"]
    two = released(dimensions=("returned_within",), where={}, period=factories.period("2019-10-01", "2021-10-01"))
    assert cohorts([two], {}, None) == ()


def test_the_histogram_of_months_gives_a_finer_curve() -> None:
    # <1, 1-2, 3-5, 6-8, 9-12, 13-18, 19-24, 25-30, 31-36, 37-48, 49-60, >=61
    body = months_of([10, 20, 30, 30, 60, 60, 42, 30, 30, 20, 10, 8], 1000)

    found = cohorts([body], {}, None)
    told = {each.months: each.share for each in points(*found)}

    assert list(told) == [0, 2, 5, 8, 12, 18, 24, 30, 36, 48, 60]
    assert told[12] == pytest.approx(0.15, abs=0.01)
    assert told[36] == pytest.approx(0.312, abs=0.01)
    assert found[0].released.estimate == pytest.approx(1000, abs=1)


def test_a_histogram_beside_bands_is_read_by_the_bands() -> None:
    months = months_of([10, 20, 30, 30, 60, 60, 42, 30, 30, 20, 10, 8], 1000)

    found = cohorts([months, released(where={"release_fy": ("2563", "2564")})], {}, None)

    assert {each.name: each.upto for each in found} == dict.fromkeys(("FY2562", "FY2563", "FY2564"), (12, 24, 36))
    assert found[0].returned[:, 0] == pytest.approx([150, 102, 60], abs=1)
    assert found[0].released.estimate == pytest.approx(1000, abs=1)
    assert found[1].by((12,)).released.estimate == pytest.approx(found[1].released.estimate)


def test_of_a_cohort_told_twice_the_newest_counts() -> None:
    older = released(day="2024-11-01", nano_rho=FIRM)
    newer = released({**BANDS, "R25_36": 80, "NONE": 628}, nano_rho=FIRM)

    found = cohorts([newer, older], {}, None)

    assert round(found[0].returned[2, 0]) == 1600
    assert found[0].followed == pytest.approx(61.0, abs=0.1)


def test_some_bands_alone_are_no_cohort() -> None:
    some = released(where={"release_fy": YEARS, "returned_within": ("R0_12", "R13_24")})

    assert cohorts([some], {}, None) == ()


def test_the_data_are_taken_to_be_a_year_old_unless_told() -> None:
    body = released()

    assert data_day(body, None) == REACHED
    assert data_day(body, date(2025, 9, 30)) == date(2025, 9, 30)
    assert data_day(body, date(2026, 9, 30)) == date(2025, 11, 1)
    with pytest.raises(Refused) as refused:
        data_day(body, date(2023, 9, 30))
    assert refused.value.code == "data-day-too-early"


def test_only_young_cohorts_are_refused() -> None:
    young = released(where={"release_fy": ("2566",)}, day="2024-12-01")

    with pytest.raises(Refused) as refused:
        report_of(young)
    assert refused.value.code == "cohorts-too-young"
    assert report_of(young, data_as_of=date(2024, 11, 30)).tables


def test_releases_without_returns_are_refused() -> None:
    asked = {"dimensions": ("month",), "period": factories.period("2022-10-01", "2023-10-01")}
    counts = release_of("doc_release_cohort", asked, lambda cell: 500, DAY)

    with pytest.raises(InvalidInput) as invalid:
        report_of(counts)
    assert invalid.value.code == "release-not-a-series"


KNOWN = {"Y": 60, "N": 900, "U": 40}


def probation(counts: Mapping[str, int], nano_rho: int = FIRM, *besides: str) -> ReleaseBody:
    """Cases opened in fiscal year 2566 by whether their person reoffended, and by what else."""
    asked = {"dimensions": (*besides, "reoffended_12m"), "period": factories.period("2022-10-01", "2023-10-01")}
    return release_of("dop_case", asked, lambda cell: counts[cell["reoffended_12m"]], DAY, nano_rho)


def test_reoffending_after_probation_is_of_those_of_whom_it_is_known() -> None:
    (row,) = rows(report_of(probation(KNOWN)), "probation")

    assert row["fiscal_year"] == "FY2566"
    assert row["reoffended"] == pytest.approx(6.25, abs=0.05)
    assert row["unknown"] == pytest.approx(4.0, abs=0.05)
    assert row["lowest"] == pytest.approx(6.0, abs=0.1)
    assert row["highest"] == pytest.approx(10.0, abs=0.1)
    assert row["flags"] == ""


def test_the_interval_after_probation_has_chance_in_it() -> None:
    (row,) = rows(report_of(probation(KNOWN)), "probation")

    assert isinstance(row["low"], float)
    assert isinstance(row["high"], float)
    half = 100 * 1.645 * np.sqrt(0.0625 * 0.9375 / 960)
    assert row["high"] - row["low"] == pytest.approx(2 * half, rel=0.1)


def test_many_unknown_outcomes_are_flagged_and_their_year_is_not_told_in_words() -> None:
    many = report_of(probation({"Y": 60, "N": 500, "U": 440}))

    assert rows(many, "probation")[0]["flags"] == "outcome-unknown"
    assert not any("reoffended within 12 months (" in each.text.en for each in many.statements)
    few = report_of(probation(KNOWN))
    assert any("6.2 % reoffended" in each.text.en or "6.3 % reoffended" in each.text.en for each in few.statements)


def test_reoffending_is_told_by_result_and_type_where_releases_have_them() -> None:
    by_result = report_of(probation(KNOWN, FIRM, "result"))

    told = {(row["by"], row["code"]) for row in rows(by_result, "probation")}
    assert {("all", "all"), ("result", "COMPLIED"), ("result", "REVOKED"), ("result", "ABSCOND")} == told


def test_a_year_within_its_noise_has_no_share_of_reoffending() -> None:
    (row,) = rows(report_of(with_cells(probation(KNOWN, 1_000_000), (30, -20, 5))), "probation")

    assert row["reoffended"] is None
    assert "divisor-below-noise" in str(row["flags"])


def test_a_histogram_by_sex_is_read_for_each_sex_alone() -> None:
    given = {
        "measures": ("count", "returned_months:histogram"),
        "dimensions": ("sex",),
        "period": factories.period("2018-10-01", "2019-10-01"),
    }
    query, contract = Query.model_validate(given), bundled("doc_release_cohort")
    women, men = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], [100] * 12
    exact = {"count": [500, 4000, 10], "returned_months:histogram": [*women, *men, *([0] * 12)]}
    order = grid_of(query, contract).axes[0].values
    body = made_release(contract, query, exact, FIRM, at(DAY))

    (first,) = cohorts([body], {"sex": (order[0],)}, None)

    assert first.returned[:, 0] == pytest.approx(women[:-1], abs=0.5)
    assert first.released.estimate == pytest.approx(500, abs=1)


def test_completion_stands_beside_reoffending() -> None:
    def ended(cell: Mapping[str, str]) -> int:
        return {"COMPLIED": 900, "REVOKED": 60, "ABSCOND": 20, "OPEN": 20}[cell["result"]]

    asked = {"dimensions": ("result",), "period": factories.period("2022-10-01", "2023-10-01")}
    report = report_of(released(), release_of("dop_case", asked, ended, DAY, FIRM))

    complied = next(row for row in rows(report, "completion") if row["result"] == "COMPLIED")
    assert complied["share"] == pytest.approx(100 * 900 / 980, abs=0.05)
    assert complied["open"] == pytest.approx(2.0, abs=0.05)
    assert any("completed it" in each.text.en for each in report.statements)


def test_completion_of_a_year_still_open_is_flagged_and_not_told_in_words() -> None:
    def ended(cell: Mapping[str, str]) -> int:
        return {"COMPLIED": 400, "REVOKED": 60, "ABSCOND": 20, "OPEN": 520}[cell["result"]]

    asked = {"dimensions": ("month", "result"), "period": factories.period("2022-10-01", "2023-04-01")}
    report = report_of(released(), release_of("dop_case", asked, ended, DAY, FIRM))

    assert {row["flags"] for row in rows(report, "completion")} == {"year-not-whole cohort-still-open"}
    assert not any("completed it" in each.text.en for each in report.statements)


def test_every_flag_of_the_report_has_a_meaning() -> None:
    report = report_of(released(dimensions=("release_fy", "sex", "returned_within")), probation(KNOWN))

    flags = {flag for each in report.statements for flag in each.flags}
    flags |= {flag for row in rows(report, "curve") + rows(report, "cohorts") for flag in str(row["flags"]).split()}
    assert {"cohorts-differ", "cohort-incomplete", "group-rates"} <= flags
    assert all(meaning_of(flag).en for flag in flags)

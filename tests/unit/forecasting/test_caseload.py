from collections.abc import Mapping

import numpy as np
import pytest

from contracts.analysis import AnalysisKind, Figure, Report
from contracts.errors import InvalidInput
from contracts.grid import grid_of
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.flags import meaning_of
from forecasting.flow.caseload_report import caseload_report
from forecasting.flow.cohorts import month_of, number_of
from tests import factories
from tests.justice_world import FIRM, at, by_state, lives, release_of, with_cells
from tests.made_releases import bundled, made_release

pytestmark = pytest.mark.unit

FIRST, UNTIL, DAY = "2020-10-01", "2025-10-01", "2025-10-08"
USUAL = {"PSI": 3000, "ADULT": 8000, "JUV": 1500, "PAROLE": 900, "REMIT": 400, "SERVICE": 600, "BAIL": 200}


def opened(cell: Mapping[str, str]) -> int:
    """Cases of a month and type: the law changes in December 2021, and holidays lift adult supervision by half."""
    month, kind = cell["month"], cell["type"]
    if kind == "DRUG_OLD":
        return 9000 if month < "2021-12" else 0
    if kind == "DRUG_NEW":
        return 0 if month < "2022-01" else 2500
    if kind == "JSOC":
        return 0 if month < "2023-02" else 400
    holiday = kind == "ADULT" and month[5:] in {"01", "04"}
    wobble = number_of(month) * 7919 % 41 - 20
    return int(USUAL[kind] * (1.5 if holiday else 1.0) * (1 + wobble / 2000))


def by_type(nano_rho: int = 100_000_000) -> ReleaseBody:
    """Five years of cases by month and type."""
    asked = {"dimensions": ("month", "type"), "period": factories.period(FIRST, UNTIL)}
    return release_of("dop_case", asked, opened, DAY, nano_rho)


def report_of(*bodies: ReleaseBody) -> Report:
    """The report of releases."""
    return caseload_report(bodies, np.random.default_rng(1))


def rows(report: Report, name: str) -> list[dict[str, Figure]]:
    """The rows of one table by column; none if the report has it not."""
    found = [each for each in report.tables if each.name == name]
    return [
        dict(zip([column.name for column in table.columns], row, strict=True)) for table in found for row in table.rows
    ]


@pytest.fixture(scope="module")
def report() -> Report:
    """The report of five years of cases by month and type."""
    return report_of(by_type())


def series(report: Report, code: str) -> dict[str, Figure]:
    """The row of one type."""
    (row,) = [each for each in rows(report, "series") if each["code"] == code]
    return row


def test_twelve_months_of_every_type_are_forecast(report: Report) -> None:
    coming = [row for row in rows(report, "entries") if row["code"] == "PSI"]

    assert report.kind is AnalysisKind.CASELOAD
    assert [row["month"] for row in coming] == [month_of(number_of("2025-10") + each) for each in range(12)]
    assert series(report, "PSI")["next_year"] == pytest.approx(36_000, rel=0.02)
    for row in coming:
        assert isinstance(row["low"], float)
        assert isinstance(row["high"], float)
        assert row["low"] <= 3000 <= row["high"]


def test_the_end_of_the_old_drug_rehabilitation_is_not_learnt(report: Report) -> None:
    old, new = series(report, "DRUG_OLD"), series(report, "DRUG_NEW")

    assert (old["next_year"], old["flags"]) == (None, "series-ended")
    assert not [row for row in rows(report, "entries") if row["code"] == "DRUG_OLD"]
    assert (new["learnt_from"], new["learnt_months"]) == ("2022-01", 45)
    assert "learnt-since-break" in str(new["flags"])
    assert new["next_year"] == pytest.approx(30_000, rel=0.02)
    assert {row["code"] for row in rows(report, "breaks")} == {"DRUG_OLD", "DRUG_NEW", "JSOC"}


def test_a_type_that_began_less_than_two_years_ago_is_not_forecast() -> None:
    asked = {"dimensions": ("month", "type"), "period": factories.period("2020-10-01", "2024-10-01")}
    young = report_of(release_of("dop_case", asked, opened, "2024-10-08"))

    assert series(young, "JSOC")["next_year"] is None
    assert "history-too-short" in str(series(young, "JSOC")["flags"])
    assert series(young, "ADULT")["next_year"] is not None


def test_counts_after_the_law_ended_a_series_are_flagged() -> None:
    asked = {"dimensions": ("month", "type"), "period": factories.period(FIRST, UNTIL)}
    going_on = report_of(release_of("dop_case", asked, lambda cell: 500, DAY))

    assert "counts-after-end" in str(series(going_on, "DRUG_OLD")["flags"])
    assert series(going_on, "DRUG_OLD")["next_year"] is None


def test_holiday_peaks_are_found_through_the_noise(report: Report) -> None:
    peaks = {(row["code"], row["holiday"]): row for row in rows(report, "holidays")}

    for holiday, month in (("new-year", "2026-01"), ("songkran", "2026-04")):
        peak = peaks["ADULT", holiday]
        assert peak["years"] == 5
        assert peak["uplift"] == pytest.approx(1.5, abs=0.03)
        assert isinstance(peak["uplift_low"], float)
        assert peak["uplift_low"] > 1.3
        assert peak["month"] == month
        assert peak["entries"] == pytest.approx(12_000, rel=0.05)
    assert peaks["PSI", "songkran"]["uplift"] == pytest.approx(1.0, abs=0.03)
    said = " ".join(each.text.en for each in report.statements)
    assert "Songkran stands at 1.5" in said
    assert said.count("times the quiet months") == 2


def test_without_results_what_is_open_cannot_be_told_and_it_is_said(report: Report) -> None:
    assert "caseload" not in {each.name for each in report.tables}
    assert any("cannot be told" in each.text.en for each in report.statements)


def test_with_results_what_is_open_is_forecast_month_by_month() -> None:
    world = lives(np.random.default_rng(8), "2020-10", 72, 900.0, 11.0, {"COMPLIED": 0.9, "REVOKED": 0.1})

    found = report_of(by_state("dop_case", world, (FIRST, UNTIL), DAY))

    cases = [row for row in rows(found, "caseload") if row["stage"] == "dop_case/all"]
    assert len(cases) == 13
    for row, month in zip(cases[1:], ("2025-11", "2025-12", "2026-01"), strict=False):
        assert row["open"] == pytest.approx(world.open_at(float(number_of(month))), rel=0.05)
    assert series(found, "all")["learnt_from"] == "2022-01"
    assert "series" in {each.name for each in found.tables}


def test_a_type_that_ended_runs_down_with_nothing_coming_in() -> None:
    asked = {"dimensions": ("month", "type", "result"), "period": factories.period(FIRST, UNTIL)}
    now = number_of("2025-10")

    def counted(cell: Mapping[str, str]) -> int:
        entries, age = opened(cell), now - number_of(cell["month"])
        still = round(entries * 0.96**age)
        return {"OPEN": still, "COMPLIED": entries - still}.get(cell["result"], 0)

    found = report_of(release_of("dop_case", asked, counted, DAY, FIRM))

    old = [row for row in rows(found, "caseload") if row["stage"] == "dop_case/DRUG_OLD"]
    assert isinstance(old[0]["open"], float)
    assert old[-1]["open"] == pytest.approx(old[0]["open"] * 0.96**12, rel=0.05)


def fitted(dimensions: tuple[str, ...], measures: tuple[str, ...]) -> ReleaseBody:
    """Devices fitted over four years: 500 a month on bail, and alerts for each."""
    given = {"measures": measures, "dimensions": dimensions, "period": factories.period("2021-10-01", UNTIL)}
    query, contract = Query.model_validate(given), bundled("dop_em")
    names = [axis.name for axis in grid_of(query, contract).axes]
    keys = [dict(zip(names, key, strict=True)) for key in list(grid_of(query, contract).keys())]
    counts = [{"BAIL": 500, "JSOC": 0}.get(key["basis"], 40) for key in keys]
    sums = {measure: [3 * each for each in counts] for measure in measures if measure != "count"}
    return made_release(contract, query, {"count": counts, **sums}, FIRM, at(DAY))


def test_devices_fitted_are_forecast_by_legal_basis() -> None:
    found = report_of(fitted(("month", "basis"), ("count",)))

    assert series(found, "BAIL")["next_year"] == pytest.approx(6000, rel=0.03)
    assert series(found, "DRUG_ASSESS")["flags"] == "series-ended counts-after-end"
    assert any("not devices worn" in each.text.en for each in found.statements)


def test_devices_worn_are_told_where_outcomes_are_released() -> None:
    world = lives(np.random.default_rng(9), "2021-10", 48, 400.0, 5.0, {"COMPLIED": 0.95, "REVOKED": 0.05})

    found = report_of(by_state("dop_em", world, ("2021-10-01", UNTIL), DAY))

    worn = [row for row in rows(found, "caseload") if row["stage"] == "dop_em/all"]
    assert worn[0]["open"] == pytest.approx(world.open_at(number_of("2025-10") + 7 / 31), rel=0.08)
    assert not any("cannot be told" in each.text.en for each in found.statements)


def test_alerts_are_told_for_each_device_fitted() -> None:
    found = report_of(fitted(("basis",), ("count", "alerts_tamper:sum")), by_type())

    alerts = {row["code"]: row for row in rows(found, "alerts")}
    assert alerts["BAIL"]["rate"] == pytest.approx(3.0, abs=0.01)
    assert alerts["JSOC"]["rate"] is None or alerts["JSOC"]["flags"] == "below-noise"
    assert any("is no offence" in each.text.en for each in found.statements)


def test_a_basis_whose_noise_hides_every_fitting_has_no_rate() -> None:
    body = fitted(("basis",), ("count", "alerts_tamper:sum"))
    counts = next(each for each in body.released if each.measure == "count")
    others = tuple(each for each in body.released if each.measure != "count")
    negative = counts.model_copy(update={"cells": (-1,) * len(counts.cells)})

    found = report_of(body.model_copy(update={"released": (*others, negative)}), by_type())

    assert {row["flags"] for row in rows(found, "alerts")} == {"divisor-below-noise"}
    assert {row["rate"] for row in rows(found, "alerts")} == {None}


def test_every_flag_of_the_report_has_a_meaning(report: Report) -> None:
    flags = {flag for each in report.statements for flag in each.flags}
    flags |= {flag for row in rows(report, "series") for flag in str(row["flags"]).split()}

    assert flags
    assert all(meaning_of(flag).th for flag in flags)


def test_a_type_without_a_case_is_forecast_as_nothing_and_flagged() -> None:
    asked = {"dimensions": ("month", "type"), "period": factories.period(FIRST, UNTIL)}
    body = release_of("dop_case", asked, lambda cell: 0, DAY)
    empty = with_cells(body, [((place * 37) % 5) - 2 for place in range(len(body.released[0].cells))])

    found = report_of(empty)

    row = series(found, "PSI")
    assert isinstance(row["low"], float)
    assert row["low"] >= 0
    assert "below-noise" in str(row["flags"])


def test_releases_without_probation_are_refused() -> None:
    asked = {"dimensions": ("month",), "period": factories.period("2024-10-01", UNTIL)}
    files = release_of("oag_case", asked, lambda cell: 5, DAY)

    with pytest.raises(InvalidInput) as invalid:
        report_of(files)
    assert invalid.value.code == "release-not-a-series"

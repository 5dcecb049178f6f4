"""Online crime from released figures: shares, pace, and what is never added."""

from datetime import timedelta

import numpy as np
import pytest

from contracts.analysis import Report, Table
from contracts.code_lists import code_list
from contracts.counter_nodes import nodes
from contracts.errors import InvalidInput
from contracts.periods import Period
from contracts.release import ReleaseBody
from forecasting.cells import cell_table
from forecasting.flags import meanings
from forecasting.technology import report
from forecasting.technology.beside import MonthBeside, beside
from forecasting.technology.findings import Options
from forecasting.technology.pace import COUNTER, MONTHS, of_counter, of_months
from forecasting.technology.report import technology_report
from forecasting.technology.shares import share_of
from forecasting.technology.trail import holders
from forecasting.words import words_of
from privacy.plan import Z_95
from tests import factories
from tests.technology_world import (
    CAUGHT,
    FIRM,
    account_holders,
    cases,
    complaints,
    holds,
    released,
    span,
    transfers,
    types,
)

pytestmark = pytest.mark.unit

YEAR = span(12)


@pytest.fixture(scope="module")
def year() -> ReleaseBody:
    return complaints(YEAR)


@pytest.fixture(scope="module")
def told(year: ReleaseBody) -> Report:
    return technology_report([year, holds(YEAR), transfers(YEAR), account_holders(YEAR), cases(span(6))])


def table(told: Report, name: str) -> Table:
    return next(each for each in told.tables if each.name == name)


def column(told: Report, name: str, of: str) -> list[object]:
    found = table(told, name)
    place = [each.name for each in found.columns].index(of)
    return [row[place] for row in found.rows]


def said(told: Report) -> str:
    return "\n".join(statement.text.en for statement in told.statements)


# -------------------- the freeze


def test_the_share_frozen_stands_beside_its_definition(told: Report) -> None:
    assert column(told, "frozen", "case_type")[0] == "all"
    assert column(told, "frozen", "share")[0] == pytest.approx(CAUGHT, abs=0.001)
    frozen = next(each.text for each in told.statements if "caught in time" in each.text.en)
    assert "the sum of frozen_thb over the sum of requested_thb" in frozen.en
    assert "frozen_thb" in frozen.th
    assert "requested_thb" in table(told, "frozen").title.th


def test_fiellers_interval_holds_the_share_95_times_in_100_with_a_noisy_divisor_too() -> None:
    rng, held, runs = np.random.default_rng(3), 0, 2000
    for part, whole in zip(15 + 4 * rng.normal(size=runs), 100 + 25 * rng.normal(size=runs), strict=True):
        found = share_of((float(part), 4.0), (float(whole), 25.0))
        held += found.low <= 0.15 <= found.high

    assert held / runs == pytest.approx(0.95, abs=0.015)


def test_a_divisor_that_the_noise_hides_gives_no_share() -> None:
    assert share_of((5.0, 1.0), (10.0, 20.0)).bounded is False
    assert share_of((5.0, 1.0), (-3.0, 1.0)).value is None
    assert share_of((-2.0, 0.1), (10.0, 0.1)).value == 0.0

    body = holds(YEAR)
    hidden = [
        each.model_copy(update={"cells": (-5,) * len(each.cells)}) if each.measure == "requested_thb:sum" else each
        for each in body.released
    ]
    told = technology_report([complaints(YEAR), body.model_copy(update={"released": tuple(hidden)})])

    assert any("divisor-below-noise" in each.flags for each in told.statements)
    assert set(column(told, "frozen", "share")) == {None}


# -------------------- the pace


def test_cases_a_day_are_months_over_their_days(told: Report, year: ReleaseBody) -> None:
    months = cell_table([year], "tpo_complaint", "count", ["month"])
    total = float(months.frame["estimate"].sum())

    pace = of_months(months)

    assert (pace.source, pace.days) == (MONTHS, 366)
    assert pace.average == pytest.approx(total / 366)
    assert pace.error_95 == pytest.approx(Z_95 * float(np.sqrt((months.frame["sigma"] ** 2).sum())) / 366)
    assert column(told, "pace", "dataset") == ["tpo_complaint", "crimes_case"]
    assert "Oct 2023 to Sep 2024" in said(told)


def test_missing_months_count_no_days() -> None:
    gap = [complaints(span(1)), complaints(span(1, 2023 * 12 + 11))]

    pace = of_months(cell_table(gap, "tpo_complaint", "count", ["month"]))

    assert pace.days == 62
    assert (pace.until - pace.since).days == 92


def counter(period: Period, a_day: int = 900) -> ReleaseBody:
    asked = {"measures": ("count",), "dimensions": (), "period": period, "series": {"revision": 0}, "counter": True}
    found = [(node.until - node.start).days * a_day for node in nodes(period)]
    return released("tpo_complaint", asked, {"count": found}, FIRM)


def test_the_daily_counter_gives_the_pace_of_its_newest_run_of_days() -> None:
    early = counter(factories.period("2023-10-01", "2023-10-11"), a_day=500)
    late = counter(factories.period("2023-12-01", "2023-12-08"), a_day=900)

    pace = of_counter([early, late, complaints(YEAR)], "tpo_complaint")

    assert pace is not None
    assert (pace.source, pace.days, f"{pace.since}") == (COUNTER, 7, "2023-12-01")
    assert pace.average == pytest.approx(900, abs=1)
    assert of_counter([early], "crimes_case") is None
    assert of_counter([complaints(YEAR)], "tpo_complaint") is None


def test_of_a_node_that_two_releases_tell_the_newest_counts(year: ReleaseBody) -> None:
    days = factories.period("2023-10-01", "2023-10-08")
    old = counter(days, a_day=100)
    new = counter(days, a_day=200).model_copy(update={"created": old.created + timedelta(days=1)})

    pace = of_counter([new, old], "tpo_complaint")

    assert pace is not None
    assert pace.average == pytest.approx(200, abs=1)
    assert "daily counter" in said(technology_report([year, old]))


# -------------------- complaints and cases


def test_complaints_and_cases_stand_side_by_side_and_nothing_has_their_sum(told: Report, year: ReleaseBody) -> None:
    months = beside([year, cases(span(6))])
    sums = {round(each.complaints.value + each.cases.value, 1) for each in months if each.complaints and each.cases}
    shown = table(told, "complaints_and_cases")
    figures = {figure for each in told.tables for row in each.rows for figure in row if isinstance(figure, float | int)}
    names = [column.name for column in shown.columns]

    assert names == ["month", "complaints", "complaints_error_95", "cases", "cases_error_95"]
    assert set(MonthBeside.__dataclass_fields__) == {"month", "complaints", "cases"}
    assert len(sums) == 6
    assert not sums & figures
    assert any("never-added" in each.flags for each in told.statements)


def test_a_month_that_one_dataset_does_not_tell_is_empty_there_and_not_nothing(told: Report) -> None:
    rows = table(told, "complaints_and_cases").rows

    assert rows[0][3] == 500.0
    assert rows[11][3] is None
    assert rows[11][1] is not None


# -------------------- the trail


def test_transfers_and_amounts_stand_by_hop_and_way_out(told: Report) -> None:
    rows = {(row[0], row[1], row[2]): row[3] for row in table(told, "trail").rows}

    assert rows["hop", "1", "count"] == 500
    assert rows["exit", "CASH", "amount_thb:sum"] == pytest.approx(9_000_000, rel=0.05)


def test_holders_are_people_of_the_newest_answer_and_never_added_over_answers() -> None:
    years = [account_holders(YEAR), account_holders(span(12, 2024 * 12 + 9))]
    finer = account_holders(YEAR, extra=("hop",))

    found = holders([*years, finer])

    assert found is not None
    assert found.releases == (years[1].id,)
    assert float(found.frame["estimate"].max()) == pytest.approx(1760, abs=1)
    assert holders([finer]) is None


def test_the_provinces_of_holders_are_ranked_with_how_sure_their_place_is(told: Report) -> None:
    first = table(told, "holders").rows[0]

    assert first[:3] == ("people", 1, "96")
    assert first[6] == pytest.approx(1.0)
    assert "Narathiwat" in said(told)
    assert len(table(told, "holders").rows) == report.MOST_PROVINCES


# -------------------- the report


def test_what_no_release_tells_is_said_to_be_missing(year: ReleaseBody) -> None:
    told = technology_report([complaints(YEAR, measures=("count",))])

    missing = next(each for each in told.statements if "No release tells of" in each.text.en)
    assert "tpo_hold, tpo_mule, crimes_case" in missing.text.en
    assert "left-out" in missing.flags
    assert {each.name for each in told.tables} == {"ranks_cases", "pace", "complaints_and_cases", "types"}
    assert "No forecast of complaints" in said(told)
    assert told.card.models == ("none",)


def test_without_complaints_by_type_there_is_no_report() -> None:
    with pytest.raises(InvalidInput, match="release-not-a-series"):
        technology_report([holds(YEAR)])


def test_the_newest_months_alone_are_ranked_unless_all_are_wanted() -> None:
    two_years = complaints(span(18))

    recent = technology_report([two_years], Options(latest=6))
    everything = technology_report([two_years], Options(latest=None))

    assert "Oct 2024 to Mar 2025: most complaints" in said(recent)
    assert "Oct 2023 to Mar 2025: most complaints" in said(everything)
    assert float(str(column(everything, "ranks_cases", "figure")[0])) > 2 * float(
        str(column(recent, "ranks_cases", "figure")[0])
    )


def test_a_release_of_a_whole_year_without_months_is_ranked_too() -> None:
    asked = {"measures": ("count",), "dimensions": ("case_type",), "period": YEAR}
    body = released("tpo_complaint", asked, {"count": list(range(14, 0, -1))}, FIRM)

    told = technology_report([body])

    assert column(told, "ranks_cases", "case_type")[0] == "SHOP"
    assert table(told, "complaints_and_cases").rows == ()


def test_every_flag_and_every_word_has_both_languages(told: Report) -> None:
    assert {flag for statement in told.statements for flag in statement.flags} <= set(meanings())
    assert all(words.th and words.en for words in words_of(report.WORDS).values())
    assert set(types()) == set(code_list("tech_case_types").titles)


def test_nothing_short_of_certain_is_shown_as_certain() -> None:
    assert report._percent(0.9999) == "99.9"
    assert report._percent(1.0) == "100"
    assert report._before("2026-01-01") == "2025-12"

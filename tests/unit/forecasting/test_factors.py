"""Factors from released figures: what is found, what is said, and what is refused."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from contracts.analysis import Report
from contracts.errors import InvalidInput, Refused
from contracts.periods import Period
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.factors import contributions, report
from forecasting.factors.contributions import contributions_of
from forecasting.factors.covariate_file import CovariateFile, read_covariates
from forecasting.factors.design import Design, design_of
from forecasting.factors.estimation import Cells, Family, fit, jackknife
from forecasting.factors.outcome import Question, outcome_of
from forecasting.factors.population import listed_population
from forecasting.factors.rates import holm
from forecasting.factors.report import Wanted, factors_report
from forecasting.factors.season import calendar_of, days_of, trend_of
from forecasting.flags import meaning_of, meanings
from forecasting.panel import Floats
from forecasting.words import period_words, words_of
from tests import factories
from tests.factor_world import cases_release, covariate_csv, incomes, months_from_october
from tests.made_releases import bundled, made_release

pytestmark = pytest.mark.unit

PERIOD = months_from_october(24)
PROPERTY = Question(where={"offence_group": ("G2",)})
SERIES = incomes(np.random.default_rng(1), 24)
PLANTED = 1.3
"""The true rate ratio of ten points of the series."""

FORBIDDEN = re.compile(
    r"\bcaus(e|es|ed|al|ing)\b|because of|due to|leads? to|ทำให้เกิด|สาเหตุ|ส่งผลให้|เนื่องจาก", re.IGNORECASE
)


@pytest.fixture(scope="module")
def cases() -> ReleaseBody:
    return cases_release(SERIES, PERIOD, PLANTED)


@pytest.fixture(scope="module")
def loaded() -> CovariateFile:
    return read_covariates(covariate_csv(SERIES, PERIOD.months()), "income.csv")


@pytest.fixture(scope="module")
def told(cases: ReleaseBody, loaded: CovariateFile) -> Report:
    return factors_report([cases], Wanted(PROPERTY, (loaded,), explored=True))


def sentences(told: Report) -> list[str]:
    card = (told.card.data, told.card.method, told.card.limits)
    columns = [column.title for table in told.tables for column in table.columns]
    texts = [told.title, *card, *columns, *(table.title for table in told.tables), *(s.text for s in told.statements)]
    labels = [str(figure) for table in told.tables for row in table.rows for figure in row if isinstance(figure, str)]
    flags = [meaning_of(flag) for statement in told.statements for flag in statement.flags]
    return [*labels, *(words for each in (*texts, *flags) for words in (each.th, each.en))]


def ratios_of(told: Report) -> dict[str, tuple[float, float, float]]:
    table = next(each for each in told.tables if each.name == "ratios")
    return {str(row[0]): (float(row[1] or 0), float(row[2] or 0), float(row[3] or 0)) for row in table.rows}


def test_a_planted_ratio_is_found_through_real_releases(told: Report) -> None:
    factors = next(table for table in told.tables if table.name == "factors")
    step = next(float(row[3] or 0) for row in factors.rows if row[0] == "income_index")
    found = ratios_of(told)

    assert found["income_index"][0] == pytest.approx(PLANTED ** (step / 10), rel=0.02)
    assert found["income_index"][1] > 1.25
    # Every month has the same cases a day: what the calendar tells is within the noise of releases.
    assert all(ratio == pytest.approx(1.0, abs=0.02) for name, (ratio, _, _) in found.items() if name != "income_index")
    assert any("income_index" in each.text.en and "per cent higher" in each.text.en for each in told.statements)


def test_no_sentence_says_more_than_what_goes_together(told: Report) -> None:
    assert not [each for each in sentences(told) if FORBIDDEN.search(each)]
    for words in words_of(report.WORDS).values():
        assert not FORBIDDEN.search(words.th + words.en)


def test_the_guard_of_words_would_find_the_forbidden_ones() -> None:
    assert FORBIDDEN.search("Poverty causes crime.")
    assert FORBIDDEN.search("ความยากจนเป็นสาเหตุของอาชญากรรม")


def test_many_tests_the_limit_to_areas_and_the_noise_are_told_in_both_languages(told: Report) -> None:
    said = " ".join(statement.text.en for statement in told.statements)

    assert "6 factors were tested together" in said
    assert "not between people" in said
    assert "noise that protects people" in said
    assert any("not-people" in statement.flags for statement in told.statements)
    assert all(statement.text.th for statement in told.statements)
    assert {flag for statement in told.statements for flag in statement.flags} <= set(meanings())


def test_thai_sentences_count_years_in_the_buddhist_era() -> None:
    assert period_words("2026-01").th == "ม.ค. 2569"
    assert period_words("2026-01").en == "Jan 2026"
    assert period_words("FY2569").th == "ปีงบประมาณ 2569"


def test_counts_of_arrests_are_flagged_as_enforcement_wherever_they_come_from() -> None:
    assert Question(where={"offence_group": ("G4",)}).is_enforcement
    assert Question(where={"offence": ("DRUG",)}).is_enforcement
    assert Question(dataset="crimes_arrest").is_enforcement
    assert not PROPERTY.is_enforcement
    assert Question().labels == {"offence_group": ("G1", "G2", "G3")}


def test_a_report_of_arrests_carries_the_flag_and_says_so() -> None:
    arrests = cases_release(SERIES, PERIOD, group="G4")

    told = factors_report([arrests], Wanted(Question(where={"offence_group": ("G4",)})))

    assert told.statements[0].flags == ("enforcement",)
    assert "work of officers" in told.statements[1].text.en


def test_all_cases_together_are_refused_since_most_are_arrests() -> None:
    query = {"measures": ("count",), "dimensions": ("month", "province"), "period": months_from_october(1)}
    everything = made_release(bundled("crimes_case"), Query.model_validate(query), {"count": [30] * 77})

    with pytest.raises(InvalidInput, match="release-not-a-series"):
        outcome_of([everything], Question())


# -------------------- the model


def cells(figures: Floats, columns: Floats, areas: int) -> Cells:
    size = len(figures)
    each = size // areas
    return Cells(
        figures=figures,
        columns=np.column_stack([np.ones(size), columns]),
        offset=np.zeros(size),
        noise=np.zeros(size),
        column_noise=np.zeros((size, columns.shape[1] + 1)),
        areas=np.repeat(np.arange(areas), each),
        periods=np.tile(np.arange(each), areas),
    )


def test_fewer_than_ten_areas_and_no_cases_are_refused() -> None:
    rng = np.random.default_rng(5)
    with pytest.raises(InvalidInput, match="it needs 10 areas and has 9"):
        fit(cells(np.full(18, 5.0), rng.normal(size=(18, 1)), 9))
    with pytest.raises(InvalidInput, match="no case was counted"):
        fit(cells(np.full(24, -1.0), rng.normal(size=(24, 1)), 12))


def test_a_factor_that_varies_in_one_area_alone_is_refused() -> None:
    column = np.zeros((24, 1))
    column[0] = 1.0

    with pytest.raises(InvalidInput, match="in one area or period alone"):
        fit(cells(np.full(24, 5.0), column, 12))


def test_too_much_noise_in_a_factor_has_no_solution_and_says_so() -> None:
    rng = np.random.default_rng(6)
    made = cells(rng.poisson(20.0, 48).astype(np.float64), rng.normal(size=(48, 1)), 12)
    noise = made.column_noise.copy()
    noise[:, 1] = 4.0

    with pytest.raises(InvalidInput, match="too much noise"):
        fit(Cells(made.figures, made.columns, made.offset, made.noise, noise, made.areas, made.periods))


def test_counts_below_zero_are_used_as_they_came() -> None:
    rng = np.random.default_rng(7)
    column = rng.normal(size=(600, 1))
    figures = rng.poisson(np.exp(1.0 + 0.3 * column[:, 0])) + rng.normal(0.0, 4.0, 600)

    found = fit(cells(figures, column, 60), Family.NEGATIVE_BINOMIAL)

    assert figures.min() < 0
    assert found.coefficients[1] == pytest.approx(0.3, abs=0.15)


def test_leaving_out_a_cluster_moves_the_estimate_as_refitting_without_it_does() -> None:
    rng = np.random.default_rng(8)
    column = rng.normal(size=(240, 1))
    made = cells(rng.poisson(np.exp(2.0 + 0.2 * column[:, 0])).astype(np.float64), column, 12)
    whole, moved = fit(made), []
    for area in range(12):
        kept = made.areas != area
        arrays = (made.figures, made.columns, made.offset, made.noise, made.column_noise, made.areas, made.periods)
        figures, columns, offset, noise, column_noise, areas, periods = (each[kept] for each in arrays)
        numbers = np.unique(areas, return_inverse=True)[1]
        moved.append(fit(Cells(figures, columns, offset, noise, column_noise, numbers, periods)).coefficients)

    refitted = 11 / 12 * sum(np.outer(each, each) for each in np.array(moved) - whole.coefficients)

    assert np.sqrt(np.diag(whole.covariance)) == pytest.approx(np.sqrt(np.diag(refitted)), rel=0.05)
    with pytest.raises(InvalidInput):
        jackknife(np.ones((3, 1)), np.array([[[1.0]], [[0.0]], [[0.0]]]), np.array([0, 1, 2]))


def test_holm_raises_each_p_value_by_what_is_still_to_be_tested() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_the_calendar_of_a_month() -> None:
    found = calendar_of(["2024-01", "2024-04", "2024-07", "2024-12"])

    assert found["new_year_days"].tolist() == [4, 0, 0, 3]
    assert found["songkran_days"].tolist() == [0, 7, 0, 0]
    assert found["season_hot"].tolist() == [0, 1, 0, 0]
    assert found["season_cool"].tolist() == [1, 0, 0, 1]
    assert trend_of(["2024-01", "2025-01"]).tolist() == [0.0, 1.0]
    assert days_of(["2024-02"]).tolist() == [29]


# -------------------- the trees' view


def design(cases: ReleaseBody, loaded: CovariateFile) -> Design:
    return design_of(outcome_of([cases], PROPERTY), listed_population(), [loaded])


def test_the_trees_see_the_planted_factor_first_on_areas_that_they_have_not_seen(told: Report) -> None:
    rows = next(each.rows for each in told.tables if each.name == "contributions")
    first = rows[0]

    assert first[0] == "income_index"
    assert float(first[2] or 0) > 0.5
    assert any("exploratory" in each.flags and "income_index" in each.text.en for each in told.statements)


def test_where_nothing_can_be_explained_the_view_says_so(cases: ReleaseBody, loaded: CovariateFile) -> None:
    rng = np.random.default_rng(9)
    body = cases_release(np.full((77, 24), 100.0), PERIOD, nano_rho=2_000_000)
    unrelated = read_covariates(covariate_csv(100 + rng.normal(size=(77, 24)), PERIOD.months()), "noise.csv")

    told = factors_report([body], Wanted(PROPERTY, (unrelated,), explored=True))

    assert any("explain nothing" in each.text.en for each in told.statements)


def test_the_trees_need_ten_areas(cases: ReleaseBody, loaded: CovariateFile) -> None:
    whole = design(cases, loaded)
    outcome = whole.outcome
    few = Design(
        outcome=type(outcome)(
            outcome.areas[:9], outcome.periods, outcome.figures[:9], outcome.sigmas[:9], outcome.months, ()
        ),
        people=whole.people[:9],
        factors=whole.factors,
        left_out=(),
    )

    with pytest.raises(InvalidInput, match="10 are needed, 9 are there"):
        contributions_of(few)


def test_without_the_extra_the_view_is_refused_and_says_how_to_get_it(
    cases: ReleaseBody, loaded: CovariateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)

    with pytest.raises(Refused) as caught:
        factors_report([cases], Wanted(PROPERTY, (loaded,), explored=True))

    assert caught.value.code == "lightgbm-not-installed"
    assert "saphan[lightgbm]" in caught.value.reasons[0].advice_en
    assert contributions.FOLDS == 5


def test_a_missing_cell_of_the_counts_is_refused() -> None:
    def of(period: Period, *areas: str) -> ReleaseBody:
        dimensions = ("month", "province", "offence_group")
        where = {"offence_group": ("G2",), "province": areas}
        asked = {"measures": ("count",), "dimensions": dimensions, "where": where, "period": period}
        return made_release(bundled("crimes_case"), Query.model_validate(asked), {"count": [30] * len(areas)})

    bodies = [of(months_from_october(1), "10", "11"), of(factories.period("2023-11-01", "2023-12-01"), "10")]

    with pytest.raises(InvalidInput, match="a cell is missing"):
        outcome_of(bodies, PROPERTY)


def test_a_page_of_the_docs_shows_the_form_of_a_file() -> None:
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "factors.md").read_text(encoding="utf-8")
    shown = re.search(r"```csv\n(.*?)```", page, re.DOTALL)

    assert shown is not None
    assert read_covariates(shown[1].strip(), "docs.csv").factors

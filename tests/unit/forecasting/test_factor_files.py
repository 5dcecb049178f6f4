"""Files of factors and of people: what is read, what is left out and said, and what is refused row by row."""

import numpy as np
import pytest

from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.factors.covariate_file import CovariateFile, read_covariates
from forecasting.factors.design import design_of
from forecasting.factors.outcome import Question, outcome_of
from forecasting.factors.population import listed_population, read_population
from forecasting.factors.rates import rates_of
from forecasting.factors.report import Wanted, factors_report
from tests.factor_world import cases_release, covariate_csv, incomes, months_from_october, prison_release, provinces

pytestmark = pytest.mark.unit

PERIOD = months_from_october(24)
PROPERTY = Question(where={"offence_group": ("G2",)})
SERIES = incomes(np.random.default_rng(1), 24)
PLANTED = 1.3
"""The true rate ratio of ten points of the series."""


@pytest.fixture(scope="module")
def cases() -> ReleaseBody:
    return cases_release(SERIES, PERIOD, PLANTED)


@pytest.fixture(scope="module")
def loaded() -> CovariateFile:
    return read_covariates(covariate_csv(SERIES, PERIOD.months()), "income.csv")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it has no rows"),
        ("province,month,gdp\n", "it has no rows"),
        ("province,gdp\n10,1\n", "one column named month"),
        ("province,month,fiscal_year,gdp\n10,2026-01,2569,1\n", "one column named month"),
        ("province,month\n10,2026-01\n", "no column with figures"),
        ("province,month,gdp,gdp\n10,2026-01,1,2\n", "column gdp stands twice"),
        ("province,month,GDP\n10,2026-01,1\n", "the name of column 3"),
        ("province,month,gdp\n99,2026-01,1\n", "row 2: its province is not a code"),
        ("province,month,gdp\n10,2026-13,1\n", "row 2: its month is not a month such as 2026-01"),
        ("province,month,gdp\n10,2569-01,1\n", "row 2: its month is not"),
        ("province,fiscal_year,gdp\n10,2026,1\n", "fiscal year of the Buddhist era such as 2569"),
        ("province,month,gdp\n10,2026-01,1\n10,2026-02,many\n", "row 3: its gdp is not a number"),
        ("province,month,gdp\n10,2026-01,nan\n", "row 2: its gdp is not a number"),
        ("province,month,gdp\n10,2026-01,1\n10,2026-01,2\n", "row 3: it repeats"),
        ("province,month,gdp\n10,2026-01\n", "row 2: it has 2 columns instead of 3"),
        ("month," + ",".join(f"x{n}" for n in range(25)) + "\n2026-01" + ",1" * 25, "more than 24 columns"),
    ],
)
def test_a_file_with_anything_wrong_is_refused_with_the_row_and_the_column(text: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_covariates(text, "income.csv")

    assert caught.value.code == "covariates-invalid"
    assert caught.value.details["where"] == "income.csv"
    assert told in caught.value.details["why"]


def test_an_error_never_repeats_a_figure_and_counts_what_it_does_not_name() -> None:
    rows = "\n".join(f"10,2026-{month:02d},secret" for month in range(1, 13)) + "\n11,2026-01,secret\n11,2026-02,secret"

    with pytest.raises(InvalidInput) as caught:
        read_covariates(f"province,month,gdp\n{rows}", "income.csv")

    assert "secret" not in caught.value.details["why"]
    assert "and 2 more" in caught.value.details["why"]


def test_a_year_stands_for_its_months_and_a_row_without_province_for_the_whole_country(cases: ReleaseBody) -> None:
    file = read_covariates("\ufefffiscal_year,wage\n2567,1\nFY2568,3\n", "wage.csv")

    design = design_of(outcome_of([cases], PROPERTY), listed_population(), [file])

    wage = next(each for each in design.factors if each.name == "wage")
    assert wage.nationwide
    assert wage.figures[0].tolist() == [1.0] * 12 + [3.0] * 12


def test_a_fiscal_year_has_the_mean_of_its_months(cases: ReleaseBody, loaded: CovariateFile) -> None:
    question = Question(where=PROPERTY.where, grain="fiscal_year")

    design = design_of(outcome_of([cases], question), listed_population(), [loaded])

    income = design.factors[0]
    assert design.outcome.periods == ("FY2567", "FY2568")
    assert income.figures[:, 0] == pytest.approx(SERIES[:, :12].mean(axis=1))
    assert design.outcome.years == pytest.approx([366 / 365.25, 365 / 365.25])


def test_a_fiscal_year_without_all_its_months_is_left_out_and_named(loaded: CovariateFile) -> None:
    short = months_from_october(18)
    body = cases_release(SERIES[:, :18], short)
    question = Question(where=PROPERTY.where, grain="fiscal_year")

    told = factors_report([body], Wanted(question, (loaded,)))

    assert any("fiscal year 2568" in each.text.en and "left-out" in each.flags for each in told.statements)
    with pytest.raises(InvalidInput, match="no fiscal year"):
        outcome_of([cases_release(SERIES[:, :5], months_from_october(5))], question)


def test_months_that_a_series_does_not_cover_are_left_out_and_named(cases: ReleaseBody) -> None:
    text = covariate_csv(SERIES[:, :20], PERIOD.months()[:20])

    told = factors_report([cases], Wanted(PROPERTY, (read_covariates(text, "income.csv"),)))

    left_out = next(each for each in told.statements if "left-out" in each.flags)
    assert "Jun 2025, Jul 2025, Aug 2025, Sep 2025" in left_out.text.en


def test_a_series_that_lacks_a_province_is_refused_with_its_name(cases: ReleaseBody) -> None:
    lines = covariate_csv(SERIES, PERIOD.months()).splitlines()
    without = "\n".join(line for line in lines if not line.startswith("83,"))

    with pytest.raises(InvalidInput) as caught:
        design_of(outcome_of([cases], PROPERTY), listed_population(), [read_covariates(without, "income.csv")])

    assert "province 83" in caught.value.details["why"]


def test_two_factors_of_one_name_and_a_factor_that_follows_from_others_are_refused(cases: ReleaseBody) -> None:
    outcome = outcome_of([cases], PROPERTY)
    twice = read_covariates(covariate_csv(SERIES, PERIOD.months(), "years"), "a.csv")
    with pytest.raises(InvalidInput, match="years stands in two places"):
        design_of(outcome, listed_population(), [twice])

    one = read_covariates(covariate_csv(SERIES, PERIOD.months(), "one"), "a.csv")
    two = read_covariates(covariate_csv(SERIES, PERIOD.months(), "two"), "b.csv")
    with pytest.raises(InvalidInput, match="follows from the others"):
        rates_of(design_of(outcome, listed_population(), [one, two]))


def test_a_constant_factor_and_one_that_few_periods_tell_are_left_out_and_said(cases: ReleaseBody) -> None:
    constant = read_covariates(covariate_csv(np.ones((77, 24)), PERIOD.months(), "flat"), "flat.csv")
    short = months_from_october(6)

    design = design_of(outcome_of([cases], PROPERTY), listed_population(), [constant])
    few = design_of(
        outcome_of([cases_release(SERIES[:, :6], short)], PROPERTY),
        listed_population(),
        [read_covariates(covariate_csv(SERIES[:, :6], short.months()), "income.csv")],
    )

    assert ("flat", "constant") in [(each.name, each.why) for each in design.left_out]
    assert [each.name for each in few.factors] == ["income_index"]
    assert ("season_cool", "few-periods") in [(each.name, each.why) for each in few.left_out]


def test_more_nationwide_factors_than_the_periods_can_tell_are_refused() -> None:
    short, rng = months_from_october(12), np.random.default_rng(3)
    names = ",".join(f"x{number}" for number in range(6))
    rows = [f"{month},{','.join(str(each) for each in rng.normal(size=6))}" for month in short.months()]
    file = read_covariates("\n".join([f"month,{names}", *rows]), "wide.csv")
    outcome = outcome_of([cases_release(SERIES[:, :12], short)], PROPERTY)

    with pytest.raises(InvalidInput, match="10 factors that are the same everywhere need 15 periods"):
        rates_of(design_of(outcome, listed_population(), [file]))


def test_without_any_factor_there_is_nothing_to_compare(cases: ReleaseBody) -> None:
    unwanted = ("season_hot", "season_cool", "new_year_days", "songkran_days", "years")

    with pytest.raises(InvalidInput, match="none of them can be used"):
        design_of(outcome_of([cases], PROPERTY), listed_population(), without=unwanted)


def population_csv(young: str = "A18_21") -> str:
    rows = [
        f"{province},{year},M,{band},{count}"
        for place, province in enumerate(provinces())
        for year in (2566, 2567)
        for band, count in ((young, 1000 + 10 * place), ("A45_59", 3000), ("A60P", 1000 + year - 2566))
    ]
    return "\n".join(["province,year,sex,age_band,population", *rows])


def test_a_file_of_people_gives_the_exposure_and_the_structure_of_the_nearest_count(cases: ReleaseBody) -> None:
    population = read_population(population_csv(), "people.csv")

    design = design_of(outcome_of([cases], PROPERTY), population)

    assert [each.name for each in design.factors][-2:] == ["share_15_29", "share_60_over"]
    # The middle of June 2024 is nearer to the last day of 2566 (2023) than to that of 2567.
    assert design.people[0, PERIOD.months().index("2024-06")] == 5000
    assert design.people[0, PERIOD.months().index("2024-08")] == 5001
    assert design.factors[-2].figures[1, 0] == pytest.approx(100 * 1010 / 5010)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("province,year,age_band\n10,2566,A60P", "no column sex, population"),
        ("province,year,sex,age_band,population\n", "it has no rows"),
        ("province,year,sex,age_band,population\n99,2566,M,A60P,5", "province cannot be read"),
        ("province,year,sex,age_band,population\n10,2566,M,OLD,5", "age_band cannot be read"),
        ("province,year,sex,age_band,population\n10,now,M,A60P,-5", "year, population cannot be read"),
    ],
)
def test_a_file_of_people_with_anything_wrong_is_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_population(text, "people.csv")

    assert told in caught.value.details["why"]


def test_prison_releases_become_a_factor_whose_noise_is_corrected_and_said(cases: ReleaseBody) -> None:
    released = prison_release(PERIOD, 12_000 + 900 * np.random.default_rng(4).normal(size=24), 2_000_000)

    design = design_of(outcome_of([cases], PROPERTY), listed_population(), bodies=[cases, released])
    told = factors_report([cases, released], Wanted(PROPERTY))

    prison = next(each for each in design.factors if each.name == "prison_releases")
    assert prison.nationwide
    assert 0.5 < prison.reliability < 1.0
    assert float(prison.figures.mean()) == pytest.approx(12_000 / 660.26, rel=0.05)
    assert any("noisy-factor" in each.flags and "corrected" in each.text.en for each in told.statements)
    assert next(row for t in told.tables if t.name == "ratios" for row in t.rows if row[0] == "prison_releases")[6]


def test_a_short_release_of_prisons_is_left_out_and_never_shortens_the_comparison(cases: ReleaseBody) -> None:
    released = prison_release(months_from_october(12), np.linspace(9_000.0, 15_000.0, 12), 2_000_000)

    told = factors_report([cases, released], Wanted(PROPERTY))

    assert "24 periods" in told.statements[0].text.en
    assert any("fewer than 80 per cent of the periods" in each.text.en for each in told.statements)


def test_a_factor_of_nothing_but_noise_is_left_out(cases: ReleaseBody) -> None:
    made = prison_release(PERIOD, np.full(24, 12_000.0), 2_000)
    # The standard deviation of the noise is 500; that of these figures 300.
    (figures,) = made.released
    cells = tuple(12_000 + 300 * (-1) ** number for number in range(24))
    released = made.model_copy(update={"released": (figures.model_copy(update={"cells": cells}),)})

    design = design_of(outcome_of([cases], PROPERTY), listed_population(), bodies=[released])

    assert ("prison_releases", "noise") in [(each.name, each.why) for each in design.left_out]

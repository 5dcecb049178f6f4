"""The privacy promise shows the figures of the contracts, in Thai and in English alike."""

import math
import re
from datetime import date
from pathlib import Path

import pytest
from scipy.stats import norm

from contracts.dataset import Tier
from contracts.periods import Period
from contracts.query import Query, Series
from privacy.mechanisms import epsilon_of
from privacy.plan import plan
from privacy.sensitivity import sensitivity
from saphan.promise_page import bundled, filled, right_at_most, tables

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[3] / "docs/explanation/privacy-promise.md"


def rows(table: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def test_the_page_shows_the_figures_of_the_contracts() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert filled(page, tables(bundled())) == page, f"run: python -m saphan.promise_page {PAGE.name}"


def test_every_dataset_stands_in_both_tables_with_the_same_figures() -> None:
    found = tables(bundled())
    thai, english = rows(found["who-th"]), rows(found["who-en"])

    assert [row[5:7] for row in thai] == [row[5:7] for row in english]
    assert [re.findall(r"`(\w+)`", row[0])[0] for row in english] == [each.id for each in bundled()]


def test_who_stands_in_the_rows_and_is_not_protected_is_named_in_both_languages() -> None:
    found = tables(bundled())
    for contract, thai, english in zip(bundled(), rows(found["who-th"]), rows(found["who-en"]), strict=True):
        assert all(other.th in thai[2] and other.en in english[2] for other in contract.unit.others)


def test_a_dataset_without_a_key_of_people_says_that_a_row_is_a_person() -> None:
    found = tables(bundled())
    for contract, thai, english in zip(bundled(), rows(found["who-th"]), rows(found["who-en"]), strict=True):
        said = contract.unit.column is None and Tier.STATISTICS in contract.tiers
        assert ("each row is taken for a person" in english[1]) is said
        assert ("แต่ละแถวถือเป็นหนึ่งคน" in thai[1]) is said


def test_epsilon_is_never_shown_smaller_than_it_is() -> None:
    for contract, row in zip(bundled(), rows(tables(bundled())["who-en"]), strict=True):
        if Tier.STATISTICS in contract.tiers:
            epsilon, delta = row[6].split(", ")
            true = epsilon_of(contract.privacy.nano_rho_per_window, contract.privacy.delta)
            assert delta == contract.privacy.delta
            assert true <= float(epsilon) < true + 0.01


def test_a_dataset_that_answers_no_question_costs_nobody_anything() -> None:
    (population,) = (row for row in rows(tables(bundled())["who-en"]) if "`ref_population`" in row[0])

    assert population[5:] == ["–", "–", "–"]


def test_somebody_in_all_datasets_has_the_sum_of_all_budgets() -> None:
    together = sum(c.privacy.nano_rho_per_window for c in bundled() if Tier.STATISTICS in c.tiers)
    shown = {row[0]: row[1] for row in rows(tables(bundled())["sums-en"])}

    assert shown["all 16 datasets, in one fiscal year"] == f"{together:,}"
    assert shown["all 16 datasets, in 10 fiscal years"] == f"{10 * together:,}"


def test_two_contracts_over_one_source_share_its_smaller_budget() -> None:
    first, *_ = bundled()
    half = first.privacy.model_copy(update={"nano_rho_per_window": first.privacy.nano_rho_per_window // 2})
    shown = rows(tables([first, first.model_copy(update={"privacy": half})])["sums-en"])

    assert shown[3][1] == f"{first.privacy.nano_rho_per_window // 2:,}"


def test_a_person_under_two_keys_loses_four_times_as_much() -> None:
    shown = rows(tables(bundled())["sums-en"])

    assert int(shown[1][1].replace(",", "")) == 4 * int(shown[0][1].replace(",", ""))


@pytest.mark.parametrize("rho", [0.001, 0.1, 0.4, 4.0])
@pytest.mark.parametrize("wrong", [0.01, 0.05, 0.5])
def test_nobody_is_found_more_often_under_gaussian_noise_than_the_bound_says(rho: float, wrong: float) -> None:
    # The best test of two Gaussians whose distance is that of the whole budget: Neyman, Pearson 1933.
    best = float(norm.cdf(norm.ppf(wrong) + math.sqrt(2 * rho)))

    assert best <= right_at_most(int(rho * 1e9), wrong)


def test_the_bound_is_not_much_larger_than_what_the_best_observer_reaches() -> None:
    assert right_at_most(400_000_000, 0.05) <= float(norm.cdf(norm.ppf(0.05) + math.sqrt(0.8))) + 0.07


def test_nobody_is_found_more_often_under_pure_noise_than_the_bound_says() -> None:
    # A pure epsilon costs epsilon^2 / 2; the best event is e^epsilon times as likely.
    epsilon, wrong = 0.8, 0.05

    assert math.exp(epsilon) * wrong <= right_at_most(int(epsilon**2 / 2 * 1e9), wrong)


def test_without_a_loss_nobody_is_found() -> None:
    assert right_at_most(0, 0.05) == pytest.approx(0.05, abs=1e-6)


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="who-th"):
        filled("no markers", {"who-th": "| a |\n"})


def test_a_place_that_stands_twice_is_refused() -> None:
    place = "<!-- a: begin -->\n<!-- a: end -->\n"
    with pytest.raises(ValueError, match="the table a"):
        filled(place + place, {"a": "| a |\n"})


def test_both_halves_of_the_page_have_the_same_sections() -> None:
    thai, english = PAGE.read_text(encoding="utf-8").split("## ภาษาไทย")[1].split("## In English")
    shapes = [
        [(line[:2].strip(), line.count(" | ")) for line in half.splitlines() if line.startswith(("###", "- ", "|"))]
        for half in (thai, english.split("\n---\n")[0])
    ]

    assert shapes[0] == shapes[1]


def test_the_distances_in_the_page_on_accounting_are_those_that_are_charged() -> None:
    contracts = {each.id: each for each in bundled()}
    page = (PAGE.parent / "privacy-accounting.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| (\w+) \| ([\w, ]+) \| (\d) \| (\d+) \| ([\d.]+) \|$", page, re.MULTILINE)

    assert len(shown) == 7
    for dataset, table, years, squared, sigma in shown:
        period = Period.model_validate({"from": date(2025 - int(years), 10, 1), "until": date(2025, 10, 1)})
        query = Query(measures=("count",), dimensions=tuple(table.split(", ")), where={}, period=period)
        (vector,) = plan(query, [contracts[dataset]], 100_000_000).vectors
        assert sensitivity(query, contracts[dataset], "count", query.dimensions).l2_squared == int(squared)
        assert f"{vector.sigma:.2f}" == sigma


def test_the_distance_of_a_counter_in_the_page_on_accounting_is_the_one_that_is_charged() -> None:
    (complaints,) = (each for each in bundled() if each.id == "tpo_complaint")
    period = Period.model_validate({"from": date(2024, 10, 1), "until": date(2025, 10, 1)})
    counter = Query(measures=("count",), dimensions=(), period=period, counter=True, series=Series())
    page = (PAGE.parent / "privacy-accounting.md").read_text(encoding="utf-8")

    assert f"({sensitivity(counter, complaints, 'count', ()).l2_squared} for `tpo_complaint`)" in page

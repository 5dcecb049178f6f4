"""The same question in other words, and what only looks like it."""

import pytest

from contracts.canonical import digest_of
from contracts.grid import grid_of
from contracts.question_form import canonical_filters, is_answered_by, question_form
from tests import factories as make

pytestmark = pytest.mark.unit

CONTRACT = make.contract()
ALL = ("10", "50", "90")


def form(**changes: object) -> str:
    return digest_of(question_form(make.query(**changes), (CONTRACT,)))


@pytest.mark.parametrize(
    "words",
    [
        {"dimensions": ("province", "month")},
        {"where": {"province": ALL}},
        {"where": {"month": ("2025-12", "2025-10", "2025-11")}},
        {"measures": ("count", "count")},
    ],
)
def test_other_words_for_the_same_question_have_its_form(words: dict[str, object]) -> None:
    assert form(**words) == form()


def test_measures_from_the_same_base_measures_are_the_same_question() -> None:
    assert form(measures=("count", "damage_thb:sum")) == form(measures=("damage_thb:mean",))
    assert form(measures=("count", "province:share")) == form(measures=("count",))


@pytest.mark.parametrize(
    "words",
    [
        {"where": {"province": ("10",)}},
        {"where": {"case_type": ("romance_scam", "shopping_scam", "call_center")}},
        {"dimensions": ("month",)},
        {"measures": ("people",)},
        {"period": make.period("2025-10-01", "2025-12-01")},
        {"series": {"revision": 0}},
        {"mechanism": "laplace"},
        {"family": {"tables": [{"by": ["month", "province"]}]}},
    ],
)
def test_what_asks_for_other_figures_has_another_form(words: dict[str, object]) -> None:
    assert form(**words) != form()


def test_a_filter_that_lists_all_of_what_is_no_axis_leaves_out_rows_without_a_label() -> None:
    types = ("call_center", "romance_scam", "shopping_scam")

    assert canonical_filters(make.query(where={"case_type": types}), (CONTRACT,)) == {"case_type": types}


def test_an_answer_in_other_words_is_known_without_the_contract() -> None:
    asked = make.query(dimensions=("province", "month"), where={"province": ALL}, measures=("damage_thb:mean",))
    answered = make.query(measures=("count", "damage_thb:sum"))

    assert is_answered_by(asked, answered, grid_of(answered, CONTRACT))


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ({}, {"where": {"province": ("10",)}}),
        ({}, {"where": {"province": ALL}}),
        ({"where": {"province": ("10",)}}, {}),
        ({"where": {"province": ("10",)}}, {"where": {"province": ("50",)}}),
        ({"where": {"case_type": ("call_center",)}}, {}),
        ({}, {"dimensions": ("month",)}),
        ({}, {"measures": ("count", "damage_thb:sum")}),
        ({}, {"period": make.period("2025-10-01", "2025-12-01")}),
        ({"series": {"revision": 1}}, {"series": {"revision": 0}}),
    ],
)
def test_figures_of_another_question_are_no_answer(asked: dict[str, object], answered: dict[str, object]) -> None:
    figures = make.query(**answered)

    assert not is_answered_by(make.query(**asked), figures, grid_of(figures, CONTRACT))

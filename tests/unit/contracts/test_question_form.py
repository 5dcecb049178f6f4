"""The same question in other words, and what only looks like it."""

import pytest

from contracts.canonical import digest_of
from contracts.dataset import Grain, Shape
from contracts.grid import grid_of
from contracts.question_form import canonical_filters, is_answered_by, question_form
from privacy.plan import plan
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


def test_a_family_keeps_its_filters_since_its_coarser_tables_have_less_noise_by_them() -> None:
    shape = Shape(by=("month", "province"), rows=1, cells=100)
    unit = CONTRACT.unit.model_copy(update={"shape": shape, "rows_per_window": 100})
    contract = make.contract(unit=unit)
    family = {"tables": [{"by": ["province"]}, {"by": []}]}
    one = make.query(family=family, dimensions=("province",))
    other = make.query(family=family, dimensions=("province",), where={"province": ALL})

    assert plan(one, [contract], 10**8).vectors != plan(other, [contract], 10**8).vectors
    assert question_form(one, (contract,)) != question_form(other, (contract,))
    assert canonical_filters(other, (contract,)) == {"province": ALL}
    assert not is_answered_by(other, one, grid_of(one, contract))


def test_a_filter_is_dropped_only_if_no_contract_has_another_label() -> None:
    more = make.contract(
        dimensions=(make.dimension("month", grain=Grain.MONTH), make.dimension("province", (*ALL, "92")))
    )
    asked = make.query(where={"province": ALL})

    assert canonical_filters(asked, (CONTRACT,)) == {}
    assert canonical_filters(asked, (CONTRACT, more)) == canonical_filters(asked, (more, CONTRACT)) == {"province": ALL}
    assert canonical_filters(asked, ()) == {"province": ALL}


def test_what_is_equal_by_way_of_a_coarser_dimension_is_not_recognised() -> None:
    years = make.contract(dimensions=(*CONTRACT.dimensions, make.dimension("year", grain=Grain.YEAR)))

    assert canonical_filters(make.query(where={"year": ("FY2569",)}), (years,)) == {"year": ("FY2569",)}


def test_other_codes_of_a_filter_are_no_answer_whatever_grid_is_claimed() -> None:
    asked, answered = (make.query(where={"province": codes}) for codes in (("10", "50"), ("50", "90")))

    assert not is_answered_by(asked, answered, grid_of(asked, CONTRACT))


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

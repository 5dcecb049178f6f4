"""What belongs to the key of a standing series: all that bounds a person, and nothing that only words the question."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from contracts.agreement import Approval
from contracts.dataset import ContractRef, DatasetContract, ProtectAt, ProtectedUnit, Shape
from contracts.query import Query, Series
from privacy.series import approved_apart, series_key
from tests import factories

pytestmark = pytest.mark.unit

CONTRACT = factories.contract()
QUERY = factories.query(series=Series())
NOT_APART: Mapping[str, str] = {}
DIGEST = "sha-256:" + "0" * 64


def key(
    contract: DatasetContract = CONTRACT,
    query: Query = QUERY,
    *,
    nano_rho: int = 7,
    datasets: Sequence[ContractRef] = (CONTRACT.reference,),
    apart: Mapping[str, str] = NOT_APART,
) -> str:
    return series_key(query, [contract], nano_rho, datasets=datasets, apart=apart)


def unit(**changes: object) -> ProtectedUnit:
    return CONTRACT.unit.model_copy(update=changes)


@pytest.mark.parametrize(
    "change",
    [
        {"source": "another/source"},
        {"table": "another_table"},
        {"row_key": "another_key"},
        {"event_time": "another_time"},
        {"unit": unit(rows_per_window=3)},
        {"unit": unit(column="another_person")},
        {"unit": unit(shape=Shape(by=("month",), rows=1, cells=2))},
        {"privacy": CONTRACT.privacy.model_copy(update={"protect_at": ProtectAt.CONNECTOR})},
        {"disjoint_from": ("another_dataset",)},
        {"dimensions": CONTRACT.dimensions[:-1]},
        {"measure_columns": (CONTRACT.measure_columns[0].model_copy(update={"clamp": (0, 1)}),)},
    ],
    ids=lambda change: str(next(iter(change))),
)
def test_each_term_that_bounds_a_person_makes_another_series(change: dict[str, object]) -> None:
    assert key(CONTRACT.model_copy(update=change)) != key()


def test_a_rename_of_the_dataset_makes_another_series() -> None:
    renamed = CONTRACT.model_copy(update={"id": "another_dataset"})
    assert key(renamed) != key()


def test_a_question_that_is_put_to_another_dataset_too_is_another_series() -> None:
    other = factories.contract(id="another_dataset").reference
    assert key(datasets=[CONTRACT.reference, other]) != key()
    assert key(datasets=[CONTRACT.reference, other]) == key(datasets=[other, CONTRACT.reference])


@pytest.mark.parametrize(
    "change",
    [{"nano_rho": 8}, {"query": QUERY.model_copy(update={"series": Series(revision=1)})}, {"apart": {"activity": "a"}}],
    ids=["price", "revision", "apart"],
)
def test_another_price_revision_or_activity_that_is_kept_apart_makes_another_series(change: dict[str, Any]) -> None:
    assert key(**change) != key()


def test_other_months_and_other_words_are_the_same_series() -> None:
    titled = CONTRACT.model_copy(update={"title": factories.text("another title")})
    later = QUERY.model_copy(update={"period": factories.period("2026-01-01", "2026-02-01")})
    assert key(titled, later) == key()


def test_disjoint_datasets_in_another_order_are_the_same_series() -> None:
    one, other = (CONTRACT.model_copy(update={"disjoint_from": ids}) for ids in (("a", "b"), ("b", "a")))
    assert key(one) == key(other)


def test_only_an_activity_without_standing_approval_is_kept_apart() -> None:
    standing = factories.activity([CONTRACT])
    each = standing.model_copy(update={"approval": Approval.EACH})
    assert approved_apart(DIGEST, standing.model_copy(update={"approval": Approval.STANDING})) == {}
    assert approved_apart(DIGEST, each) == {"agreement": DIGEST, "activity": each.id, "approval": "each"}

"""Which clamp a row has, and the largest amount that a question can meet."""

import pytest

from contracts.clamps import clamping_dimension, largest_amount
from contracts.dataset import DatasetContract, Dimension, MeasureColumn
from contracts.errors import InvalidInput
from contracts.query import Query
from tests import factories as make

pytestmark = pytest.mark.unit

SMALL, LARGE = (0, 5_000), (0, 60_000)
BY_TYPE = make.damage(clamp_by="case_type", clamps={"shopping_scam": SMALL, "romance_scam": LARGE})
EVERY = make.damage(clamp_by="case_type", clamps={**BY_TYPE.clamps, "call_center": (-70_000, 0)})


def offered(measured: MeasureColumn, *dimensions: Dimension) -> DatasetContract:
    return make.contract(measure_columns=(measured,), dimensions=(*make.DIMENSIONS, *dimensions))


def largest(measured: MeasureColumn, **asked: object) -> int:
    return largest_amount(offered(measured), measured, question(**asked))


def question(**changes: object) -> Query:
    return make.query(dimensions=changes.pop("dimensions", ("province",)), **changes)


def test_a_column_without_clamps_by_code_has_one_largest_amount() -> None:
    assert clamping_dimension(offered(make.damage()), make.damage()) is None
    assert largest(make.damage(), where={"case_type": ("shopping_scam",)}) == 100_000


def test_a_question_for_some_codes_meets_the_largest_of_their_clamps() -> None:
    assert largest(BY_TYPE, where={"case_type": ("shopping_scam",)}) == 5_000
    assert largest(BY_TYPE, where={"case_type": ("shopping_scam", "romance_scam")}) == 60_000


def test_a_code_without_a_clamp_of_its_own_has_the_common_one() -> None:
    assert largest(BY_TYPE, where={"case_type": ("shopping_scam", "call_center")}) == 100_000


def test_without_a_filter_rows_of_every_code_count() -> None:
    assert largest(BY_TYPE) == 100_000


def test_rows_without_a_label_have_the_common_clamp_unless_the_question_leaves_them_out() -> None:
    assert largest(EVERY) == 100_000
    assert largest(EVERY, dimensions=("case_type",)) == 70_000
    assert largest(EVERY, where={"case_type": ("call_center",)}) == 70_000


def test_a_list_with_a_code_for_the_rest_labels_every_row() -> None:
    sex = Dimension(name="sex", title=make.text("sex"), column="sex", code_list="sex_codes", values=("F", "M", "U"))
    measured = make.damage(clamp_by="sex", clamps=dict.fromkeys(("F", "M", "U"), SMALL))

    assert largest_amount(offered(measured, sex), measured, question()) == 5_000


def test_a_filter_on_what_a_code_leads_to_says_nothing_about_the_code() -> None:
    group = Dimension(
        name="case_group", title=make.text("group"), column="case_type", via="offences", values=("shopping_scam",)
    )
    contract = offered(BY_TYPE, group)

    assert largest_amount(contract, BY_TYPE, question(where={"case_group": ("shopping_scam",)})) == 100_000


@pytest.mark.parametrize("by", ["province", "month", "nothing"])
def test_clamps_by_codes_that_no_dimension_offers_are_refused(by: str) -> None:
    measured = make.damage(clamp_by=by, clamps={"shopping_scam": SMALL})

    with pytest.raises(InvalidInput, match="clamp-without-codes"):
        clamping_dimension(offered(measured), measured)


def test_a_row_weighs_at_least_one_unit() -> None:
    assert largest(make.damage(clamp=(0, 1))) == 1

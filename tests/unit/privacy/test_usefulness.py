"""Whether an answer would be noise, and what to ask instead: from planned errors and past releases alone."""

from collections.abc import Sequence

import numpy as np
import pytest

from contracts.dataset import DatasetContract, Grain
from contracts.grid import grid_of
from contracts.query import Query
from contracts.release import ReleaseBody
from contracts.views import Remedy
from gateway.finish import release_name
from privacy.plan import plan
from privacy.release import assemble, exact_part
from privacy.usefulness import Limits, expected_cells, expected_errors, noisy_share, suggestion
from tests import factories as make
from tests.unit.privacy.test_release_families import part

pytestmark = pytest.mark.unit

EXACT = 10**22
DEAR, CHEAP = 500_000_000, 10_000
EVERYTHING = frozenset({"month", "fiscal_year", "province", "police_region", "case_type", "hour"})


def offered() -> DatasetContract:
    province = make.dimension("province", ("10", "50", "57")).model_copy(update={"code_list": "provinces"})
    region = make.dimension("police_region", ("BMB", "P5"), column="province").model_copy(
        update={"code_list": "police_commands", "via": "provinces"}
    )
    year = make.dimension("fiscal_year", grain=Grain.YEAR)
    return make.contract(dimensions=(*make.DIMENSIONS[:1], year, province, region, *make.DIMENSIONS[2:]))


def released(query: Query, cells: Sequence[int]) -> ReleaseBody:
    """A release without visible noise."""
    contract = offered()
    answer = assemble([part(contract, *exact_part({"count": cells}, query))], [contract], query, EXACT)
    request = make.request(query=query)
    return ReleaseBody(
        id=release_name(contract.digest),
        request_id=request.id,
        request_digest=contract.digest,
        agreement=request.agreement,
        agreement_digest=request.agreement_digest,
        activity=request.activity,
        requester="oja",
        purpose="crime-prevention",
        tier=contract.tiers[0],
        public=True,
        query=query,
        grid=grid_of(query, contract),
        released=answer.released,
        derived=(),
        charges=(),
        promises=(),
        epsilon=1.0,
        delta="1e-6",
        parts=(),
        created=make.NOW,
    )


PAST = released(make.query(), [30, 60, 90] * 3)
"""Three months; a month has 30, 60 and 90 rows in three provinces."""


def sizes(query: Query, by: Sequence[str], past: ReleaseBody = PAST) -> list[float]:
    found = expected_cells(query, offered(), "count", by, past)
    assert found is not None
    return [float(each) for each in found]


def test_sizes_follow_the_past_release_by_area_and_by_months() -> None:
    year = make.query(period=make.period("2024-10-01", "2025-10-01"), dimensions=("province",))

    assert sizes(make.query(), ("month", "province")) == [30, 60, 90] * 3
    assert sizes(year, ("province",)) == [360, 720, 1080]
    assert sizes(make.query(dimensions=()), ()) == [540]
    assert sizes(make.query(dimensions=("fiscal_year", "province")), ("fiscal_year", "province")) == [90, 180, 270]
    assert sizes(make.query(dimensions=("police_region", "month")), ("police_region", "month")) == [30] * 3 + [150] * 3


def test_what_the_past_release_does_not_tell_apart_is_spread_evenly() -> None:
    by_type = make.query(dimensions=("case_type", "province"), period=make.period("2025-10-01", "2025-11-01"))
    one_type = make.query(where={"case_type": ("call_center",)}, dimensions=("province",))

    assert sizes(by_type, ("case_type", "province")) == [10, 20, 30] * 3
    assert sizes(one_type, ("province",)) == [30, 60, 90]


def test_a_filter_on_a_known_axis_takes_only_its_part() -> None:
    assert sizes(make.query(where={"province": ("57",)}, dimensions=("month",)), ("month",)) == [90] * 3
    assert sizes(make.query(where={"province": ("10", "57")}), ("month", "province")) == [30, 90] * 3


def test_axes_may_stand_in_any_order() -> None:
    past = released(make.query(dimensions=("case_type", "province", "month")), list(range(27)))
    turned = np.arange(27).reshape(3, 3, 3).sum(axis=2) / 3

    assert sizes(
        make.query(dimensions=("province", "case_type"), period=make.period("2025-10-01", "2025-11-01")),
        ("province", "case_type"),
        past,
    ) == pytest.approx(turned.T.ravel())


def test_a_release_that_left_rows_out_or_lacks_the_measure_tells_nothing() -> None:
    narrow = released(make.query(where={"case_type": ("call_center",)}), [1] * 9)

    assert expected_cells(make.query(), offered(), "count", ("month", "province"), narrow) is None
    assert expected_cells(make.query(), offered(), "damage_thb:sum", ("month", "province"), PAST) is None
    assert noisy_share(make.query(), offered(), "people", ("month",), 1.0, PAST) is None


def test_cells_whose_error_exceeds_half_their_size_are_mostly_noise() -> None:
    by = ("month", "province")

    assert noisy_share(make.query(), offered(), "count", by, 14.0, PAST) == 0
    assert noisy_share(make.query(), offered(), "count", by, 16.0, PAST) == pytest.approx(1 / 3)
    assert noisy_share(make.query(), offered(), "count", by, 46.0, PAST) == 1


def test_a_question_that_would_be_noise_is_led_to_a_coarser_one() -> None:
    asked = make.query(dimensions=("month", "province", "case_type"))
    found = suggestion(asked, [offered()], 2_000_000, Limits(EVERYTHING, 2_000_000), PAST)

    assert found is not None
    assert found.remedy is Remedy.COARSER
    assert found.noisy_share < 0.5
    assert set(found.dimensions) < EVERYTHING


def test_a_coarser_question_stays_within_what_was_agreed() -> None:
    asked = make.query(dimensions=("month", "province"))
    agreed = Limits(frozenset({"month", "province"}), 700_000)
    found = suggestion(asked, [offered()], 700_000, agreed, PAST)

    assert found is not None
    assert set(found.dimensions) <= {"month", "province"}


def test_where_no_coarser_form_helps_a_dearer_price_is_named_within_what_is_left() -> None:
    asked = make.query(dimensions=(), where={"province": ("10",)}, period=make.period("2025-10-01", "2025-11-01"))
    found = suggestion(asked, [offered()], CHEAP, Limits(EVERYTHING, DEAR), PAST)
    none = suggestion(asked, [offered()], CHEAP, Limits(EVERYTHING, 2 * CHEAP), PAST)

    assert found is not None
    assert found.remedy is Remedy.DEARER
    assert CHEAP < found.nano_rho <= DEAR
    assert found.noisy_share <= 0.5
    assert none is not None
    assert none.remedy is Remedy.NONE


def test_a_very_good_answer_may_be_had_for_less() -> None:
    found = suggestion(make.query(dimensions=("month",)), [offered()], DEAR, Limits(EVERYTHING, DEAR), PAST)

    assert found is not None
    assert found.remedy is Remedy.CHEAPER
    assert found.nano_rho < DEAR
    assert found.noisy_share <= 0.05


def test_nothing_is_suggested_when_nothing_is_known() -> None:
    limits = Limits(EVERYTHING, DEAR)

    assert suggestion(make.query(measures=("people",)), [offered()], DEAR, limits, PAST) is None


def test_the_expected_error_is_the_planned_one() -> None:
    terms = plan(make.query(), [offered()], DEAR)

    assert expected_errors(make.query(), offered(), terms) == {
        ("count", ("month", "province")): terms.vectors[0].error_95
    }

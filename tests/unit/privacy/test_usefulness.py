"""Whether an answer would be noise, and what to ask instead: from planned errors and past releases alone."""

from collections.abc import Sequence

import numpy as np
import pytest

from contracts.dataset import DatasetContract, Grain
from contracts.grid import grid_of
from contracts.query import Family, FamilyTable, Query
from contracts.release import ReleaseBody
from contracts.views import Remedy
from gateway.finish import release_name
from privacy.derived import derived_of
from privacy.expected_derived import TypicalError, derived_measures, typical_errors
from privacy.plan import Z_95, plan
from privacy.release import assemble, exact_part, released_vector
from privacy.usefulness import Limits, expected_cells, expected_errors, noisy_share, suggestion
from tests import factories as make

pytestmark = pytest.mark.unit

EXACT = 10**22
BINS = (1_000, 10_000)
DEAR, CHEAP = 500_000_000, 10_000
EVERYTHING = frozenset({"month", "fiscal_year", "province", "police_region", "case_type", "hour"})


def offered() -> DatasetContract:
    province = make.dimension("province", ("10", "50", "57")).model_copy(update={"code_list": "provinces"})
    region = make.dimension("police_region", ("BMB", "P5"), column="province").model_copy(
        update={"code_list": "police_commands", "via": "provinces"}
    )
    year = make.dimension("fiscal_year", grain=Grain.YEAR)
    return make.contract(
        dimensions=(*make.DIMENSIONS[:1], year, province, region, *make.DIMENSIONS[2:]),
        measure_columns=(make.damage(kinds=("sum", "mean", "histogram", "median"), bins=BINS),),
    )


def released(query: Query, cells: Sequence[int], **others: Sequence[int]) -> ReleaseBody:
    """A release without visible noise: counts, and of the damage the ``sum`` or the ``histogram``."""
    contract = offered()
    exact = {"count": cells} | {f"damage_thb:{kind}": figures for kind, figures in others.items()}
    answer = assemble([make.part(contract, *exact_part(exact, query))], [contract], query, EXACT)
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


def test_the_bins_of_a_histogram_run_fastest_and_stay_apart() -> None:
    histogram = make.query(measures=("damage_thb:histogram",))
    past = released(histogram, (), histogram=[3, 6, 9, 30, 60, 90, 0, 0, 12] * 3)
    turned = make.query(measures=("damage_thb:median",), dimensions=("province", "month"))
    region = make.query(measures=("damage_thb:median",), dimensions=("police_region",))

    def bins(query: Query, contract: DatasetContract = offered()) -> list[float] | None:  # noqa: B008  # it is frozen
        found = expected_cells(query, contract, "damage_thb:histogram", query.dimensions, past)
        return None if found is None else [float(each) for each in found]

    assert bins(histogram) == [3, 6, 9, 30, 60, 90, 0, 0, 12] * 3
    assert bins(turned) == [3, 6, 9] * 3 + [30, 60, 90] * 3 + [0, 0, 12] * 3
    assert bins(region) == [9, 18, 27, 90, 180, 306]
    assert noisy_share(histogram, offered(), "damage_thb:histogram", ("month", "province"), 7.0, past) == pytest.approx(
        6 / 9
    )
    other = make.damage(kinds=("sum", "mean", "histogram", "median"), bins=(1_000, 20_000))
    assert bins(histogram, offered().model_copy(update={"measure_columns": (other,)})) is None


def test_bins_that_only_a_median_is_read_from_are_not_what_is_judged() -> None:
    histogram = make.query(measures=("damage_thb:histogram",))
    past = released(histogram, (), histogram=[0, 1, 0] * 9)
    limits = Limits(EVERYTHING, DEAR)

    assert suggestion(histogram, [offered()], CHEAP, limits, past) is not None
    assert suggestion(make.query(measures=("damage_thb:median",)), [offered()], CHEAP, limits, past) is None


def test_a_mean_has_the_typical_error_that_a_release_of_the_expected_figures_would_have() -> None:
    query = make.query(measures=("damage_thb:mean",))
    past = released(query, [30, 60, 90] * 3, sum=[30_000, 120_000, 0] * 3)
    terms = plan(query, [offered()], DEAR)

    found = typical_errors(query, offered(), terms, past)

    answer = [
        released_vector(terms.vector("count", query.dimensions), [30, 60, 90] * 3, offered()),
        released_vector(terms.vector("damage_thb:sum", query.dimensions), [30_000, 120_000, 0] * 3, offered()),
    ]
    (mean,) = derived_of(answer, grid_of(query, offered()), query, offered())
    assert found.keys() == {"damage_thb:mean"}
    assert found["damage_thb:mean"].error_95 == pytest.approx(np.median([e for e in mean.errors_95 if e is not None]))
    assert found["damage_thb:mean"].noisy_share == 1


def test_errors_of_medians_and_shares_follow_the_price() -> None:
    query = make.query(measures=("case_type:share", "damage_thb:median"), dimensions=("case_type",))
    past = released(query, [900, 600, 0], histogram=[300, 400, 200, 100, 400, 100, 0, 0, 0])
    dear, cheap = (typical_errors(query, offered(), plan(query, [offered()], each), past) for each in (DEAR, CHEAP))

    assert dear["case_type:share"].error_95 == pytest.approx(2 * Z_95 / 900, rel=0.8)
    assert dear["damage_thb:median"].error_95 is not None
    # The type without a row has no share and no median to be wrong about.
    assert dear["case_type:share"].noisy_share == 0
    assert cheap["damage_thb:median"] == (None, 1)


def test_a_derived_measure_whose_figures_are_not_known_has_no_error() -> None:
    query = make.query(measures=("damage_thb:mean", "province:share"))

    found = typical_errors(query, offered(), plan(query, [offered()], DEAR), PAST)

    assert found.keys() == {"province:share"}
    assert derived_measures(make.query(measures=("count", "damage_thb:mean"))) == ("damage_thb:mean",)


def test_a_share_in_a_family_is_computed_from_its_measured_leaves() -> None:
    family = Family(tables=(FamilyTable(by=("month",)), FamilyTable(by=("month", "province"))))
    plain, whole = make.query(measures=("province:share",)), make.query(measures=("province:share",), family=family)

    def share(query: Query, nano_rho: int) -> TypicalError:
        return typical_errors(query, offered(), plan(query, [offered()], nano_rho), PAST)["province:share"]

    # Half of the price is the leaves'.
    assert share(whole, 2 * DEAR) == share(plain, DEAR)


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

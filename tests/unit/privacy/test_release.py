"""From exact parts to a protected answer."""

import pytest

from contracts.canonical import canonical_bytes
from contracts.dataset import ProtectAt
from contracts.task import PartMeasure
from privacy.mechanisms import LARGEST_CELL, draw_gaussian, gaussian_scale
from privacy.plan import Z_95
from privacy.release import assemble, exact_part, protect
from tests import factories as make

pytestmark = pytest.mark.unit

CHEAP = 10**22
"""A price at which the noise vanishes, to see the arithmetic."""

CELLS = tuple(range(9))


def test_parts_add_up_cell_by_cell() -> None:
    one, other = make.contract(), make.contract(id="crimes_case", agency="rtp")
    parts = [make.part(each, PartMeasure(measure="count", cells=CELLS)) for each in (one, other)]

    answer = assemble(parts, [one, other], make.query(), CHEAP)

    assert answer.released[0].cells == tuple(2 * n for n in CELLS)
    assert answer.derived == ()


def test_the_gateway_adds_no_second_noise_to_what_the_agency_protected() -> None:
    inside = make.contract(protect_at=ProtectAt.CONNECTOR)
    measures = protect({"count": CELLS}, inside, make.query(), 1000)

    answer = assemble([make.part(inside, *measures)], [inside], make.query(), 1000)

    assert answer.released[0].cells == measures[0].cells
    assert answer.released[0].sigma == pytest.approx(measures[0].sigma)


def test_exact_parts_are_noised_at_the_gateway() -> None:
    offered = make.contract()
    exact = exact_part({"count": CELLS}, make.query())

    answer = assemble([make.part(offered, *exact)], [offered], make.query(), 1_000)

    assert exact[0].sigma is None
    assert answer.released[0].cells != CELLS


def test_every_figure_carries_its_error() -> None:
    offered = make.contract()

    (count,) = assemble(
        [make.part(offered, *exact_part({"count": CELLS}, make.query()))], [offered], make.query(), 50_000_000
    ).released

    assert count.sigma == pytest.approx(6.3245553)
    assert count.expected_error_95 == pytest.approx(Z_95 * count.sigma)
    assert count.unit == "case"


def test_a_mean_is_sum_over_count_with_the_delta_method_s_error() -> None:
    asked = make.query(measures=("damage_thb:mean",), dimensions=("case_type",))
    offered = make.contract()
    exact = {"count": (1000, 0, 10), "damage_thb:sum": (2_000_000, 0, 5)}

    answer = assemble([make.part(offered, *exact_part(exact, asked))], [offered], asked, CHEAP)
    (mean,) = answer.derived

    assert mean.cells == (2000.0, None, 0.5)
    assert mean.errors_95[1] is None
    assert mean.unit == "THB"
    assert {each.measure for each in answer.released} == {"count", "damage_thb:sum"}


def test_a_mean_over_a_count_that_drowns_in_noise_is_not_given() -> None:
    asked = make.query(measures=("damage_thb:mean",), dimensions=("case_type",))
    offered = make.contract()
    exact = {"count": (-(10**6),) * 3, "damage_thb:sum": (9, 9, 9)}

    (mean,) = assemble([make.part(offered, *exact_part(exact, asked))], [offered], asked, 100).derived

    assert mean.cells == (None, None, None)


def test_figures_at_the_edge_of_64_bits_do_not_wrap() -> None:
    noisy = draw_gaussian([2**63 - 1, -(2**63)], gaussian_scale(10**12, 1))

    assert all(-LARGEST_CELL <= cell <= LARGEST_CELL for cell in noisy)
    assert noisy[0] > 0 > noisy[1]


def test_a_total_of_huge_parts_keeps_a_canonical_form() -> None:
    one, other = make.contract(), make.contract(id="crimes_case", agency="rtp")
    huge = tuple(LARGEST_CELL for _ in CELLS)
    parts = [make.part(each, PartMeasure(measure="count", cells=huge)) for each in (one, other)]

    (count,) = assemble(parts, [one, other], make.query(), 1_000).released

    assert max(count.cells) <= LARGEST_CELL
    assert canonical_bytes(count)

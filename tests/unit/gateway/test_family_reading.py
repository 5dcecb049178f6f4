"""A family as officials and visitors read it: in the letter, and on the page."""

from datetime import date

import numpy as np
import pytest

from contracts.agreement import Agreement
from contracts.canonical import digest_of
from contracts.query import Family, Query
from contracts.release import Release
from gateway.family_figures import half_widths, shown_figures, table_by
from gateway.letters.letter import Papers, compose
from gateway.web.counts import standing_cells
from tests import factories
from tests.family_world import family, family_body, offered

pytestmark = pytest.mark.unit

AXES = ("month", "province")
FAMILY = family([(), ("police_region",), AXES], weight=1)
CONTRACT = offered()


def agreed(*families: Family) -> Agreement:
    activity = factories.activity((CONTRACT,), families=families, dimensions=AXES)
    return factories.agreement((CONTRACT,), activities=(activity,))


def families_in_letter(*families: Family) -> list[str]:
    agreement = agreed(*families)
    papers = Papers(agreement, digest_of(agreement), {CONTRACT.digest: CONTRACT}, {}, ())
    (sheet,) = compose(papers, date(2026, 11, 21)).sheets
    return [line.text for line in sheet.lines if line.label == "ชุดตารางที่ยอดตรงกัน"]


def asked() -> Query:
    return factories.query(dimensions=AXES, family=FAMILY)


def published() -> Release:
    body = family_body(asked(), level=3, activity="monthly")
    return Release(body=body, digest=digest_of(body), signature="s")


def test_the_letter_names_each_table_with_its_share_of_the_price() -> None:
    (text,) = families_in_letter(FAMILY)

    assert text.startswith("ชุดที่ ๑ จำนวน ๓ ตาราง")
    assert text.count("(ร้อยละ ๓๓.๓ ของงบ)") == 3
    assert "ยอดรวมทั้งหมด (" in text
    assert text.endswith("พร้อมจำนวนเต็มที่ไม่ติดลบและรวมยอดตรงกันทุกตาราง")


def test_an_activity_without_families_says_nothing_of_them() -> None:
    assert families_in_letter() == []


def test_two_families_are_numbered() -> None:
    (text,) = families_in_letter(FAMILY, family([AXES], integers=False))

    assert "ชุดที่ ๒ จำนวน ๑ ตาราง" in text
    assert text.count("จำนวนเต็ม") == 1


def test_the_page_shows_whole_numbers_that_add_up_over_the_tables() -> None:
    release = published()

    leaves = standing_cells([release], "monthly", AXES)
    regions = standing_cells([release], "monthly", ("police_region",))
    (total,) = standing_cells([release], "monthly", ()).values()

    assert all(each.value >= 0 and each.value == int(each.value) for each in leaves.values())
    assert sum(each.value for each in leaves.values()) == total.value == sum(each.value for each in regions.values())
    assert total.error < 15 * next(iter(leaves.values())).error


def test_the_page_turns_the_axes_of_a_family_as_it_asks() -> None:
    release = published()

    turned = standing_cells([release], "monthly", AXES[::-1])

    assert {key[::-1]: each for key, each in turned.items()} == standing_cells([release], "monthly", AXES)


def test_a_family_without_the_table_that_a_page_needs_is_not_read() -> None:
    assert standing_cells([published()], "monthly", ("month",)) == {}


def test_estimates_stand_in_where_a_family_has_no_whole_numbers() -> None:
    query = factories.query(dimensions=AXES, family=family([AXES], integers=False))
    body = family_body(query, level=0)
    table = table_by(body, "count", AXES[::-1])
    assert table is not None

    figures, errors = shown_figures(body, table)

    assert figures == table.estimates
    assert errors == pytest.approx([half_widths(body, table) * sigma for sigma in table.sigmas])
    assert half_widths(body, table) == pytest.approx(1.96, abs=1e-3)


def test_the_errors_of_whole_numbers_hold_what_they_say() -> None:
    """About 95 in 100 whole numbers are within their error, or more: none is negative, as no count is."""
    inside: list[bool] = []
    for level in (0, 1, 5, 40):
        for _ in range(8):
            body = family_body(asked(), level=level, nano_rho=2_000_000_000)
            for table in body.tables:
                figures, errors = shown_figures(body, table)
                exact = level * 15 / table.grid.size
                if table.by == ("police_region",):
                    continue
                inside += (np.abs(np.asarray(figures) - exact) <= np.asarray(errors)).tolist()

    assert np.mean(inside) > 0.95

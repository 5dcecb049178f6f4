"""Recording shocks are found, flagged and not learnt; crime that rises everywhere is not mistaken for one."""

import numpy as np
import pandas as pd
import pytest

from contracts.code_lists import code_list
from forecasting.breaks import Declared, declared, find
from forecasting.engine import forecast
from forecasting.flow.breaks import breaks as law_breaks
from forecasting.hierarchy import Hierarchy, single_level
from forecasting.panel import Floats, Panel
from forecasting.series_flags import flags_of
from tests.forecast_hierarchies import KINDS, made_counts, made_hierarchy

pytestmark = pytest.mark.unit

STRIKE = slice(55, 58)
COUNTS = made_counts(60, 60.0)


def struck(counts: Floats, kind: int = 0, months: slice = STRIKE, share: float = 0.4) -> Floats:
    hit = counts.copy()
    hit[kind::KINDS, months] = np.rint(hit[kind::KINDS, months] * share)
    return hit


def marked(hierarchy: Hierarchy) -> list[tuple[int, int]]:
    return [(int(row), int(month)) for row, month in np.argwhere(find(hierarchy, ())[-1].shocks)]


@pytest.mark.parametrize("sigma", [0.0, 5.0])
def test_a_strike_of_three_months_in_one_kind_is_marked_in_every_area_and_nowhere_else(sigma: float) -> None:
    found = find(made_hierarchy(struck(COUNTS), sigma), ())

    for marks in found:
        expected = np.zeros_like(marks.shocks)
        expected[0::KINDS, STRIKE] = True
        assert np.array_equal(marks.shocks, expected)
        assert not marks.begins.any()


def test_a_forecast_does_not_learn_the_strike() -> None:
    usual = forecast(made_hierarchy(COUNTS), 3).mean[-1][0::KINDS].sum()
    after = forecast(made_hierarchy(struck(COUNTS)), 3).mean[-1][0::KINDS].sum()

    assert after == pytest.approx(usual, rel=0.06)


def test_the_false_alarm_rate_is_below_one_in_a_thousand_kind_months() -> None:
    alarms = sum(
        len({month for _, month in marked(made_hierarchy(made_counts(120, 60.0, seed), 3.0, seed))})
        for seed in range(8)
    )

    assert alarms <= 8 * KINDS * 96 / 1000


def test_a_fall_of_all_kinds_at_once_is_crime_and_not_recording() -> None:
    lockdown = COUNTS.copy()
    lockdown[:, STRIKE] = np.rint(lockdown[:, STRIKE] * 0.5)

    assert marked(made_hierarchy(lockdown)) == []


def test_a_fall_in_one_area_alone_is_not_marked() -> None:
    local = COUNTS.copy()
    local[0, STRIKE] = 0.0

    assert marked(made_hierarchy(local)) == []


def test_a_kind_that_lasts_on_another_level_begins_anew() -> None:
    moved = struck(COUNTS, 1, slice(30, 60), 0.2)

    marks = find(made_hierarchy(moved), ())[-1]
    outcome = forecast(made_hierarchy(moved), 3)

    assert set(marks.begins[1::KINDS].tolist()) == {30}
    assert not marks.shocks.any()
    assert not marks.begins[0::KINDS].any()
    assert outcome.mean[-1][1::KINDS].mean() == pytest.approx(moved[1::KINDS, -12:].mean() * 1.2, rel=0.2)


def test_a_mark_does_not_depend_on_later_months() -> None:
    whole, early = made_hierarchy(struck(COUNTS)), made_hierarchy(struck(COUNTS)).until(57)

    assert np.array_equal(find(whole, ())[-1].shocks[:, :57], find(early, ())[-1].shocks)


def test_declared_changes_hide_what_was_counted_before() -> None:
    change = Declared("2018-01", frozenset({"K2"}), "a new law", "its text")
    late = Declared("2030-01", frozenset({"K1"}), "to come", "nobody")

    marks = find(made_hierarchy(COUNTS), (change, late))[-1]

    assert set(marks.begins[2::KINDS].tolist()) == {24}
    assert not marks.begins[0::KINDS].any()
    assert not marks.begins[1::KINDS].any()
    assert marks.hidden()[2, :24].all()
    assert not marks.hidden()[2, 24:].any()


def test_the_declared_changes_of_the_country_have_a_source_each() -> None:
    changes = declared()

    assert [each.month for each in changes] == sorted(each.month for each in changes)
    assert all(each.codes and each.event and each.source for each in changes)


def test_an_event_that_counts_the_same_things_is_told_and_nothing_is_forgotten() -> None:
    event = Declared("2018-01", frozenset({"K2"}), "more is reported", "a notice", resets=False)
    before = Declared("2016-01", frozenset({"K1"}), "before the first month", "a notice", resets=False)
    late = Declared("2030-01", frozenset({"K0"}), "to come", "nobody", resets=False)

    marks = find(made_hierarchy(COUNTS), (before, event, late))[-1]

    assert marks.stirred[2::KINDS].all()
    assert not marks.stirred[0::KINDS].any()
    assert not marks.stirred[1::KINDS].any()
    assert not marks.begins.any()


def test_laws_that_the_caseload_lists_too_changed_their_codes_in_the_same_month() -> None:
    resets = [each for each in declared() if each.resets]
    complaints = set(code_list("tech_case_types").titles)

    for law in law_breaks():
        codes = {law.code} if law.code else complaints if law.dataset == "tpo_complaint" else set()
        assert codes <= {code for each in resets if each.month == f"{law.day:%Y-%m}" for code in each.codes}


def test_decrees_and_weekly_statistics_are_told_without_a_new_beginning() -> None:
    told = {each.month: each.codes for each in declared() if not each.resets}

    assert {month for month, codes in told.items() if "FROZEN" in codes} == {"2023-03", "2025-04"}
    assert told["2025-11"] == frozenset(code_list("tech_case_types").titles)


def test_a_forecast_over_a_declared_event_is_flagged() -> None:
    index = pd.Index(["SHOP", "OTHER"], name="case_type")
    columns = pd.period_range("2024-01", periods=30, freq="M")
    panel = Panel(pd.DataFrame(np.tile([40.0, 50.0], (2, 15)), index=index, columns=columns), 0.0)

    (found,) = flags_of(single_level(panel))

    assert list(found) == [("reporting-changed",), ()]


def test_one_or_two_kinds_cannot_tell_a_shock_from_crime() -> None:
    alone = made_hierarchy(struck(COUNTS)[0::KINDS], kinds=1)

    assert marked(alone) == []
    assert marked(single_level(alone.levels[-1])) == []

"""Warnings: what is planted is found, what must not be judged is not, and false alarms are as rare as stated."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from pydantic_core import from_json

from benchmarks import warnings
from contracts.code_lists import code_list
from contracts.errors import InvalidInput, Unavailable
from contracts.release import ReleaseBody
from forecasting.breaks import Declared, declared
from forecasting.enforcement import VICTIMISATION
from forecasting.panel import Floats
from forecasting.warnings import find
from forecasting.warnings.breaks import SETTLING, Break, declared_breaks
from forecasting.warnings.expected import PooledLevel
from forecasting.warnings.find import Watched, watch_areas
from forecasting.warnings.limits import Watch
from forecasting.warnings.report import report_of
from forecasting.warnings.simulation import Alarmed, World, false_alarms, found_within
from tests.watched_months import GROUPS, MONTHS, PLANTED, SINCE, exact, month_release

pytestmark = pytest.mark.property

MODEL = PooledLevel()
FIRST = MONTHS[0]
NOTICED = MONTHS[MONTHS.index(SINCE) + 2]
PROVINCES = 77
PHUKET, RANONG = "83", "85"


def watched(counts: Floats | None = None, watch: Watch | None = None, *breaks: Break, until: str = NOTICED) -> Watched:
    return watch_areas([month_release(until, counts, FIRST)], MODEL, watch or Watch(), breaks=breaks)


def changed(month: str, group: str, factor: float, province: str | None = None) -> Floats:
    """The synthetic counts, those of one month and group multiplied."""
    counts = exact().copy()
    where = slice(None) if province is None else code_list("provinces").values.index(province)
    place = (MONTHS.index(month), where, GROUPS.index(group))
    counts[place] = np.rint(counts[place] * factor)
    return counts


@pytest.fixture(scope="module")
def noticed() -> Watched:
    return watched()


def test_the_planted_jump_is_found_in_its_province_and_group_with_the_month_in_which_it_began(noticed: Watched) -> None:
    found = [each for each in noticed.now if (each.kind, each.area, each.group) == ("province", PLANTED.province, "G2")]

    assert [each.since for each in found] == [SINCE]
    assert SINCE <= found[0].raised <= NOTICED
    assert found[0].alarm.figure > found[0].alarm.high


def test_besides_the_planted_jump_and_its_region_hardly_anything_is_warned_of(noticed: Watched) -> None:
    others = [each for each in noticed.now if each.area not in (PLANTED.province, "P2")]

    assert len(others) <= 1


def test_a_region_of_which_no_table_was_released_is_the_sum_of_its_provinces(noticed: Watched) -> None:
    # Some draws of the noise just miss the region: 6 of 42 when it was measured.
    draws = chain((noticed,), (watched() for _ in range(4)))

    assert any(
        ("police_region", "P2", "G2") in {(each.kind, each.area, each.group) for each in draw.now} for draw in draws
    )


def test_no_group_that_counts_arrests_is_ever_watched(noticed: Watched) -> None:
    assert {each.group for each in (*noticed.now, *noticed.past)} <= {"G1", "G2", "G3"}
    assert {each.group for each in noticed.unjudged} <= {"G1", "G2", "G3"}
    with pytest.raises(InvalidInput) as caught:
        watch_areas([month_release(NOTICED, None, FIRST)], MODEL, Watch(), ("G2", "G4"))

    assert caught.value.code == "enforcement-is-not-risk"


BROKEN = Break(NOTICED, ("G1",), (PHUKET,))


@pytest.fixture(scope="module")
def altered() -> Floats:
    """Property crime rises sixfold in Ranong, violence fivefold in Phuket."""
    counts = changed(NOTICED, "G2", 6.0, RANONG)
    province = code_list("provinces").values.index(PHUKET)
    counts[MONTHS.index(NOTICED), province, GROUPS.index("G1")] *= 5
    return counts


@pytest.fixture(scope="module")
def careful(altered: Floats) -> Watched:
    return watched(altered, None, BROKEN)


@pytest.fixture(scope="module")
def careless(altered: Floats) -> Watched:
    return watched(altered, Watch(population_floor=0))


def test_an_area_below_the_floor_raises_no_warning_however_far_it_rises(careful: Watched, careless: Watched) -> None:
    assert RANONG not in {each.area for each in careful.now}
    assert (RANONG, "G2", "below-area-floor") in {(each.area, each.group, each.flag) for each in careful.unjudged}
    assert RANONG in {each.area for each in careless.now}


def test_a_month_that_is_known_to_be_a_recording_break_raises_no_warning(careful: Watched, careless: Watched) -> None:
    assert (PHUKET, "G1") in {(each.area, each.group) for each in careless.now}
    assert (PHUKET, "G1") not in {(each.area, each.group) for each in careful.now}
    assert (PHUKET, "G1", "recording-break") in {(each.area, each.group, each.flag) for each in careful.unjudged}
    assert careful.breaks == (BROKEN,)


def test_too_few_expected_cases_raise_no_warning() -> None:
    found = watched(watch=Watch(expected_floor=1e6))

    assert found.now == ()
    assert {each.flag for each in found.unjudged} == {"below-area-floor"}
    assert len(found.unjudged) == (PROVINCES + 10) * 3


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_a_month_in_which_the_whole_country_moves_is_found_to_be_a_break(factor: float) -> None:
    month = MONTHS[MONTHS.index(NOTICED) - 1]

    found = watched(changed(month, "G3", factor))

    assert found.breaks == (Break(month, ("G3",)),)
    assert not {each.area for each in found.now if each.group == "G3"}


def test_a_break_of_several_months_hides_no_later_month_behind_its_beginning() -> None:
    counts = exact().copy()
    start = MONTHS.index(SINCE)
    counts[start : start + 3, :, 2] = np.rint(0.4 * counts[start : start + 3, :, 2])

    found = watched(counts, until=MONTHS[start + 4])

    assert {each.month for each in found.breaks} >= set(MONTHS[start : start + 3])
    assert not [each for each in found.now if each.group == "G3"]


LAW = Declared(MONTHS[MONTHS.index(NOTICED) - 9], frozenset({"G3", "SHOP"}), "a new law", "its text")


@pytest.fixture(scope="module")
def widened() -> ReleaseBody:
    """From the month of a law on a fifth more counts as group G3: too little for a break to be found."""
    counts = exact().copy()
    start = MONTHS.index(LAW.month)
    counts[start:, :, 2] = np.rint(1.2 * counts[start:, :, 2])
    return month_release(NOTICED, counts, FIRST)


def test_a_declared_change_of_what_is_counted_raises_no_warning(
    widened: ReleaseBody, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = watch_areas([widened], MODEL, Watch(), changes=())
    monkeypatch.setattr(find, "declared", lambda: (LAW,))
    known = watch_areas([widened], MODEL, Watch())

    assert unknown.breaks == ()
    assert [each for each in (*unknown.now, *unknown.past) if each.group == "G3" and each.raised >= LAW.month]
    assert not [each for each in (*known.now, *known.past) if each.group == "G3" and each.raised >= LAW.month]
    assert {each.month for each in known.breaks} == set(MONTHS[MONTHS.index(LAW.month) :][:SETTLING])


def test_only_changes_of_what_is_watched_inside_the_months_are_breaks() -> None:
    months = MONTHS[:24]
    event = replace(LAW, month=months[12], resets=False)
    before, after = replace(LAW, month=months[0]), replace(LAW, month=MONTHS[24])
    online = replace(LAW, month=months[12], codes=frozenset({"SHOP"}))
    late = replace(LAW, month=months[-1])

    assert declared_breaks(months, (event, before, after, online)) == ()
    assert declared_breaks(months, (late,)) == (Break(months[-1], ("G3",)),)
    assert {each.groups for each in declared_breaks(("2013-09", "2013-10", "2013-11"), declared())} == {VICTIMISATION}


def test_a_month_that_no_release_tells_is_not_nought_and_is_said_to_be_missing() -> None:
    start = MONTHS.index(NOTICED) - 3
    bodies = [month_release(MONTHS[start - 1]), month_release(NOTICED, None, MONTHS[start + 1])]

    found = watch_areas(bodies, MODEL, Watch())
    report = report_of(found)

    assert found.missing == (MONTHS[start],)
    assert not found.breaks
    assert len(found.now) <= 3
    # After a nought the next month of nearly every area would be above expectation.
    assert len([each for each in found.past if each.raised > MONTHS[start]]) <= 3
    assert "month-missing" in {flag for statement in report.statements for flag in statement.flags}
    assert len(found.releases) == 2


def test_too_short_a_history_is_told() -> None:
    with pytest.raises(Unavailable) as caught:
        watch_areas([month_release(MONTHS[34])], MODEL, Watch())

    assert caught.value.code == "not-enough-history"


def test_a_report_says_what_where_since_when_how_sure_from_which_releases_and_what_to_do(noticed: Watched) -> None:
    report = report_of(noticed)
    said = report.statements[0].text

    assert "Chon Buri: Offences against property above expectation since" in said.en
    assert "ชลบุรี" in said.th
    assert "call 191" in said.en.lower()
    assert noticed.releases[0] in report.card.data.en
    assert {each.name: len(each.rows) for each in report.tables}["warnings"] == len(noticed.now)
    assert "enforcement" in {flag for statement in report.statements for flag in statement.flags}


def test_at_the_rate_of_the_product_false_alarms_come_and_surely_no_more_often_than_is_stated() -> None:
    """The first setting of ``benchmarks.warnings``, half as long: what came and two Monte-Carlo errors lie below 1."""
    found = false_alarms(np.random.default_rng(1), MODEL, Watch(), World(), 4)

    assert (found.stated, found.years) == (1.0, 8.0)
    assert found.alarms > 0
    assert found.a_year + 2 * found.standard_error < found.stated


def test_the_benchmark_prints_every_setting_with_its_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {name: replace(world, series=12, months=40) for name, world in list(warnings.WORLDS.items())[:2]}
    monkeypatch.setattr(warnings, "WORLDS", few)
    monkeypatch.setattr("sys.argv", ["warnings", "--json", "--runs", "1"])

    warnings.main()

    told = from_json(capsys.readouterr().out)["figures"]
    assert {f"{name}_{what}" for name in few for what in ("a_year", "error")} <= set(told)
    assert told["years"] == pytest.approx(4 / 12)
    assert all(figure >= 0 for figure in told.values())


RATE = 20.0
RUNS = 4


@pytest.mark.parametrize("world", [World(months=50), World(months=50, drift=0.02)])
def test_false_alarms_come_and_no_more_often_than_is_stated(world: World) -> None:
    found = false_alarms(np.random.default_rng(11), MODEL, Watch(rate=RATE), world, RUNS)

    assert 0.1 * RATE < found.a_year < RATE + 2 * found.standard_error
    assert found.stated == RATE
    assert found.standard_error == pytest.approx(np.sqrt(found.alarms) / found.years)


def test_a_simulation_is_told_with_its_error(noticed: Watched) -> None:
    simulated = Alarmed(alarms=7, years=10.0, a_year=0.7, standard_error=0.26, stated=1.0)

    said = [each.text.en for each in report_of(noticed, simulated).statements]

    assert any("raised 0.70 false alarms a year (standard error 0.26)" in each for each in said)


def test_large_jumps_are_found_and_no_jump_is_not() -> None:
    large = World(months=52, smallest=50.0, largest=300.0, jump=2.0, jump_months=3)

    assert found_within(np.random.default_rng(3), MODEL, Watch(), large) > 0.9
    assert found_within(np.random.default_rng(3), MODEL, Watch(), World(months=52, jump=1.0, jump_months=3)) < 0.05

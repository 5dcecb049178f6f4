import pytest

from contracts.release import ReleaseBody
from forecasting.flow.funnel import Funnel, Passed, funnel
from tests import factories
from tests.justice_world import FIRM, release_of, with_cells

pytestmark = pytest.mark.unit

YEAR = factories.period("2024-10-01", "2025-10-01")
COURT = {"IMPRISON": 300, "SUSPEND_PROB": 270, "FINE": 210, "ACQUIT": 30, "PENDING": 190}
COMPLAINTS = {"COMPLAINT": 400, "ACCOUNT_HOLD": 100, "INVESTIGATE": 250, "NO_SUSPECT": 120, "PROSECUTOR": 80, "END": 50}


def year_of(dataset: str, axis: str, cells: dict[str, int], nano_rho: int = FIRM, **changes: object) -> ReleaseBody:
    """One year's entries by state."""
    asked = {"dimensions": (axis,), "period": YEAR, **changes}
    return release_of(dataset, asked, lambda cell: cells.get(cell[axis], 0), "2025-11-01", nano_rho)


def step(found: Funnel, name: str) -> Passed:
    """The one row of a step."""
    (row,) = [each for each in found.passed if each.step.name == name]
    return row


def test_shares_are_of_the_same_agencys_entries_of_the_same_year() -> None:
    found = funnel([year_of("coj_case", "outcome", COURT)], 90)

    assert [round(each.entries.estimate) for each in found.entered] == [1000]
    assert step(found, "judged").share.value == pytest.approx(0.81, abs=1e-3)
    assert step(found, "imprisoned").share.value == pytest.approx(0.30, abs=1e-3)
    assert step(found, "probation").share.value == pytest.approx(0.27, abs=1e-3)


def test_a_year_with_open_entries_says_that_its_shares_will_change() -> None:
    young = funnel([year_of("coj_case", "outcome", COURT)], 90)
    old = funnel([year_of("coj_case", "outcome", COURT | {"PENDING": 10})], 90)

    assert "cohort-still-open" in step(young, "imprisoned").flags
    assert "cohort-still-open" not in step(old, "imprisoned").flags
    assert young.entered[0].open_share.value == pytest.approx(0.19, abs=1e-3)


def test_complaints_made_cases_and_sent_are_told_with_what_end_hides() -> None:
    found = funnel([year_of("tpo_complaint", "stage", COMPLAINTS)], 90)

    assert step(found, "made-a-case").share.value == pytest.approx(0.5, abs=1e-3)
    assert "at-least" not in step(found, "made-a-case").flags
    assert step(found, "file-sent").share.value == pytest.approx(0.08, abs=1e-3)
    assert "at-least" in step(found, "file-sent").flags
    assert step(found, "ended").share.value == pytest.approx(0.05, abs=1e-3)


def test_between_agencies_stand_ratios_of_different_units_never_shares() -> None:
    files = year_of("oag_case", "order", {"IND": 1800, "PENDING": 200})
    found = funnel([files, year_of("coj_case", "outcome", COURT)], 90)

    (beside,) = found.beside
    assert (beside.before.dataset, beside.after.dataset) == ("oag_case", "coj_case")
    assert beside.ratio.value == pytest.approx(0.5, abs=1e-3)
    assert beside.flags[0] == "different-units"


def test_a_part_of_a_year_beside_a_whole_one_is_flagged() -> None:
    half = year_of("oag_case", "order", {"IND": 900}, period=factories.period("2024-10-01", "2025-04-01"))
    found = funnel([half, year_of("coj_case", "outcome", COURT)], 90)

    assert found.beside[0].flags == ("different-units", "year-not-whole")
    assert found.entered[0].flags == ("year-not-whole",)


def test_complaints_have_no_ratio_to_cases_which_may_be_the_same() -> None:
    cases = year_of("crimes_case", "stage", {"INVESTIGATE": 500})

    found = funnel([cases, year_of("tpo_complaint", "stage", COMPLAINTS)], 90)

    assert len(found.entered) == 2
    assert found.beside == ()


def test_the_noise_of_a_share_is_in_its_interval() -> None:
    firm = funnel([year_of("coj_case", "outcome", COURT)], 90)
    noisy = funnel([year_of("coj_case", "outcome", COURT, 10_000_000)], 90)

    def width(given: Funnel) -> float:
        share = step(given, "imprisoned").share
        assert share.low is not None
        assert share.high is not None
        return share.high - share.low

    assert width(firm) < 1e-3
    assert 0.02 < width(noisy) < 0.1


def test_a_year_of_less_than_its_noise_gives_no_share_but_a_flag() -> None:
    found = funnel([with_cells(year_of("coj_case", "outcome", {}, 1_000_000), (90, -70, 30, 0, 10, -20, 0, 15))], 90)

    assert found.entered[0].open_share.value is None
    assert [row.share.value for row in found.passed] == [None] * 5
    assert all("divisor-below-noise" in row.flags for row in found.passed)


def test_a_release_that_leaves_out_states_is_no_funnel() -> None:
    some = year_of("coj_case", "outcome", COURT, where={"outcome": ("FINE", "ACQUIT")})

    assert funnel([some], 90) == Funnel((), (), ())

"""The centre's feed: each month asked once and charged by its window, also after a crash, a loss or a correction."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.errors import IntegrityError, InvalidInput, Refused, SaphanError, Spent, Unavailable
from gateway.centre.feed import Gathered, Stage, Step
from gateway.centre.windows import period_of
from gateway.client import Result
from tests.centre_world import Desk, FakeLine, activities
from tests.forecast_panels import month_names

pytestmark = pytest.mark.unit

MONTHLY = "crimes-monthly"
ALL = month_names(60)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """In the middle of January 2026; its agreement has the monthly crimes alone."""
    return Desk(tmp_path, FakeLine(agreed=activities((MONTHLY,))))


def gathered(desk: Desk) -> Gathered:
    return desk.centre().gather()


def revised(desk: Desk, *months: str, activity: str = MONTHLY) -> int:
    """Declare a revision; gives its number."""
    return desk.centre().revise(activity, period_of(months), "stations reported late").span.revision


def test_the_past_is_asked_by_fiscal_years_and_the_newest_month_alone(desk: Desk) -> None:
    gathered(desk)
    desk.now = datetime(2026, 2, 10, tzinfo=UTC)
    found = gathered(desk)

    asked = desk.line.asked_months(MONTHLY)
    assert [len(months) for months in asked] == [9, 12, 12, 12, 12, 3, 1]
    assert asked[-1] == ("2026-01",)
    assert len(found.releases(MONTHLY)) == 7
    assert found.fed[MONTHLY].gaps == ()


def test_what_the_agreement_lacks_is_not_asked_and_said(desk: Desk) -> None:
    found = gathered(desk)

    assert {each.activity for each in desk.line.submitted} == {MONTHLY}
    assert "tpo-monthly" in found.skipped
    assert set(found.fed) == {MONTHLY}


def test_a_second_look_asks_nothing_and_reads_the_same(desk: Desk) -> None:
    first = gathered(desk).releases()
    sent = len(desk.line.submitted)

    assert gathered(desk).releases() == first
    assert len(desk.line.submitted) == sent


def test_a_lost_home_finds_every_release_again(desk: Desk) -> None:
    first = gathered(desk).releases()
    sent = len(desk.line.submitted)
    shutil.rmtree(desk.path)
    desk.path.mkdir()

    assert gathered(desk).releases() == first
    assert len(desk.line.submitted) == sent


def test_after_a_restart_the_very_same_requests_go_out_again(desk: Desk) -> None:
    desk.line.trouble[MONTHLY] = Unavailable("waiting-for-agency", agency="rtp")
    late = gathered(desk)
    before = list(desk.line.submitted)
    desk.line.trouble.clear()

    found = gathered(desk)

    assert late.fed[MONTHLY].gaps == ALL
    assert desk.line.submitted[len(before) :] == before
    assert found.fed[MONTHLY].gaps == ()
    assert desk.home.asked().out == ()


def test_requests_under_way_keep_their_months_when_a_new_one_closes(desk: Desk) -> None:
    desk.line.trouble[MONTHLY] = Unavailable("waiting-for-agency", agency="rtp")
    gathered(desk)
    desk.line.trouble.clear()
    desk.now += timedelta(days=30)

    gathered(desk)

    assert desk.line.asked_months(MONTHLY)[6:] == [*desk.line.asked_months(MONTHLY)[:6], ("2026-01",)]


def test_a_request_is_kept_before_it_is_sent(desk: Desk) -> None:
    desk.line.unsent[MONTHLY] = Unavailable("gateway-unreachable")

    found = gathered(desk)

    assert [each.request for each in desk.home.asked().out] == desk.line.submitted
    assert {each.code for each in found.problems[MONTHLY]} == {"gateway-unreachable"}


def test_a_request_past_its_delivery_is_made_anew_for_the_same_months(desk: Desk) -> None:
    desk.line.trouble[MONTHLY] = Unavailable("waiting-for-agency", agency="rtp")
    gathered(desk)
    desk.line.trouble.clear()
    desk.now += timedelta(days=2)

    gathered(desk)

    first, second = desk.line.submitted[:6], desk.line.submitted[6:]
    assert [each.query for each in first] == [each.query for each in second]
    assert not {each.id for each in first} & {each.id for each in second}


@pytest.mark.parametrize("when", ["trouble", "unsent"])
def test_a_refusal_that_cost_nothing_is_final_for_its_request_and_not_for_its_months(desk: Desk, when: str) -> None:
    getattr(desk.line, when)[MONTHLY] = Refused("budget-exceeded", source="rtp/crimes", window="FY2569")
    refused = gathered(desk)
    getattr(desk.line, when).clear()

    found = gathered(desk)

    assert {each.code for each in refused.problems[MONTHLY]} == {"budget-exceeded"}
    assert found.fed[MONTHLY].gaps == ()
    assert len({each.id for each in desk.line.submitted}) == 12


@pytest.mark.parametrize(
    "error", [Refused("series-memory-lost", spent=Spent.CHARGED), Unavailable("waiting-for-agency")]
)
def test_months_that_were_charged_and_refused_are_a_gap_that_is_not_asked_again(desk: Desk, error: SaphanError) -> None:
    desk.line.trouble[MONTHLY] = error
    gathered(desk)
    desk.line.trouble.clear()
    sent = len(desk.line.submitted)

    found = gathered(desk)

    is_lost = isinstance(error, Refused)
    assert (len(desk.line.submitted) == sent) == is_lost
    assert (found.fed[MONTHLY].gaps == ALL) == is_lost


def test_months_asked_before_without_a_release_are_left_out_and_the_others_asked(desk: Desk) -> None:
    desk.line.taken[MONTHLY, 0] = {"2024-12", "2025-01"}

    found = gathered(desk)
    sent = len(desk.line.submitted)

    assert found.fed[MONTHLY].gaps == ("2024-12", "2025-01")
    told = {month for each in found.releases() for month in each.body.query.period.months()}
    assert told == set(ALL) - {"2024-12", "2025-01"}
    gathered(desk)
    assert len(desk.line.submitted) == sent


def test_a_withdrawn_release_leaves_a_gap_that_only_a_revision_closes(desk: Desk) -> None:
    first = gathered(desk).releases()[-1]
    desk.line.withdraw(first.body.id)
    sent = len(desk.line.submitted)

    without = gathered(desk)
    assert without.fed[MONTHLY].gaps == ("2025-10", "2025-11", "2025-12")
    assert len(desk.line.submitted) == sent
    revised(desk, "2025-10", "2025-11", "2025-12")

    found = gathered(desk)

    assert desk.line.asked_months(MONTHLY, revision=1) == [("2025-10", "2025-11", "2025-12")]
    assert found.fed[MONTHLY].gaps == ()
    assert first.body.id not in {each.body.id for each in found.releases()}


def test_a_revision_is_asked_once_and_the_old_release_stays(desk: Desk) -> None:
    before = gathered(desk).releases()
    revised(desk, "2025-08", "2025-09", "2025-10")

    after = gathered(desk).releases()
    sent = len(desk.line.submitted)
    gathered(desk)

    assert desk.line.asked_months(MONTHLY, revision=1) == [("2025-08", "2025-09"), ("2025-10",)]
    assert {each.body.id for each in before} < {each.body.id for each in after}
    assert len(desk.line.submitted) == sent


def test_a_release_that_cannot_be_read_is_a_problem_and_its_months_a_gap(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered(desk)
    damaged = next(iter(desk.line.held))
    read = FakeLine.release

    def release(self: FakeLine, name: str) -> Result:
        if name == damaged:
            raise IntegrityError("release-altered")
        return read(self, name)

    monkeypatch.setattr(FakeLine, "release", release)

    found = gathered(desk)

    assert [each.code for each in found.problems[MONTHLY]] == ["release-altered"]
    assert found.fed[MONTHLY].gaps == ALL[:9]


def test_spans_of_one_window_wait_for_the_first_that_pays_for_it(tmp_path: Path) -> None:
    trails = Desk(tmp_path, FakeLine(agreed=activities(("tpo-trails",))))

    found = gathered(trails)

    asked = trails.line.asked_months("tpo-trails")
    assert found.problems == {}
    assert found.fed["tpo-trails"].gaps == ()
    assert [each.body.query.period.months() for each in found.releases()] == [
        month_names(3, start) for start in ("2025-01", "2025-04", "2025-07", "2025-10")
    ]
    assert len(asked) == 6
    assert asked[0] == month_names(3, "2025-01")


def test_a_window_that_somebody_else_holds_is_a_problem_and_asked_in_the_next_round(desk: Desk) -> None:
    desk.line.unpaid["somebody-else"] = {(MONTHLY, 0, "FY2569")}
    found = gathered(desk)
    desk.line.unpaid.clear()

    assert [each.code for each in found.problems[MONTHLY]] == ["series-busy"]
    assert found.fed[MONTHLY].gaps == ("2025-10", "2025-11", "2025-12")
    assert gathered(desk).fed[MONTHLY].gaps == ()


def test_revisions_of_other_months_share_a_number_and_so_the_price_of_a_window(desk: Desk) -> None:
    gathered(desk)

    assert revised(desk, "2025-08") == 1
    assert revised(desk, "2025-09") == 1
    assert revised(desk, "2025-09", "2025-10") == 2
    gathered(desk)
    assert revised(desk, "2025-10") == 3
    assert desk.line.asked_months(MONTHLY, revision=1) == [("2025-08", "2025-09")]
    assert desk.line.asked_months(MONTHLY, revision=2) == [("2025-09",), ("2025-10",)]
    assert [each.reason for each in desk.centre().round().revisions] == ["stations reported late"] * 4


def test_only_what_was_asked_once_is_revised(desk: Desk) -> None:
    desk.line.agreed = activities((MONTHLY, "crimes-clock"))
    gathered(desk)

    for wrong, months in ((MONTHLY, ("2026-01",)), ("crimes-clock", ("2025-08",)), (MONTHLY, ("2019-08",))):
        with pytest.raises(InvalidInput) as error:
            revised(desk, *months, activity=wrong)
        assert error.value.code == "nothing-to-revise"
    with pytest.raises(InvalidInput) as error:
        revised(desk, "2025-08", activity="tpo-monthly")
    assert error.value.code == "not-a-standing-activity"
    assert error.value.details["choices"] == f"{MONTHLY}, crimes-clock"
    assert desk.home.asked().revisions == ()


def test_a_month_is_not_revised_without_end(desk: Desk) -> None:
    gathered(desk)
    for _ in range(99):
        revised(desk, "2025-08")

    with pytest.raises(InvalidInput) as error:
        revised(desk, "2025-08")

    assert error.value.code == "nothing-to-revise"


def test_whoever_watches_is_told_how_far_it_is(desk: Desk) -> None:
    steps: list[Step] = []

    desk.centre().gather(steps.append)

    assert steps[0] == Step(Stage.ASK, 0, 6)
    assert Step(Stage.ASK, 6, 6) in steps
    assert steps[-1].stage is Stage.READ

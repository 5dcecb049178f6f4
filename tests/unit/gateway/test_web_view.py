"""The page's figures, from releases and forecast."""

from datetime import UTC, datetime

import pytest

from contracts.release import ReleaseState
from gateway.web.outlook import Choice
from gateway.web.view import HomeView, home_view
from tests.web.sample import (
    GROUPS,
    MONTHS,
    PROVINCES,
    SIGMA,
    PublishedRecord,
    crimes,
    crimes_clock,
    crimes_monthly,
    everything,
    forecast,
    frauds_monthly,
    release,
    withdrawn,
)

pytestmark = pytest.mark.unit


def _view(record: PublishedRecord) -> HomeView:
    return home_view(record.latest_forecast(), record.releases(None), Choice())


def _total(month: str) -> int:
    return sum(crimes((month, place, group)) for place in PROVINCES for group in GROUPS if group != "G4")


def test_the_pace_is_that_of_the_last_twelve_months_of_victimisation() -> None:
    head = _view(everything()).headline
    assert head is not None
    assert head.seconds is not None
    assert head.months == MONTHS[-12:]
    assert head.seconds.value == pytest.approx(365 * 86_400 / sum(map(_total, MONTHS[-12:])))


def test_the_newest_month_wears_the_error_of_all_its_cells() -> None:
    head = _view(everything()).headline
    assert head is not None
    assert head.latest.value == _total("2026-10")
    assert head.latest.error == pytest.approx(1.96 * SIGMA * (3 * 77) ** 0.5)


def test_the_newest_month_is_compared_with_the_same_month_a_year_before() -> None:
    head = _view(everything()).headline
    assert head is not None
    assert head.since_last_year is not None
    assert head.since_last_year.value == pytest.approx(100 * (_total("2026-10") / _total("2025-10") - 1))


def test_without_that_month_nothing_is_compared() -> None:
    axes = {"month": ("2026-09", "2026-10"), "province": PROVINCES, "offence_group": GROUPS}
    head = _view(PublishedRecord(None, (release("crimes-monthly", axes, {"count": crimes}),))).headline
    assert head is not None
    assert head.since_last_year is None
    assert head.months == ("2026-09", "2026-10")


def test_the_clock_counts_no_enforcement_and_finds_the_busiest_hours() -> None:
    clock = _view(everything()).clock
    assert clock is not None
    assert [each.hour for each in clock.hours] == [f"{hour:02d}" for hour in range(24)]
    assert all(each.cases.value == sum(figure.value for figure in each.groups) for each in clock.hours)
    assert all(len(each.groups) == 3 for each in clock.hours)
    assert clock.busiest == 19
    evening = sum(clock.hours[hour].cases.value for hour in (19, 20, 21, 22))
    assert clock.busiest_share.value == pytest.approx(100 * evening / sum(each.cases.value for each in clock.hours))
    assert clock.busiest_share.error > 0


def test_the_busiest_hours_may_run_over_midnight() -> None:
    hours = tuple(f"{hour:02d}" for hour in range(24))
    night = release(
        "crimes-clock",
        {"hour": hours, "offence_group": GROUPS},
        {"count": lambda key: 90 if key[0] in "23 00 01" else 5},
    )
    clock = _view(PublishedRecord(None, (night,))).clock
    assert clock is not None
    assert clock.busiest in (22, 23)


@pytest.mark.parametrize("figures", [{"count": lambda key: 0}, {"damage_thb:sum": lambda key: 9}])
def test_a_clock_of_noise_or_without_counts_is_no_clock(figures: dict[str, object]) -> None:
    hours = tuple(f"{hour:02d}" for hour in range(24))
    noise = release("crimes-clock", {"hour": hours, "offence_group": GROUPS}, figures)  # type: ignore[arg-type]  # a table of figures
    assert _view(PublishedRecord(None, (noise,))).clock is None


def test_the_most_reported_frauds_come_first_with_their_damage() -> None:
    frauds = _view(everything()).frauds
    assert frauds is not None
    assert len(frauds.listed) == 6
    first = frauds.listed[0]
    assert first.case_type == "SHOP"
    assert first.damage is not None
    assert first.damage.value == first.cases.value * 41_000


def test_frauds_without_released_damage_say_so() -> None:
    axes = {"month": MONTHS[-2:], "case_type": ("SHOP", "JOB")}
    frauds = _view(PublishedRecord(None, (release("tpo-monthly", axes, {"count": lambda key: 5}),))).frauds
    assert frauds is not None
    assert frauds.listed[0].damage is None


def test_sources_come_newest_first_with_what_became_of_them() -> None:
    old = withdrawn(crimes_clock(id="rel-old-clock", created=datetime(2026, 1, 2, tzinfo=UTC)), "counted twice")
    monthly = crimes_monthly(created=datetime(2026, 11, 1, tzinfo=UTC))
    sources = _view(PublishedRecord(forecast(monthly), (old, monthly, frauds_monthly()))).sources
    assert [each.id for each in sources] == ["rel-tpo-monthly", "rel-crimes-monthly", "rel-old-clock"]
    assert [each.is_cited for each in sources] == [False, True, False]
    assert [each.state for each in sources] == [ReleaseState.VALID, ReleaseState.VALID, ReleaseState.WITHDRAWN]
    assert sources[2].reason == "counted twice"


def test_a_replaced_source_names_its_successor() -> None:
    sources = _view(PublishedRecord(None, (withdrawn(crimes_clock(), replaced_by="rel-new"),))).sources
    assert sources[0].replaced_by == "rel-new"


def test_a_private_release_is_no_source() -> None:
    view = _view(PublishedRecord(None, (crimes_monthly(public=False),)))
    assert view.sources == ()
    assert view.is_empty


def test_a_release_that_a_later_repeat_made_public_is_on_the_page() -> None:
    opened = crimes_monthly(public=False).model_copy(update={"made_public": True})
    view = _view(PublishedRecord(None, (opened,)))
    assert [each.id for each in view.sources] == ["rel-crimes-monthly"]
    assert view.headline is not None


def test_figures_of_a_withdrawn_release_leave_the_page() -> None:
    view = _view(PublishedRecord(None, (withdrawn(crimes_monthly()), withdrawn(crimes_clock()))))
    assert view.headline is None
    assert view.clock is None
    assert not view.is_empty


def test_the_page_is_as_new_as_its_newest_part() -> None:
    newer = datetime(2026, 12, 24, tzinfo=UTC)
    assert _view(PublishedRecord(forecast(), (crimes_clock(created=newer),))).updated == newer
    assert _view(PublishedRecord()).updated is None

"""How fast a connector goes: longer and longer after failures, by chance apart, and as the gateway asks."""

from datetime import timedelta

import pytest

from connectors.pacing import LONGEST_PAUSE, Pace, Quiet, chance
from tests.factories import NOW

pytestmark = pytest.mark.unit

SECOND = timedelta(seconds=1)


def test_waiting_doubles_up_to_a_limit() -> None:
    pace = Pace(retry=SECOND, longest_retry=10 * SECOND)
    assert [pace.longest(n).total_seconds() for n in (1, 2, 3, 4, 5, 1000)] == [1, 2, 4, 8, 10, 10]


def test_chance_takes_up_to_half_of_a_wait_away() -> None:
    pace = Pace(retry=SECOND, longest_retry=10 * SECOND)
    assert [pace.delay(4, drawn).total_seconds() for drawn in (0.0, 0.5, 1.0)] == [4.0, 6.0, 8.0]


def test_connectors_that_fail_together_do_not_draw_alike() -> None:
    drawn = [chance() for _ in range(64)]
    assert all(0 <= each < 1 for each in drawn)
    assert len(set(drawn)) > 32


def test_retry_after_is_waited_out() -> None:
    quiet = Quiet()
    quiet.read(503, {"retry-after": "7"}, NOW)
    assert quiet.left(NOW) == 7 * SECOND
    assert quiet.left(NOW + 6 * SECOND) == SECOND
    assert quiet.left(NOW + 7 * SECOND) == timedelta()


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_has_a_ceiling_for_nobody_signs_it(status: int) -> None:
    quiet = Quiet()
    quiet.read(status, {"retry-after": "99999999999999999999"}, NOW)
    assert quiet.left(NOW) == LONGEST_PAUSE


@pytest.mark.parametrize(
    ("status", "text"),
    [(200, "7"), (403, "7"), (None, "7"), (503, ""), (503, "Sat, 21 Nov 2026 10:00:00 GMT"), (503, "-1"), (503, "²")],
)
def test_nothing_else_makes_a_connector_wait(status: int | None, text: str) -> None:
    quiet = Quiet()
    quiet.read(status, {"retry-after": text} if text else {}, NOW)
    assert quiet.left(NOW) == timedelta()


def test_a_shorter_pause_shortens_nothing() -> None:
    quiet = Quiet()
    quiet.ask(10 * SECOND, NOW)
    quiet.ask(2 * SECOND, NOW)
    assert quiet.left(NOW) == 10 * SECOND


def test_a_clock_that_is_set_back_makes_no_pause_longer_than_the_ceiling() -> None:
    quiet = Quiet()
    quiet.ask(10 * SECOND, NOW)
    assert quiet.left(NOW - timedelta(days=1)) == LONGEST_PAUSE

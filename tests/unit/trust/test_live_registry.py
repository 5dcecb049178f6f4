"""The registry in a program that runs: passing trouble is waited out, doubt closes it at once."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from contracts.errors import IntegrityError, InvalidInput, SaphanError, Unavailable
from contracts.federation import Federation
from contracts.registry import Registry
from tests.factories import ISSUER, NOW, OPERATOR
from trust.live import EVERY, LiveRegistry

pytestmark = pytest.mark.unit

LATER = NOW + EVERY
UNREACHABLE = Unavailable("gateway-unreachable")


class Source:
    """Gives what a test puts into it, and counts how often it was asked."""

    def __init__(self, given: Registry | SaphanError) -> None:
        self.given = given
        self.asked = 0

    def __call__(self, _: datetime) -> Registry:
        self.asked += 1
        if isinstance(self.given, SaphanError):
            raise self.given
        return self.given


def registry(hours: float = 48, version: int = 1, operator: str = OPERATOR) -> Registry:
    federation = Federation(gateway=ISSUER, operator=operator, members=())
    return Registry(federation, NOW + timedelta(hours=hours), {}, version)


def live(fetch: Registry | SaphanError, known: Registry | SaphanError = UNREACHABLE) -> tuple[LiveRegistry, Source]:
    source = Source(fetch)
    return LiveRegistry(source, Source(known)), source


def code(act: Callable[[], object]) -> str:
    with pytest.raises(SaphanError) as caught:
        act()
    return caught.value.code


def test_it_is_looked_at_once_in_half_a_minute() -> None:
    followed, source = live(registry())
    for seconds in (0, 10, 29.9):
        followed.refresh(NOW + timedelta(seconds=seconds))
    assert source.asked == 1
    followed.refresh(LATER)
    assert source.asked == 2
    followed.refresh(LATER, again=True)
    assert source.asked == 3


def test_the_same_federation_stays_the_same_object_and_its_end_moves_on() -> None:
    followed, source = live(registry())
    first = followed.refresh(NOW)
    source.given = registry(hours=60, version=2)
    assert followed.refresh(LATER) is first
    assert followed.check(NOW + timedelta(hours=59)) is first


def test_a_change_is_taken_over() -> None:
    followed, source = live(registry())
    followed.refresh(NOW)
    source.given = registry(operator="rtp")
    assert followed.refresh(LATER).operator == "rtp"


def test_a_gateway_that_is_away_changes_nothing_until_what_is_known_expires() -> None:
    followed, source = live(registry())
    followed.refresh(NOW)
    source.given = UNREACHABLE
    almost = NOW + timedelta(hours=47, minutes=59)
    assert followed.refresh(almost).operator == OPERATOR
    end = NOW + timedelta(hours=48)
    assert code(lambda: followed.check(end)) == "registry-expired"
    assert code(lambda: followed.refresh(end)) == "gateway-unreachable"


@pytest.mark.parametrize(
    "doubt",
    [
        IntegrityError("registry-forged", why="x"),
        IntegrityError("registry-rolled-back", why="x"),
        IntegrityError("registry-content", rule="x", where="y"),
        Unavailable("registry-expired", what="timestamp.json"),
        InvalidInput("setting-invalid", setting="registry", why="x"),
    ],
)
def test_doubt_closes_it_at_once_and_a_good_registry_opens_it_again(doubt: SaphanError) -> None:
    followed, source = live(registry())
    followed.refresh(NOW)
    source.given = doubt
    assert code(lambda: followed.refresh(LATER)) == doubt.code
    with pytest.raises(type(doubt)) as caught:
        followed.check(NOW)
    assert caught.value is not doubt
    assert caught.value.reasons == doubt.reasons
    source.given = registry()
    assert followed.refresh(LATER + EVERY).operator == OPERATOR


def test_a_program_starts_without_the_gateway_from_what_its_home_knows() -> None:
    followed, _ = live(UNREACHABLE, registry(operator="rtp"))
    assert followed.refresh(NOW).operator == "rtp"


def test_what_the_home_knows_may_have_expired_and_then_nothing_is_done() -> None:
    followed, _ = live(UNREACHABLE, Unavailable("registry-expired", what="timestamp.json"))
    assert code(lambda: followed.refresh(NOW)) == "registry-expired"


def test_a_home_that_knows_nothing_says_so() -> None:
    followed, _ = live(UNREACHABLE, Unavailable("registry-incomplete", what="x"))
    assert code(lambda: followed.refresh(NOW)) == "gateway-unreachable"
    never, _ = live(registry())
    assert code(lambda: never.check(NOW)) == "registry-incomplete"


def test_an_agency_whose_role_ran_out_is_dropped_from_what_is_known_and_the_rest_goes_on() -> None:
    followed, source = live(registry(hours=1), registry(hours=48, operator="rtp"))
    followed.refresh(NOW)
    source.given = UNREACHABLE
    assert followed.refresh(NOW + timedelta(hours=1)).operator == "rtp"

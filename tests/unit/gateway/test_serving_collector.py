"""A gateway that serves: the collector of garbage leaves alone what start-up has made."""

import gc
from collections.abc import Iterator

import pytest

from gateway.serving import COLLECTED_AFTER, spare_collector

pytestmark = pytest.mark.unit


@pytest.fixture
def collector() -> Iterator[None]:
    usual = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*usual)


@pytest.mark.usefixtures("collector")
def test_what_start_up_has_made_is_not_visited_and_later_cycles_still_are() -> None:
    before = gc.get_freeze_count()
    spare_collector()
    assert gc.get_freeze_count() > before
    assert gc.isenabled()
    assert gc.get_threshold()[0] == COLLECTED_AFTER
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle
    assert gc.collect() >= 1

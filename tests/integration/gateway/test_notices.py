"""Notices: numbered without gaps, for all agencies or for some, brought along by a lease."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.signing import sign_compact, sign_document
from contracts.task import LeaseCall, Notice
from gateway.notices import MOST_NOTICES, add_notice, notices_after
from tests.gateway_world import World

pytestmark = pytest.mark.integration


def document(world: World, text: str = "one", kind: str = "suspension") -> str:
    return sign_document(text.encode(), kind, world.keys["ccib#officer-1"])


def add(world: World, text: str, agencies: tuple[str, ...] | None = None) -> int:
    with world.store.transaction() as t:
        return add_notice(t, document(world, text), world.now, agencies)


def heard(world: World, agency: str, cursor: int = 0) -> tuple[Notice, ...]:
    call = LeaseCall(agency=agency, data_versions={}, wait_seconds=0, notices_after=cursor)
    return world.exchange.lease(world.connector(agency), call).notices


def test_a_lease_brings_what_is_new_to_the_connector_and_only_that(world: World) -> None:
    first, second = add(world, "one"), add(world, "two")

    assert [each.number for each in heard(world, "ccib")] == [first, second]
    assert [each.number for each in heard(world, "rtp", first)] == [second]
    assert heard(world, "ccib", second) == ()


def test_a_notice_for_some_agencies_is_not_shown_to_others(world: World) -> None:
    add(world, "one", ("rtp", "dop"))
    for_all = add(world, "two")

    assert [each.number for each in heard(world, "ccib")] == [for_all]
    assert len(heard(world, "rtp")) == 2


def test_a_lease_brings_a_bounded_number_at_a_time(world: World) -> None:
    with world.store.transaction() as t:
        for each in range(MOST_NOTICES + 1):
            add_notice(t, document(world, str(each)), world.now, None)

    first = heard(world, "ccib")

    assert len(first) == MOST_NOTICES
    assert len(heard(world, "ccib", first[-1].number)) == 1


def test_a_connector_that_heard_more_than_a_restored_gateway_knows_hears_everything_again(world: World) -> None:
    only = add(world, "one")

    assert [each.number for each in heard(world, "ccib", 17)] == [only]


def test_no_number_is_given_twice_or_left_out_when_many_write_at_once(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = sorted(pool.map(lambda each: add(world, str(each)), range(16)))

    assert numbers == list(range(1, 17))


def test_a_document_of_a_kind_that_no_connector_knows_is_a_defect(world: World) -> None:
    strange = sign_compact(b"release", "release", world.keys["ccib#officer-1"])

    with world.store.transaction() as t, pytest.raises(ValueError, match="kind"):
        add_notice(t, strange, world.now, None)
    with world.store.read() as r:
        assert notices_after(r, "ccib", 0) == ()

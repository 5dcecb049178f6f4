"""The bell wakes those who wait for what has changed, and leaves the others alone."""

import asyncio

import pytest

from gateway.api.desk import Bell

pytestmark = pytest.mark.unit


def rung(bell_topics: tuple[str, ...], *ticket_topics: str) -> bool:
    """Whether a ring about these topics wakes who waits for those."""

    async def scene() -> bool:
        bell = Bell()
        ticket = bell.ticket(*ticket_topics)
        is_awaited = bell.is_awaited(*bell_topics)
        bell.tell(*bell_topics)
        assert is_awaited == ticket.is_rung
        return ticket.is_rung

    return asyncio.run(scene())


def test_who_waits_for_a_topic_is_woken_by_it_alone() -> None:
    assert rung(("agency ccib",), "agency ccib", "agencies")
    assert not rung(("agency rtp", "tick"), "agency ccib", "agencies")


def test_a_ring_about_nothing_in_particular_wakes_everybody_and_who_waits_for_anything_is_always_woken() -> None:
    assert rung((), "agency ccib")
    assert rung(("agency rtp",))


def test_whoever_no_longer_waits_is_forgotten() -> None:
    async def scene() -> int:
        bell = Bell()
        for _ in range(100):
            await bell.wait(bell.ticket("tick"), 0)
        return len(bell._circles)

    assert asyncio.run(scene()) == 0

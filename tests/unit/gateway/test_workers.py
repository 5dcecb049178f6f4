"""Threads for the work of calls: outcomes come back, threads are bounded, and they end when there is no work."""

import asyncio
import gc
import time
from collections.abc import Iterator
from threading import Event, Thread, get_ident
from threading import enumerate as all_threads
from weakref import ref

import pytest
from typing_extensions import override

from gateway.api.workers import Workers

pytestmark = pytest.mark.unit

SOON = 5.0


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def threads_of_workers() -> int:
    return sum(each.name == "worker" for each in all_threads())


def test_a_piece_of_work_is_done_in_a_thread_and_gives_what_it_gives() -> None:
    async def scene() -> tuple[int, int]:
        workers = Workers()
        assert await workers.run(divmod, 7, 2) == (3, 1)
        return get_ident(), await workers.run(get_ident)

    here, there = asyncio.run(scene())
    assert here != there


def test_what_it_raises_is_raised_where_it_is_waited_for_and_the_thread_goes_on() -> None:
    def fail() -> None:
        raise LookupError("x")

    async def scene() -> int:
        workers = Workers(most=1)
        with pytest.raises(LookupError):
            await workers.run(fail)
        return await workers.run(abs, -1)

    assert asyncio.run(scene()) == 1


def test_no_more_pieces_are_done_at_once_than_there_may_be_threads_and_none_is_lost() -> None:
    at_once: list[int] = []
    running: set[int] = set()

    def work(number: int) -> int:
        running.add(number)
        at_once.append(len(running))
        time.sleep(0.005)
        running.discard(number)
        return number

    async def scene() -> list[int]:
        workers = Workers(most=3)
        return await asyncio.gather(*(workers.run(work, number) for number in range(12)))

    assert asyncio.run(scene()) == list(range(12))
    assert max(at_once) == 3


def test_one_thread_is_enough_for_work_that_comes_one_by_one() -> None:
    async def scene() -> set[int]:
        workers = Workers()
        return {await workers.run(get_ident) for _ in range(20)}

    assert len(asyncio.run(scene())) == 1


def test_threads_without_work_end_and_others_come_when_there_is_some() -> None:
    async def scene() -> None:
        workers, before = Workers(idle_seconds=0.01), threads_of_workers()
        await asyncio.gather(*(workers.run(time.sleep, 0.01) for _ in range(4)))
        until = time.monotonic() + SOON
        while workers._threads:
            assert time.monotonic() < until
            await asyncio.sleep(0.01)
        assert await workers.run(abs, -2) == 2
        assert threads_of_workers() <= before + 4

    asyncio.run(scene())


def test_who_is_cancelled_or_whose_loop_is_gone_holds_up_nobody() -> None:
    workers, go_on = Workers(most=1), Event()

    async def impatient() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(workers.run(go_on.wait, SOON), 0.01)

    async def scene() -> int:
        return await workers.run(abs, -3)

    asyncio.run(impatient())
    go_on.set()
    assert asyncio.run(scene()) == 3


def test_what_was_begun_is_waited_for_at_the_end_though_nobody_wants_it_any_more() -> None:
    async def scene() -> list[str]:
        workers, done = Workers(), list[str]()

        def work() -> None:
            time.sleep(0.05)
            done.append("done")

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(workers.run(work), 0.01)
        assert done == []
        await workers.finish()
        return done

    assert asyncio.run(scene()) == ["done"]


@pytest.mark.parametrize("others", [0, 1])
def test_work_for_which_the_system_gives_no_thread_is_refused_and_later_work_is_done_all_the_same(others: int) -> None:
    class Refused(Thread):
        @override
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    async def scene() -> int:
        workers, go_on = Workers(most=others + 2), Event()
        busy = [asyncio.create_task(workers.run(go_on.wait, SOON)) for _ in range(others)]
        await asyncio.sleep(0)
        workers.new_thread = Refused
        for _ in range(workers.most + 1):
            with pytest.raises(RuntimeError, match="start new thread"):
                await asyncio.wait_for(workers.run(abs, -1), SOON)
        workers.new_thread = Thread
        done = await asyncio.wait_for(workers.run(abs, -4), SOON)
        go_on.set()
        await asyncio.gather(*busy)
        await asyncio.wait_for(workers.finish(), SOON)
        return done

    assert asyncio.run(scene()) == 4


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("fails", [False, True])
def test_what_a_piece_of_work_held_is_freed_with_it_though_it_failed(fails: bool) -> None:  # noqa: FBT001  # a parameter of pytest
    class Call:
        def work(self) -> None:
            if fails:
                raise LookupError("x")

    async def scene() -> None:
        workers, call = Workers(), Call()
        known = ref(call)
        try:
            await workers.run(call.work)
        except LookupError:
            assert fails
        del call
        until = time.monotonic() + SOON
        while known() is not None:  # the thread may be about to let it go
            assert time.monotonic() < until
            await asyncio.sleep(0.001)

    asyncio.run(scene())

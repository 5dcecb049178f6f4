"""Waiting without holding a thread: look, sleep until the bell or for a moment, look again."""

from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import anyio
from starlette.requests import Request

from gateway.api.desk import desk_of

Seen = TypeVar("Seen")


async def wait_until(
    request: Request,
    look: Callable[[], Awaitable[Seen]],
    is_enough: Callable[[Seen], bool],
    seconds: float,
    topics: Collection[str],
) -> Seen:
    """Look until it is enough, the time is over or the caller has gone away; give what was seen last.

    Args:
        request: The call that waits.
        look: One look, short; its database work runs in a thread.
        is_enough: Whether to stop.
        seconds: How long to wait at most.
        topics: What to look again for; see ``gateway.store.topics``.
    """
    desk, until = desk_of(request), anyio.current_time() + seconds
    while True:
        ticket = desk.bell.ticket(*topics)
        seen = await look()
        left = until - anyio.current_time()
        if is_enough(seen) or left <= 0 or await request.is_disconnected():
            return seen
        await desk.bell.wait(ticket, min(left, desk.next_look()))

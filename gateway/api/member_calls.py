"""Hot calls of members: from the door to the signed answer in one piece of work, and waiting without holding a thread.

A call that waits looks, sleeps until the bell or for a moment, and looks again; each look is a piece of work.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive

from contracts.signature_base import Message
from gateway.api import idempotency
from gateway.api.conditional import with_tag
from gateway.api.desk import Desk, Ticket, desk_of
from gateway.api.signed import MOST_BYTES, TOLD, certificate_of, json_of, received, signed, told
from gateway.caller import Caller


@dataclass(frozen=True, slots=True)
class Waiting:
    """An answer that is worth a wait: what is seen when it is enough, or when the time is over.

    Args:
        look: One look, short.
        is_enough: Whether to stop.
        seconds: How long to wait at most.
        topics: What to look again for; see ``gateway.store.topics``.
    """

    look: Callable[[], BaseModel]
    is_enough: Callable[[Any], bool]
    seconds: float
    topics: Collection[str]


Act = Callable[["MemberCall"], Response | Waiting]
"""What a call is for; runs in a thread."""


async def answer_call(request: Request, act: Act, most: int = MOST_BYTES) -> Response:
    """Check who calls, do what the call is for, and sign the answer, also when it is a refusal.

    Args:
        request: The call, its body not read yet.
        act: What a caller whom the door let in has done.
        most: The largest body, in bytes. Without a token none is read.

    Raises:
        Refused: When the door stays shut; such an answer is not signed, for it answers nobody.
        ClientDisconnect: When the caller has gone.
    """
    desk = desk_of(request)
    call = MemberCall(desk, request, await received(desk, request, most), act)
    response = await desk.workers.run(call.begin)
    return await _later(desk, call, request.receive) if response is None else response


async def _later(desk: Desk, call: "MemberCall", receive: Receive) -> Response:
    """Look again at each ring and now and then, until it is enough or the time is over."""
    loop = asyncio.get_running_loop()
    until = loop.time() + call.seconds
    gone = loop.create_task(_until_gone(receive))
    gone.add_done_callback(lambda _: call.ticket.ring())
    try:
        with desk.bell.waiter():
            while True:
                if not gone.done():
                    await desk.bell.wait(call.ticket, min(until - loop.time(), desk.next_look()))
                if gone.done():
                    # A look more could hand out work that nobody takes.
                    raise ClientDisconnect
                response = await desk.workers.run(call.again, loop.time() >= until)
                if response is not None:
                    return response
    finally:
        gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class MemberCall:
    """A call of a member on its way to its answer; every step but the constructor runs in a thread.

    Args:
        desk: What answers it.
        request: Its parameters; the body has been read.
        message: The call as it was signed.
        act: What it is for.
    """

    caller: Caller
    """Who calls, once the door let it in."""

    ticket: Ticket
    """Rings when another look is due; a new one for each look."""

    def __init__(self, desk: Desk, request: Request, message: Message, act: Act) -> None:
        self.desk, self.request, self.message, self._act = desk, request, message, act
        self.seconds = 0.0
        """How long the answer is worth a wait."""

    def begin(self) -> Response | None:
        """The signed answer; none when it is worth a wait.

        Raises:
            SaphanError: When the door stays shut.
        """
        self.caller = self.desk.enter(self.message, certificate_of(self.request))
        return self._told(self._first)

    def again(self, is_over: bool) -> Response | None:  # noqa: FBT001  # a step of a thread, given by position
        """The signed answer after another look; none when it is worth a further wait and the time is not over."""
        return self._told(partial(self._look, is_over=is_over))

    def _told(self, step: Callable[[], Response | None]) -> Response | None:
        try:
            response = step()
            if response is None:
                return None
            response = with_tag(self.message.method, self.message.headers, response)
        except TOLD as error:
            response = told(error)
        return signed(self.desk, response, self.message)

    def _first(self) -> Response | None:
        """What the call comes to, or what it came to when it was sent before under its ``Idempotency-Key``."""
        self._key = idempotency.key_in(self.message)
        if self._key is not None:
            before = idempotency.answer_again(self.desk, self.caller, self._key, self.message)
            if before is not None:
                return before
        done = self._act(self)
        if isinstance(done, Response):
            return self._kept(done)
        # Not a step of its own: a call that held its own method would outlast its answer, with body and ticket.
        self._waiting, self.seconds = done, done.seconds
        return self._look(is_over=done.seconds <= 0)

    def _look(self, *, is_over: bool) -> Response | None:
        self.ticket = self.desk.bell.ticket(*self._waiting.topics)
        seen = self._waiting.look()
        return self._kept(json_of(seen)) if is_over or self._waiting.is_enough(seen) else None

    def _kept(self, response: Response) -> Response:
        if self._key is not None:
            idempotency.keep(self.desk, self.caller, self._key, self.message, response)
        return response

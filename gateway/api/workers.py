"""Threads for the work of calls: a piece of work goes to a thread and its outcome comes back to the loop, no more.

The framework's own way costs three times as much for each piece: it copies contexts, borrows from a limiter and opens
scopes of cancellation, of which short pieces of work need none.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

MOST_THREADS: Final = 40
"""As many as the database has connections for; further pieces wait for one of them."""

IDLE_SECONDS: Final = 10.0
"""How long a thread without work stays."""

LOOK_SECONDS: Final = 0.01
"""How often is looked whether all is done."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Outcome(NamedTuple):
    """What a piece of work gave, or what it raised."""

    value: Any
    error: BaseException | None = None


class Piece(NamedTuple):
    """A piece of work, and who waits for it in which loop."""

    work: Callable[..., Any]
    args: tuple[Any, ...]
    loop: asyncio.AbstractEventLoop
    waiting: asyncio.Future[Outcome]


@dataclass(slots=True)
class Workers:
    """As many threads as there are pieces of work at once, at most ``most``; they end when there is no work for long.

    Args:
        most: The most threads.
        idle_seconds: How long a thread without work stays.
        new_thread: Makes a thread, not started yet.
    """

    most: int = MOST_THREADS
    idle_seconds: float = IDLE_SECONDS
    new_thread: Callable[..., Thread] = Thread
    _pieces: SimpleQueue[Piece] = field(default_factory=SimpleQueue)
    _lock: Lock = field(default_factory=Lock)
    _unfinished: int = 0
    _threads: int = 0

    async def run(self, work: Callable[Given, Result], *args: Given.args, **_none: Given.kwargs) -> Result:
        """Do it in a thread; give what it gives and raise what it raises.

        Who is cancelled meanwhile hears no more of it; what was begun is done all the same.

        Raises:
            RuntimeError: When the system gives no further thread; it is not done then.
        """
        loop = asyncio.get_running_loop()
        piece = Piece(work, args, loop, loop.create_future())
        with self._lock:
            if self._threads < min(self._unfinished + 1, self.most):
                # Counted once it runs: a thread that was counted and never came would be waited for for ever.
                self.new_thread(target=self._work, name="worker", daemon=True).start()
                self._threads += 1
            self._unfinished += 1
        self._pieces.put(piece)
        outcome = await piece.waiting
        if outcome.error is not None:
            try:
                raise outcome.error
            finally:
                # The error holds this frame: what holds the error in its turn would keep a whole call from being freed.
                del piece, outcome
        result: Result = outcome.value
        return result

    async def finish(self) -> None:
        """Return when every piece of work is done, also those that nobody waits for any more."""
        while self._unfinished:  # noqa: ASYNC110  # once, at the end; the threads know of no loop's events
            await asyncio.sleep(LOOK_SECONDS)

    def _work(self) -> None:
        while True:
            try:
                piece = self._pieces.get(timeout=self.idle_seconds)
            except Empty:
                if self._may_end():
                    return
                continue
            outcome = _done(piece.work, piece.args)
            with self._lock:
                self._unfinished -= 1
            try:  # noqa: SIM105  # at each piece: ``suppress`` costs as much as the rest of the hand-over
                piece.loop.call_soon_threadsafe(_tell, piece.waiting, outcome)
            except RuntimeError:  # the loop was closed meanwhile, and nobody waits any more
                pass
            del piece, outcome

    def _may_end(self) -> bool:
        """Whether the others are enough for what is unfinished; whoever ends so is counted no longer."""
        with self._lock:
            is_spare = self._unfinished < self._threads
            self._threads -= is_spare
            return is_spare


def _done(work: Callable[..., Any], args: tuple[Any, ...]) -> Outcome:
    # Not the piece: its future holds the error, and the error holds this frame.
    try:
        return Outcome(work(*args))
    except BaseException as error:  # noqa: BLE001  # it is raised where the piece is waited for
        return Outcome(None, error)


def _tell(waiting: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not waiting.done():
        waiting.set_result(outcome)

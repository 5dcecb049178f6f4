"""The use of the exchange as the public page tells it, counted from the same log that anybody can verify.

A month is counted once, when it is over: what is in the log stays as it is.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from contracts.checkpoints import read_checkpoint
from contracts.errors import Unavailable
from contracts.log_audit import Placed
from contracts.log_usage import Usage, month_of, usage_lines
from contracts.log_use import Reader
from contracts.merkle import read_entry
from gateway import receipts
from gateway.means import Means
from gateway.store import log

CHUNK = 4096
"""Entries in memory at once."""

TRY_AGAIN: Final = timedelta(minutes=10)


class PublicUsage:
    """What was counted last of the months that are over.

    Counting reads the whole log, so it is done once, beside the ticks, whoever asks: anybody may read the page, and no
    reader waits for it or begins it.

    Args:
        means_now: Gives the surroundings as they are.
    """

    def __init__(self, means_now: Callable[[], Means]) -> None:
        self._means_now = means_now
        self._kept: Usage | None = None
        self._not_before: datetime | None = None

    def __call__(self) -> Usage:
        """The last count; ``until`` says of which months.

        Raises:
            Unavailable: ``usage-not-counted``, in the first moments after a start.
        """
        if self._kept is None:
            raise Unavailable("usage-not-counted")
        return self._kept

    def is_due(self) -> bool:
        """Whether a month is over that was not counted yet; after a failure, not for a while."""
        now = self._means_now().clock()
        is_known = self._kept is not None and self._kept.until == month_of(now)
        return not is_known and (self._not_before is None or now >= self._not_before)

    def count(self) -> None:
        """Count if it is due."""
        if not self.is_due():
            return
        means = self._means_now()
        now = means.clock()
        until = month_of(now)
        self._not_before = now + TRY_AGAIN
        self._kept = _counted(means, until)
        self._not_before = None


def _counted(means: Means, until: str) -> Usage:
    document = receipts.published(means)
    size = read_checkpoint(document).size
    lines = usage_lines(Reader().requests(_entries(means, size)), until)
    return Usage(until=until, lines=lines, log_size=size, checkpoint=document)


def _entries(means: Means, size: int) -> Iterator[Placed]:
    for start in range(0, size, CHUNK):
        with means.store.read() as r:
            texts = list(log.entries(r, start, min(start + CHUNK, size)))
        for place, text in enumerate(texts, start):
            yield Placed(place, read_entry(text, place))

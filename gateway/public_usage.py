"""The use of the exchange as the public page tells it, counted from the same log that anybody can verify.

A month is counted once, when it is over: what is in the log stays as it is.
"""

from collections.abc import Callable, Iterator
from threading import Lock

from contracts.checkpoints import read_checkpoint
from contracts.log_audit import Placed
from contracts.log_usage import Usage, month_of, usage_lines
from contracts.log_use import Reader
from contracts.merkle import read_entry
from gateway import receipts
from gateway.means import Means
from gateway.store import log

CHUNK = 4096
"""Entries in memory at once."""


class PublicUsage:
    """Counts the closed months, and keeps what it counted until another month is over.

    Args:
        means_now: Gives the surroundings as they are.
    """

    def __init__(self, means_now: Callable[[], Means]) -> None:
        self._means_now = means_now
        self._turn = Lock()
        self._kept: Usage | None = None

    def __call__(self) -> Usage:
        """The use of all months that are over."""
        means = self._means_now()
        until = month_of(means.clock())
        with self._turn:  # many readers at the beginning of a month count once
            if self._kept is None or self._kept.until != until:
                self._kept = _counted(means, until)
            return self._kept


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

"""The agency's witness of the gateway's log: the log must grow with what is asked, and do nothing else.

At its polls the connector looks at the log's checkpoint, proves from the log's own tiles that the log begins with all
that it has seen before, writes that down, and only then cosigns. With a log that was rewritten, or that shrank, it does
not work any more: both checkpoints are kept, each under the gateway's own signature, until the agency has decided.

Every question stands in the log before it is handed out. A log that stands still while this connector answers questions
that were made after its last checkpoint is withheld: no more work is done until it moves.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from connectors.journal import witness as kept
from connectors.journal.book import Journal
from contracts.checkpoints import cosign, log_keys, read_checkpoint, verify_checkpoint
from contracts.errors import IntegrityError, SaphanError, Unavailable
from contracts.federation import Federation
from contracts.keys import SigningKey
from contracts.log_audit import check_growth
from contracts.note import MOST_CHARACTERS
from contracts.signature_base import Message
from contracts.tiles import CHECKPOINT_PATH, HASH_BYTES, Tile
from contracts.transparency import Checkpoint, Cosignature
from transport.line import Line, TooLong

COSIGNATURES_PATH: Final = "/v1/log/cosignatures"
LOOK_EVERY: Final = timedelta(seconds=5)
LOOK_SECONDS: Final = 30.0
"""How long the gateway may take to show a checkpoint or a tile."""

STANDS_STILL_AFTER: Final = timedelta(minutes=15)
"""A checkpoint is replaced within a minute of the log's growth; so much later than an answer it must have moved."""

CLOCKS_APART: Final = timedelta(minutes=2)
"""More than the clocks of a requester, the gateway and this connector may differ in all: no false alarm by a clock."""

log = logging.getLogger("saphan.connector")


def stands_still(journal: Journal, now: datetime) -> bool:
    """Whether the checkpoint that was last seen ought to have been followed by a greater one.

    A question that was made after a checkpoint was seen is not under it; its entry must have come since. A question
    that waited under a checkpoint that covers it (for an officer, or for this connector) says nothing.
    """
    seen = kept.seen(journal)
    if seen is None:
        return False
    asked = kept.answered_between(journal, seen.seen_at, now - STANDS_STILL_AFTER)
    return any(created > seen.seen_at + CLOCKS_APART for created in asked)


@dataclass(slots=True)
class Witness:
    """Looks at the log for one connector.

    Args:
        line: The line to the gateway.
        journal: Remembers what was seen, and evidence.
        key_of: Gives the agency's witness key by the federation as it is; none when it has none registered.
        hand_in: Brings the gateway a cosignature.
        clock: Gives the time.
        every: How long a look lasts.
    """

    line: Line
    journal: Journal
    key_of: Callable[[Federation], SigningKey | None]
    hand_in: Callable[[str, Cosignature], None]
    clock: Callable[[], datetime]
    every: timedelta = LOOK_EVERY
    _failures: int = 0
    _looked_at: datetime | None = None
    _is_held_up: bool = True
    """Whether there may be evidence that nobody has settled; a restart does not forget it."""

    def stands_by(self, federation: Federation, wait_after: Callable[[int], object]) -> bool:
        """Whether work may be done by the log as it is; if not, wait a while, the longer the oftener it was not so.

        Args:
            federation: Whose keys sign the log and its cosignatures.
            wait_after: Waits after so many failures in a row.
        """
        try:
            self.look(federation)
        except SaphanError as error:
            self._failures += 1
            log.warning("no work by this log: %s", error.code)
            wait_after(self._failures)
            return False
        self._failures = 0
        return True

    def look(self, federation: Federation) -> None:
        """Look at the log, unless that was done just now.

        Raises:
            IntegrityError: ``log-forked`` or ``log-shrank``, now and at every look until the agency settles it;
                ``log-checkpoint-wrong``, when what is shown is no checkpoint under the log's own key;
                ``log-stands-still``, until it moves.
            Unavailable: ``gateway-unreachable`` or ``log-not-shown``.
        """
        if self._is_held_up:
            found = kept.unsettled(self.journal)
            if found is not None:
                raise IntegrityError(found.code)
            self._is_held_up = False
        now = self.clock()
        if self._looked_at is not None and now - self._looked_at < self.every:
            return
        document = self._get(CHECKPOINT_PATH, MOST_CHARACTERS).decode(errors="replace")
        checkpoint = verify_checkpoint(document, log_keys(federation, now))
        self._compare(checkpoint, document, now)
        self._cosign(federation, now)
        self._looked_at = now

    def _compare(self, checkpoint: Checkpoint, document: str, now: datetime) -> None:
        before = kept.seen(self.journal)
        if before is not None:
            old = read_checkpoint(before.document)  # verified when it was written down
            if (old.size, old.root) == (checkpoint.size, checkpoint.root):
                if stands_still(self.journal, now):
                    raise IntegrityError("log-stands-still")
                return
            code = "log-shrank" if checkpoint.size < old.size else "log-forked"
            if not self._only_grew(old, checkpoint):
                kept.keep_evidence(self.journal, code, before.document, document, now)
                self._is_held_up = True
                raise IntegrityError(code)
        kept.see(self.journal, checkpoint.size, document, now)

    def _only_grew(self, old: Checkpoint, new: Checkpoint) -> bool:
        try:
            check_growth(self._tile, old, new)
        except IntegrityError:
            return False
        return True

    def _cosign(self, federation: Federation, now: datetime) -> None:
        """Hand in a cosignature of what was checked; one that does not arrive is handed in at the next look."""
        seen, key = kept.seen(self.journal), self.key_of(federation)
        if seen is None or seen.handed_in or key is None:
            return
        line = cosign(seen.document, key, now)
        try:
            self.hand_in(COSIGNATURES_PATH, Cosignature(size=seen.size, line=line))
        except SaphanError as error:
            log.warning("a cosignature is handed in again later: %s", error.code)
            return
        kept.handed_in(self.journal)

    def _tile(self, tile: Tile) -> bytes:
        return self._get(tile.path, tile.width * HASH_BYTES)

    def _get(self, path: str, most: int) -> bytes:
        try:
            answer = self.line.send(Message("GET", f"/{path}", {}, b""), LOOK_SECONDS, most)
        except TooLong as error:
            raise Unavailable("log-not-shown") from error
        if answer.status != HTTPStatus.OK:
            raise Unavailable("log-not-shown")
        return answer.body

"""Notices: signed documents that every connector, or some, must hear of: suspensions, and acts on agreements.

A lease call brings them along and returns at once when there is one. The gateway only carries them: a connector
verifies each signature against its own pinned federation, so nothing can be forged here, only withheld.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from contracts.signing import kind_of
from contracts.task import Notice
from gateway.store import notices
from gateway.store.engine import Reading, Transaction

NOTICE_KINDS: Final = frozenset({"suspension", "agreement-act"})
MOST_NOTICES: Final = 64
"""The most that one lease brings; the next call gets the next ones at once."""


def add_notice(t: Transaction, document: str, now: datetime, agencies: Collection[str] | None = None) -> int:
    """Append a signed document for these agencies' connectors, or for all; its running number.

    The caller has verified it.

    Raises:
        ValueError: A document of another kind; no connector would know what to do with it.
    """
    if kind_of(document) not in NOTICE_KINDS:
        raise ValueError("not a kind of document that connectors hear of")
    return notices.add(t, document, now, agencies)


def notices_after(r: Reading, agency: str, cursor: int, most: int = MOST_NOTICES) -> tuple[Notice, ...]:
    """The next notices for an agency behind ``cursor``, lowest number first.

    A cursor beyond the last number is one from before the database was restored: everything is given again.
    """
    return tuple(Notice(number=each.number, document=each.document) for each in notices.after(r, agency, cursor, most))

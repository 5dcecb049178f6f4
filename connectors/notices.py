"""Notices: what this connector hears of through the gateway, and believes for its signatures alone.

The gateway may withhold a notice, and then this agency does not know. It cannot forge one: every signature is verified
against the pinned federation here, and whether those who signed may do so is decided here, too. What cannot be verified
is kept aside with the reason, does not hold up what comes after it, and is looked at again at every start.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from connectors.journal import notices
from connectors.journal.book import Journal
from connectors.journal.notices import Believed, DoubtedNotice
from contracts.agreement_acts import read_act
from contracts.errors import Refused, SaphanError
from contracts.federation import Federation
from contracts.lifecycle import ACT_KIND, SignedAct
from contracts.signing import kind_of
from contracts.suspension import CLOCK_SKEW, SUSPENSION_KIND, Suspension, read_order
from contracts.task import Notice

UNKNOWN: Final = "unknown-answer"
"""The code of a notice that is of no kind that this program knows."""

log = logging.getLogger("saphan.connector")


def take(journal: Journal, federation: Federation, heard: Sequence[Notice], now: datetime) -> None:
    """Verify notices and write them down; what they say is in force when this returns."""
    if heard:
        _hear(journal, federation, heard, heard[-1].number, now)


def reconsider(journal: Journal, federation: Federation, now: datetime) -> None:
    """Look again at the notices that were not believed: since then the federation may have got new keys."""
    before = tuple(each.notice for each in notices.doubted(journal))
    if before:
        _hear(journal, federation, before, notices.cursor(journal), now)


def _hear(journal: Journal, federation: Federation, heard: Sequence[Notice], upto: int, now: datetime) -> None:
    believed, doubted = [], []
    for each in heard:
        try:
            says = read_notice(each.document, federation, now)
        except SaphanError as error:
            log.warning("notice %d is not believed: %s", each.number, error.code)
            doubted.append(DoubtedNotice(each, error.code))
            continue
        if says is None:
            doubted.append(DoubtedNotice(each, UNKNOWN))
        else:
            believed.append(Believed(each, says))
    notices.hear(journal, believed, doubted, upto, now)


def read_notice(document: str, federation: Federation, now: datetime) -> Suspension | SignedAct | None:
    """What a signed document says, if this program knows its kind.

    Keys must have been able to sign at the time that the document names: a connector that was set up anew hears of what
    was signed years ago. A stolen key must be revoked; a revoked one never verifies.

    Raises:
        Refused, InvalidInput: When it is not signed by exactly those who may, or cannot be read.
    """
    kind = kind_of(document)
    if kind == SUSPENSION_KIND:
        return read_order(document, federation, now, at_receipt=False)
    if kind == ACT_KIND:
        signed = read_act(document, federation)
        if signed.act.at > now + CLOCK_SKEW:
            raise Refused("signature-stale")
        return signed
    return None

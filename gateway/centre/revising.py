"""Declaring a revision: closed months that an agency corrected are asked anew, under a higher number, and charged anew.

The old releases stay as they are, and so does everything that cites them; readers take the newest revision of a month.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.errors import InvalidInput
from contracts.periods import Period
from contracts.views import ReleaseSummary
from gateway.centre.feed import Line, revision_of
from gateway.centre.home import Asked, CentreHome, Revision, Span
from gateway.centre.questions import STANDING, StandingQuestion
from gateway.centre.windows import requests_for

MOST: Final = 99

log = logging.getLogger("saphan.centre")


def declare(line: Line, home: CentreHome, agreement: str, wish: tuple[str, Period, str], now: datetime) -> Revision:
    """Note that months of an activity are to be asked anew by the next round.

    Months that no revision has told yet share a number with others of their window, which has paid for it already.

    Args:
        line: The line to the gateway.
        home: Where it is written down.
        agreement: Under which the centre asks.
        wish: The activity, the months, and why.
        now: The present.

    Raises:
        InvalidInput: ``not-a-standing-activity``; ``nothing-to-revise`` for months never asked, or that are no
            whole spans of the question.
    """
    activity, period, reason = wish
    agreed = line.agreement(agreement).agreement
    questions = {each.activity: each for each in STANDING if agreed.activity(each.activity) is not None}
    if activity not in questions:
        raise InvalidInput("not-a-standing-activity", activity=activity, choices=", ".join(questions))
    question, months = questions[activity], period.months()
    spans = requests_for(months, question.pace) if period.is_whole_months else ()
    if sum(len(each.months()) for each in spans) != len(months):
        raise _refused(activity, months, f"they are no whole {question.pace.value}s")
    held = [each for each in line.releases() if question.is_answered_by(each)]
    number = _number(question, months, held, home.asked())
    revision = Revision(span=Span(activity=activity, revision=number, period=period), reason=reason, declared=now)
    home.declare(revision)
    log.info("revision %s of %s, %s to %s, declared: %s", number, activity, months[0], months[-1], reason)
    return revision


def _number(question: StandingQuestion, months: Sequence[str], held: Sequence[ReleaseSummary], asked: Asked) -> int:
    """The lowest revision under which none of the months was asked yet, above all under which one was."""
    spans = (*asked.lost, *(each.span for each in asked.out), *(each.span for each in asked.revisions))
    told = [(each.revision, each.period.months()) for each in spans if each.activity == question.activity]
    told += [(revision_of(each), each.query.period.months()) for each in held]
    known = {month for _, each in told for month in each}
    if not set(months) <= known:
        raise _refused(question.activity, sorted(set(months) - known), "they were never asked")
    highest = max(revision for revision, each in told if set(each) & set(months))
    if highest >= MOST:
        raise _refused(question.activity, months, f"there are {MOST} revisions already")
    return highest + 1


def _refused(activity: str, months: Sequence[str], why: str) -> InvalidInput:
    return InvalidInput("nothing-to-revise", activity=activity, months=", ".join(months), why=why)

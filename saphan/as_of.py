"""``--as-of``: an instant with its zone, Bangkok time without one, or a day, which means its end in Bangkok."""

from datetime import datetime, timedelta, timezone
from typing import Annotated, Final

import typer

from contracts.errors import InvalidInput
from contracts.periods import check_common_era

BANGKOK: Final = timezone(timedelta(hours=7))
DAY_LENGTH: Final = len("2026-01-31")

AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="WHEN", help="What stood then: 2026-01-31 (the end of that day) or an instant."),
]


def instant_of(text: str | None, now: datetime) -> datetime | None:
    """The instant that was asked for; today means now.

    Raises:
        InvalidInput: ``malformed-body``, also for an instant to come; ``year-of-buddhist-era``.
    """
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput("malformed-body", where="as-of") from error
    check_common_era(given)
    given = given if given.tzinfo is not None else given.replace(tzinfo=BANGKOK)
    if given > now:
        raise InvalidInput("malformed-body", where="as-of")
    return min(now, given + timedelta(days=1, microseconds=-1)) if len(text) == DAY_LENGTH else given

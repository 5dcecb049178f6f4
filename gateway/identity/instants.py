"""Instants in tokens: whole seconds since 1970."""

from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.errors import Refused

CLOCK_SKEW: Final = timedelta(seconds=5)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FAR_FUTURE: Final = 2**33
"""The year 2242 in seconds: beyond it a number is no instant that anybody meant."""


def instant(claims: dict[str, object], name: str) -> datetime:
    """The instant in a numeric claim.

    Raises:
        Refused: ``token-invalid``, when it is missing or no plausible number of seconds.
    """
    seconds = claims.get(name)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds < FAR_FUTURE:
        raise Refused("token-invalid", why=name)
    return datetime.fromtimestamp(seconds, UTC)

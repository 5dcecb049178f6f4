"""Instants in tokens: whole seconds since 1970."""

from datetime import UTC, datetime
from typing import Final

from contracts.errors import Refused

CLOCK_SKEW: Final = 5
"""So many seconds another clock may be ahead."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FAR_FUTURE: Final = 2**33
"""The year 2242 in seconds: beyond it a number is no instant that anybody meant."""


def seconds_in(claims: dict[str, object], name: str) -> int:
    """The instant in a numeric claim, as seconds.

    Raises:
        Refused: ``token-invalid``, when it is missing or no plausible number of seconds.
    """
    seconds = claims.get(name)
    if type(seconds) is not int or not 0 <= seconds < FAR_FUTURE:
        raise Refused("token-invalid", why=name)
    return seconds

"""How often somebody may try: counted in the database, so that all processes of a gateway count together.

Both the peer's address and the account are counted, each under a digest; what was counted is forgotten within the hour.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from typing_extensions import override

from contracts.errors import Refused
from gateway.means import Means
from gateway.people import records
from gateway.people.secret_names import kept
from gateway.store import log, people_sessions
from gateway.store.people import Person

WINDOW_MINUTES: Final = 15
FAILED_WINDOW: Final = timedelta(hours=1)
FAILED_TIMES: Final = 5
"""So many failures within an hour are a slip; one more is in the log."""

NOBODY: Final = "nobody"


class Trying(StrEnum):
    """What is tried."""

    SIGN_IN = "sign-in"
    INVITATION = "invitation"
    PASSKEY = "passkey"
    STEP_UP = "step-up"


MOST_BY_PEER: Final = 60
"""Calls of one address within the window; an office may share one."""

MOST_BY_ACCOUNT: Final = 20


class AttemptStorage(Storage):
    """The library's storage over the gateway's own database and clock."""

    STORAGE_SCHEME: list[str] | None = None

    def __init__(self, means: Means) -> None:
        super().__init__()
        self._means = means

    @property
    @override
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """No error of the database is wrapped."""
        return LookupError

    @override
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, and give how many were counted in the window, which begins with the first."""
        now = self._means.clock()
        with self._means.store.transaction() as t:
            return people_sessions.count(t, key, amount, now, now + timedelta(seconds=expiry))

    @override
    def get(self, key: str) -> int:
        """How many were counted in the window."""
        return self._counted(key)[0]

    @override
    def get_expiry(self, key: str) -> float:
        """When the window ends, in seconds since 1970."""
        ends = self._counted(key)[1]
        return (ends or self._means.clock()).timestamp()

    @override
    def check(self) -> bool:
        """Whether the database answers."""
        self._counted("")
        return True

    @override
    def reset(self) -> int | None:
        """Forget everything."""
        with self._means.store.transaction() as t:
            return people_sessions.forget(t)

    @override
    def clear(self, key: str) -> None:
        """Forget one key."""
        with self._means.store.transaction() as t:
            people_sessions.forget(t, key)

    def _counted(self, key: str) -> tuple[int, datetime | None]:
        with self._means.store.read() as r:
            return people_sessions.counted(r, key, self._means.clock())


def check_attempt(means: Means, trying: Trying, peer: str, account: str | None = None) -> None:
    """Count an attempt of a peer, and on an account, and refuse what is too much.

    Args:
        means: The gateway's surroundings.
        trying: What is tried.
        peer: The network address that calls.
        account: What it is tried on: a person, a passkey, an invitation; none while it is not known.

    Raises:
        Refused: ``too-many-attempts``.
    """
    limiter = FixedWindowRateLimiter(AttemptStorage(means))
    asked = [(MOST_BY_PEER, f"peer:{peer}")] + ([(MOST_BY_ACCOUNT, f"account:{account}")] if account else [])
    for most, whose in asked:
        item = RateLimitItemPerMinute(most, WINDOW_MINUTES, namespace=trying.value)
        if not limiter.hit(item, kept(whose)):
            raise Refused("too-many-attempts")


def note_failure(means: Means, person: Person | None) -> None:
    """Count a failed sign-in; the first beyond the threshold within an hour is logged, and no more of that hour."""
    now = means.clock()
    key = f"failed:{kept(person.id if person else NOBODY)}"
    with means.store.transaction() as t:
        times = people_sessions.count(t, key, 1, now, now + FAILED_WINDOW)
        if times == FAILED_TIMES + 1:
            log.append(t, records.sign_in_failed(person, FAILED_TIMES, now, means.entropy))

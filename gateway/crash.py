"""The named instants at which a kill -9 must cost nothing: around each commit and before each answer leaves.

A ``before`` point stands inside its transaction, after the last statement: what it wrote must vanish. An ``after``
point stands behind the commit, before the caller hears of it: what it wrote must be found and carried on.
"""

import os
import signal
from collections.abc import Callable
from enum import StrEnum


class CrashPoint(StrEnum):
    """Where the gateway may be killed; ``SAPHAN_CRASH_AT`` names one."""

    BEFORE_RECEIVED = "before-received"
    AFTER_RECEIVED = "after-received"
    BEFORE_RESERVED = "before-reserved"
    AFTER_RESERVED = "after-reserved"
    BEFORE_LEASED = "before-leased"
    AFTER_LEASED = "after-leased"
    BEFORE_PART = "before-part"
    AFTER_PART = "after-part"
    AFTER_ASSEMBLED = "after-assembled"
    BEFORE_SETTLED = "before-settled"
    AFTER_SETTLED = "after-settled"
    BEFORE_SUSPENDED = "before-suspended"
    AFTER_SUSPENDED = "after-suspended"


Crash = Callable[[CrashPoint], None]
"""Called at each point; returns, or ends the process."""


def never(point: CrashPoint) -> None:
    """Pass every point."""


def kill_at(wanted: CrashPoint) -> Crash:
    """A hook that kills this process, without any clean-up, when it reaches ``wanted``."""

    def hook(point: CrashPoint) -> None:
        if point is wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook

"""The named points at which a connector may be killed; a test enumerates them and kills it at each.

They stand around every commit and every send of the agent. Whatever happens at one of them, a restart must charge
nothing twice and lose no task that was charged.
"""

import os
import signal
from collections.abc import Callable
from enum import StrEnum


class CrashPoint(StrEnum):
    """A moment just before or just after something that another party, or the disk, remembers."""

    TOKEN_BEFORE_SEND = "token-before-send"  # noqa: S105  # a moment, not a secret
    TOKEN_AFTER_SEND = "token-after-send"  # noqa: S105  # a moment, not a secret
    LEASE_BEFORE_SEND = "lease-before-send"
    LEASE_AFTER_SEND = "lease-after-send"
    CHARGE_BEFORE_COMMIT = "charge-before-commit"
    CHARGE_AFTER_COMMIT = "charge-after-commit"
    CELLS_READ = "cells-read"
    PART_BEFORE_COMMIT = "part-before-commit"
    PART_AFTER_COMMIT = "part-after-commit"
    REFUSAL_BEFORE_COMMIT = "refusal-before-commit"
    REFUSAL_AFTER_COMMIT = "refusal-after-commit"
    POST_BEFORE_SEND = "post-before-send"
    POST_AFTER_SEND = "post-after-send"
    SETTLE_BEFORE_COMMIT = "settle-before-commit"
    SETTLE_AFTER_COMMIT = "settle-after-commit"
    NOTICES_BEFORE_COMMIT = "notices-before-commit"
    NOTICES_AFTER_COMMIT = "notices-after-commit"
    ORDER_BEFORE_COMMIT = "order-before-commit"
    ORDER_AFTER_COMMIT = "order-after-commit"
    ORDER_BEFORE_SEND = "order-before-send"
    ORDER_AFTER_SEND = "order-after-send"
    SENT_BEFORE_COMMIT = "sent-before-commit"
    SENT_AFTER_COMMIT = "sent-after-commit"
    PENDING_BEFORE_COMMIT = "pending-before-commit"
    PENDING_AFTER_COMMIT = "pending-after-commit"
    DECISION_BEFORE_COMMIT = "decision-before-commit"
    DECISION_AFTER_COMMIT = "decision-after-commit"


Hook = Callable[[CrashPoint], None]
"""Called at each point; the usual one does nothing."""


def carry_on(point: CrashPoint) -> None:  # the shape of a hook
    """Do nothing: what every process does that is not being tested."""


def kill_at(wanted: CrashPoint) -> Hook:
    """A hook that ends the process at one point as kill -9 would: nothing is flushed, closed or rolled back."""

    def hook(point: CrashPoint) -> None:
        if point is wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook

"""The named crash points, and a real kill -9."""

import signal
import subprocess
import sys

import pytest

from connectors.crash import CrashPoint, carry_on, kill_at

pytestmark = pytest.mark.unit


def test_a_process_is_killed_at_its_point_and_at_no_other() -> None:
    script = (
        "from connectors.crash import CrashPoint, kill_at\n"
        "hook = kill_at(CrashPoint.CELLS_READ)\n"
        "hook(CrashPoint.POST_BEFORE_SEND)\n"
        "print('alive', flush=True)\n"
        "hook(CrashPoint.CELLS_READ)\n"
        "print('still alive', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"alive\n")


def test_other_points_are_passed() -> None:
    for point in CrashPoint:
        carry_on(point)
    kill_at(CrashPoint.CELLS_READ)(CrashPoint.LEASE_AFTER_SEND)

"""What a program that runs for long writes into its log."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

FOLLOWS = """
import logging, sys
from pathlib import Path
from saphan.log_output import log_to_stderr
from tests.registry_world import OFFICERS, in_order
log_to_stderr()
lying, home = in_order(), Path(sys.argv[1])
(home / "root.json").write_bytes(lying.documents["root"])
lying.read(home)
logging.getLogger("tuf.ngclient").warning("something is wrong")
logging.getLogger("saphan.connector").info("three officers, of whom two sign: %d", len(OFFICERS))
"""


def test_an_officer_who_need_not_have_signed_is_no_line_of_the_log(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FOLLOWS, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    lines = [line.partition(" ")[2] for line in done.stderr.splitlines()]
    assert lines == [
        "WARNING tuf.ngclient something is wrong",
        "INFO saphan.connector three officers, of whom two sign: 3",
    ]

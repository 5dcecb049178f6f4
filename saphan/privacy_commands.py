"""``saphan privacy``: audit the noise of the exchange from outside, against a running test federation."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer

from contracts.errors import IntegrityError, InvalidInput, Unavailable
from saphan.demo.processes import Processes
from saphan.output import AsJson, say, show, tell, told_errors
from saphan.privacy_audit.federation import AuditFederation
from saphan.privacy_audit.report import report_of, report_table

CELLS: Final = 44_352
"""Enough for a true epsilon of 1.2 that is sold as 1.0 to fail but once in a million audits."""

MOST: Final = 400_000
NANO_RHO: Final = 500_000_000

app = typer.Typer(help="What the noise is worth, found out from outside.", no_args_is_help=True)


@app.callback()
def _noun() -> None:
    """Keep ``audit`` a verb of its own, also while it is the only one."""


@app.command("audit")
def audit_command(
    home: Annotated[
        Path | None, typer.Option(help="An empty folder to keep the test federation in; a temporary one if left out.")
    ] = None,
    cells: Annotated[int, typer.Option(help="At least how many cells each release has.", max=MOST)] = CELLS,
    nano_rho: Annotated[int, typer.Option(help="The price of each question, in nano-rho.", min=1)] = NANO_RHO,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask neighbouring worlds in a test federation and hold the noise of the releases against what they claim."""
    started = time.monotonic()
    with told_errors(as_json=as_json), _folder(home) as folder, ExitStack() as stack:
        say("ตั้งสหพันธ์ทดสอบและถามคำถาม · setting a test federation up and asking it")
        stack.enter_context(_ended_in_order())
        processes = stack.enter_context(Processes(environment=os.environ))  # noqa: TID251  # a command begins here
        federation = AuditFederation(folder, cells, nano_rho, processes, stack, _now)
        report = report_of(federation.answers())
    show(report, lambda: report_table(report), as_json=as_json)
    say(f"{time.monotonic() - started:.0f} s")
    if report.failures:
        error = IntegrityError("privacy-claim-broken", tests="; ".join(report.failures))
        tell(error, as_json=False)
        raise typer.Exit(error.exit_code)
    say("ไม่พบสิ่งที่ขัดกับคำรับรอง · nothing was found that contradicts the claims")


@contextmanager
def _folder(home: Path | None) -> Iterator[Path]:
    if home is None:
        yield from _temporary_folder()
        return
    if home.exists() and any(home.iterdir()):
        raise InvalidInput("folder-in-use")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield home.resolve()


def _temporary_folder() -> Iterator[Path]:
    folder, is_kept = Path(tempfile.mkdtemp(prefix="saphan-audit-")), False
    try:
        yield folder
    except Unavailable:
        is_kept = True  # the error names a log that lies in it
        raise
    finally:
        if not is_kept:
            shutil.rmtree(folder)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """While the federation runs, SIGTERM ends its programs too."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # a command begins here

"""``saphan privacy``: audit the noise of the exchange from outside, against a running test federation."""

import os
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
from rich.table import Table

from contracts.errors import IntegrityError, InvalidInput
from saphan.demo.processes import Processes
from saphan.output import AsJson, say, show, table_of, tell, told_errors
from saphan.privacy_audit.federation import AuditFederation
from saphan.privacy_audit.report import AuditReport, MechanismAudit, report_of

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
    signal.signal(signal.SIGTERM, _interrupt)
    started = time.monotonic()
    with told_errors(as_json=as_json), _folder(home) as folder, ExitStack() as stack:
        say("ตั้งสหพันธ์ทดสอบและถามคำถาม · setting a test federation up and asking it")
        processes = stack.enter_context(Processes(environment=os.environ))  # noqa: TID251  # a command begins here
        federation = AuditFederation(folder, cells, nano_rho, processes, stack, _now)
        report = report_of(federation.answers())
    show(report, lambda: _table(report), as_json=as_json)
    say(f"{time.monotonic() - started:.0f} s")
    if report.failures:
        error = IntegrityError("privacy-claim-broken", tests="; ".join(report.failures))
        tell(error, as_json=False)
        raise typer.Exit(error.exit_code)
    say("ไม่พบสิ่งที่ขัดกับคำรับรอง · nothing was found that contradicts the claims")


@contextmanager
def _folder(home: Path | None) -> Iterator[Path]:
    if home is None:
        with tempfile.TemporaryDirectory(prefix="saphan-audit-") as folder:
            yield Path(folder)
        return
    if home.exists() and any(home.iterdir()):
        raise InvalidInput("setting-invalid", setting="home", why="the folder is not empty")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield home.resolve()


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # a command begins here


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _table(report: AuditReport) -> Table:
    table = table_of("contract", "noise at", "noise", "claimed", "found at least", "fit p", "independence p", "verdict")
    for each in report.audits:
        table.add_row(*_row(each))
    table.caption = (
        f"Lower bounds at {report.confidence:.0%}. A test fails when even its bound at "
        f"1 - {report.false_alarm:g} lies above the claim, or its p-value below {report.false_alarm:g}."
    )
    return table


def _row(each: MechanismAudit) -> tuple[str, ...]:
    found = each.found
    claimed = [f"epsilon {found.epsilon_claimed:.3f} (delta {found.delta:g})"]
    bounds = [f"epsilon {found.epsilon_bound:.3f}"]
    if found.rho_claimed is not None and found.rho_bound is not None:
        claimed.append(f"rho {found.rho_claimed:.4f}")
        bounds.append(f"rho {found.rho_bound:.4f}")
    return (
        each.contract,
        each.protect_at.value,
        f"{each.mechanism.value} {each.scale:.3f} × {each.cells:,}",
        "\n".join(claimed),
        "\n".join(bounds),
        f"{found.fit_p_value:.3g}",
        f"{found.independence_p_value:.3g}",
        ", ".join(found.failed) or "ok",
    )

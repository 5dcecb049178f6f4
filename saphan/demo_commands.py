"""``saphan demo``: a whole federation on this machine, with synthetic people."""

import os
import signal
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer
from rich.table import Table

from saphan.demo.outcome import Outcome
from saphan.demo.processes import Processes
from saphan.demo.run import Demo, DemoSettings
from saphan.output import say, show, table_of, told_errors

DEFAULT_FOLDER = Path(".saphan/demo")
CERTIFICATE_NOTE: Final = (
    "ใบรับรองออกให้เพื่อทดลองเท่านั้น เบราว์เซอร์จึงเตือน ให้กดไปต่อ หรือเพิ่มไฟล์นี้เป็นผู้ออกใบรับรองที่เชื่อถือ\n"
    "the certificate is from a development CA, so the browser warns: go on, or let it trust {authority}"
)


def demo(  # noqa: PLR0913  # one option each for what a person may want to change
    home: Annotated[Path, typer.Option(help="Where the demonstration lives.")] = DEFAULT_FOLDER,
    port: Annotated[int, typer.Option(help="The first port to try.")] = 8000,
    scale: Annotated[float, typer.Option(help="Share of real volume.", min=0.001, max=1)] = 0.2,
    months: Annotated[int, typer.Option(help="Closed months of data.", min=60, max=60)] = 60,
    seed: Annotated[int, typer.Option(help="Decides every synthetic draw.")] = 2569,
    *,
    once: Annotated[bool, typer.Option("--once", help="Do the main job once, then stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Start a gateway, three agency connectors and the forecasting centre; register, agree, ask, release, forecast."""
    settings = DemoSettings(folder=home.resolve(), port=port, scale=scale, months=months, seed=seed)
    signal.signal(signal.SIGTERM, _interrupt)
    with told_errors(as_json=as_json), ExitStack() as stack:
        try:
            processes = stack.enter_context(Processes(environment=os.environ))  # noqa: TID251  # a command begins here
            running = Demo(settings, processes, stack, _now, say)
            outcome = running.run()
            show(outcome, lambda: _table(outcome), as_json=as_json)
            if not once:
                say(f"\nเปิดหน้าเว็บที่ · open {running.address}   (Ctrl-C: หยุด · stop)")
                say(CERTIFICATE_NOTE.format(authority=running.authority))
                running.keep_up(signal.pause)
        except KeyboardInterrupt:
            say("หยุดแล้ว · stopped")


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # a command begins here


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _table(outcome: Outcome) -> Table:
    table = table_of("release", "contract", "cells", "rho a window", "epsilon", "± in 95 of 100")
    for each in outcome.releases:
        errors = ", ".join(f"{name} ± {measure.expected_error_95:,.0f}" for name, measure in each.measures.items())
        table.add_row(
            each.id, ", ".join(each.contracts), f"{each.cells:,}", f"{each.rho:.3f}", f"{each.epsilon:.2f}", errors
        )
    table.caption = (
        f"{outcome.forecast.series} series forecast for {outcome.forecast.horizon} months · "
        f"log of {outcome.audit.size} entries verified · seconds: set-up {outcome.seconds.setup:.0f}, "
        f"exchange {outcome.seconds.exchange:.0f}, forecast {outcome.seconds.forecast:.0f}"
    )
    return table

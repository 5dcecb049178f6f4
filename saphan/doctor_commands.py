"""``saphan doctor``: which hop between this home and its counterpart fails, in one line, and what to do about it."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from contracts.errors import Reason, SaphanError, Unavailable
from contracts.values import Value
from saphan.doctor_sides import Hop, Side, side_of
from saphan.output import AsJson, is_for_programs, say, told_errors

HOME: Final = Path(".saphan")


class HopState(StrEnum):
    """How a hop was found; behind one that fails nothing is looked at."""

    FINE = "fine"
    FAILING = "failing"
    NOT_CHECKED = "not-checked"


class HopView(Value):
    """One hop; ``reason`` says what is wrong and what to do."""

    hop: str
    state: HopState
    reason: Reason | None = None


class Diagnosis(Value):
    """All hops of one side, from the home outwards; ``failing`` names the one to repair."""

    side: str
    failing: str | None
    hops: tuple[HopView, ...]


def doctor(
    home: Annotated[
        Path, typer.Option("--home", help="A connector, member or gateway's home.", envvar="SAPHAN_HOME")
    ] = HOME,
    *,
    as_json: AsJson = False,
) -> None:
    """Check every hop between this home and its counterpart, and name the one that fails."""
    with told_errors(as_json=as_json):
        side = side_of(home, _now)
    found, error = examine(side)
    if is_for_programs(as_json=as_json):
        typer.echo(found.model_dump_json())
    if error is None:
        fine = ", ".join(each.hop for each in found.hops)
        say(f"{found.side}: ทุกจุดปกติ · every hop is fine: {fine}")
        return
    reason = error.reasons[0]
    thai, english = f"{reason.message_th} {reason.advice_th}", f"{reason.message_en} {reason.advice_en}"
    say(f"{found.failing}: {reason.code} ({reason.number}) {thai} · {english}")
    raise typer.Exit(error.exit_code)


def examine(side: Side) -> tuple[Diagnosis, SaphanError | None]:
    """Try the hops one after the other until one fails; what is wrong with that."""
    views: list[HopView] = []
    error: SaphanError | None = None
    for hop in side.hops:
        if error is not None:
            views.append(HopView(hop=hop.name, state=HopState.NOT_CHECKED))
            continue
        error = _wrong_with(hop)
        if error is None:
            views.append(HopView(hop=hop.name, state=HopState.FINE))
        else:
            views.append(HopView(hop=hop.name, state=HopState.FAILING, reason=error.reasons[0]))
    failing = next((each.hop for each in views if each.state is HopState.FAILING), None)
    return Diagnosis(side=side.name, failing=failing, hops=tuple(views)), error


def _wrong_with(hop: Hop) -> SaphanError | None:
    try:
        hop.check()
    except SaphanError as error:
        return error
    except Exception as error:  # noqa: BLE001  # a look must end in a line; the error's own text could hold a path
        return Unavailable("hop-unclear", hop=hop.name, why=type(error).__name__)
    return None


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # a command begins here

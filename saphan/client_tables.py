"""Tables that people read on a terminal: every figure with its error, every cost with what is left."""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel
from rich.table import Table

from contracts.release import ReleaseState
from contracts.views import Preview, ReleaseSummary, Remedy, Suggestion
from gateway.client import Result
from gateway.released_table import column_name
from saphan.output import table_of

ROWS_SHOWN: Final = 40


def value_table(value: BaseModel) -> Table:
    """One value, a field a line."""
    table = table_of("field", "value")
    for name, held in value.model_dump(mode="json").items():
        table.add_row(name, str(held))
    return table


def preview_table(preview: Preview) -> Table:
    """The expected errors, and below them cost and budget."""
    table = table_of("measure", "± in 95 of 100", "unit", "cells mostly noise")
    for each in preview.measures:
        name = each.measure if not each.by else f"{each.measure} by {', '.join(each.by)}"
        noisy = "unknown" if each.noisy_share is None else f"{each.noisy_share:.0%}"
        table.add_row(name, f"{each.expected_error_95:,.1f}", each.unit, noisy)
    table.add_section()
    table.add_row("cells", f"{preview.cells:,}")
    table.add_row("cost", f"{preview.nano_rho:,}", "nano-rho")
    table.add_row("ε", f"{preview.epsilon:.3f}", f"at δ = {preview.delta}")
    for line in preview.before:
        table.add_row(f"left in {line.source} {line.window}", f"{line.left:,}", "nano-rho")
    for line in preview.after:
        table.add_row(f"then left in {line.source} {line.window}", f"{line.left:,}", "nano-rho")
    table.add_row("affordable", "yes" if preview.affordable else "NO")
    if preview.suggestion:
        table.add_row("better / แนะนำ", *_suggested(preview.suggestion))
    if preview.already_released:
        table.add_row("already released", preview.already_released, "costs nothing")
    return table


def _suggested(suggestion: Suggestion) -> tuple[str, str]:
    by = ", ".join(suggestion.dimensions) or "nothing"
    told = {
        Remedy.COARSER: f"ask by {by} / ถามตาม {by}",
        Remedy.DEARER: f"pay {suggestion.nano_rho:,} nano-rho / ใช้งบ {suggestion.nano_rho:,} nano-rho",
        Remedy.CHEAPER: f"{suggestion.nano_rho:,} nano-rho would do / ใช้งบ {suggestion.nano_rho:,} nano-rho ก็พอ",
        Remedy.NONE: "a longer period; nothing within the agreement helps / ใช้ช่วงเวลายาวขึ้น",
    }
    return told[suggestion.remedy], f"{suggestion.noisy_share:.0%} noise"


def releases_table(summaries: Sequence[ReleaseSummary]) -> Table:
    """One release a line."""
    table = table_of("release", "contracts", "cells", "state", "created")
    for each in summaries:
        contracts = ", ".join(ref.id for ref in each.contracts)
        state = each.state.value if each.state is ReleaseState.VALID else f"NO LONGER VALID · {each.state.value}"
        state = f"{state} · deleted on schedule" if each.erased else state
        table.add_row(each.id, contracts, f"{each.cells:,}", state, f"{each.created:%Y-%m-%d %H:%M}")
    return table


def release_table(result: Result) -> Table:
    """The first cells of a release, each figure with its error."""
    body = result.release.body
    measures = [
        *(column_name(each.measure) for each in body.released),
        *(column_name(each.measure) for each in body.derived),
    ]
    state = _fate(result)
    axes = [axis.name for axis in body.grid.axes]
    table = table_of(*axes, *measures, title=f"{body.id} · {state} · {body.grid.size:,} cells")
    for row in result.to_arrow().slice(0, ROWS_SHOWN).to_pylist():
        figures = (_figure(row[name], row[f"{name}_error_95"]) for name in measures)
        table.add_row(*(row[axis] for axis in axes), *figures)
    if body.grid.size > ROWS_SHOWN:
        table.add_row("…")
    return table


def _fate(result: Result) -> str:
    gone = result.release.withdrawal
    if result.is_valid or gone is None:
        return "valid"
    successor = f" → {gone.replaced_by}" if gone.replaced_by else ""
    return f"NO LONGER VALID · {gone.state.value}: {gone.reason}{successor}"


def _figure(value: float | None, error: float | None) -> str:
    if value is None or error is None:
        return "–"
    return f"{value:,.0f} ± {error:,.0f}"

"""Tables that people read on a terminal: every figure with its error, every cost with what is left."""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel
from rich.table import Table

from contracts.release import ReleaseState
from contracts.views import Preview, PreviewDerived, ReleaseSummary, Remedy, Suggestion
from gateway.client import Result
from gateway.released_table import bin_column, column_name, measures_of
from privacy.counter import CountedRun
from saphan.output import captioned, table_of

ROWS_SHOWN: Final = 40
WHOLE_FROM: Final = 10


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
        table.add_row(name, f"{each.expected_error_95:,.1f}", each.unit, _noisy(each.noisy_share))
    for derived in preview.derived:
        table.add_row(f"{derived.measure}, typically", _expected(derived), derived.unit, _noisy(derived.noisy_share))
    table.add_section()
    table.add_row("cells", f"{preview.cells:,}")
    table.add_row("cost", f"{preview.nano_rho:,}", "nano-rho")
    table.add_row("ε", f"{preview.epsilon:.3f}", delta_words(preview.delta))
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


def _noisy(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.0%}"


def _expected(derived: PreviewDerived) -> str:
    error = derived.expected_error_95
    if error is None:
        return "unknown" if derived.noisy_share is None else "no meaning"
    return f"{error:,.{1 if error >= WHOLE_FROM else 3}f}"


def totals_table(runs: Sequence[CountedRun]) -> Table:
    """The days of a counter, and the average of each run below its days."""
    table = table_of("day", "count", "± in 95 of 100", "total", "± total in 95 of 100")
    for run in runs:
        table.add_section()
        for each in run.days:
            figures = (each.count, each.count_error_95, each.total, each.total_error_95)
            table.add_row(str(each.day), *(f"{figure:,.1f}" for figure in figures))
        table.add_row(f"average a day, {run.window}", f"{run.average:,.2f}", f"{run.average_error_95:,.2f}")
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
    """The first rows of a release, each figure with its error; a histogram's bins have rows of their own."""
    body = result.told.body
    measures = [column_name(measure) for measure, _ in measures_of(body)]
    labels = [axis.name for axis in body.grid.axes]
    labels += [bin_column(each.measure) for each in body.released if each.bins]
    state = fate_of(result)
    table = table_of(*labels, *measures, title=f"{state} · {body.grid.size:,} cells")
    captioned(table, f"ε = {body.epsilon:.3f}, {delta_words(body.delta)}")
    rows = result.to_arrow()
    for row in rows.slice(0, ROWS_SHOWN).to_pylist():
        figures = (_figure(row[name], row[f"{name}_error_95"]) for name in measures)
        table.add_row(*(row[label] or "" for label in labels), *figures)
    if rows.num_rows > ROWS_SHOWN:
        table.add_row("…")
    return table


def delta_words(delta: str) -> str:
    """At which delta an epsilon is meant; at none it is a pure one, which the Laplace mechanism gives."""
    return f"at δ = {delta}" if float(delta) else f"pure: δ = {delta} / ไม่มีส่วนที่ยกเว้น"


def fate_of(result: Result) -> str:
    """Whether a release may still be relied on, and if not, why."""
    gone = result.release.withdrawal
    if result.is_valid or gone is None:
        return "valid"
    successor = f" → {gone.replaced_by}" if gone.replaced_by else ""
    return f"NO LONGER VALID · {gone.state.value}: {gone.reason}{successor}"


def _figure(value: float | None, error: float | None) -> str:
    if value is None or error is None:
        return "–"
    # What is small is a share or a ratio, of which whole numbers would say nothing.
    decimals = 0 if isinstance(value, int) or abs(value) >= WHOLE_FROM else 3
    return f"{value:,.{decimals}f} ± {error:,.{decimals}f}"

"""The budget as people read it: every window in nano-rho and epsilon, and what one person may lose in all."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from rich.table import Table

from contracts.budget_view import BudgetView, Loss, WindowLoss
from saphan.output import millions, table_of

NAMES: Final = "แหล่งข้อมูล ปีงบประมาณ\nsource, window"
FIGURES: Final = (
    "งบ\nbudget",
    "ใช้แล้ว\nspent",
    "จองไว้\nreserved",
    "เหลือ\nleft",
    "ε ที่ใช้\nε spent",
    "ε ทั้งงบ\nε budget",
)
TITLE: Final = "งบความเป็นส่วนตัว (ล้าน nano-rho, zCDP) · the privacy budget (millions of nano-rho)"
EACH: Final = "ปีละ · each, untouched"
EVERY_WINDOW: Final = "สำหรับบุคคลที่อยู่ในทุกปีงบประมาณ\nfor one person who stands in every window"
EVERY_DATASET: Final = "สำหรับบุคคลที่อยู่ในทุกชุดข้อมูล\nfor one person who stands in every dataset"
WHOLE: Final = "ทั้งเครือข่าย · federation"


def budget_table(view: BudgetView) -> Table:
    """One window of one source a line; below them the sum of each source, and that of the federation.

    Years of a source that nothing was asked of, with one budget, share a line, which has the figures of each of them.
    """
    table = table_of(NAMES, *FIGURES, figures=FIGURES, title="\n".join((TITLE, *_deltas(view))))
    for source, windows in groupby(view.windows, lambda each: each.source):
        for names, loss in _lines(tuple(windows)):
            table.add_row(f"{source} {names}", *_amounts(loss))
    table.add_section()
    for each in view.sources:
        table.add_row(f"{each.source} ({', '.join(each.datasets)})\n{EVERY_WINDOW}", *_amounts(each.loss))
    if view.federation is not None:
        table.add_section()
        table.add_row(f"{WHOLE}\n{EVERY_DATASET}", *_amounts(view.federation.loss))
    return table


def _lines(windows: tuple[WindowLoss, ...]) -> Iterator[tuple[str, Loss]]:
    """The windows of one source: those that were touched each by itself, the others together where they are alike."""
    alike: dict[Loss, list[str]] = {}
    for each in windows:
        if each.loss.spent or each.loss.reserved:
            yield each.window, each.loss
        else:
            alike.setdefault(each.loss, []).append(each.window)
    for loss, names in alike.items():
        yield ", ".join(names) + (f" {EACH}" if len(names) > 1 else ""), loss


def _deltas(view: BudgetView) -> Iterator[str]:
    """At which delta the epsilons are meant: once if it is one, else of each source and of them all."""
    deltas = {each.source: each.loss.delta for each in view.sources}
    if view.federation is not None:
        deltas[WHOLE] = view.federation.loss.delta
    if len(set(deltas.values())) == 1:
        yield f"ε at δ = {next(iter(deltas.values()))}"
    else:
        yield from (f"ε at δ = {delta}: {name}" for name, delta in deltas.items())


def _amounts(loss: Loss) -> tuple[str, ...]:
    amounts = (loss.budget, loss.spent, loss.reserved, loss.left)
    return (*(millions(amount) for amount in amounts), f"{loss.epsilon_spent:.3f}", f"{loss.epsilon_budget:.3f}")

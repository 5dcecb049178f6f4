"""The budget as people read it: every window in nano-rho and epsilon, and what one person may lose in all."""

from typing import Final

from rich.table import Table

from contracts.budget_view import BudgetView, Loss
from saphan.output import table_of

HEADINGS: Final = (
    "แหล่งข้อมูล\nsource",
    "ปีงบประมาณ\nwindow",
    "งบ\nbudget",
    "ใช้แล้ว\nspent",
    "จองไว้\nreserved",
    "เหลือ\nleft",
    "ε ที่ใช้แล้ว\nε spent",
    "ε ทั้งงบ\nε of the budget",
    "δ",
)
TITLE: Final = "งบความเป็นส่วนตัว (nano-rho, zCDP) · the privacy budget"
EVERY_WINDOW: Final = "สำหรับบุคคลที่อยู่ในทุกปีงบประมาณ\nfor one person who stands in every window"
EVERY_DATASET: Final = "สำหรับบุคคลที่อยู่ในทุกชุดข้อมูล\nfor one person who stands in every dataset"
WHOLE: Final = "ทั้งเครือข่าย · federation"


def budget_table(view: BudgetView) -> Table:
    """One window of one source a line; below them the sum of each source, and that of the federation."""
    table = table_of(*HEADINGS, title=TITLE)
    for window in view.windows:
        table.add_row(window.source, window.window, *_amounts(window.loss))
    table.add_section()
    for source in view.sources:
        table.add_row(f"{source.source}\n{', '.join(source.datasets)}", EVERY_WINDOW, *_amounts(source.loss))
    if view.federation is not None:
        table.add_section()
        table.add_row(WHOLE, EVERY_DATASET, *_amounts(view.federation.loss))
    return table


def _amounts(loss: Loss) -> tuple[str, ...]:
    amounts = (loss.budget, loss.spent, loss.reserved, loss.left)
    epsilons = (f"{loss.epsilon_spent:.3f}", f"{loss.epsilon_budget:.3f}")
    return (*(f"{amount:,}" for amount in amounts), *epsilons, loss.delta)

import io

import pytest
from rich.console import Console

from contracts.analysis import AnalysisKind, Column, Report, Statement, Table
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.forecast import ModelCard
from saphan.report_output import MOST_ROWS, report_group, table_csv

pytestmark = pytest.mark.unit


def words(en: str) -> Text:
    return Text(th="ข้อความ", en=en)


def report(rows: int = 2) -> Report:
    columns = (
        Column(name="province", title=words("Province")),
        Column(name="cases", title=words("Cases"), unit="cases"),
        Column(name="clear", title=words("Clear")),
    )
    cells = tuple((f"{n:02d}", n / 3, n % 2 == 0) for n in range(rows - 1))
    return Report(
        kind=AnalysisKind.WARNINGS,
        title=words("Warnings"),
        statements=(Statement(text=words("One province is above."), flags=("below-noise",)),),
        tables=(Table(name="provinces", title=words("P"), columns=columns, rows=(*cells, ("=1+1", None, None))),),
        card=ModelCard(
            data=words("Data."), method=words("Method."), limits=words("Limits."), first="2025-01", last="2025-12",
            models=("theta",),
        ),
    )  # fmt: skip


def test_a_table_is_csv_with_machine_names_and_no_formula() -> None:
    assert table_csv(report(), "provinces") == "province,cases,clear\n00,0.0,True\n'=1+1,,\n"


def test_a_table_that_the_report_has_not_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        table_csv(report(), "regions")

    assert caught.value.code == "unknown-publication"


def test_people_are_shown_every_flag_with_its_meaning_and_the_card() -> None:
    console = Console(width=200, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(report_group(report(MOST_ROWS + 5)))
    text = captured.get()

    assert "[below-noise]" in text
    assert "rough level" in text
    assert "5 more: --csv provinces" in text
    assert "Limits." in text


def test_on_a_narrow_terminal_a_row_keeps_its_label() -> None:
    columns = (
        Column(name="factor", title=words("A")),
        *(Column(name=f"f{n}", title=words("Figure " * 6)) for n in range(6)),
    )
    table = Table(name="many", title=words("T"), columns=columns, rows=(("income_index", *(1.5,) * 6),))
    narrow = Console(width=110, record=True, file=io.StringIO())

    narrow.print(report_group(report().model_copy(update={"tables": (table,)})))

    assert "income_index" in narrow.export_text()

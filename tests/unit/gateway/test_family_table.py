"""A family as rows and as sheets: what stands in each column, and what does not fit."""

from pathlib import Path

import openpyxl
import pytest
from rich.console import Console

from contracts.canonical import digest_of
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.grid import Axis, Grid
from contracts.release import Release
from gateway import family_workbook
from gateway.centre.released_file import read_panel
from gateway.client import Result
from gateway.family_table import family_errors, family_table
from gateway.family_workbook import write_family_workbook
from saphan.family_tables import family_group, table_words
from tests import factories
from tests.family_world import family, family_body, offered
from tests.forecast_panels import body as plain_body
from tests.forecast_panels import grid

pytestmark = pytest.mark.unit

AXES = ("month", "province")


def released(*measures: str, integers: bool = True) -> Release:
    column = factories.damage(kinds=("sum", "mean", "histogram"), bins=(10, 1000))
    query = factories.query(dimensions=AXES, measures=measures, family=family([(), AXES], integers=integers))
    body = family_body(query, contract=offered(measure_columns=(column,)))
    return Release(body=body, digest=digest_of(body), signature="s")


def shown(release: Release, **titles: Text) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(family_group(Result(release), titles))
    return capture.get()


def test_a_histogram_has_a_row_for_each_bin_of_each_cell() -> None:
    rows = family_table(released("count", "damage_thb:histogram")).to_pylist()

    bins = [row["bin"] for row in rows if row["measure"] == "damage_thb:histogram" and row["table"] == "all"]
    assert bins == ["<10", "10-999", ">=1000"]
    assert {row["bin"] for row in rows if row["measure"] == "count"} == {None}
    assert len(rows) == 4 * (1 + 15)
    assert all(row["month"] is None for row in rows if row["table"] == "all")


def test_a_terminal_shows_the_bins_and_the_titles_that_are_known() -> None:
    text = shown(released("damage_thb:histogram"), month=Text(th="เดือน", en="Month"))

    assert ">=1000" in text
    assert "ตามเดือน และprovince / rows in each bin of damage_thb by Month, province" in text


def test_estimates_without_whole_numbers_leave_their_column_out_on_a_terminal() -> None:
    assert "whole" in shown(released("count"))
    assert "whole" not in shown(released("count", integers=False))


def test_a_mean_stands_beside_the_tables_without_a_standard_deviation() -> None:
    rows = [row for row in family_table(released("damage_thb:mean")).to_pylist() if row["measure"].endswith("mean")]

    assert len(rows) == 15
    assert {(row["sigma"], row["integer"]) for row in rows} == {(None, None)}
    assert all(row["estimate"] is None or row["error_95"] > 0 for row in rows)


def test_a_workbook_names_its_sheets_in_an_index(tmp_path: Path) -> None:
    write_family_workbook(released("damage_thb:mean"), tmp_path / "a.xlsx")

    book = openpyxl.load_workbook(tmp_path / "a.xlsx", read_only=True)
    index = list(book["tables"].iter_rows(values_only=True))
    assert [row[0] for row in index[1:]] == book.sheetnames[1:-1]
    assert {row[2] for row in index[1:]} == {"count", "damage_thb:sum", "damage_thb:mean"}
    book.close()


def test_a_table_that_no_sheet_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family_workbook, "MOST_SHEET_ROWS", 15)

    with pytest.raises(InvalidInput, match="too-many-cells"):
        write_family_workbook(released("count"), tmp_path / "a.xlsx")

    assert not (tmp_path / "a.xlsx").exists()


def test_a_release_without_a_family_has_no_errors_of_tables() -> None:
    assert family_errors(plain_body(grid(month=("2025-10",)), [1])) == ""


def test_a_table_is_called_by_its_axes() -> None:
    axes = (Axis(name="month", values=("2025-10",)),)

    assert table_words(Grid(axes=axes), {}).en == "by month"
    assert table_words(Grid(axes=()), {}).th == "รวมทั้งหมด"


def test_a_family_of_sums_alone_is_no_series_of_counts(tmp_path: Path) -> None:
    Result(released("damage_thb:sum")).export(tmp_path / "sums.csv")

    with pytest.raises(InvalidInput, match="release-not-a-series"):
        read_panel(tmp_path / "sums.csv")

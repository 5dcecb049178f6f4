"""The benchmark on real input, on a small made-up city: its split, its contracts, its true counts."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.real_city import AGENCIES, FILE, City, read_city, split
from connectors.shelf import read_file
from contracts.fit import check_question
from contracts.grid import grid_of
from gateway.asking import query_of

pytestmark = pytest.mark.integration

QUERY = query_of(("count",), ("month", "district", "offence"), ("2016-01-01", "2016-03-01"), {})


@pytest.fixture
def city(tmp_path: Path) -> City:
    path = tmp_path / FILE
    path.parent.mkdir()
    rows = {
        "incident": [1, 2, 3, 4],
        "district": ["01", "01", "02", "03"],
        "offence": ["theft", "theft", "arson", "theft"],
        "date": [date(2016, 1, 31), date(2016, 1, 5), date(2016, 2, 1), date(2016, 2, 29)],
        "hour": pd.array([23, None, 0, 12], dtype="Int8"),
    }
    pd.DataFrame(rows).to_parquet(path)
    return read_city(tmp_path)


def test_three_contracts_of_one_template_fit_one_question_and_are_disjoint(city: City, tmp_path: Path) -> None:
    contracts = [read_file(Path(each.contract)).contract for each in split(city, tmp_path / "sources")]

    assert [each.agency for each in contracts] == list(AGENCIES)
    assert all(set(each.disjoint_from) == {other.id for other in contracts} - {each.id} for each in contracts)
    assert all((each.unit.column, each.unit.rows_per_window) == (None, 1) for each in contracts)
    assert check_question(QUERY, contracts, date(2026, 1, 1)).size == 2 * 3 * 2


def test_every_district_lies_with_one_agency(city: City, tmp_path: Path) -> None:
    agencies = split(city, tmp_path / "sources")

    held = [set(pd.read_parquet(Path(each.source.removeprefix("parquet:///")))["district"]) for each in agencies]

    assert held == [{"01"}, {"02"}, {"03"}]


def test_true_counts_stand_in_the_order_of_the_cells(city: City, tmp_path: Path) -> None:
    contract = read_file(Path(split(city, tmp_path / "sources")[0].contract)).contract
    grid = grid_of(QUERY, contract)

    exact = dict(zip(grid.keys(), city.exact(grid), strict=True))

    assert {key: count for key, count in exact.items() if count} == {
        ("2016-01", "01", "theft"): 2,
        ("2016-02", "02", "arson"): 1,
        ("2016-02", "03", "theft"): 1,
    }


def test_without_its_data_the_benchmark_says_so_and_exits_2(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.real", "--data", str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "needs the real data set" in done.stderr

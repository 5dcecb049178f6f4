"""An exported release can be forecast wherever it was taken."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contracts.canonical import digest_of
from contracts.errors import InvalidInput
from contracts.release import Release
from forecasting.panel import panel_of
from gateway.centre.released_file import read_panel
from gateway.client import Result
from tests.forecast_panels import monthly_body

pytestmark = pytest.mark.unit

BODY = monthly_body(np.full((3, 2, 2), 5.0), derived=())
RELEASE = Release(body=BODY, digest=digest_of(BODY), signature="s")


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_an_export_reads_back_as_the_panel_of_its_release(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"release.{ending}"
    Result(RELEASE).export(path)

    read, made = read_panel(path), panel_of(BODY)

    assert read.labels() == made.labels()
    assert read.figures.tolist() == made.figures.tolist()
    assert read.noise_variance == pytest.approx(made.noise_variance, rel=1e-3)


def test_the_release_itself_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "release.json"
    path.write_text(RELEASE.model_dump_json(by_alias=True))

    assert read_panel(path).figures.tolist() == panel_of(BODY).figures.tolist()


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.json", "{}"), ("a.csv", ""), ("a.docx", "x"), ("a.csv", "month,count,count_error_95\n2021-01,x,1\n")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)

    with pytest.raises(InvalidInput) as error:
        read_panel(path)

    assert (error.value.code, error.value.details["where"]) == ("malformed-body", name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as error:
        read_panel(tmp_path / "none.parquet")

    assert error.value.code == "malformed-body"


def test_a_table_without_counts_is_no_series(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"month": ["2021-01"], "damage_thb_sum": [1]}).to_parquet(path)

    with pytest.raises(InvalidInput) as error:
        read_panel(path)

    assert error.value.code == "release-not-a-series"

"""Panels keep what was released: sign, noise, order."""

import numpy as np
import pandas as pd
import pytest

from contracts.errors import InvalidInput
from contracts.release import Released
from forecasting.models.seasonal import SeasonalNaive
from forecasting.panel import months_after, panel_of, panel_of_cells, panel_of_table
from forecasting.run import look_ahead
from tests.forecast_panels import SIGMA, body, cells_panel, grid, month_names, panel

pytestmark = pytest.mark.unit

GRID = grid(month=month_names(3), province=("10", "50"), offence_group=("G1", "G2"))


def refusal(error: "pytest.ExceptionInfo[InvalidInput]") -> tuple[str, str]:
    return error.value.code, error.value.details["why"]


def test_every_cell_finds_its_row_and_month() -> None:
    made = panel_of(body(GRID, range(12)))

    assert made.labels()[1] == {"province": "10", "offence_group": "G2"}
    assert made.figures.tolist() == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]
    assert made.dimensions == ("province", "offence_group")
    assert [str(month) for month in made.months] == ["2021-01", "2021-02", "2021-03"]
    assert made.month_of_year.tolist() == [0, 1, 2]


def test_months_may_stand_on_any_axis() -> None:
    made = cells_panel(grid(province=("10", "50"), month=month_names(3)), range(6))

    assert made.figures.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_negative_cells_stay_negative_and_the_noise_is_known() -> None:
    made = panel_of(body(GRID, [-7] * 12))

    assert (made.figures == -7).all()
    assert made.noise_variance == SIGMA**2


def test_a_release_by_month_alone_is_one_series() -> None:
    made = cells_panel(grid(month=month_names(4)), [1, 2, 3, 4])

    assert made.figures.tolist() == [[1, 2, 3, 4]]
    assert made.labels() == ({"series": "all"},)
    assert made.pools.tolist() == [0]


@pytest.mark.parametrize(
    ("cells", "figures", "why"),
    [
        (grid(province=("10", "50")), [1, 2], "it is not by month"),
        (grid(month=("2021-01", "2021-03")), [1, 2], "a month is missing"),
        (grid(month=("2021-01", "2021-02")), [1, 2, 3], "it is not by month"),
    ],
)
def test_what_is_no_series_is_refused(cells: object, figures: list[int], why: str) -> None:
    with pytest.raises(InvalidInput) as error:
        panel_of_cells(cells, tuple(figures), SIGMA)  # type: ignore[arg-type]  # parametrised

    assert refusal(error) == ("release-not-a-series", why)


def test_a_measure_that_was_not_released_is_refused() -> None:
    with pytest.raises(InvalidInput) as error:
        panel_of(body(GRID, range(12)), "damage_thb:sum")

    assert refusal(error) == ("release-not-a-series", "it has no damage_thb:sum")


def test_provinces_of_one_group_share_a_pool_and_groups_do_not() -> None:
    assert panel(np.zeros((6, 3)), groups=2).pools.tolist() == [0, 1, 0, 1, 0, 1]
    assert cells_panel(grid(month=month_names(1), province=("10", "50")), [1, 2]).pools.tolist() == [0, 0]
    assert cells_panel(grid(month=month_names(1), case_type=("A", "B")), [1, 2]).pools.tolist() == [0, 1]


def test_a_panel_can_be_cut_in_time() -> None:
    made = panel(np.arange(12.0).reshape(2, 6))

    assert made.until(2).figures.tolist() == [[0, 1], [6, 7]]
    assert made.latest(2).figures.tolist() == [[4, 5], [10, 11]]
    assert made.until(2).noise_variance == made.latest(2).noise_variance == SIGMA**2


def test_the_year_turns_after_december() -> None:
    assert [str(month) for month in months_after(pd.period_range("2025-11", periods=2, freq="M"), 2)] == [
        "2026-01",
        "2026-02",
    ]


def test_a_table_gives_the_same_panel_as_its_release() -> None:
    made = panel_of(body(GRID, range(12)))
    rows = [(*key, float(figure)) for key, figure in zip(GRID.keys(), range(12), strict=True)]
    table = pd.DataFrame(rows, columns=["month", "province", "offence_group", "count"])

    read = panel_of_table(table, "count", SIGMA)

    assert read.figures.tolist() == made.figures.tolist()
    assert read.labels() == made.labels()
    assert (read.months == made.months).all()
    assert read.noise_variance == made.noise_variance


def test_a_table_by_month_alone_is_one_series() -> None:
    table = pd.DataFrame({"month": month_names(3), "count": [1.0, 2.0, 3.0]})

    read = panel_of_table(table, "count", SIGMA)

    assert read.figures.tolist() == [[1, 2, 3]]
    assert read.labels() == ({"series": "all"},)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"province": ["10"], "count": [1.0]}, "it is not by month"),
        ({"month": ["2021-01", "2021-01"], "count": [1.0, 2.0]}, "a cell stands twice"),
        ({"month": ["2021-01", "2021-03"], "count": [1.0, 2.0]}, "a month is missing"),
        (
            {"province": ["10", "10", "50"], "month": ["2021-01", "2021-02", "2021-01"], "count": [1.0, 2.0, 3.0]},
            "a cell is missing",
        ),
    ],
)
def test_a_table_that_is_no_series_is_refused(table: dict[str, list[object]], why: str) -> None:
    with pytest.raises(InvalidInput) as error:
        panel_of_table(pd.DataFrame(table), "count", SIGMA)

    assert refusal(error) == ("release-not-a-series", why)


def test_a_sum_has_the_noise_of_each_series_own_code_and_the_forecast_s_width_follows_it() -> None:
    months = month_names(36)
    cells = grid(month=months, case_type=["romance_scam", "shopping_scam"])
    truth = [1000 + 10 * (number % 3) for number in range(72)]
    sums = Released(
        measure="damage_thb:sum",
        unit="THB",
        cells=tuple(truth),
        sigma=1000.0,
        expected_error_95=1960.0,
        along="case_type",
        sigmas={"romance_scam": 1000.0, "shopping_scam": 1.0},
    )

    made = panel_of(body(cells, truth, released=(sums,)), "damage_thb:sum")

    assert made.noise.tolist() == [[1_000_000.0], [1.0]]
    assert made.noise_variance == 1_000_000.0
    assert made.until(24).noise.tolist() == made.latest(12).noise.tolist() == [[1_000_000.0], [1.0]]
    outlook = look_ahead(made, horizon=3)
    loud, quiet = (series.high[0] - series.low[0] for series in outlook.series)
    assert loud > quiet
    naive = SeasonalNaive().predict(made, 3)
    assert naive.noise.tolist() == [[1_000_000.0] * 3, [1.0] * 3]

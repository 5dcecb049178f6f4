"""What the forecast says by province, and for one choice."""

import pytest

from contracts.forecast import Forecast
from gateway.web.counts import standing_cells
from gateway.web.estimates import Interval
from gateway.web.outlook import EVERYTHING, WATCHED, Choice, fan, outlook
from tests.web.sample import GROUPS, PROVINCES, crimes, crimes_monthly, forecast

pytestmark = pytest.mark.unit
AXES = ("month", "province", "offence_group")


def _made(labels: list[dict[str, str]], mean: list[float], **changes: object) -> Forecast:
    series = [
        {"labels": each, "mean": (value,), "low": (value - 5,), "high": (value + 5,), "usual": (100.0,)}
        for each, value in zip(labels, mean, strict=True)
    ]
    given = forecast().forecast.model_dump(by_alias=True) | {"months": ("2026-11",), "series": series} | changes
    return Forecast.model_validate(given)


def _provinces(*differences: float) -> Forecast:
    labels = [{"province": code, "offence_group": "G2"} for code in PROVINCES[: len(differences)]]
    return _made(labels, [100 + each for each in differences])


def test_provinces_stand_in_five_fifths_by_their_difference_from_their_own_usual() -> None:
    found = outlook(_provinces(*range(-10, 10, 2)))
    assert found is not None
    assert [each.level for each in found.provinces] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert [each.difference for each in found.provinces] == pytest.approx([8, 6, 4, 2, 0, -2, -4, -6, -8, -10])
    assert [band.level for band in found.bands] == [1, 2, 3, 4, 5]
    assert (found.bands[0].least, found.bands[0].greatest) == pytest.approx((-10, -8))


def test_a_difference_inside_the_interval_is_not_called_clear() -> None:
    found = outlook(_provinces(-9, -3, 3, 9))
    assert found is not None
    assert [each.clear for each in found.provinces] == [True, False, False, True]
    assert found.clear == 2


def test_the_watch_list_puts_what_is_clear_of_chance_first_and_is_short() -> None:
    found = outlook(forecast().forecast)
    assert found is not None
    watched = found.watched
    assert len(watched) == WATCHED
    assert all(each.level == 5 and each.difference > 0 for each in watched)
    assert [each.clear for each in watched] == sorted((each.clear for each in watched), reverse=True)


def test_nobody_is_watched_where_nobody_is_above_usual() -> None:
    found = outlook(_provinces(-9, -8, -7, -6, -5))
    assert found is not None
    assert found.watched == ()


def test_enforcement_moves_no_province() -> None:
    labels = [{"province": "10", "offence_group": "G2"}, {"province": "10", "offence_group": "G4"}]
    found = outlook(_made(labels, [100, 9000]))
    assert found is not None
    assert found.provinces[0].expected == Interval(100, 95, 105)
    assert found.national.mean == 100


def test_a_province_without_a_usual_differs_from_nothing() -> None:
    given = _provinces(10).model_dump(by_alias=True)
    given["series"][0]["usual"] = (0.0,)
    found = outlook(Forecast.model_validate(given))
    assert found is not None
    assert found.provinces[0].difference == 0


@pytest.mark.parametrize(
    "given",
    [
        _made([{"case_type": "SHOP"}], [5.0]),
        _made([{"province": "10", "case_type": "SHOP"}], [5.0]),
        _made([{"province": "10", "offence_group": "G4"}], [5.0]),
        _made([{"province": "10", "offence_group": "G2"}], [5.0], months=()),
    ],
)
def test_a_forecast_of_something_else_gives_no_map_and_no_chart(given: Forecast) -> None:
    assert outlook(given) is None
    assert fan(given, {}, Choice()) is None


def test_the_chart_of_one_province_and_group_is_its_own_series() -> None:
    made = forecast().forecast
    cells = standing_cells([crimes_monthly()], "crimes-monthly", AXES)
    found = fan(made, cells, Choice("G2", "50"))
    series = next(each for each in made.series if each.labels == {"province": "50", "offence_group": "G2"})
    assert found is not None
    assert found.series == 1
    assert [each.mean for each in found.expected] == pytest.approx(list(series.mean))
    assert [each.high for each in found.outer] == pytest.approx(list(series.high))
    assert [(month, round(figure.value)) for month, figure in found.history][-1] == (
        "2026-10",
        crimes(("2026-10", "50", "G2")),
    )


def test_the_chart_of_everything_leaves_enforcement_out() -> None:
    found = fan(forecast().forecast, standing_cells([crimes_monthly()], "crimes-monthly", AXES), Choice())
    assert found is not None
    assert found.series == 3 * len(PROVINCES)
    expected = sum(crimes(("2026-10", place, group)) for place in PROVINCES for group in GROUPS if group != "G4")
    assert found.history[-1][1].value == expected
    assert len(found.history) == 36


def test_summed_bands_lie_one_inside_the_other() -> None:
    found = fan(forecast().forecast, {}, Choice(EVERYTHING, "10"))
    assert found is not None
    assert found.history == ()
    assert all(o.low < e.low < e.mean < e.high < o.high for e, o in zip(found.expected, found.outer, strict=True))

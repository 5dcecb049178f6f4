"""Fairness checks on releases of the synthetic police data: fair data passes, planted biases are told."""

import numpy as np
import pytest

from contracts.analysis import AnalysisKind
from contracts.code_lists import code_list
from contracts.errors import InvalidInput
from forecasting.fairness.assess import Assessed, assess
from forecasting.fairness.report import checks_of, report_of
from forecasting.panel import Floats
from forecasting.warnings.expected import PooledLevel
from tests.clock_releases import clock_release
from tests.watched_months import MONTHS, exact, month_release

pytestmark = pytest.mark.property

MODEL = PooledLevel()
LAST = MONTHS[43]


def assessed(counts: Floats | None = None, last: str = LAST) -> Assessed:
    return assess([month_release(last, counts)], MODEL)


@pytest.fixture(scope="module")
def fair() -> Assessed:
    return assessed()


def test_synthetic_data_without_a_bias_passes(fair: Assessed) -> None:
    standings = {each.name: each.standing.value for each in checks_of(fair)}

    assert fair.tested >= 6
    assert standings["served-alike"] == "passed"
    assert standings["enforcement-loop"] == "passed"
    assert standings["reported-shares"] == "unknown"


def test_a_region_whose_cases_left_the_forecast_is_told() -> None:
    counts = exact().copy()
    regions = code_list("provinces").facts["police_commands"]
    north = [place for place, code in enumerate(code_list("provinces").values) if regions[code] == "P5"]
    # Twice as many in every second month: no forecast from the past can follow that.
    counts[36:44:2, north, :3] = np.rint(2.5 * counts[36:44:2, north, :3])

    worse = {(each.kind, each.name) for each in assessed(counts).served if each.standing in ("flagged", "withhold")}

    assert ("region", "P5") in worse


def test_forecasts_that_rise_where_arrests_rose_are_told() -> None:
    counts = exact().copy()
    rise = np.random.default_rng(1).uniform(0.5, 2.0, counts.shape[1])
    # Half a year ago both rose together: the forecast of the next year is above the last one where arrests are.
    counts[38:44] = np.rint(counts[38:44] * np.asarray(rise)[None, :, None])

    found = assessed(counts)

    assert found.loop.correlation is not None
    assert found.loop.correlation > 0.6
    assert found.loop.standing in ("flagged", "withhold")


def test_a_month_that_no_release_tells_is_no_month_in_which_intervals_failed() -> None:
    bodies = [month_release(MONTHS[39]), month_release(LAST, None, MONTHS[41])]

    found = assess(bodies, MODEL)

    assert all(each.standing in ("passed", "unknown") for each in found.served)
    assert found.served
    assert all(np.isfinite(each.bias) and np.isfinite(each.wape) for each in found.served)


def test_a_short_history_is_unknown_and_not_passed() -> None:
    found = assessed(last=MONTHS[20])

    assert found.served == ()
    assert found.loop.standing == "unknown"


def test_releases_of_something_else_are_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        assess([clock_release()], MODEL)

    assert caught.value.code == "release-not-a-series"


def test_the_report_names_its_releases_and_has_a_row_for_every_class(fair: Assessed) -> None:
    report = report_of(fair)
    tables = {each.name: each for each in report.tables}

    assert report.kind is AnalysisKind.FAIRNESS
    assert fair.releases[0] in report.card.data.en
    assert {row[0] for row in tables["service"].rows} == {"region", "size", "population"}
    assert len(tables["checks"].rows) == len(report.statements)
    assert {"registered-population", "under-reported"} <= {f for each in report.statements for f in each.flags}

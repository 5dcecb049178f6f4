"""The monthly scores of the Smart Safety Zones as the centre asks and tells them; the plans' file for evaluations."""

import pytest

from contracts.analysis import AnalysisKind
from contracts.errors import InvalidInput
from contracts.query import Query
from forecasting.interventions.process import SCORES
from forecasting.interventions.process_report import process_report
from gateway.centre.questions import STANDING
from gateway.plan_csv import evaluation_csv
from tests import factories
from tests.made_releases import bundled, made_release
from tests.plan_world import plan, view

pytestmark = pytest.mark.unit

ZONES = bundled("ssz_station_month")


def test_every_score_that_is_asked_is_told_by_month() -> None:
    [asked] = [each for each in STANDING if each.activity == "ssz-scores"]
    query = Query(measures=asked.measures, dimensions=asked.by, period=factories.period("2024-10-01", "2025-01-01"))
    exact = {"count": [15] * 3} | {f"{each}:sum": [60] * 3 for each in SCORES}

    made = process_report([made_release(ZONES, query, exact, 10**12)])

    assert made.kind is AnalysisKind.EVALUATION
    assert len(made.tables[0].rows) == 3 * len(SCORES)
    assert {row[1] for row in made.tables[0].rows} == set(SCORES)
    assert all(float(row[2] or 0) == pytest.approx(4.0, abs=0.2) for row in made.tables[0].rows)
    assert (made.card.first, made.card.last) == ("2024-10", "2024-12")


def test_releases_without_a_score_are_refused() -> None:
    query = Query(measures=("count",), dimensions=("month",), period=factories.period("2024-10-01", "2025-01-01"))

    with pytest.raises(InvalidInput) as error:
        process_report([made_release(ZONES, query, {"count": [15] * 3}, 10**12)])

    assert error.value.code == "release-not-a-series"


def test_the_file_for_evaluations_tells_the_groups_of_each_plan() -> None:
    heading, row = evaluation_csv([view(plan(offence_groups=("G1", "G2")))]).splitlines()

    assert heading.split(",")[-1] == "offence_groups"
    assert row.split(",")[-1] == "G1;G2"

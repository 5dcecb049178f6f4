"""The Smart Safety Zones from real releases, and the words of all evaluations."""

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from contracts.analysis import Report
from contracts.errors import InvalidInput
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.flags import meaning_of
from forecasting.interventions import neighbours
from forecasting.interventions.areas import Counted, areas_of, rests_beside, zones_of
from forecasting.interventions.evaluation import Setting, evaluate_plans, evaluate_zones
from forecasting.interventions.plans import second_phase
from forecasting.interventions.process import process_scores
from tests import factories
from tests.intervention_world import (
    INSIDE,
    PLANS,
    PROVINCES,
    QUICK,
    STATIONS,
    ZONE_PERIOD,
    counts,
    flags,
    provinces_release,
    rates,
    released,
    said,
    scores_release,
    table,
    zone_releases,
)
from tests.made_releases import bundled, made_release

pytestmark = pytest.mark.unit

RUNNER = CliRunner()
FORBIDDEN = re.compile(r"\bcaus(e|es|ed|al|ing)\b|because of|due to", re.IGNORECASE)


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def fallen() -> ReleaseBody:
    return provinces_release(-0.25)


@pytest.fixture(scope="module")
def planned(fallen: ReleaseBody) -> Report:
    return evaluate_plans([fallen], PLANS, generator(), Setting(runs=100))


@pytest.fixture(scope="module")
def zones() -> list[ReleaseBody]:
    return zone_releases(generator(3), -0.3)


@pytest.fixture(scope="module")
def zoned(zones: list[ReleaseBody]) -> Report:
    return evaluate_zones([*zones, scores_release()], generator(), QUICK)


def test_every_word_is_thai_and_english_and_blames_nothing(planned: Report, zoned: Report) -> None:
    for report in (planned, zoned):
        card = (report.card.data, report.card.method, report.card.limits)
        columns = [column.title for each in report.tables for column in each.columns]
        texts = [report.title, *card, *columns, *(s.text for s in report.statements)]
        texts += [meaning_of(flag) for flag in flags(report)]
        for each in texts:
            assert re.search("[\u0e00-\u0e7f]", each.th) or each.th.isascii()
            assert not FORBIDDEN.search(each.en)
            assert "{" not in each.th + each.en


# ---------------------------------------------------------------- zones


def test_zones_have_the_stations_what_is_left_of_their_provinces_and_the_others(zones: list[ReleaseBody]) -> None:
    panel, releases = zones_of(zones, Counted())
    names = set(panel.counts.index)

    assert len(names) == 15 + 77
    assert {f"{province}-rest" for province in INSIDE.values()} <= names
    assert len(releases) == 2
    alone, _ = areas_of(zones, Counted(), "province")
    bangkok = panel.counts.loc["10-rest"] + panel.counts.loc[["LUMPHINI", "HUAI_KHWANG", "PHASI_CHAROEN"]].sum()
    assert bangkok.to_numpy() == pytest.approx(alone.counts.loc["10"].to_numpy())
    noise = dict(zip(panel.counts.index, panel.noise[:, 0], strict=True))
    assert noise["10-rest"] > noise["LUMPHINI"]
    assert rests_beside()["HAT_YAI"] == frozenset({"90-rest"})


def test_pilots_that_fell_are_found_and_their_provinces_are_told_apart(zoned: Report) -> None:
    effects = {row["on"]: row for row in table(zoned, "effects")}

    assert effects["treated"]["areas"] == 15
    assert float(str(effects["treated"]["high"])) < -15.0
    assert float(str(effects["neighbours"]["low"])) < 0.0 < float(str(effects["neighbours"]["high"]))
    assert effects["treated"]["untreated"] == 77 - len(set(INSIDE.values()))
    assert "controls-partly-treated" in flags(zoned)
    assert all(row["start"] == "2021-10" for row in table(zoned, "areas"))


def test_crime_pushed_into_the_rest_of_the_province_is_seen() -> None:
    report = evaluate_zones(zone_releases(generator(4), -0.3, 0.25), generator(), QUICK)
    effects = {row["on"]: row for row in table(report, "effects")}

    assert float(str(effects["neighbours"]["low"])) > 0.0


def test_process_scores_are_monthly_with_their_error(zoned: Report) -> None:
    rows = table(zoned, "process")

    assert len(rows) == 12
    for row in rows:
        assert abs(float(str(row["mean"])) - 4.0) <= 3.0 * float(str(row["error_95"]))
    assert "handful of cases" in said(zoned)


def test_months_without_a_station_have_no_score() -> None:
    asked = Query.model_validate(
        {"measures": ("count", "component_score_ai:sum"), "dimensions": ("month",), "period": ZONE_PERIOD}
    )
    empty = made_release(
        bundled("ssz_station_month"), asked, {"count": [0] * 36, "component_score_ai:sum": [0] * 36}, 500_000_000
    )

    assert len(process_scores([empty])) < 8
    assert process_scores([]) == ()


def test_areas_of_the_second_phase_start_later_in_the_same_evaluation() -> None:
    rng = generator(6)
    period = factories.period("2018-10-01", "2023-10-01")
    pilots, rest = counts(rng, rates(rng, 15, 60, 150.0)), counts(rng, rates(rng, 77, 60, 600.0))
    for station, figures in zip(STATIONS, pilots, strict=True):
        rest[PROVINCES.index(INSIDE[station])] += figures
    bodies = [released("crimes_case", "ssz_station", pilots, period), released("crimes_case", "province", rest, period)]

    report = evaluate_zones(bodies, generator(), QUICK, second_phase(["49", "10"]))
    starts = {row["area"]: row["start"] for row in table(report, "areas")}

    assert starts["49"] == "2022-07"
    assert starts["10-rest"] == "2022-07"
    assert starts["LUMPHINI"] == "2021-10"


def test_zones_need_months_in_common(zones: list[ReleaseBody]) -> None:
    other = released(
        "crimes_case", "province", rates(generator(), 77, 12), factories.period("2015-10-01", "2016-10-01")
    )
    with pytest.raises(InvalidInput) as caught:
        zones_of([zones[0], other], Counted())

    assert caught.value.code == "release-not-a-series"


def test_the_borders_are_those_that_the_made_up_data_knows() -> None:
    known = Path(__file__).parents[3] / "connectors" / "synthetic" / "neighbours.csv"

    assert Path(neighbours.__file__).with_suffix(".csv").read_bytes() == known.read_bytes()

"""Fairness before publication: planted biases are found, fair data passes, and enforcement never says where to go."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from contracts.analysis import AnalysisKind, Column, Report, Table
from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.forecast import ModelCard
from contracts.grid import grid_of
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.enforcement import VICTIMISATION, enforcement_in, refuse_enforcement
from forecasting.fairness.assess import Assessed
from forecasting.fairness.checks import Check, Standing, publishable
from forecasting.fairness.loop import Loop, loop_of
from forecasting.fairness.report import checks_of, report_of
from forecasting.fairness.reporting import reported_shares
from forecasting.fairness.service import UNDERSTATED, Past, Served, served
from forecasting.panel import Floats
from tests import factories
from tests.made_releases import bundled, made_release

pytestmark = pytest.mark.unit

SURVEY = bundled("cvs")
REGIONS = code_list("nso_regions").values
PROVINCES = code_list("provinces").values
FIRM = 10**13
UNKNOWN = Loop(0, None, -1.0, 1.0, "unknown")
WORDS = Text(th="ก", en="a")


def survey(shares: Sequence[float], victims: int = 400, nano_rho: int = FIRM, axis: str = "region") -> ReleaseBody:
    """A survey whose victims reported with these shares, by region or group."""
    query = Query(measures=("count",), dimensions=(axis, "reported"), period=factories.period())
    rows = [[round(share * victims), victims - round(share * victims), 5000] for share in shares]
    return made_release(SURVEY, query, {"count": [figure for row in rows for figure in row]}, nano_rho)


def test_the_axes_of_the_survey_are_those_that_the_tests_fill() -> None:
    query = Query(measures=("count",), dimensions=("region", "reported"), period=factories.period())

    assert [axis.values for axis in grid_of(query, SURVEY).axes] == [REGIONS, ("Y", "N", "U")]


def test_a_region_in_which_fewer_report_is_found_and_the_others_are_not() -> None:
    shares = [0.4] * len(REGIONS)
    shares[2] = 0.2

    found = reported_shares([survey(shares)])

    assert found[0].by == "all"
    assert [each.code for each in found if each.differs < 0] == [REGIONS[2]]
    quiet = next(each for each in found if each.code == REGIONS[2])
    assert quiet.share == pytest.approx(0.2, abs=0.01)
    assert quiet.low < 0.2 < quiet.high


def test_regions_that_report_alike_are_not_told_apart_whatever_the_noise() -> None:
    found = reported_shares([survey([0.4] * len(REGIONS), 400, 200_000_000)])

    assert {each.differs for each in found} == {0}


def test_a_sample_that_noise_hides_has_no_share() -> None:
    found = reported_shares([survey([0.4] * len(REGIONS), 3, 1_000_000)])

    parts = [each for each in found if each.by != "all"]
    hidden = [each for each in parts if each.share is None and (each.low, each.high) == (0.0, 1.0)]
    # The noise is real: one sample in forty seems larger than it is.
    assert len(hidden) >= len(parts) - 3 > 0


def test_shares_by_type_are_told_too_and_without_a_survey_there_are_none() -> None:
    shares = [0.6, 0.3, 0.3, 0.3]

    found = reported_shares([survey(shares, axis="offence_group")])

    assert [each.code for each in found if each.differs > 0] == ["G1"]
    assert reported_shares([]) == ()


def past(bias: Floats | None = None, held: Floats | None = None, seed: int = 1) -> Past:
    """A year of forecasts of every province; by province a factor of what came, and a chance of intervals to hold."""
    draw = np.random.default_rng(seed)
    expected = np.repeat(np.geomspace(20, 800, len(PROVINCES))[:, None], 12, axis=1)
    factor = np.ones(len(PROVINCES)) if bias is None else bias
    chance = np.full(len(PROVINCES), 0.8) if held is None else held
    actual = expected * factor[:, None] * np.exp(draw.normal(0, 0.1, expected.shape))
    return Past(PROVINCES, actual, expected, draw.uniform(size=expected.shape) < chance[:, None], 0.8)


def in_region(region: str) -> Floats:
    regions = code_list("provinces").facts["police_commands"]
    return np.array([regions[province] == region for province in PROVINCES])


def worse(found: Sequence[Served]) -> dict[str, str]:
    return {f"{each.kind}-{each.name}": each.standing for each in found if each.standing in ("flagged", "withhold")}


def test_forecasts_that_serve_all_alike_pass() -> None:
    assert worse(served(past())) == {}
    assert {each.kind for each in served(past())} == {"region", "size", "population"}


def test_a_region_with_more_cases_than_forecast_is_found() -> None:
    flagged = served(past(bias=np.where(in_region("P4"), 1.2, 1.0)))
    withheld = served(past(bias=np.where(in_region("P4"), 1.6, 1.0)))

    assert worse(flagged) == {"region-P4": "flagged"}
    assert worse(withheld)["region-P4"] == "withhold"
    assert next(each.bias for each in flagged if each.name == "P4") == pytest.approx(0.2, abs=0.05)


def test_small_provinces_whose_intervals_do_not_hold_are_found() -> None:
    small = np.arange(len(PROVINCES)) < len(PROVINCES) // 5

    found = served(past(held=np.where(small, 0.55, 0.8)))

    assert worse(found)["size-1"] == "flagged"
    assert "size-5" not in worse(found)


def test_the_provinces_whose_population_is_understated_are_a_class_of_their_own() -> None:
    found = next(each for each in served(past()) if each.kind == "population")

    assert found.areas == len(UNDERSTATED) == 3


def test_a_class_of_one_or_two_areas_is_not_judged() -> None:
    alone = next(each for each in served(past(bias=np.where(in_region("BMB"), 5.0, 1.0))) if each.name == "BMB")

    assert alone.standing == "unknown"


def changes(seed: int) -> dict[str, float]:
    return dict(zip(PROVINCES, np.random.default_rng(seed).normal(0, 0.2, len(PROVINCES)).tolist(), strict=True))


def test_forecasts_that_follow_arrests_are_found() -> None:
    arrests, own = changes(1), changes(2)
    half = {area: arrests[area] + own[area] for area in own}
    wholly = {area: arrests[area] + own[area] / 10 for area in own}

    assert loop_of(own, arrests).standing == "passed"
    assert loop_of(half, arrests).standing == "flagged"
    assert loop_of(wholly, arrests).standing == "withhold"


def test_too_few_areas_or_no_change_tell_nothing_of_a_loop() -> None:
    few = {area: changes(1)[area] for area in PROVINCES[:10]}

    assert loop_of(few, few).standing == "unknown"
    assert loop_of(dict.fromkeys(PROVINCES, 0.0), changes(1)).correlation is None


@pytest.mark.parametrize(
    ("dataset", "labels", "named"),
    [
        ("crimes_case", {"offence_group": ("G1", "G4")}, ("offence_group=G4",)),
        ("crimes_case", {"offence": ("THEFT", "DRUG")}, ("offence=DRUG",)),
        ("crimes_arrest", {"offence_group": ("G1",)}, ("crimes_arrest",)),
        ("dop_test", {}, ("dop_test",)),
        ("made-up", {}, ("made-up",)),
    ],
)
def test_figures_that_count_enforcement_are_refused_for_warnings(
    dataset: str, labels: dict[str, tuple[str, ...]], named: tuple[str, ...]
) -> None:
    assert enforcement_in(dataset, labels) == named
    with pytest.raises(InvalidInput) as caught:
        refuse_enforcement("patrols", dataset, labels)

    assert caught.value.code == "enforcement-is-not-risk"
    assert "patrols" in str(caught.value)


def test_a_sum_over_all_groups_has_arrests_in_it_and_is_refused() -> None:
    assert "offence_group=G4" in enforcement_in("crimes_case", {"province": ("10",)})


def test_what_victims_told_is_accepted() -> None:
    refuse_enforcement("warnings", "crimes_case", {"offence_group": VICTIMISATION})
    refuse_enforcement("warnings", "tpo_complaint", {})


def report(kind: AnalysisKind, *groups: str) -> Report:
    table = Table(
        name="t", title=WORDS, columns=(Column(name="group", title=WORDS),), rows=tuple((group,) for group in groups)
    )
    card = ModelCard(data=WORDS, method=WORDS, limits=WORDS, first="2026-01", last="2026-02", models=("m",))
    return Report(kind=kind, title=WORDS, statements=(), tables=(table,), card=card)


def test_a_report_that_says_where_and_counts_arrests_is_withheld_and_others_may_count_them() -> None:
    bad = publishable(report(AnalysisKind.WARNINGS, "G1", "G4"), ())

    assert (bad.publish, bad.because, bad.flags) == (False, ("enforcement-in-report",), ("enforcement",))
    assert publishable(report(AnalysisKind.WARNINGS, "G1"), ()).publish
    assert publishable(report(AnalysisKind.FLOW, "G4"), ()).publish


def test_one_check_that_says_so_withholds_the_reports_that_it_is_about() -> None:
    check = Check("served-alike", Standing.WITHHOLD, WORDS, ("served-worse",), (AnalysisKind.WARNINGS,))
    flag = Check("reported-shares", Standing.FLAGGED, WORDS, ("under-reported",))

    about, other = report(AnalysisKind.WARNINGS, "G1"), report(AnalysisKind.FLOW)

    assert publishable(about, (check, flag)).because == ("served-alike",)
    assert publishable(about, (check, flag)).flags == ("served-worse", "under-reported")
    assert publishable(other, (check, flag)).publish
    assert publishable(other, (check, flag)).flags == ("under-reported",)


def assessed(**changes: object) -> Assessed:
    found = Assessed(("2026-01", "2026-02"), (), (), 0, UNKNOWN, ("rel-1",))
    return replace(found, **changes)  # type: ignore[arg-type]  # any field


def standings(found: Assessed) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for each in checks_of(found):
        told.setdefault(each.name, set()).add(each.standing.value)
    return told


def test_what_no_release_tells_is_unknown_and_never_passed() -> None:
    told = standings(assessed())

    assert told["reported-shares"] == {"unknown"}
    assert told["served-alike"] == {"unknown"}
    assert told["enforcement-loop"] == {"unknown"}


def test_every_planted_bias_stands_in_the_report() -> None:
    shares = [0.4] * len(REGIONS)
    shares[0] = 0.7
    found = assessed(
        shares=reported_shares([survey(shares)]),
        served=served(past(bias=np.where(in_region("P4"), 1.6, 1.0))),
        tested=12,
        loop=Loop(77, 0.8, 0.7, 0.9, "withhold"),
    )
    made = report_of(found)

    said = " ".join(each.text.en for each in made.statements)
    assert "Bangkok: more victims report than elsewhere (70 %)" in said
    assert "Police region P4: served worse" in said
    assert "never use them to send patrols" in said
    assert made.tables[0].rows[0][1] == "withhold"
    verdict = publishable(report(AnalysisKind.WARNINGS, "G1"), checks_of(found))
    assert set(verdict.because) == {"served-alike", "enforcement-loop"}


def test_fair_data_passes_every_check_that_can_be_made() -> None:
    found = assessed(
        shares=reported_shares([survey([0.4] * len(REGIONS))]),
        served=served(past()),
        tested=12,
        loop=loop_of(changes(2), changes(1)),
    )

    told = standings(found)
    assert (told["reported-shares"], told["served-alike"], told["enforcement-loop"]) == ({"passed"},) * 3
    assert publishable(report(AnalysisKind.WARNINGS, "G1"), checks_of(found)).publish
    assert any("about 2.5 events" in each.text.en for each in report_of(found).statements)

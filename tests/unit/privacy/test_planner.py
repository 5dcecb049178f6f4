"""The budget planner: prices, errors and verdicts of standing questions, from contracts and expected sizes alone."""

import pytest

from contracts.budget_plan import Verdict
from contracts.dataset import DatasetContract, Grain
from contracts.grid import grid_of
from contracts.query import FamilyTable
from contracts.release import Released
from privacy.consistency import expected_table_sigmas
from privacy.derived import derived_of
from privacy.mechanisms import epsilon_of
from privacy.plan import Z_95, plan
from privacy.planner import query_of
from tests import factories as make
from tests import planner_world as world

pytestmark = pytest.mark.unit

BUDGET = 1_000_000_000
SPENDABLE = 900_000_000
FINE_BY = ("month", "province", "case_type", "hour")


def test_the_error_that_is_printed_is_the_one_that_the_engine_plans() -> None:
    asked = world.questions(world.ask(), world.ask("money", measures=("damage_thb:sum",), by=("case_type",)))

    for path, each in world.asks_of(world.planned(asked)).items():
        query = query_of(asked.asks[f"Q0{1 if path == 'cases' else 2}/{path}"], asked)
        (vector,) = plan(query, [make.contract()], each.nano_rho_each).vectors
        assert world.error_of(each) == pytest.approx(vector.error_95, rel=1e-12)
        assert each.epsilon == epsilon_of(each.nano_rho, "1e-6")


def test_the_error_of_a_family_is_the_one_that_consistency_leaves() -> None:
    tables = (FamilyTable(by=("month",)), FamilyTable(by=("month", "province"), weight=3))
    asked = world.questions(world.ask(tables=tables, series=True))

    (each,) = world.asks_of(world.planned(asked)).values()

    query = query_of(asked.asks["Q01/cases"], asked)
    expected = expected_table_sigmas(query, make.contract(), plan(query, [make.contract()], each.nano_rho_each))
    shown = {("count", tuple(sorted(line.by))): line.error_95 for line in each.lines}
    assert shown == {key: pytest.approx(Z_95 * sigma) for key, sigma in expected.items()}


def test_a_series_has_the_printed_error_in_each_month_and_is_charged_once() -> None:
    asked = world.questions(world.ask(series=True))

    (each,) = world.asks_of(world.planned(asked)).values()

    month = query_of(asked.asks["Q01/cases"], asked).model_copy(
        update={"period": make.period("2026-03-01", "2026-04-01")}
    )
    assert world.error_of(each) == pytest.approx(plan(month, [make.contract()], SPENDABLE).vectors[0].error_95)
    assert each.nano_rho == SPENDABLE


def test_a_mean_has_the_error_that_a_release_of_the_expected_figures_would_have() -> None:
    asked = world.questions(world.ask(measures=("damage_thb:mean",)))
    (each,) = world.asks_of(world.planned(asked)).values()
    (line,) = each.lines

    query, offered = query_of(asked.asks["Q01/cases"], asked), make.contract()
    grid = grid_of(query, offered)
    figures = {"count": 1_000, "damage_thb:sum": 5_000_000}
    released = [
        Released(
            measure=vector.measure,
            unit=vector.unit,
            cells=(figures[vector.measure],) * grid.size,
            sigma=vector.sigma,
            expected_error_95=vector.error_95,
        )
        for vector in plan(query, [offered], each.nano_rho_each).vectors
    ]
    (mean,) = (found for found in derived_of(released, grid, query, offered) if found.measure == "damage_thb:mean")
    assert (line.expected_cell, line.error_95) == (5_000, mean.errors_95[0])


def test_a_counter_has_the_error_of_one_day() -> None:
    (each,) = world.asks_of(world.planned(world.questions(world.ask(by=(), series=True, counter=True)))).values()
    (line,) = each.lines

    assert (line.cells, line.by) == (365, ())
    assert line.expected_cell == pytest.approx(world.ROWS / 365)


def test_what_is_asked_together_never_costs_more_than_the_year_less_its_reserve() -> None:
    asks = [world.ask(f"a{number}", times=number, importance=number) for number in (1, 2, 3)]

    made = world.planned(world.questions(*asks))

    (budget,) = made.budgets
    assert SPENDABLE - 6 <= budget.planned <= SPENDABLE
    assert budget.planned == sum(each.nano_rho_each * each.times for each in world.asks_of(made).values())
    assert budget.budget - budget.reserved == SPENDABLE
    assert budget.epsilon == epsilon_of(BUDGET, "1e-6")
    assert sum(each.share for each in world.asks_of(made).values()) == pytest.approx(0.9)


def test_without_a_question_the_others_get_more() -> None:
    kept, gone = (world.ask("a"), world.ask("b", by=("province",))), world.ask("c", by=("hour",))

    beside = world.asks_of(world.planned(world.questions(*kept, gone)))
    alone = world.asks_of(world.planned(world.questions(*kept)))

    assert all(alone[name].nano_rho > beside[name].nano_rho for name in ("a", "b"))
    assert world.error_of(alone["a"]) < world.error_of(beside["a"])


def test_a_question_that_no_budget_answers_is_flagged_and_gets_nothing() -> None:
    hopeless = world.ask("fine", by=FINE_BY, importance=100, instead=make.text("Ask the agency."))
    tiny = world.sizes({world.DATASET: world.size(rows=2_000)})

    made = world.planned(world.questions(world.ask(), hopeless), known=tiny)

    asks = world.asks_of(made)
    assert asks["fine"].verdict is Verdict.UNANSWERED
    assert (asks["fine"].nano_rho, asks["fine"].epsilon) == (0, 0.0)
    assert asks["fine"].finding is not None
    assert asks["fine"].finding.code == "noise"
    assert asks["fine"].instead == make.text("Ask the agency.")
    assert asks["cases"].nano_rho == SPENDABLE
    assert made.questions[1].verdict is Verdict.UNANSWERED


def test_the_errors_of_an_unanswered_question_are_those_of_the_whole_budget() -> None:
    hopeless = world.questions(world.ask(by=FINE_BY))

    (each,) = world.asks_of(
        world.planned(hopeless, known=world.sizes({world.DATASET: world.size(rows=2_000)}))
    ).values()

    (vector,) = plan(query_of(world.ask(by=FINE_BY), hopeless), [make.contract()], BUDGET).vectors
    assert each.at_whole_budget
    assert world.error_of(each) == pytest.approx(vector.error_95)


def test_the_coarser_form_that_is_suggested_is_answered_when_it_is_asked() -> None:
    tiny = world.sizes({world.DATASET: world.size(rows=2_000)})
    (each,) = world.asks_of(world.planned(world.questions(world.ask(by=FINE_BY)), known=tiny)).values()
    assert each.coarser is not None

    (coarser,) = world.asks_of(world.planned(world.questions(world.ask(by=each.coarser.by)), known=tiny)).values()

    assert set(each.coarser.by) < set(FINE_BY)
    assert coarser.verdict is Verdict.ANSWERED
    assert coarser.lines[0].relative_error == pytest.approx(each.coarser.relative_error)


def test_the_suggestion_is_the_finest_form_that_is_good_enough() -> None:
    """Six provinces in two regions: a region's month is three times a province's."""
    province = make.dimension("province", ("11", "12", "13", "20", "21", "22"))
    province = province.model_copy(update={"code_list": "provinces"})
    region = make.dimension("police_region", ("P1", "P2"), column="province")
    region = region.model_copy(update={"code_list": "police_commands", "via": "provinces"})
    offered = make.contract(dimensions=(make.dimension("month", grain=Grain.MONTH), province, region))
    known = world.sizes({world.DATASET: world.size(rows=12 * 6 * 40)})

    (each,) = world.asks_of(world.planned(world.questions(world.ask(target=0.05)), [offered], known)).values()

    assert each.verdict is Verdict.COARSE
    assert each.coarser is not None
    assert each.coarser.by == ("month", "police_region")


def test_a_question_that_fits_alone_but_not_beside_others_is_crowded_out() -> None:
    heavy = world.ask("heavy", by=("month", "province", "hour"), importance=100, target=0.01)
    light = world.ask("light", by=FINE_BY, target=0.5)
    known = world.sizes({world.DATASET: world.size(rows=54_000)})

    together_ = world.asks_of(world.planned(world.questions(heavy, light), known=known))
    alone = world.asks_of(world.planned(world.questions(light), known=known))

    assert alone["light"].verdict is Verdict.ANSWERED
    assert together_["light"].verdict is Verdict.UNANSWERED
    assert together_["light"].finding is not None
    assert together_["light"].finding.code == "crowded-out"
    assert together_["heavy"].nano_rho == SPENDABLE


def test_a_table_lost_in_noise_has_no_claim_on_the_budget() -> None:
    """A family whose leaves are noise at its share takes only what its totals need beside another question."""
    tables = (FamilyTable(by=("province",)), FamilyTable(by=FINE_BY))
    family = world.ask("family", by=FINE_BY, tables=tables)
    known = world.sizes({world.DATASET: world.size(rows=12_000)})

    made = world.asks_of(world.planned(world.questions(world.ask(importance=100, target=0.001), family), known=known))

    assert made["family"].verdict is Verdict.COARSE
    assert [line.verdict for line in made["family"].lines] == [Verdict.ANSWERED, Verdict.UNANSWERED]
    assert made["family"].share < 0.05


def test_what_is_enough_is_the_price_that_just_meets_the_target() -> None:
    (each,) = world.asks_of(world.planned(world.questions(world.ask(target=0.05)))).values()
    assert each.nano_rho_enough is not None

    query = query_of(world.ask(), world.questions(world.ask()))
    (vector,) = plan(query, [make.contract()], each.nano_rho_enough).vectors
    assert vector.error_95 / 1_000 == pytest.approx(0.05, rel=1e-3)


def test_a_budget_says_what_would_be_enough_for_all() -> None:
    made = world.planned(world.questions(world.ask(), world.ask("b", by=("province",), times=2)))

    asks = world.asks_of(made).values()
    (budget,) = made.budgets
    assert budget.enough == sum((each.nano_rho_enough or 0) * each.times for each in asks)
    assert made.epsilon_enough == epsilon_of(budget.enough, "1e-6") < made.epsilon_planned < made.epsilon


def binned(*edges: int) -> DatasetContract:
    return make.contract(measure_columns=(make.damage(kinds=("histogram", "median"), bins=edges, clamp=(0, 1_000)),))


def test_a_median_takes_no_more_budget_than_its_bins_can_use() -> None:
    """No budget tells where in its bin a median lies: what goes beyond serves the other question."""
    known = world.sizes({world.DATASET: world.size(lognormal={"damage_thb": {"mu": 5.0, "sigma": 0.5}})})
    median = world.ask("median", measures=("damage_thb:median",), by=("province",), target=0.01)
    beside = world.ask("cases", by=FINE_BY, target=0.5)

    made = world.asks_of(world.planned(world.questions(median, beside), [binned(50, 100, 200, 400)], known))

    assert made["median"].verdict is Verdict.COARSE
    assert (made["median"].nano_rho_enough or BUDGET) < BUDGET // 100
    assert made["cases"].nano_rho > made["median"].nano_rho
    assert made["median"].lines[0].relative_error == pytest.approx(0.35, abs=0.1)


def test_the_price_that_is_enough_for_a_median_meets_its_target() -> None:
    known = world.sizes({world.DATASET: world.size(lognormal={"damage_thb": {"mu": 5.0, "sigma": 0.5}})})
    offered = binned(*range(10, 1_000, 10))
    median = world.ask("median", measures=("damage_thb:median",), by=("province",), target=0.15)

    (each,) = world.asks_of(world.planned(world.questions(median), [offered], known)).values()
    assert each.nano_rho_enough is not None
    enough = make.contract(measure_columns=offered.measure_columns, nano_rho_per_window=each.nano_rho_enough)
    asked = world.questions(median, reserve_percent=0)
    (again,) = world.asks_of(world.planned(asked, [enough], known)).values()

    assert each.nano_rho_enough < SPENDABLE
    assert again.verdict is Verdict.ANSWERED
    assert again.lines[0].relative_error == pytest.approx(0.15, rel=0.15)

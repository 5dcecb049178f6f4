"""The budget planner: prices, errors and verdicts of standing questions, from contracts and expected sizes alone."""

import math

import pytest

from contracts.budget_plan import FINDINGS, Verdict, together
from contracts.dataset import FeedRows, Grain, Tier
from contracts.errors import InvalidInput
from contracts.grid import grid_of
from contracts.query import FamilyTable
from contracts.release import Released
from contracts.standing_questions import StandingQuestions
from privacy.allocation import Claim, allocate
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


def test_shares_follow_the_root_of_importance_and_what_it_takes_to_meet_the_target() -> None:
    plain, harder, weightier, oftener = Claim("a", 1.0), Claim("b", 3.0), Claim("c", 1.0, 4), Claim("d", 1.0, 1, 4)

    prices = allocate([plain, harder, weightier, oftener], 8_000_000)

    assert prices == pytest.approx({"a": 1_000_000, "b": 3_000_000, "c": 2_000_000, "d": 500_000}, abs=1)


def test_no_other_shares_make_the_weighed_errors_smaller() -> None:
    claims = [Claim("a", 2.0, 3, 1), Claim("b", 0.7, 1, 2), Claim("c", 5.0, 2, 3)]
    best = allocate(claims, BUDGET)

    def loss(prices: dict[str, float]) -> float:
        return sum(each.importance * each.difficulty**2 / prices[each.name] for each in claims)

    for giver in claims:
        for taker in claims:
            moved = 0.01 * best[giver.name] * giver.times
            other = best | {giver.name: best[giver.name] - moved / giver.times}
            other[taker.name] += moved / taker.times
            assert giver is taker or loss(other) > loss(dict(best))


@pytest.mark.parametrize("difficulty", [0.0, -1.0, math.inf, math.nan])
def test_a_claim_without_a_positive_difficulty_is_refused(difficulty: float) -> None:
    with pytest.raises(InvalidInput, match="price-not-positive"):
        allocate([Claim("a", difficulty)], BUDGET)


def test_nobody_claims_nothing() -> None:
    assert allocate([], BUDGET) == {}


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


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"measures": ("days:median",)}, "unknown-measure"),
        ({"by": ("week",)}, "unknown-dimension"),
        ({"where": {"province": ("99",)}}, "unknown-filter-value"),
        ({"dataset": "nowhere"}, "no-contract"),
        ({"tier": Tier.FEED}, "tier-not-offered"),
    ],
)
def test_what_the_contract_does_not_offer_is_flagged_in_both_languages(changes: dict[str, object], code: str) -> None:
    made = world.planned(world.questions(world.ask(**changes), world.ask("b")))

    each = world.asks_of(made)["cases"]
    assert (each.verdict, each.nano_rho, each.lines) == (Verdict.UNANSWERED, 0, ())
    assert each.finding is not None
    assert each.finding.code == code
    assert each.finding.message.th != each.finding.message.en
    assert each.finding.advice.th
    assert world.asks_of(made)["b"].nano_rho == SPENDABLE


def test_more_dimensions_than_the_contract_allows_are_flagged() -> None:
    (each,) = world.asks_of(world.planned(world.questions(world.ask()), [make.contract(max_dimensions=1)])).values()

    assert each.finding is not None
    assert each.finding.code == "too-many-dimensions"


def test_without_an_expected_size_nothing_is_promised() -> None:
    (each,) = world.asks_of(world.planned(world.questions(world.ask()), known=world.sizes({}))).values()

    assert each.finding is not None
    assert (each.finding.code, each.nano_rho) == ("no-size", 0)


def test_a_sum_of_which_no_size_is_known_is_flagged() -> None:
    known = world.sizes({world.DATASET: world.size(means={})})

    (each,) = world.asks_of(
        world.planned(world.questions(world.ask(measures=("damage_thb:sum",))), known=known)
    ).values()

    assert each.finding is not None
    assert "tpo_complaint.means.damage_thb" in each.finding.message.en


def test_rows_about_nobody_need_no_budget() -> None:
    feed = make.contract(tiers=(Tier.FEED,))
    part = make.contract(
        tiers=(Tier.STATISTICS, Tier.FEED), feed_rows=FeedRows(column="case_type", codes=("call_center",))
    )
    asked = world.questions(world.ask(tier=Tier.FEED))

    whole, some = (world.planned(asked, [offered]) for offered in (feed, part))

    assert whole.questions[0].verdict is Verdict.EXACT
    assert whole.budgets == ()
    assert (whole.epsilon, whole.nano_rho) == (0.0, 0)
    (each,) = world.asks_of(some).values()
    assert each.verdict is Verdict.EXACT
    assert each.finding is not None
    assert "call_center" in each.finding.message.en


def test_what_another_release_holds_costs_nothing() -> None:
    asks = (world.ask(series=True), world.ask("year", by=("province",), reuses="Q01/cases"))

    made = world.asks_of(world.planned(world.questions(*asks)))

    assert (made["year"].nano_rho, made["year"].verdict) == (0, Verdict.ANSWERED)
    assert made["cases"].nano_rho == SPENDABLE
    assert world.error_of(made["year"]) == pytest.approx(world.error_of(made["cases"]) * math.sqrt(12))
    assert made["year"].lines[0].expected_cell == pytest.approx(12_000)


def test_what_a_family_holds_is_read_from_the_table_that_makes_it_best() -> None:
    tables = (FamilyTable(by=("month",), weight=5), FamilyTable(by=("month", "province")))
    asks = (
        world.ask(tables=tables, series=True),
        world.ask("months", by=("month",), reuses="Q01/cases"),
        world.ask("year", by=(), reuses="Q01/cases"),
    )
    asked = world.questions(*asks)

    made = world.asks_of(world.planned(asked))

    terms = plan(query_of(asks[0], asked), [make.contract()], SPENDABLE)
    assert made["months"].lines[0] == made["cases"].lines[0]
    assert world.error_of(made["year"]) == pytest.approx(Z_95 * terms.vector("count", ("month",)).sigma * math.sqrt(12))


def test_shares_can_be_read_from_released_counts() -> None:
    asks = (world.ask(), world.ask("shares", measures=("province:share",), by=("province",), reuses="Q01/cases"))

    made = world.asks_of(world.planned(world.questions(*asks)))

    (line,) = made["shares"].lines
    assert line.expected_cell == pytest.approx(1 / 3, abs=1e-4)
    assert made["shares"].verdict is Verdict.ANSWERED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"measures": ("damage_thb:sum",)}, "unknown-measure"),
        ({"measures": ("hour:share",), "by": ("province",)}, "unknown-measure"),
        ({"by": ("hour",)}, "family-axis-unknown"),
    ],
)
def test_what_the_release_does_not_hold_is_flagged(changes: dict[str, object], code: str) -> None:
    asks = (world.ask(), world.ask("b", **({"by": ("province",)} | changes), reuses="Q01/cases"))

    found = world.asks_of(world.planned(world.questions(*asks)))["b"].finding

    assert found is not None
    assert found.code == code


def test_what_reads_an_unanswered_question_is_unanswered_too() -> None:
    asks = (world.ask(by=("week",)), world.ask("b", by=(), reuses="Q01/cases"))

    found = world.asks_of(world.planned(world.questions(*asks)))["b"]

    assert found.finding is not None
    assert (found.verdict, found.finding.code) == (Verdict.UNANSWERED, "source-unanswered")


def test_contracts_on_one_source_share_its_smallest_budget() -> None:
    one = make.contract()
    other = make.contract(id="other_view", source=one.source, nano_rho_per_window=500_000_000)
    known = world.sizes({world.DATASET: world.size(), "other_view": world.size()})

    made = world.planned(world.questions(world.ask(), world.ask("b", dataset="other_view")), [one, other], known)

    (budget,) = made.budgets
    assert (budget.source, budget.datasets, budget.budget) == (one.source, ("other_view", "tpo_complaint"), 500_000_000)
    assert budget.planned <= 450_000_000


def test_somebody_in_all_datasets_loses_the_sum_of_the_budgets() -> None:
    one, other = make.contract(), make.contract(id="crimes_case", agency="rtp", delta="1e-7")

    made = world.planned(world.questions(world.ask()), [one, other])

    assert (made.nano_rho, made.delta) == (2 * BUDGET, "1e-7")
    assert made.epsilon == epsilon_of(2 * BUDGET, "1e-7")
    assert [each.planned for each in made.budgets] == [SPENDABLE, 0]


def test_a_budget_too_small_to_draw_noise_for_is_flagged() -> None:
    (each,) = world.asks_of(
        world.planned(world.questions(world.ask(times=2)), [make.contract(nano_rho_per_window=1)])
    ).values()

    assert each.finding is not None
    assert each.finding.code == "price-not-positive"


def test_an_ask_that_no_query_can_put_names_itself() -> None:
    leafless = world.ask("leafless", tables=(FamilyTable(by=("month",)),))

    with pytest.raises(InvalidInput) as caught:
        world.planned(world.questions(leafless))

    assert caught.value.details["where"] == "leafless"


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ((Verdict.EXACT,), Verdict.EXACT),
        ((Verdict.EXACT, Verdict.ANSWERED), Verdict.ANSWERED),
        ((Verdict.ANSWERED, Verdict.COARSE), Verdict.COARSE),
        ((Verdict.UNANSWERED, Verdict.UNANSWERED), Verdict.UNANSWERED),
        ((Verdict.EXACT, Verdict.UNANSWERED), Verdict.PART),
    ],
)
def test_a_question_is_as_good_as_its_asks(verdicts: tuple[Verdict, ...], whole: Verdict) -> None:
    assert together(verdicts, mixed=Verdict.PART) is whole


def test_every_verdict_and_finding_speaks_thai_and_english() -> None:
    assert all(each.words.th and each.words.en for each in Verdict)
    assert all(words.th and words.en and words.advice_th and words.advice_en for words in FINDINGS.values())


def test_a_question_keeps_its_place_and_words() -> None:
    asked: StandingQuestions = world.questions(world.ask("a"), world.ask("b"))

    made = world.planned(asked)

    assert [(each.id, each.title) for each in made.questions] == [(each.id, each.title) for each in asked.question]

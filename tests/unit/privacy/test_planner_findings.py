"""What the budget planner finds: what is not offered, what needs no budget, what another release already holds."""

import math

import pytest

from contracts.budget_plan import FINDINGS, Verdict, together
from contracts.dataset import FeedRows, Tier
from contracts.errors import InvalidInput
from contracts.query import FamilyTable
from contracts.standing_questions import StandingQuestions
from privacy.mechanisms import epsilon_of
from privacy.plan import Z_95, plan
from privacy.planner import query_of
from tests import factories as make
from tests import planner_world as world

pytestmark = pytest.mark.unit

BUDGET = 1_000_000_000
SPENDABLE = 900_000_000
FINE_BY = ("month", "province", "case_type", "hour")


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


def test_a_share_too_small_to_draw_noise_for_crowds_a_question_out() -> None:
    """Of four nano-rho the leading question leaves none: no noise can be drawn for nothing."""
    large = world.sizes({world.DATASET: world.size(rows=10**15)})
    asks = (world.ask("first", importance=100, target=1e-9, by=()), world.ask("last", target=0.5, by=()))

    made = world.asks_of(world.planned(world.questions(*asks), [make.contract(nano_rho_per_window=4)], large))

    assert [made[name].nano_rho for name in ("first", "last")] == [3, 0]
    assert made["last"].finding is not None
    assert made["last"].finding.code == "crowded-out"


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

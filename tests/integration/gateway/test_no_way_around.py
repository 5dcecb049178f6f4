"""The same question in other words costs nothing; what is not the same is charged in full, however much it overlaps."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest

from contracts.agreement import Activity, Agreement, Approval
from contracts.dataset import DatasetContract
from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.query import Query
from contracts.release import Release
from contracts.request import Request, RequestState
from contracts.views import RequestStatus
from gateway.asked_words import in_words_of
from gateway.caller import Caller
from gateway.checked_release import check_answer
from gateway.question import question_key
from tests import factories
from tests.gateway_world import World, forwarded, new_world

pytestmark = pytest.mark.integration

PRICE = 50_000_000
NUMBERS = count(1)
ALL = ("10", "50", "90")
DAMAGE = factories.damage(kinds=("sum", "mean", "histogram", "median", "p90"), bins=(1_000, 50_000))
CONTRACT = factories.contract(measure_columns=(DAMAGE,))
MEASURES = (*CONTRACT.measures, "province:share")


def activity(**changes: object) -> Activity:
    return factories.activity((CONTRACT,), **{"measures": MEASURES} | changes)


AGREEMENT = factories.agreement((CONTRACT,), activities=(activity(), activity(id="other-work", publish=False)))


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """SQLite alone: that both kinds of database keep the same books is tested where the books are."""
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture
def world(store_url: str) -> Iterator[World]:
    made = new_world(store_url, (CONTRACT,), AGREEMENT)
    yield made
    made.store.close()


def request(asked: Query, agreed: Agreement = AGREEMENT, /, **changes: object) -> Request:
    return factories.request(agreed, asked, **{"id": f"REQ-N{next(NUMBERS):05d}", "nano_rho": PRICE} | changes)


def answered(world: World, asked: Request, *contracts: DatasetContract) -> Release:
    world.submit(asked)
    world.answer(*(contracts or (CONTRACT,)))
    world.later()
    return release_of(world, asked)


def release_of(world: World, asked: Request) -> Release:
    caller = world.caller(asked.requester)
    return world.exchange.release(caller, str(world.exchange.status(caller, asked.id).release))


def spent(world: World) -> Mapping[str, int]:
    """What each window was charged, nothing being out."""
    assert world.reserved() == 0
    lines = world.exchange.budget(world.caller())
    return {line.window: line.spent for line in lines if line.spent}


def assert_free(world: World, asked: Request, release: Release) -> None:
    """The request gets that very release: nothing is charged and no agency is asked."""
    before = world.exchange.budget(world.caller())
    done = world.submit(asked)
    assert (done.state, done.release, done.repeated) == (RequestState.RELEASED, release.body.id, True)
    assert world.exchange.budget(world.caller()) == before
    assert world.lease() == ()
    check_answer(release_of(world, asked), asked)


FIRST = {"measures": ("count", "damage_thb:sum")}


@pytest.mark.parametrize(
    "words",
    [
        FIRST | {"dimensions": ("province", "month")},
        FIRST | {"where": {"province": ("90", "10", "50")}},
        FIRST | {"where": {"month": ("2025-10", "2025-11", "2025-12"), "province": ALL}},
        {"measures": ("damage_thb:sum", "count")},
        {"measures": ("damage_thb:mean",)},
        {"measures": ("damage_thb:mean", "count", "count", "province:share")},
    ],
    ids=str,
)
def test_the_same_question_in_other_words_is_the_same_release_at_no_cost(
    world: World, words: dict[str, object]
) -> None:
    release = answered(world, request(factories.query(**FIRST)))

    assert_free(world, request(factories.query(**words)), release)
    assert sum(spent(world).values()) == PRICE


@pytest.mark.parametrize("words", [{"dimensions": ("province", "month")}, {"where": {"province": ALL}}], ids=str)
def test_whichever_words_come_first_the_others_are_answered_by_them(world: World, words: dict[str, object]) -> None:
    release = answered(world, request(factories.query(**words)))

    assert_free(world, request(factories.query()), release)


def test_quantiles_of_one_histogram_are_one_question(world: World) -> None:
    release = answered(world, request(factories.query(measures=("damage_thb:p90",))))

    assert {each.measure for each in release.body.derived} == {"damage_thb:median", "damage_thb:p90"}
    for measure in ("damage_thb:median", "damage_thb:histogram"):
        assert_free(world, request(factories.query(measures=(measure,))), release)


def test_filters_and_their_values_in_any_order_are_one_question(world: World) -> None:
    first = {"province": ("10", "50"), "case_type": ("romance_scam", "call_center")}
    release = answered(world, request(factories.query(where=first)))
    turned = {"case_type": ("call_center", "romance_scam"), "province": ("50", "10", "10")}

    assert_free(world, request(factories.query(where=turned)), release)


def test_the_order_of_keys_in_the_body_is_no_new_question(world: World) -> None:
    release = answered(world, request(factories.query()))
    again = request(factories.query())
    body = json.loads(forwarded(again).body)
    turned = json.dumps(dict(reversed(body.items())))  # a body that is not canonical is the point

    done = world.exchange.submit(world.asker(again), forwarded(again).model_copy(update={"body": turned}))

    assert (done.release, done.repeated) == (release.body.id, True)
    assert world.lease() == ()


def test_another_key_of_the_agency_and_another_activity_are_no_new_question(world: World) -> None:
    release = answered(world, request(factories.query()))
    other_key = Caller("oja", "oja#client-2", KeyPurpose.CLIENT, "nonce-of-another-key")

    done = world.submit(request(factories.query()), other_key)

    assert (done.release, done.repeated) == (release.body.id, True)
    assert_free(world, request(factories.query(), activity="other-work"), release)


def test_another_agency_under_its_own_agreement_is_given_the_same_release(world: World) -> None:
    of_dop = factories.agreement(
        (CONTRACT,), id="AGR-2569-002", requester="dop", drafted_by="dop#officer-1", activities=(activity(),)
    )
    world.register((), of_dop)
    release = answered(world, request(factories.query()))

    assert_free(world, request(factories.query(), of_dop), release)


def test_an_activity_that_an_officer_looks_at_gets_no_answer_that_was_not_looked_at(world: World) -> None:
    looked_at = factories.agreement((CONTRACT,), id="AGR-2569-003", activities=(activity(approval=Approval.EACH),))
    world.register((), looked_at)
    answered(world, request(factories.query()))

    assert world.submit(request(factories.query(), looked_at)).state is RequestState.WAITING
    assert world.reserved() == PRICE


def test_the_order_of_contracts_is_no_new_question_also_where_one_of_them_offers_more(store_url: str) -> None:
    fewer = factories.contract(disjoint_from=("crimes_case",))
    more_provinces = tuple(
        factories.dimension("province", (*ALL, "92")) if each.name == "province" else each for each in fewer.dimensions
    )
    more = factories.contract(
        id="crimes_case", agency="rtp", dimensions=more_provinces, disjoint_from=("tpo_complaint",)
    )
    agreed = factories.agreement((fewer, more))
    world = new_world(store_url, (fewer, more), agreed)
    asked = factories.query(where={"province": ALL})

    release = answered(world, request(asked, agreed, contracts=(fewer.reference, more.reference)), fewer, more)

    assert release.body.query == asked  # the filter leaves out a province of the second
    assert_free(world, request(asked, agreed, contracts=(more.reference, fewer.reference)), release)
    assert question_key(asked, (fewer,), PRICE, {}) != question_key(asked, (more,), PRICE, {})
    world.store.close()


def test_two_that_ask_in_different_words_at_once_share_one_release_and_one_charge(world: World) -> None:
    first, second = request(factories.query()), request(factories.query(dimensions=("province", "month")))
    world.submit(first)
    world.submit(second)
    world.answer()
    world.later()

    assert release_of(world, first).body.id == release_of(world, second).body.id
    assert spent(world) == {"FY2569": PRICE}


def test_an_answer_in_other_words_is_told_in_the_words_of_the_question(world: World) -> None:
    release = answered(world, request(factories.query(measures=("count",))))
    asked = factories.query(measures=("province:share",), dimensions=("province", "month"))

    told = in_words_of(asked, release).body

    before = dict(zip(release.body.grid.keys(), release.body.released[0].cells, strict=True))
    after = dict(zip(told.grid.keys(), told.released[0].cells, strict=True))
    assert {(month, province): cell for (province, month), cell in after.items()} == before
    (share,) = told.derived
    assert share.measure == "province:share"
    total = Counter[str]()
    for (month, _), cell in before.items():
        total[month] += cell
    for (province, month), part in zip(told.grid.keys(), share.cells, strict=True):
        assert part == pytest.approx(before[month, province] / total[month], abs=1e-4)


# ------------------------------------------------------------ what is not the same


def submit_all(world: World, *asked: Query) -> list[RequestStatus]:
    done = []
    for query in asked:
        done.append(world.submit(request(query)))
        world.answer(CONTRACT)
        world.later()
    return done


def of(start: str, until: str, **changes: object) -> Query:
    return factories.query(period=factories.period(start, until), **changes)


@pytest.mark.parametrize(
    ("questions", "times"),
    [
        ([{"where": {"province": ("10",)}}, {"where": {"province": ("10", "50")}}], 2),
        ([{"where": {"province": (each,)}} for each in ALL] + [{}], 4),
        ([{"where": {"province": ("10", "50")}}, {}], 2),
        ([{"dimensions": ("month",)}, {"dimensions": ("month", "province")}, {"dimensions": ()}], 3),
        ([{"dimensions": ("month",)}, {"dimensions": ("month",), "where": {"province": ALL}}], 2),
        ([{"measures": ("count",)}, {"measures": ("count", "damage_thb:sum")}, {"measures": ("damage_thb:sum",)}], 3),
        ([{"measures": ("damage_thb:median",)}, {"measures": ("damage_thb:median", "count")}], 2),
        ([{}, {"mechanism": "laplace"}], 2),
        ([{}, {"family": {"tables": [{"by": ["month", "province"]}]}}], 2),
    ],
)
def test_what_overlaps_is_charged_in_full_each_time(
    world: World, questions: list[dict[str, object]], times: int
) -> None:
    families = tuple(factories.query(**each).family for each in questions)
    only = activity(id="families-too", families=tuple(each for each in families if each))
    agreed = factories.agreement((CONTRACT,), id="AGR-2569-004", activities=(only,))
    world.register((), agreed)

    for each in questions:
        answered(world, request(factories.query(**each), agreed))

    assert spent(world) == {"FY2569": times * PRICE}


def test_a_month_and_the_quarter_around_it_are_two_questions(world: World) -> None:
    done = submit_all(world, of("2025-10-01", "2025-11-01"), of("2025-10-01", "2026-01-01"))

    assert not any(each.repeated for each in done)
    assert spent(world) == {"FY2569": 2 * PRICE}


def test_a_filter_on_months_is_not_a_shorter_period(world: World) -> None:
    october = {"where": {"month": ("2025-10",)}}
    submit_all(world, of("2025-10-01", "2025-11-01"), of("2025-10-01", "2026-01-01", **october))

    assert spent(world) == {"FY2569": 2 * PRICE}


def test_every_window_that_a_question_touches_is_charged_in_full(world: World) -> None:
    asked = (of("2025-09-01", "2025-10-01"), of("2025-10-01", "2025-11-01"), of("2025-09-01", "2025-11-01"))
    submit_all(world, *asked)

    assert spent(world) == {"FY2568": 2 * PRICE, "FY2569": 2 * PRICE}


def test_a_filter_that_hides_a_window_saves_nothing(world: World) -> None:
    submit_all(world, of("2025-09-01", "2025-11-01", where={"month": ("2025-10",)}))

    assert spent(world) == {"FY2568": PRICE, "FY2569": PRICE}


def test_taking_a_whole_from_its_parts_costs_as_many_prices_as_there_are_answers_and_then_nothing_is_left(
    store_url: str,
) -> None:
    contract = factories.contract(nano_rho_per_window=3 * PRICE)
    agreed = factories.agreement((contract,))
    world = new_world(store_url, (contract,), agreed)
    for where in ({}, {"province": ("10",)}, {"province": ("50",)}):
        answered(world, request(factories.query(where=where), agreed), contract)

    with pytest.raises(Refused, match="budget-exceeded"):
        world.submit(request(factories.query(where={"province": ("90",)}), agreed))

    assert spent(world) == {"FY2569": 3 * PRICE}
    world.store.close()


def test_other_prices_and_other_data_are_other_questions(world: World) -> None:
    world.versions = {CONTRACT.id: 1}
    answered(world, request(factories.query()))
    answered(world, request(factories.query(), nano_rho=PRICE - 1))
    world.versions = {CONTRACT.id: 2}
    world.lease()
    answered(world, request(factories.query(dimensions=("province", "month"))))

    assert spent(world) == {"FY2569": 3 * PRICE - 1}

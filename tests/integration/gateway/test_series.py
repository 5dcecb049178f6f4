"""A standing series at the gateway: each window is charged once, each month answered once."""

from datetime import timedelta
from itertools import count

import pytest

from contracts.agreement import Approval, Every, Schedule
from contracts.dataset import ProtectAt
from contracts.errors import Refused, Unavailable
from contracts.query import Family, FamilyTable, Query, Series
from contracts.release import Release, ReleaseState, Withdrawal
from contracts.request import Request, RequestState
from contracts.views import PreviewCall
from gateway.crash import CrashPoint
from gateway.preview import preview
from tests import factories
from tests.gateway_world import CONTRACT, Killed, World, killed_at, new_world

pytestmark = pytest.mark.integration

NUMBERS = count(1)
PRICE = 50_000_000


def months(start: str, until: str, revision: int = 0, **changes: object) -> Query:
    """The series' question about some months."""
    period = factories.period(f"{start}-01", f"{until}-01")
    return factories.query(period=period, series=Series(revision=revision), **changes)


def ask(start: str, until: str, revision: int = 0, **changes: object) -> Request:
    """A request for some months of the series."""
    number = next(NUMBERS)
    return factories.request(None, months(start, until, revision), id=f"REQ-S{number:04d}", **changes)


def answered(world: World, request: Request) -> Release:
    """What comes of a request."""
    world.submit(request)
    world.answer()
    world.later()
    done = world.exchange.status(world.caller(), request.id)
    return world.exchange.release(world.caller(), str(done.release))


def test_the_first_request_pays_for_its_window_and_further_months_pay_nothing(world: World) -> None:
    first = answered(world, ask("2025-10", "2025-12"))
    second = answered(world, ask("2025-12", "2026-01"))

    assert [each.nano_rho for each in first.body.charges] == [PRICE]
    assert second.body.charges == ()
    assert (world.spent(), world.reserved()) == (PRICE, 0)
    assert first.body.promises[0].epsilon == second.body.promises[0].epsilon == second.body.epsilon
    assert [entry.charges for entry in world.log()][-1] == ()


def test_a_later_window_is_paid_for_when_it_is_reached(world: World) -> None:
    answered(world, ask("2024-08", "2024-09"))

    release = answered(world, ask("2024-09", "2024-11"))

    assert [(each.window, each.nano_rho) for each in release.body.charges] == [("FY2568", PRICE)]
    assert world.spent() == 2 * PRICE


def test_months_that_overlap_are_refused_by_name_and_cost_nothing(world: World) -> None:
    answered(world, ask("2025-10", "2025-12"))
    request = ask("2025-11", "2026-01")

    with pytest.raises(Refused, match="series-overlaps") as refusal:
        world.submit(request)

    assert refusal.value.details["months"] == "2025-11"
    assert (world.spent(), world.reserved()) == (PRICE, 0)
    assert world.lease() == ()
    assert world.exchange.status(world.caller(), request.id).state is RequestState.REFUSED


def test_the_same_months_are_the_same_release_whatever_the_data_version(world: World) -> None:
    world.versions = {CONTRACT.id: 1}
    first = answered(world, ask("2025-10", "2025-12"))
    world.versions = {CONTRACT.id: 2}
    world.lease()

    again = ask("2025-10", "2025-12")
    done = world.submit(again)

    assert (done.release, done.repeated) == (first.body.id, True)
    assert world.spent() == PRICE


def test_months_whose_release_was_withdrawn_are_asked_again_by_a_revision_only(world: World) -> None:
    first = answered(world, ask("2025-10", "2025-12"))
    gone = Withdrawal(release=first.body.id, state=ReleaseState.WITHDRAWN, reason="wrong code list")
    world.exchange.withdraw(world.caller(), gone)

    with pytest.raises(Refused, match="series-overlaps"):
        world.submit(ask("2025-10", "2025-12"))
    revised = answered(world, ask("2025-10", "2025-12", 1))

    assert [each.nano_rho for each in revised.body.charges] == [PRICE]
    assert world.spent() == 2 * PRICE


def test_a_preview_of_the_same_months_names_the_release(world: World) -> None:
    release = answered(world, ask("2025-10", "2025-12"))
    world.versions = {CONTRACT.id: 2}
    world.lease()
    request = ask("2025-10", "2025-12")
    call = PreviewCall(
        agreement=request.agreement,
        activity=request.activity,
        contracts=request.contracts,
        query=request.query,
        nano_rho=PRICE,
    )

    assert preview(world.exchange.means, world.caller(), call).already_released == release.body.id


def test_a_preview_of_further_months_says_that_they_cost_nothing(world: World) -> None:
    def left_after(start: str, until: str, revision: int = 0) -> list[int]:
        asked = ask(start, until, revision)
        call = PreviewCall(
            agreement=asked.agreement,
            activity=asked.activity,
            contracts=asked.contracts,
            query=asked.query,
            nano_rho=PRICE,
        )
        return [line.left for line in preview(world.exchange.means, world.caller(), call).after]

    (at_first,) = left_after("2025-10", "2025-12")
    answered(world, ask("2025-10", "2025-12"))

    assert left_after("2025-12", "2026-01") == [at_first]
    assert left_after("2025-12", "2026-01", 1) == [at_first - PRICE]


def test_a_question_outside_the_series_is_new_on_new_data(world: World) -> None:
    world.versions = {CONTRACT.id: 1}
    answered(world, factories.request(id="REQ-P0001"))
    world.versions = {CONTRACT.id: 2}
    world.lease()

    world.submit(factories.request(id="REQ-P0002"))

    assert world.reserved() == PRICE


@pytest.mark.parametrize("change", [{"revision": 1}, {"nano_rho": PRICE - 1}])
def test_a_revision_and_another_price_are_series_of_their_own(world: World, change: dict[str, int]) -> None:
    answered(world, ask("2025-10", "2025-12"))

    release = answered(world, ask("2025-10", "2025-12", **change))

    assert [each.nano_rho for each in release.body.charges] == [change.get("nano_rho", PRICE)]


def test_a_new_bound_is_a_series_of_its_own(store_url: str) -> None:
    wider = factories.contract(version="2.0.0", rows_per_window=5)
    world = new_world(store_url, (CONTRACT, wider), factories.agreement((CONTRACT,)))
    world.register((), factories.agreement((wider,), id="AGR-2569-002"))
    answered(world, ask("2025-10", "2025-12"))

    second = factories.request(
        factories.agreement((wider,), id="AGR-2569-002"), months("2025-12", "2026-01"), id="REQ-W"
    )
    world.submit(second)

    assert world.reserved() == PRICE
    world.store.close()


def test_nobody_rides_on_a_charge_that_may_be_returned(world: World) -> None:
    world.submit(ask("2025-10", "2025-11"))
    rider = ask("2025-11", "2025-12")

    with pytest.raises(Unavailable, match="series-busy"):
        world.submit(rider)

    assert (world.spent(), world.reserved()) == (0, PRICE)
    assert len(world.lease()) == 1


def test_months_that_are_still_out_are_busy_and_not_taken_for_good(world: World) -> None:
    world.submit(ask("2025-10", "2025-12"))

    with pytest.raises(Unavailable, match="series-busy"):
        world.submit(ask("2025-11", "2026-01"))


def test_a_returned_charge_frees_its_months_and_its_window(world: World) -> None:
    world.submit(ask("2025-10", "2025-12"))
    (leased,) = world.lease()
    world.post(world.refusal(leased.task))
    assert (world.spent(), world.reserved()) == (0, 0)

    release = answered(world, ask("2025-11", "2026-01"))

    assert [each.nano_rho for each in release.body.charges] == [PRICE]


def test_months_that_were_refused_after_a_charge_stay_taken_and_their_window_paid(world: World) -> None:
    world.submit(ask("2025-10", "2025-12"))
    (leased,) = world.lease()
    world.post(world.refusal(leased.task, charged=True))

    with pytest.raises(Refused, match="series-overlaps"):
        world.submit(ask("2025-10", "2025-12"))
    release = answered(world, ask("2025-12", "2026-01"))

    assert (release.body.charges, world.spent()) == ((), PRICE)


def test_a_free_request_that_is_refused_uncharged_frees_only_its_own_months(world: World) -> None:
    answered(world, ask("2025-10", "2025-11"))
    world.submit(ask("2025-11", "2025-12"))
    (leased,) = world.lease()
    world.post(world.refusal(leased.task))

    release = answered(world, ask("2025-11", "2025-12"))

    assert (release.body.charges, world.spent()) == ((), PRICE)
    with pytest.raises(Refused, match="series-overlaps"):
        world.submit(ask("2025-10", "2025-12"))


def test_the_same_months_asked_twice_at_once_join(world: World) -> None:
    first, second = ask("2025-10", "2025-12"), ask("2025-10", "2025-12")
    world.submit(first)
    world.submit(second)
    world.answer()
    world.later()

    done = [world.exchange.status(world.caller(), each.id) for each in (first, second)]

    assert done[0].release == done[1].release
    assert world.spent() == PRICE


def test_an_heir_pays_for_what_its_leader_gave_back(world: World) -> None:
    first, second = ask("2025-10", "2025-12"), ask("2025-10", "2025-12")
    world.submit(first)
    world.submit(second)
    (leased,) = world.lease()
    world.post(world.refusal(leased.task))
    world.answer()
    world.later()

    assert world.exchange.status(world.caller(), second.id).state is RequestState.RELEASED
    assert (world.spent(), world.reserved()) == (PRICE, 0)


def test_an_activity_that_an_officer_looks_at_has_series_of_its_own(store_url: str) -> None:
    each_time = factories.activity((CONTRACT,), id="looked-at", approval=Approval.EACH)
    agreed = factories.agreement((CONTRACT,), activities=(factories.activity((CONTRACT,)), each_time))
    world = new_world(store_url, (CONTRACT,), agreed)
    answered(world, factories.request(agreed, months("2025-10", "2025-12"), id="REQ-A0001"))

    world.submit(factories.request(agreed, months("2025-12", "2026-01"), id="REQ-A0002", activity="looked-at"))

    assert world.reserved() == PRICE
    world.store.close()


def test_a_ceiling_counts_what_a_series_really_charged(store_url: str) -> None:
    only = factories.activity((CONTRACT,), nano_rho_in_all=PRICE)
    agreed = factories.agreement((CONTRACT,), activities=(only,))
    world = new_world(store_url, (CONTRACT,), agreed)
    answered(world, factories.request(agreed, months("2025-10", "2025-12"), id="REQ-C0001"))

    release = answered(world, factories.request(agreed, months("2025-12", "2026-01"), id="REQ-C0002"))

    assert release.body.charges == ()
    with pytest.raises(Refused, match="activity-budget-exceeded"):
        world.submit(factories.request(agreed, months("2025-10", "2025-12", 1), id="REQ-C0003"))
    world.store.close()


def test_a_schedule_counts_questions_of_a_series_that_cost_nothing(store_url: str) -> None:
    only = factories.activity((CONTRACT,), schedule=Schedule(requests=2, every=Every.MONTH))
    agreed = factories.agreement((CONTRACT,), activities=(only,))
    world = new_world(store_url, (CONTRACT,), agreed)
    for number, (start, until) in enumerate((("2025-10", "2025-11"), ("2025-11", "2025-12"))):
        answered(world, factories.request(agreed, months(start, until), id=f"REQ-D{number:04d}"))

    with pytest.raises(Refused, match="schedule-exceeded"):
        world.submit(factories.request(agreed, months("2025-12", "2026-01"), id="REQ-D0003"))
    world.store.close()


def test_a_family_of_a_series_measures_only_the_months_that_are_asked(store_url: str) -> None:
    contract = factories.contract(protect_at=ProtectAt.CONNECTOR)
    family = Family(tables=(FamilyTable(by=("month", "province")), FamilyTable(by=())))
    only = factories.activity((contract,), families=(family,))
    agreed = factories.agreement((contract,), activities=(only,))
    world = new_world(store_url, (contract,), agreed)
    spent = []
    for start, until in (("2025-10", "2025-11"), ("2025-11", "2025-12")):
        world.submit(factories.request(agreed, months(start, until, family=family), id=f"REQ-F{start}"))
        world.answer(contract)
        world.later()
        done = world.exchange.status(world.caller(), f"REQ-F{start}")
        body = world.exchange.release(world.caller(), str(done.release)).body
        assert {table.by for table in body.tables} == {("month", "province"), ()}
        spent.append(world.spent())

    assert spent == [PRICE, PRICE]
    world.store.close()


def test_a_request_whose_time_passed_while_it_was_suspended_settles_its_months(world: World) -> None:
    request = ask("2025-10", "2025-12")
    world.submit(request)
    world.now += timedelta(days=1)
    (leased,) = world.lease()
    world.post(world.refusal(leased.task, "delivery-expired"))

    fresh = ask("2025-10", "2025-12", created=world.now, deliver_until=world.now + timedelta(days=1))

    assert world.submit(fresh).state is RequestState.WAITING


@pytest.mark.parametrize(
    "point",
    [CrashPoint.BEFORE_RECEIVED, CrashPoint.AFTER_RECEIVED, CrashPoint.BEFORE_RESERVED, CrashPoint.AFTER_RESERVED],
)
def test_a_kill_while_a_series_is_asked_takes_its_months_once_or_not_at_all(world: World, point: CrashPoint) -> None:
    request, caller = ask("2025-10", "2025-12"), world.caller()
    world.restart(killed_at(point))
    with pytest.raises(Killed):
        world.submit(request, caller)
    world.restart().resume()

    first = answered(world, request)
    second = answered(world, ask("2025-12", "2026-01"))

    assert [each.nano_rho for each in first.body.charges] == [PRICE]
    assert (second.body.charges, world.spent(), world.reserved()) == ((), PRICE, 0)


@pytest.mark.parametrize("point", [CrashPoint.AFTER_ASSEMBLED, CrashPoint.BEFORE_SETTLED, CrashPoint.AFTER_SETTLED])
def test_a_kill_while_a_series_is_settled_charges_its_window_once(world: World, point: CrashPoint) -> None:
    world.submit(ask("2025-10", "2025-12"))
    (leased,) = world.lease()
    world.restart(killed_at(point))
    with pytest.raises(Killed):
        world.post(world.part(leased.task))
    world.restart().resume()

    release = answered(world, ask("2025-12", "2026-01"))

    assert (release.body.charges, world.spent(), world.reserved()) == ((), PRICE, 0)

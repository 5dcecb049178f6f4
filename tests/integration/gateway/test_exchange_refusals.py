"""Everything that the exchange says no to: what is logged, what is spent, what is asked."""

from dataclasses import replace

import pytest

from contracts.errors import InvalidInput, Refused, Spent
from contracts.federation import KeyPurpose
from contracts.lifecycle import AgreementState
from contracts.request import RequestState
from contracts.transparency import EventKind
from contracts.views import PreviewCall
from gateway.crash import CrashPoint
from gateway.store import registry
from tests import factories
from tests.gateway_world import AGREEMENT, CONTRACT, Killed, World, forwarded, killed_at, new_world

pytestmark = pytest.mark.integration

WRONG = f"sha-256:{'0' * 64}"


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"purpose": "marketing"}, ["purpose-not-agreed", "purpose-not-in-contract"]),
        ({"nano_rho": 100_000_001}, ["price-above-activity"]),
        ({"agreement_digest": WRONG}, ["agreement-changed"]),
        ({"gateway": "https://elsewhere.example"}, ["another-gateway"]),
        ({"purpose": "marketing", "nano_rho": 100_000_001, "gateway": "https://elsewhere.example"},
         ["another-gateway", "price-above-activity", "purpose-not-agreed", "purpose-not-in-contract"]),
    ],
)  # fmt: skip
def test_a_refusal_is_logged_like_an_answer_and_names_every_rule(
    world: World, changes: dict[str, object], reasons: list[str]
) -> None:
    with pytest.raises(Refused) as caught:
        world.submit(factories.request(**changes))

    assert [reason.code for reason in caught.value.reasons] == reasons
    assert all(reason.message_th and reason.message_en for reason in caught.value.reasons)
    assert caught.value.spent is Spent.NOTHING
    entry = world.log()[-1]
    assert entry.kind is EventKind.DATA_REFUSED
    assert entry.facts["reasons"] == ",".join(reasons)
    assert world.lease() == ()
    assert world.reserved() == world.spent() == 0


def test_a_request_past_its_delivery_time_is_refused(world: World) -> None:
    world.later(3 * 86_400)

    with pytest.raises(Refused, match="delivery-expired"):
        world.submit(factories.request())


def test_only_a_client_key_asks_and_only_for_its_own_agency(world: World) -> None:
    with pytest.raises(Refused, match="not-allowed"):
        world.submit(factories.request(), world.caller("oja", KeyPurpose.CONNECTOR))
    with pytest.raises(Refused, match="requester-not-party"):
        world.submit(factories.request(), world.caller("rtp"))


def test_an_agreement_that_not_all_have_signed_allows_nothing(store_url: str) -> None:
    world = new_world(store_url)
    draft = factories.agreement((CONTRACT,), id="AGR-2569-002")
    world.register((), draft, active=False)

    with pytest.raises(Refused, match="agreement-not-active"):
        world.submit(factories.request(draft))
    world.store.close()


def test_a_refused_request_may_be_sent_again_when_it_is_allowed(world: World) -> None:
    other = factories.agreement((CONTRACT,), id="AGR-2569-002")
    world.register((), other, active=False)
    request = factories.request(other)
    with pytest.raises(Refused):
        world.submit(request)
    with world.store.transaction() as t:
        held = registry.agreement(t, other.id)
        assert held is not None
        registry.update_agreement(t, replace(held, state=AgreementState.ACTIVE))

    assert world.submit(request).state is RequestState.WAITING


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"query": factories.query(measures=("other:sum",))}, "unknown-measure"),
        ({"query": factories.query(dimensions=("planet",))}, "unknown-dimension"),
        ({"query": factories.query(where={"province": ("99",)})}, "unknown-filter-value"),
        ({"query": factories.query(period=factories.period("2025-12-01", "2026-02-01"))}, "period-not-closed"),
        ({"agreement": "AGR-9999-999"}, "unknown-agreement"),
        ({"activity": "something-else"}, "unknown-activity"),
        ({"contracts": (CONTRACT.reference.model_copy(update={"digest": WRONG}),)}, "unknown-contract"),
        ({"contracts": (CONTRACT.reference.model_copy(update={"version": "2.0.0"}),)}, "unknown-contract"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_happens(
    world: World, changes: dict[str, object], code: str
) -> None:
    size = len(world.log())

    with pytest.raises(InvalidInput, match=code):
        world.submit(factories.request(**changes))

    assert len(world.log()) == size
    assert world.lease() == ()


def test_what_is_not_a_request_is_malformed(world: World) -> None:
    broken = forwarded(factories.request()).model_copy(update={"body": '{"id": "REQ-0001"}'})

    with pytest.raises(InvalidInput, match="malformed-body"):
        world.exchange.submit(world.caller(), broken)


def test_a_message_that_was_accepted_once_is_not_accepted_again(world: World) -> None:
    caller, request = world.caller(), factories.request()
    world.submit(request, caller)

    with pytest.raises(Refused, match="request-replayed"):
        world.submit(request, caller)
    with pytest.raises(Refused, match="request-replayed"):
        world.exchange.admit(caller)


def test_a_denied_message_is_spent_like_any_other(world: World) -> None:
    caller, request = world.caller(), factories.request(nano_rho=100_000_001)
    with pytest.raises(Refused, match="price-above-activity"):
        world.submit(request, caller)

    with pytest.raises(Refused, match="request-replayed"):
        world.submit(request, caller)


def test_a_nonce_is_forgotten_when_no_signature_with_it_can_be_accepted_any_more(world: World) -> None:
    caller = world.caller()
    world.exchange.admit(caller)
    world.later(60)
    world.exchange.resume()
    with pytest.raises(Refused, match="request-replayed"):
        world.exchange.admit(caller)
    world.later(541)

    world.exchange.resume()

    world.exchange.admit(caller)


def test_the_same_request_signed_again_costs_nothing_twice(world: World) -> None:
    world.submit(factories.request())

    again = world.submit(factories.request())

    assert again.state is RequestState.WAITING
    assert world.reserved() == 50_000_000
    assert world.kinds().count(EventKind.DATA_REQUESTED) == 1
    assert len(world.lease()) == 1


def test_an_identifier_stands_for_one_request(world: World) -> None:
    world.submit(factories.request())

    with pytest.raises(InvalidInput, match="request-id-reused"):
        world.submit(factories.request(nano_rho=60_000_000))
    with pytest.raises(InvalidInput, match="request-id-reused"):
        world.submit(factories.request(), world.caller("rtp"))


def test_beyond_the_budget_nothing_is_spent_and_nobody_is_asked(store_url: str) -> None:
    small = factories.contract(nano_rho_per_window=80_000_000)
    world = new_world(store_url, (small,), factories.agreement((small,)))
    agreement = factories.agreement((small,))
    world.submit(factories.request(agreement))
    world.answer(small)
    other = factories.query(dimensions=("province",))

    with pytest.raises(Refused) as caught:
        world.submit(factories.request(agreement, id="REQ-0002", query=other))

    assert caught.value.code == "budget-exceeded"
    assert caught.value.details == {
        "source": "ccib/tpo_complaint",
        "window": "FY2569",
        "left": "30000000",
        "needed": "50000000",
    }
    assert (world.spent(), world.reserved()) == (50_000_000, 0)
    assert world.lease() == ()
    entry = world.log()[-1]
    assert (entry.kind, entry.facts["reasons"], entry.charges) == (EventKind.DATA_REFUSED, "budget-exceeded", ())
    status = world.exchange.status(world.caller(), "REQ-0002")
    assert status.state is RequestState.REFUSED
    assert status.problem is not None
    assert status.problem.code == "budget-exceeded"
    world.store.close()


def test_of_several_windows_none_is_charged_when_one_does_not_suffice(world: World) -> None:
    for number in range(10):
        price = 100_000_000
        query = factories.query(where={"hour": (f"{number:02d}",)})
        world.submit(factories.request(id=f"REQ-1{number:03d}", query=query, nano_rho=price))

    both_years = factories.query(period=factories.period("2025-08-01", "2025-12-01"))
    with pytest.raises(Refused, match="budget-exceeded"):
        world.submit(factories.request(query=both_years))

    lines = {line.window: line.reserved for line in world.exchange.budget(world.caller())}
    assert (lines["FY2568"], lines["FY2569"]) == (0, 1_000_000_000)


def test_a_refusal_by_the_connector_shows_on_the_tick_and_returns_what_was_not_charged(world: World) -> None:
    world.later(0.5)
    world.submit(factories.request())
    (leased,) = world.lease()
    world.post(world.refusal(leased.task))
    early = world.exchange.status(world.caller(), "REQ-0001")
    world.later(0.5)

    status = world.exchange.status(world.caller(), "REQ-0001")

    assert early.state is RequestState.WAITING
    assert status.state is RequestState.REFUSED
    assert status.problem is not None
    assert (status.problem.code, status.problem.spent) == ("contract-not-approved", Spent.NOTHING)
    assert "ccib" in status.problem.detail
    assert (world.spent(), world.reserved()) == (0, 0)
    entry = world.log()[-1]
    assert (entry.kind, entry.facts["reasons"]) == (EventKind.DATA_REFUSED, "contract-not-approved")


def test_a_reservation_stays_spent_when_one_connector_charged(store_url: str) -> None:
    ours = factories.contract()
    theirs = factories.contract(id="crimes_case", agency="rtp")
    agreement = factories.agreement((ours, theirs))
    world = new_world(store_url, (ours, theirs), agreement)
    world.submit(factories.request(agreement))
    world.answer(ours)
    (leased,) = world.lease("rtp")
    world.post(world.refusal(leased.task, "source-unreachable"))
    world.later()

    status = world.exchange.status(world.caller(), "REQ-0001")

    assert status.problem is not None
    assert (status.problem.code, status.problem.spent) == ("source-unreachable", Spent.CHARGED)
    assert world.spent() == 100_000_000
    assert world.exchange.releases(None) == ()
    assert [charge.nano_rho for charge in world.log()[-1].charges] == [50_000_000, 50_000_000]
    world.store.close()


def test_a_connector_that_charged_and_then_failed_is_believed(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()

    world.post(world.refusal(leased.task, "source-unreachable", charged=True))

    assert (world.spent(), world.reserved()) == (50_000_000, 0)


def test_a_refusal_in_words_that_nobody_knows_is_not_repeated(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    world.post(world.refusal(leased.task, "somchai-jaidee"))
    world.later()

    status = world.exchange.status(world.caller(), "REQ-0001")

    assert status.problem is not None
    assert status.problem.code == "unknown-answer"
    assert "somchai" not in status.model_dump_json()


@pytest.mark.parametrize(
    ("changes", "agency", "code"),
    [
        ({"agreement": "AGR-9999-999"}, "oja", "unknown-agreement"),
        ({"activity": "something-else"}, "oja", "unknown-activity"),
        ({"query": factories.query(dimensions=("planet",))}, "oja", "unknown-dimension"),
        ({}, "rtp", "requester-not-party"),
    ],
)
def test_a_preview_names_what_does_not_fit(world: World, changes: dict[str, object], agency: str, code: str) -> None:
    fields = {
        "agreement": AGREEMENT.id,
        "activity": factories.ACTIVITY,
        "contracts": (CONTRACT.reference,),
        "query": factories.query(),
    }
    call = PreviewCall.model_validate(fields | changes)

    with pytest.raises((InvalidInput, Refused), match=code):
        world.exchange.preview(world.caller(agency), call)


def test_a_request_left_by_a_crash_is_asked_under_the_rules_of_today(world: World) -> None:
    world.restart(killed_at(CrashPoint.AFTER_RECEIVED))
    with pytest.raises(Killed):
        world.submit(factories.request())
    world.later(2 * 86_400)

    world.restart().resume()

    status = world.exchange.status(world.caller(), "REQ-0001")
    assert status.state is RequestState.REFUSED
    assert status.problem is not None
    assert status.problem.code == "delivery-expired"
    assert world.lease() == ()

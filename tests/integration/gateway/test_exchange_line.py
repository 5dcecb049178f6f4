"""The straight line of gateway/exchange.py, on a real SQLite and a real PostgreSQL."""

from datetime import timedelta

import pytest

from contracts.agreement import Agreement
from contracts.canonical import canonical_bytes, digest_of
from contracts.dataset import ProtectAt
from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose
from contracts.merkle import verify_receipt
from contracts.release import ReleaseState, Withdrawal
from contracts.request import RequestState
from contracts.signing import verify_compact
from contracts.transparency import EventKind
from contracts.views import PreviewCall
from gateway.public_record import PublishedRecord
from tests import factories
from tests.gateway_world import CONTRACT, World, new_world

pytestmark = pytest.mark.integration


def test_one_request_becomes_one_signed_release_with_a_receipt(world: World) -> None:
    request = factories.request()

    waiting = world.submit(request)
    world.answer()
    world.later()
    done = world.exchange.status(world.caller(), request.id)

    assert (waiting.state, waiting.waiting_for) == (RequestState.WAITING, ("ccib",))
    assert (done.state, done.waiting_for, done.repeated) == (RequestState.RELEASED, (), False)
    release = world.exchange.release(world.caller(), str(done.release))
    assert release.digest == digest_of(release.body)
    signed = verify_compact(release.signature, "release", world.keys.resolve(KeyPurpose.GATEWAY))
    assert signed.payload == canonical_bytes(release.body)
    assert release.receipt is not None
    verify_receipt(release.receipt, world.log_keys())
    entry = world.log()[-1]
    assert canonical_bytes(entry).decode() == release.receipt.entry
    assert entry.facts["release_digest"] == release.digest
    assert tuple(entry.commitments.values()) == release.body.parts
    assert world.kinds() == [EventKind.CONTRACT_PUBLISHED, EventKind.DATA_REQUESTED, EventKind.DATA_RELEASED]
    assert world.audited() == 3


def test_the_log_shows_the_question_and_hides_who_asked(world: World) -> None:
    request = factories.request()

    world.submit(request)

    entry = world.log()[-1]
    assert entry.facts["question"] == canonical_bytes(request.query).decode()
    assert (entry.facts["agencies"], entry.facts["tier"], entry.facts["activity"]) == (
        "ccib",
        "statistics",
        request.activity,
    )
    assert "oja#client-1" not in canonical_bytes(entry).decode()
    assert set(entry.commitments) == {"client", "request"}


def test_an_answer_carries_the_noise_that_was_planned(world: World) -> None:
    request = factories.request(query=factories.query(measures=("count", "damage_thb:mean")))

    world.submit(request)
    world.answer(level=100_000)
    world.later()

    done = world.exchange.status(world.caller(), request.id)
    body = world.exchange.release(world.caller(), str(done.release)).body
    assert [each.measure for each in body.released] == ["count", "damage_thb:sum"]
    assert [each.measure for each in body.derived] == ["damage_thb:mean"]
    for each in body.released:
        assert any(cell != 100_000 for cell in each.cells)
        assert all(abs(cell - 100_000) < 8 * each.sigma for cell in each.cells)


def test_the_same_question_gets_the_same_release_at_no_cost(world: World) -> None:
    world.submit(factories.request())
    world.answer()
    world.later()
    first = world.exchange.status(world.caller(), "REQ-0001")
    before = world.exchange.budget(world.caller())

    again = world.submit(factories.request(id="REQ-0002"))

    assert (again.state, again.release, again.repeated) == (RequestState.RELEASED, first.release, True)
    assert world.exchange.budget(world.caller()) == before
    assert world.lease() == ()
    assert world.kinds()[-1] is EventKind.RELEASE_REPEATED


def test_the_same_question_at_another_price_is_another_question(world: World) -> None:
    world.submit(factories.request())
    world.answer()

    again = world.submit(factories.request(id="REQ-0002", nano_rho=60_000_000))

    assert again.state is RequestState.WAITING


def test_a_new_data_version_makes_the_question_new(world: World) -> None:
    world.submit(factories.request())
    world.answer()
    world.versions = {"tpo_complaint": 2}
    world.lease()

    again = world.submit(factories.request(id="REQ-0002"))

    assert again.state is RequestState.WAITING


def test_a_withdrawn_release_is_not_given_again(world: World) -> None:
    world.submit(factories.request())
    world.answer()
    world.later()
    release = str(world.exchange.status(world.caller(), "REQ-0001").release)
    taken_back = Withdrawal(release=release, state=ReleaseState.WITHDRAWN, reason="wrong code list")
    world.exchange.withdraw(world.connector(), taken_back)

    again = world.submit(factories.request(id="REQ-0002"))

    assert again.state is RequestState.WAITING


def test_a_question_that_is_out_is_joined_and_charged_once(world: World) -> None:
    world.submit(factories.request())
    joined = world.submit(factories.request(id="REQ-0002"))
    tasks = world.lease()
    for leased in tasks:
        world.post(world.part(leased.task))
    world.later()

    first, second = (world.exchange.status(world.caller(), name) for name in ("REQ-0001", "REQ-0002"))

    assert (joined.state, joined.waiting_for) == (RequestState.WAITING, ("ccib",))
    assert len(tasks) == 1
    assert first.release == second.release
    assert (first.repeated, second.repeated) == (False, True)
    assert world.spent() == 50_000_000
    assert world.kinds()[-2:] == [EventKind.DATA_RELEASED, EventKind.RELEASE_REPEATED]


def test_who_joined_a_refused_request_is_asked_on_its_own(world: World) -> None:
    for name in ("REQ-0001", "REQ-0002", "REQ-0003"):
        world.submit(factories.request(id=name))
    (leased,) = world.lease()
    world.post(world.refusal(leased.task, "delivery-expired"))
    (second,) = world.lease()
    world.post(world.part(second.task))
    world.later()

    states = [world.exchange.status(world.caller(), f"REQ-000{n}") for n in (1, 2, 3)]

    assert [each.state for each in states] == [RequestState.REFUSED, RequestState.RELEASED, RequestState.RELEASED]
    assert states[1].release == states[2].release
    assert (states[1].repeated, states[2].repeated) == (False, True)
    assert world.spent() == 50_000_000


def test_results_leave_on_the_tick_and_not_before(world: World) -> None:
    world.later(0.4)
    request = factories.request()
    world.submit(request)
    world.answer()

    early = world.exchange.status(world.caller(), request.id)
    hidden = world.exchange.releases(None)
    world.later(0.6)
    on_time = world.exchange.status(world.caller(), request.id)

    assert (early.state, early.release, early.waiting_for) == (RequestState.WAITING, None, ("ccib",))
    assert early.available_at is None  # not even that the agency has answered
    assert hidden == ()
    assert on_time.state is RequestState.RELEASED
    assert len(world.exchange.releases(None)) == 1
    assert world.log()[-1].at == on_time.available_at
    assert world.exchange.release(None, str(on_time.release)).body.created == on_time.available_at


def test_a_refusal_and_a_joined_request_bear_their_tick_and_not_the_time_of_the_work(world: World) -> None:
    world.later(0.4)
    for name in ("REQ-0001", "REQ-0002"):
        world.submit(factories.request(id=name))
    (leased,) = world.lease()
    world.post(world.refusal(leased.task))
    world.submit(factories.request(id="REQ-0003"))
    world.answer()
    world.later()

    entries = {each.kind: each for each in world.log()}

    for kind in (EventKind.DATA_REFUSED, EventKind.DATA_RELEASED, EventKind.RELEASE_REPEATED):
        assert entries[kind].at == factories.NOW + timedelta(seconds=1)


def test_several_agencies_answer_one_question(store_url: str) -> None:
    ours = factories.contract(disjoint_from=("crimes_case",))
    theirs = factories.contract(
        id="crimes_case", agency="rtp", protect_at=ProtectAt.CONNECTOR, disjoint_from=("tpo_complaint",)
    )
    agreement = factories.agreement((ours, theirs))
    world = new_world(store_url, (ours, theirs), agreement)
    request = factories.request(agreement)

    asked = world.submit(request)
    world.answer(theirs)
    half = world.exchange.status(world.caller(), request.id)
    world.answer(ours)
    world.later()
    done = world.exchange.status(world.caller(), request.id)

    assert asked.waiting_for == ("ccib", "rtp")
    assert half.waiting_for == ("ccib",)
    body = world.exchange.release(world.caller(), str(done.release)).body
    assert [promise.protect_at for promise in body.promises] == [ProtectAt.GATEWAY, ProtectAt.CONNECTOR]
    assert all(abs(cell - 2000) < 8 * body.released[0].sigma for cell in body.released[0].cells)
    assert len(body.parts) == len(body.charges) == 2
    assert world.spent() == 100_000_000
    world.store.close()


def test_a_private_release_is_read_by_its_requester_and_its_agencies_alone(store_url: str) -> None:
    agreement = factories.agreement((CONTRACT,), activities=(factories.activity((CONTRACT,), publish=False),))
    world = new_world(store_url, (CONTRACT,), agreement)
    world.submit(factories.request(agreement))
    world.answer()
    world.later()
    release = str(world.exchange.status(world.caller(), "REQ-0001").release)

    assert [each.id for each in world.exchange.releases(world.caller())] == [release]
    assert [each.id for each in world.exchange.releases(world.connector())] == [release]
    assert world.exchange.release(world.connector(), release).body.id == release
    assert world.exchange.releases(None) == world.exchange.releases(world.connector("rtp")) == ()
    for stranger in (None, world.connector("rtp")):
        with pytest.raises(InvalidInput, match="unknown-release"):
            world.exchange.release(stranger, release)
    world.store.close()


def two_activities(store_url: str) -> tuple[World, Agreement]:
    """One activity whose releases stay private, and one that publishes."""
    private = factories.activity((CONTRACT,), id="private-work", publish=False)
    agreement = factories.agreement((CONTRACT,), activities=(private, factories.activity((CONTRACT,))))
    return new_world(store_url, (CONTRACT,), agreement), agreement


@pytest.mark.parametrize("joins", [False, True])
def test_a_private_release_becomes_public_when_an_activity_that_publishes_gets_it(store_url: str, joins: bool) -> None:  # noqa: FBT001  # a parameter of the test
    world, agreement = two_activities(store_url)
    requests = [factories.request(agreement)]
    requests += [factories.request(agreement, id=f"REQ-000{n}", activity=factories.ACTIVITY) for n in (2, 3)]
    world.submit(requests[0])
    private = None
    if not joins:
        world.answer()
        world.later()
        private = world.exchange.release(world.caller(), str(world.exchange.status(world.caller(), "REQ-0001").release))
        assert world.exchange.releases(None) == ()
    for request in requests[1:]:
        world.submit(request)
    world.answer()
    world.later()

    (summary,) = world.exchange.releases(None)

    public = world.exchange.release(None, summary.id)
    assert summary.public
    assert not public.body.public  # as it was signed
    assert public.digest == digest_of(public.body)
    if private is not None:
        assert (public.body, public.signature) == (private.body, private.signature)
    repeats = [each.facts.get("public") for each in world.log() if each.kind is EventKind.RELEASE_REPEATED]
    assert repeats == ["true", None]
    world.store.close()


def test_a_private_release_that_a_private_activity_gets_again_stays_private(store_url: str) -> None:
    world, agreement = two_activities(store_url)
    world.submit(factories.request(agreement))
    world.answer()
    world.later()

    world.submit(factories.request(agreement, id="REQ-0002"))

    assert world.exchange.releases(None) == ()
    assert "public" not in world.log()[-1].facts
    world.store.close()


def test_a_request_is_seen_by_its_own_agency_alone(world: World) -> None:
    world.submit(factories.request())

    with pytest.raises(InvalidInput, match="unknown-request"):
        world.exchange.status(world.connector(), "REQ-0001")


def test_a_task_whose_connector_went_silent_is_given_out_again(world: World) -> None:
    world.submit(factories.request())

    first = world.lease()
    meanwhile = world.lease()
    world.later(31)
    second = world.lease()

    assert [(each.task.id, each.attempt) for each in first] == [(each.task.id, 1) for each in second]
    assert meanwhile == ()
    assert [each.attempt for each in second] == [2]
    assert second[0].token == f"token for {second[0].task.id}"
    assert [seen.agency for seen in world.exchange.connectors()] == ["ccib"]


def test_a_preview_says_what_the_request_will_cost_and_touches_nothing(world: World) -> None:
    call = PreviewCall(
        agreement="AGR-2569-001",
        activity=factories.ACTIVITY,
        contracts=(CONTRACT.reference,),
        query=factories.query(),
        nano_rho=50_000_000,
    )
    size = len(world.log())

    before = world.exchange.preview(world.caller(), call)
    world.submit(factories.request())
    world.answer()
    world.later()
    after = world.exchange.preview(world.caller(), call)

    assert (before.cells, before.nano_rho, before.affordable, before.already_released) == (9, 50_000_000, True, None)
    assert [(line.spent, line.reserved, line.left) for line in before.before] == [(0, 0, 1_000_000_000)]
    body = world.exchange.release(world.caller(), str(after.already_released)).body
    assert body.released[0].sigma == before.measures[0].sigma
    assert [(line.spent, line.left) for line in after.before] == [(50_000_000, 950_000_000)]
    assert len(world.log()) == size + 2


def test_a_preview_defaults_to_the_price_of_the_activity_and_says_what_is_too_much(world: World) -> None:
    call = PreviewCall(
        agreement="AGR-2569-001",
        activity=factories.ACTIVITY,
        contracts=(CONTRACT.reference,),
        query=factories.query(),
    )

    usual = world.exchange.preview(world.caller(), call)
    too_much = world.exchange.preview(world.caller(), call.model_copy(update={"nano_rho": 1_000_000_001}))

    assert usual.nano_rho == 100_000_000
    assert (usual.affordable, too_much.affordable) == (True, False)


def test_every_window_of_a_contract_has_its_line_before_it_is_touched(world: World) -> None:
    lines = world.exchange.budget(world.caller())

    assert [line.window for line in lines] == ["FY2565", "FY2566", "FY2567", "FY2568", "FY2569"]
    assert {line.left for line in lines} == {1_000_000_000}


def test_the_public_page_reads_public_releases_with_their_figures(world: World) -> None:
    record = PublishedRecord(world.exchange.means)
    nothing = record.releases(None), record.latest_forecast()
    world.submit(factories.request())
    world.answer()
    world.later()

    (fresh,) = record.releases(None)
    (kept,) = record.releases(None)
    world.exchange.withdraw(
        world.caller(), Withdrawal(release=fresh.body.id, state=ReleaseState.WITHDRAWN, reason="wrong code list")
    )
    (flagged,) = record.releases(None)

    assert nothing == ((), None)
    assert fresh is kept
    assert flagged.withdrawal is not None

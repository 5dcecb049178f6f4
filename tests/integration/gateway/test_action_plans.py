"""The register of action plans: signed by its owner, never changed, all or none, flagged with its forecast."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.action_plan import PLAN_KIND, ActionPlan, Registered
from contracts.canonical import canonical_bytes, digest_of
from contracts.errors import InvalidInput, Refused
from contracts.release import Release
from contracts.signing import sign_compact
from contracts.transparency import EventKind
from gateway import action_plans as register
from gateway.caller import Caller
from gateway.store.action_plans import Wanted
from tests.gateway_world import World
from tests.plan_world import after, plan, with_client
from tests.publication_world import (
    analysis_from,
    cites,
    forecast_of,
    publish_analysis,
    publish_forecast,
    released,
    signed,
    withdraw,
)

pytestmark = pytest.mark.integration

EVERY = Wanted()
ONE_DATABASE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""Of a guard before the database it is enough to run it on one."""


@pytest.fixture
def release(world: World) -> Release:
    """The release behind the forecast that the plans cite."""
    found = released(world)
    publish_forecast(world, forecast_of(cites(found)))
    return found


def send(world: World, *plans: ActionPlan) -> Registered:
    documents = [signed(world, each, PLAN_KIND) for each in plans]
    return register.register(world.exchange.means, world.caller(), documents)


def listed(world: World, wanted: Wanted = EVERY) -> list[tuple[str, int]]:
    return [(each.plan.id, each.plan.version) for each in register.plans(world.exchange.means, wanted)]


def logged(world: World) -> list[dict[str, str]]:
    return [each.facts for each in world.log() if each.kind is EventKind.PLAN_REGISTERED]


def faults_of(act: Callable[[], object]) -> str:
    with pytest.raises(Refused, match="plans-not-registered") as caught:
        act()
    return caught.value.reasons[0].message_en


@pytest.mark.usefixtures("release")
def test_a_plan_is_registered_once_and_every_change_is_a_version_in_the_log(world: World) -> None:
    first = plan()
    second = after(first, end="2026-12-31")
    assert send(world, first) == Registered(new=(first.id,))
    assert send(world, first) == Registered(unchanged=(first.id,))
    assert send(world, second) == Registered(changed=(first.id,))
    assert send(world, second) == Registered(unchanged=(first.id,))

    newest, before = register.versions(world.exchange.means, first.id)
    assert (newest.plan, newest.newest, before.plan, before.newest) == (second, True, first, False)
    assert (newest.digest, second.supersedes) == (digest_of(second), before.digest)
    about = {"province": "50", "forecast": "forecast-0001"}
    assert logged(world) == [
        {"digest": digest_of(first), "version": "1", **about},
        {"digest": digest_of(second), "version": "2", "supersedes": digest_of(first), **about},
    ]


@pytest.mark.usefixtures("release")
def test_of_many_versions_at_once_one_follows(world: World) -> None:
    documents = [signed(world, plan(end=f"2026-{month:02}-28"), PLAN_KIND) for month in range(5, 13)]
    means, calls = world.exchange.means, [(world.caller(), each) for each in documents]

    def sent(call: tuple[Caller, str]) -> str:
        try:
            return register.register(means, call[0], [call[1]]).new[0]
        except Refused as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(sent, calls))
    assert outcomes == [plan().id, *["plans-not-registered"] * 7]
    assert len(logged(world)) == 1


@pytest.mark.usefixtures("release")
def test_of_several_plans_all_are_registered_or_none(world: World) -> None:
    good, other = plan(), plan(id="CNX-2569-2")
    told = faults_of(lambda: send(world, good, plan(id="CNX-2569-3", forecast="forecast-9999"), other, other))
    assert "CNX-2569-3: forecast: unknown-forecast" in told
    assert "CNX-2569-2: id: given-twice" in told
    assert "CNX-2569-1" not in told
    assert (listed(world), logged(world)) == ([], [])
    assert send(world, good, other).new == (good.id, other.id)
    mixed = send(world, good, after(other, end="2026-12-31"), plan(id="CNX-2569-4"))
    assert mixed == Registered(new=("CNX-2569-4",), changed=(other.id,), unchanged=(good.id,))


@ONE_DATABASE
@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    "change",
    [
        lambda first: plan(end="2026-12-31"),
        lambda first: after(first, version=3),
        lambda first: after(first, supersedes=f"sha-256:{'0' * 64}"),
    ],
    ids=["a first version again", "a version left out", "after another"],
)
def test_a_version_follows_the_newest_one(world: World, change: Callable[[ActionPlan], ActionPlan]) -> None:
    first = plan()
    send(world, first)
    assert "plan-moved" in faults_of(lambda: send(world, change(first)))
    assert listed(world) == [(first.id, 1)]


@ONE_DATABASE
def test_an_analysis_is_no_forecast_to_plan_by(world: World, release: Release) -> None:
    publish_analysis(world, analysis_from(cites(release)))
    assert "unknown-forecast" in faults_of(lambda: send(world, plan(forecast="analysis-0001")))


@ONE_DATABASE
@pytest.mark.usefixtures("release")
def test_a_plan_is_registered_by_its_owner_alone(world: World) -> None:
    with pytest.raises(Refused, match="not-allowed"):
        send(world, plan(owner="rtp"))
    document = signed(world, plan(), PLAN_KIND)
    with pytest.raises(Refused, match="not-allowed"):
        register.register(world.exchange.means, world.caller("rtp"), [document])
    with pytest.raises(Refused, match="key-unknown"):
        register.register(world.exchange.means, world.caller(), [signed(world, plan(), PLAN_KIND, "oja#officer-1")])
    with pytest.raises(Refused, match="signature-wrong"):
        register.register(world.exchange.means, world.caller(), [signed(world, plan(), "forecast")])
    assert listed(world) == []


@ONE_DATABASE
@pytest.mark.usefixtures("release")
def test_an_identifier_stays_with_the_agency_that_registered_it_first(world: World) -> None:
    send(world, plan())
    world.keys = with_client("rtp")
    world.restart()
    theirs = after(plan(), owner="rtp")
    with pytest.raises(Refused, match="plan-of-another"):
        register.register(world.exchange.means, world.caller("rtp"), [signed(world, theirs, PLAN_KIND, "rtp#client-1")])
    assert [each.plan.owner for each in register.plans(world.exchange.means, EVERY)] == ["oja"]


@ONE_DATABASE
@pytest.mark.usefixtures("release")
def test_a_call_that_is_played_again_is_refused(world: World) -> None:
    document, caller = signed(world, plan(), PLAN_KIND), world.caller()
    register.register(world.exchange.means, caller, [document])
    with pytest.raises(Refused, match="request-replayed"):
        register.register(world.exchange.means, caller, [document])


@ONE_DATABASE
@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda text: text + b" ", "not-canonical"),
        (lambda text: text.replace(b'"province":"50"', b'"province":"99"'), r"province \(unknown-province\)"),
        (lambda text: text.replace("ตลาดวโรรส".encode(), "นายสมชาย ใจดี".encode()), "identity-in-register"),
    ],
    ids=["spaced", "no province", "names a person"],
)
def test_a_document_that_is_no_plan_is_refused(world: World, spoil: Callable[[bytes], bytes], code: str) -> None:
    payload = canonical_bytes(plan())
    document = sign_compact(spoil(payload), PLAN_KIND, world.keys["oja#client-1"])
    with pytest.raises(InvalidInput, match=code):
        register.register(world.exchange.means, world.caller(), [document])
    assert spoil(payload) != payload


@pytest.mark.usefixtures("release")
def test_the_register_is_read_by_province_owner_and_instant(world: World) -> None:
    first = plan()
    send(world, first)
    early = world.now
    world.later(60)
    send(world, after(first, province="10"), plan(id="CNX-2569-2"))

    assert listed(world) == [(first.id, 2), ("CNX-2569-2", 1)]  # by province, and 10 is before 50
    assert listed(world, Wanted(as_of=early)) == [(first.id, 1)]
    assert listed(world, Wanted(province="50")) == [("CNX-2569-2", 1)]
    assert listed(world, Wanted(province="50", as_of=early)) == [(first.id, 1)]
    assert listed(world, Wanted(owner="oja")) == listed(world)
    assert listed(world, Wanted(owner="rtp")) == []
    means = world.exchange.means
    assert [each.plan.version for each in register.versions(means, first.id, early)] == [1]
    with pytest.raises(InvalidInput, match="unknown-publication"):
        register.versions(means, "CNX-2569-2", early)
    with pytest.raises(InvalidInput, match="province"):
        register.plans(means, Wanted(province="99"))


def test_a_plan_is_flagged_when_the_forecast_that_it_cites_no_longer_stands(world: World, release: Release) -> None:
    send(world, plan(offence_groups=("G2", "G4")))
    before = world.now
    world.later(60)
    withdraw(world, release)

    (view,) = register.plans(world.exchange.means, EVERY)
    assert (view.flagged, view.flagged_since, view.flags) == (
        (release.body.id,),
        (),
        ("enforcement", "forecast-flagged"),
    )
    (then,) = register.plans(world.exchange.means, Wanted(as_of=before))
    assert (then.flagged, then.flagged_since, then.flags) == ((), (release.body.id,), ("enforcement",))
    (shown,) = register.versions(world.exchange.means, "CNX-2569-1")
    assert shown == view

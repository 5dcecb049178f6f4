"""What a connector believes of what the gateway tells: orders to suspend and to lift, and acts on agreements."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors import notices
from connectors.answer import answer
from connectors.crash import CrashPoint
from connectors.journal import notices as kept
from contracts.agreement_acts import signed_act
from contracts.canonical import canonical_bytes, digest_of
from contracts.federation import KeyPurpose
from contracts.lifecycle import Act, AgreementAct, Because
from contracts.signing import sign_compact, sign_document
from contracts.suspension import Order, Suspended
from contracts.task import Notice, Part
from tests import factories
from tests.connector_world import Killed, World, case, contract_text, die_at, with_key
from tests.factories import NOW
from tests.suspension_orders import signed_order, suspension

pytestmark = pytest.mark.integration


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, factories.federation())
    world.approve()
    world.approve(contract_text("gateway"))
    yield world
    world.journal.close()


def hear(world: World, *documents: str, after: int = 0) -> None:
    """The gateway tells of these documents."""
    told = tuple(Notice(number=after + place, document=each) for place, each in enumerate(documents, 1))
    notices.take(world.journal, world.keys.federation, told, world.now)


def ordered(world: World, *kids: str, **changes: object) -> str:
    return signed_order(world.keys, suspension(**changes), *kids)


def acted(world: World, act: Act, kid: str = "ccib#officer-1", **changes: object) -> str:
    return signed_act(an_act(act, kid, **changes), world.keys[kid])


def an_act(act: Act, kid: str = "ccib#officer-1", **changes: object) -> AgreementAct:
    agreement = case().agreement
    fields: dict[str, object] = {
        "agreement": agreement.id,
        "version": agreement.version,
        "digest": digest_of(agreement),
        "act": act,
        "agency": kid.partition("#")[0],
        "at": NOW,
        "because": Because.INCIDENT,
    }
    return AgreementAct.model_validate(fields | changes)


def give(world: World) -> Part:
    answer(case().leased(now=world.now), world.desk(), world.clock)
    return world.posted[-1]


def suspended(world: World) -> Suspended:
    return world.guard().situation.suspended()


# ------------------------------------------------------------------ what is believed


def forged(world: World) -> list[str]:
    """Documents that a seized gateway might send to lift CCIB's own suspension."""
    lift = suspension(order=Order.LIFT)
    stranger = with_key(world.keys, "ccib#officer-9", KeyPurpose.OFFICER)["ccib#officer-9"]
    return [
        signed_order(world.keys, lift, "ccib#officer-1"),
        signed_order(world.keys, lift, "oja#officer-1", "oja#officer-2"),
        signed_order(world.keys, suspension(order=Order.LIFT, by="oja"), "oja#officer-1", "oja#officer-2"),
        signed_order(world.keys, lift, "rtp#officer-1", "rtp#dpo-1"),
        sign_document(canonical_bytes(lift), "suspension", world.keys["ccib#dpo-1"], stranger),
        sign_document(canonical_bytes(lift), "agreement-act", world.keys["ccib#officer-1"], world.keys["ccib#dpo-1"]),
        sign_compact(canonical_bytes(lift), "suspension", world.keys["ccib#officer-1"]),
        sign_document(canonical_bytes(lift), "release", world.keys["ccib#officer-1"]),
        "not a document",
    ]


def test_a_seized_gateway_forges_no_lift(world: World) -> None:
    hear(world, ordered(world))

    hear(world, *forged(world), after=1)

    assert suspended(world).covers("ccib")
    assert kept.cursor(world.journal) == 1 + len(forged(world))


def test_what_is_not_believed_does_not_hold_up_what_comes_after_it(world: World) -> None:
    hear(world, "not a document", ordered(world))

    assert suspended(world).covers("ccib")
    assert [each.code for each in kept.doubted(world.journal)] == ["signature-wrong"]


def test_a_notice_by_a_key_that_the_federation_gets_later_is_believed_at_the_next_start(world: World) -> None:
    later = with_key(world.keys, "ccib#officer-9", KeyPurpose.OFFICER)
    hear(world, signed_order(later, suspension(), "ccib#officer-9"))
    assert not suspended(world).covers("ccib")

    world.keys = later
    notices.reconsider(world.journal, world.keys.federation, world.now)

    assert suspended(world).covers("ccib")
    assert kept.doubted(world.journal) == ()
    assert kept.cursor(world.journal) == 1


def test_a_connector_that_is_set_up_years_later_believes_what_was_signed_in_time(world: World) -> None:
    world.keys = factories.federation(valid_until=NOW + timedelta(days=1))
    world.later(days=400)
    hear(world, ordered(world))
    assert suspended(world).covers("ccib")

    hear(world, ordered(world, id="SUS-0002", at=world.now), after=1)
    assert [each.code for each in kept.doubted(world.journal)] == ["key-unknown"]


def test_a_notice_from_the_future_is_not_believed(world: World) -> None:
    hear(world, ordered(world, at=NOW + timedelta(hours=1)), acted(world, Act.REVOKE, at=NOW + timedelta(hours=1)))

    assert [each.code for each in kept.doubted(world.journal)] == ["signature-stale", "signature-stale"]


NOTICED = (CrashPoint.NOTICES_BEFORE_COMMIT, CrashPoint.NOTICES_AFTER_COMMIT)


@pytest.mark.parametrize("point", NOTICED)
def test_a_kill_while_notices_are_written_down_loses_none(world: World, point: CrashPoint) -> None:
    document = ordered(world)
    dying = world.restarted(die_at(point))
    with pytest.raises(Killed):
        hear(dying, document)
    again = dying.restarted()

    known = kept.cursor(again.journal)
    assert suspended(again).covers("ccib") == bool(known)
    hear(again, document)
    assert suspended(again).covers("ccib")
    again.journal.close()


# ------------------------------------------------------------------ acts on an agreement


def test_an_agreement_that_a_party_suspended_is_not_answered_until_the_same_party_resumes(world: World) -> None:
    hear(world, acted(world, Act.SUSPEND, "oja#officer-1"))
    assert give(world).refusal == "agreement-not-active"

    follows = {"previous": digest_of(an_act(Act.SUSPEND, "oja#officer-1"))}
    hear(world, acted(world, Act.RESUME, "ccib#officer-1", **follows), after=1)
    assert give(world).refusal == "agreement-not-active"

    hear(world, acted(world, Act.RESUME, "oja#officer-2", **follows), after=2)
    assert give(world).refusal is None


def test_the_order_in_which_acts_are_told_changes_nothing(world: World) -> None:
    first = an_act(Act.SUSPEND)
    resumed = an_act(Act.RESUME, previous=digest_of(first))
    again = an_act(Act.SUSPEND, previous=digest_of(resumed))

    hear(world, *(signed_act(each, world.keys["ccib#officer-1"]) for each in (again, first, resumed)))
    assert give(world).refusal == "agreement-not-active"

    hear(world, acted(world, Act.RESUME, previous=digest_of(again)), after=3)
    assert give(world).refusal is None


def test_a_resume_by_a_fast_clock_does_not_undo_the_suspension_that_follows_it(world: World) -> None:
    first = an_act(Act.SUSPEND)
    resumed = an_act(Act.RESUME, previous=digest_of(first), at=NOW + timedelta(seconds=110))
    again = an_act(Act.SUSPEND, "ccib#dpo-1", previous=digest_of(resumed), at=NOW + timedelta(seconds=90))
    hear(
        world,
        *(signed_act(each, world.keys["ccib#officer-1"]) for each in (first, resumed)),
        signed_act(again, world.keys["ccib#dpo-1"]),
    )

    assert give(world).refusal == "agreement-not-active"


def test_a_resume_follows_its_suspension_across_what_another_party_did_and_across_nothing_unheard(world: World) -> None:
    mine, theirs = an_act(Act.SUSPEND), an_act(Act.SUSPEND, "oja#officer-1", previous=digest_of(an_act(Act.SUSPEND)))
    over = an_act(Act.RESUME, "oja#officer-1", previous=digest_of(theirs))
    resumed = an_act(Act.RESUME, previous=digest_of(over))
    hear(world, signed_act(mine, world.keys["ccib#officer-1"]), signed_act(resumed, world.keys["ccib#officer-1"]))
    assert give(world).refusal == "agreement-not-active"

    hear(world, *(signed_act(each, world.keys["oja#officer-1"]) for each in (theirs, over)), after=2)

    assert give(world).refusal is None


def test_a_resume_that_follows_nothing_lifts_nothing_whatever_its_time(world: World) -> None:
    hear(world, acted(world, Act.SUSPEND), acted(world, Act.RESUME, at=NOW + timedelta(minutes=1)))

    assert give(world).refusal == "agreement-not-active"


def test_the_same_act_by_a_key_that_does_not_count_displaces_nobodys(world: World) -> None:
    revoked = an_act(Act.REVOKE)
    hear(world, signed_act(revoked, world.keys["rtp#officer-1"]))
    assert give(world).refusal is None

    hear(world, signed_act(revoked, world.keys["ccib#officer-1"]), after=1)

    assert give(world).refusal == "agreement-not-active"


@pytest.mark.parametrize(
    ("act", "kid"), [(Act.REVOKE, "ccib#dpo-1"), (Act.REVOKE, "oja#officer-1"), (Act.SUPERSEDE, "oja#gateway-1")]
)
def test_what_was_revoked_or_superseded_stays_so(world: World, act: Act, kid: str) -> None:
    hear(world, acted(world, act, kid), acted(world, Act.RESUME, at=NOW + timedelta(minutes=1)))

    assert give(world).refusal == "agreement-not-active"


@pytest.mark.parametrize(
    ("act", "kid", "changes"),
    [
        (Act.REVOKE, "rtp#officer-1", {}),
        (Act.SUSPEND, "oja#gateway-1", {}),
        (Act.SUSPEND, "ccib#officer-1", {"digest": f"sha-256:{'0' * 64}"}),
        (Act.APPROVE, "ccib#officer-1", {}),
    ],
)
def test_acts_of_strangers_or_about_other_texts_change_nothing(
    world: World, act: Act, kid: str, changes: dict[str, object]
) -> None:
    hear(world, acted(world, act, kid, **changes))

    assert give(world).refusal is None


def test_a_gateway_resumes_nothing_that_a_party_suspended(world: World) -> None:
    later = {"at": NOW + timedelta(minutes=1)}
    hear(world, acted(world, Act.SUSPEND, "oja#officer-1"), acted(world, Act.RESUME, "oja#gateway-1", **later))

    assert give(world).refusal == "agreement-not-active"


def test_every_such_crash_point_is_passed_here() -> None:
    assert [each for each in CrashPoint if each.startswith("notices")] == list(NOTICED)

"""A request that cannot go on ends, and holds up neither the others nor the gateway's start."""

from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.errors import InvalidInput
from contracts.request import Request, RequestState
from contracts.transparency import EventKind
from gateway import events
from gateway.crash import CrashPoint
from gateway.main import create_app
from gateway.question import Asked, digest_of_request, look_up_again
from gateway.settings import GatewaySettings
from gateway.store import requests
from gateway.store.requests import NewRequest
from tests import factories
from tests.api_world import ApiWorld
from tests.gateway_world import Killed, World, forwarded, killed_at

pytestmark = pytest.mark.integration

MEANS = factories.query(measures=("damage_thb:mean",))
CITIZEN = "1101700203451"


def received(world: World, request: Request) -> None:
    """A request that an older program wrote down without looking at its price."""
    sent = forwarded(request)
    digest = digest_of_request(sent)
    with world.store.transaction() as t:
        asked: Asked = look_up_again(t, request, digest, world.now)
        event = events.requested(asked, "oja#client-1", world.now, bytes)
        requests.receive(t, NewRequest(request.id, digest, "oja", asked.question, sent), world.now, event)


def rewritten(world: World, request: Request) -> None:
    """A stored request as if it had named these contracts from the start."""
    body = canonical_bytes(request).decode()
    with world.store.engine.begin() as connection:
        connection.execute(
            text("UPDATE requests SET forwarded = :f, digest = :d WHERE id = :i"),
            {"f": forwarded(request).model_dump_json(), "d": digest_of_bytes(body.encode()), "i": request.id},
        )


def test_a_price_below_one_nano_rho_a_measure_is_refused_before_anything_is_written(world: World) -> None:
    size = len(world.log())

    with pytest.raises(InvalidInput, match="price-not-positive"):
        world.submit(factories.request(query=MEANS, nano_rho=1))

    assert len(world.log()) == size
    with pytest.raises(InvalidInput, match="unknown-request"):
        world.exchange.status(world.caller(), "REQ-0001")


def test_a_stored_request_whose_price_makes_no_plan_ends_refused_and_the_next_one_goes_on(world: World) -> None:
    received(world, factories.request(query=MEANS, nano_rho=1))
    world.restart(killed_at(CrashPoint.AFTER_RECEIVED))
    with pytest.raises(Killed):
        world.submit(factories.request(id="REQ-0002"))

    world.restart().resume()

    refused = world.exchange.status(world.caller(), "REQ-0001")
    assert refused.state is RequestState.REFUSED
    assert refused.problem is not None
    assert refused.problem.code == "price-not-positive"
    entry = next(each for each in world.log() if each.kind is EventKind.DATA_REFUSED)
    assert (entry.subject, entry.facts["reasons"]) == ("REQ-0001", "price-not-positive")
    assert world.exchange.status(world.caller(), "REQ-0002").waiting_for == ("ccib",)
    assert world.reserved() == 50_000_000


def test_asking_ends_a_request_that_raises_after_it_was_received(world: World) -> None:
    """The second guard: even if the look-up let it pass, nothing stays received for ever."""
    request = factories.request(query=MEANS, nano_rho=1)
    received(world, request)
    with world.store.read() as r:
        asked = look_up_again(r, request, digest_of_request(forwarded(request)), world.now)

    with pytest.raises(InvalidInput, match="price-not-positive"):
        world.exchange._ask(asked, forwarded(request))

    assert world.exchange.status(world.caller(), "REQ-0001").state is RequestState.REFUSED


def test_a_stored_request_that_no_longer_fits_the_registry_ends_refused(world: World) -> None:
    world.restart(killed_at(CrashPoint.AFTER_RECEIVED))
    with pytest.raises(Killed):
        world.submit(factories.request())
    rewritten(world, factories.request(activity="gone-activity"))

    world.restart().resume()

    status = world.exchange.status(world.caller(), "REQ-0001")
    assert status.problem is not None
    assert status.problem.code == "unknown-activity"
    entry = world.log()[-1]
    assert (entry.kind, entry.agency, entry.facts) == (
        EventKind.DATA_REFUSED,
        "oja",
        {"reasons": "unknown-activity"},
    )


def test_a_request_that_fails_at_every_tick_holds_up_no_other_and_shows_no_value(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    world.restart(killed_at(CrashPoint.AFTER_PART))
    with pytest.raises(Killed):
        world.post(world.part(leased.task))
    with world.store.engine.begin() as connection:
        connection.execute(text("UPDATE tasks SET part = :p"), {"p": CITIZEN})
    world.restart(killed_at(CrashPoint.AFTER_RECEIVED))
    with pytest.raises(Killed):
        world.submit(factories.request(id="REQ-0002", nano_rho=60_000_000))

    world.restart().resume()

    assert world.exchange.status(world.caller(), "REQ-0001").state is RequestState.WAITING
    assert [each.task.agency for each in world.lease()] == ["ccib"]
    assert "ValidationError" in caplog.text
    assert CITIZEN not in caplog.text


def test_the_code_of_an_error_of_ours_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    world.restart(killed_at(CrashPoint.AFTER_PART))
    with pytest.raises(Killed):
        world.post(world.part(leased.task))
    rewritten(world, factories.request(activity="gone-activity"))

    world.restart().resume()

    assert "unknown-activity InvalidInput" in caplog.text


def test_the_gateway_starts_though_carrying_on_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world = ApiWorld(tmp_path / "home")
    with world.world.store.engine.begin() as connection:
        connection.execute(text("DROP TABLE nonces"))

    with TestClient(create_app(GatewaySettings(home=world.home, tick_seconds=3600.0), lambda: world.now)) as http:
        assert http.get("/health/live").status_code == 200

    assert "tick: OperationalError" in caplog.text

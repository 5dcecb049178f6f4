"""Guards of the gateway that another guard usually hides: here each stands alone."""

from datetime import timedelta
from importlib.resources import files

import pytest

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.forecast import Citation, Forecast, ForecastSeries
from contracts.odcs import canonical_document, read_contract
from contracts.signing import sign_compact, sign_document
from contracts.transparency import EventKind, LogEntry
from contracts.views import PublishedContract
from gateway.question import digest_of_request, look_up
from gateway.store import requests
from gateway.store.log import Event
from gateway.store.requests import NewRequest
from tests import factories
from tests.connector_world import with_key
from tests.factories import NOW
from tests.gateway_world import CONTRACT, World, forwarded

pytestmark = pytest.mark.integration

ODCS = files("contracts").joinpath("datasets/dop_case.odcs.yaml").read_text(encoding="utf-8")
PRIVATE = factories.agreement(
    (CONTRACT,), id="AGR-2569-009", activities=(factories.activity((CONTRACT,), publish=False),)
)


def test_a_second_steward_beside_steward_and_dpo_spoils_a_contract(world: World) -> None:
    world.keys = with_key(world.keys, "dop#steward-2", KeyPurpose.STEWARD)
    world.restart()
    signers = (world.keys[f"dop#{name}"] for name in ("steward-1", "steward-2", "dpo-1"))
    document = sign_document(canonical_document(ODCS), "contract", *signers)
    published = PublishedContract(reference=read_contract(ODCS).reference, agency="dop", document=document)

    with pytest.raises(Refused, match="signers-incomplete"):
        world.exchange.publish_contract(world.connector("dop"), published)


def test_nobody_cites_a_release_that_is_not_theirs_to_read(world: World) -> None:
    world.keys = with_key(world.keys, "rtp#client-1", KeyPurpose.CLIENT)
    world.restart()
    world.register((), PRIVATE)
    world.submit(factories.request(PRIVATE))
    world.answer()
    world.later()
    release = world.exchange.release(world.caller(), str(world.exchange.status(world.caller(), "REQ-0001").release))
    forecast = Forecast(
        id="forecast-0001",
        title=factories.text("forecast"),
        model="AutoETS",
        level=80,
        months=("2026-01",),
        dimensions=("province",),
        series=(ForecastSeries(labels={"province": "10"}, mean=(1.0,), low=(0.0,), high=(2.0,), usual=(1.0,)),),
        scores=(),
        citations=(Citation(release=release.body.id, digest=release.digest),),
        limits=factories.text("limits"),
        created=NOW,
    )
    own = sign_compact(canonical_bytes(forecast), "forecast", world.keys["rtp#client-1"])

    with pytest.raises(InvalidInput, match="unknown-release"):
        world.exchange.publish_forecast(world.caller("rtp"), own)


def test_of_two_requests_of_one_name_that_come_at_once_the_second_is_refused(world: World) -> None:
    """Both were looked up before either was written: the table decides, not the look."""
    first, second = factories.request(), factories.request(nano_rho=60_000_000)
    with world.exchange.means.store.transaction() as t:
        event = Event(LogEntry(kind=EventKind.DATA_REQUESTED, at=NOW, agency="oja", subject="REQ-0001"))
        for each in (first, second):
            sent = forwarded(each)
            asked = look_up(t, each, digest_of_request(sent), NOW + timedelta(seconds=1))
            new = NewRequest(each.id, asked.digest, "oja", asked.question, sent)
            if each is first:
                assert requests.receive(t, new, NOW, event)
                assert not requests.receive(t, new, NOW, event)
            else:
                with pytest.raises(InvalidInput, match="request-id-reused"):
                    requests.receive(t, new, NOW, event)

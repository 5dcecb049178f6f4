"""The straight line of gateway/exchange.py, on a real SQLite and a real PostgreSQL."""

from collections.abc import Iterator

import pytest

from contracts.canonical import canonical_bytes, digest_of, digest_of_bytes
from contracts.dataset import ProtectAt
from contracts.errors import InvalidInput, Refused, SaphanError
from contracts.federation import KeyPurpose
from contracts.merkle import verify_export, verify_receipt
from contracts.request import RequestState
from contracts.signing import verify_compact
from contracts.transparency import EventKind, LogEntry
from tests import factories
from tests.factories import ISSUER
from tests.gateway_world import CONTRACT, World, forwarded, new_world

pytestmark = pytest.mark.integration


@pytest.fixture
def world(store_url: str) -> Iterator[World]:
    made = new_world(store_url)
    yield made
    made.store.close()


def entries(world: World) -> list[LogEntry]:
    return [LogEntry.model_validate_json(text) for text in world.exchange.export().entries]


def kinds(world: World) -> list[EventKind]:
    return [entry.kind for entry in entries(world)]


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
    verify_receipt(release.receipt, world.keys.resolve(KeyPurpose.LOG), ISSUER)
    entry = LogEntry.model_validate_json(release.receipt.entry)
    assert entry.facts["release_digest"] == release.digest
    assert tuple(entry.commitments.values()) == release.body.parts
    assert kinds(world) == [EventKind.CONTRACT_PUBLISHED, EventKind.DATA_REQUESTED, EventKind.DATA_RELEASED]
    size = verify_export(world.exchange.export(), world.keys.resolve(KeyPurpose.LOG), ISSUER)
    assert size == 3

"""The gateway forwards under its own signature, and takes no answer that is not signed over that."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.canonical import canonical_bytes
from contracts.chain import PART_FIELDS, check_forward, message_of, sign_part
from contracts.errors import Refused, SaphanError
from contracts.federation import KeyPurpose
from contracts.message_signatures import Tag, new_nonce, verify
from contracts.request import RequestState
from contracts.task import Forwarded, LeasedTask, Task
from gateway.crash import CrashPoint
from tests import factories
from tests.factories import NOW
from tests.gateway_world import Killed, World, killed_at

pytestmark = pytest.mark.integration


def leased(world: World, name: str = "REQ-0001", nano_rho: int = 50_000_000) -> LeasedTask:
    world.submit(factories.request(id=name, nano_rho=nano_rho))
    (given,) = world.lease()
    return given


def refused(world: World, task: Task, posted: Forwarded) -> str:
    """What a post is refused with; nothing is kept of it."""
    with pytest.raises(SaphanError) as caught:
        world.exchange.accept_part(world.connector(), task.id, posted)
    status = world.exchange.status(world.caller(), "REQ-0001")
    assert (status.state, status.waiting_for) == (RequestState.WAITING, ("ccib",))
    return caught.value.code


def test_every_task_carries_the_requesters_and_the_gateways_signature(world: World) -> None:
    task = leased(world).task

    clients, gateways = world.keys.resolve(KeyPurpose.CLIENT), world.keys.resolve(KeyPurpose.GATEWAY)
    assert verify(message_of(task.request), Tag.REQUEST, clients, NOW, at_receipt=False).kid == "oja#client-1"
    assert check_forward(task, gateways, NOW).kid == "oja#gateway-1"


def test_a_task_that_is_handed_out_again_is_the_same_signatures_and_all(world: World) -> None:
    first = leased(world)
    world.restart()
    world.later(31)
    (again,) = world.lease()

    assert (again.task, again.attempt) == (first.task, 2)


def test_a_request_is_forwarded_once_though_the_gateway_dies_before_it_is_asked(world: World) -> None:
    world.restart(killed_at(CrashPoint.BEFORE_RESERVED))
    with pytest.raises(Killed):
        world.submit(factories.request())
    world.restart().resume()
    (given,) = world.lease()

    assert check_forward(given.task, world.keys.resolve(KeyPurpose.GATEWAY), NOW).kid == "oja#gateway-1"


def unsigned(world: World, task: Task) -> Forwarded:
    posted = world.posted(world.part(task))
    headers = {name: value for name, value in posted.headers.items() if name not in PART_FIELDS}
    return posted.model_copy(update={"headers": headers})


def signed_by(kid: str) -> Callable[[World, Task], Forwarded]:
    def sign(world: World, task: Task) -> Forwarded:
        posted = world.posted(world.part(task))
        fields = sign_part(task, posted.body.encode(), factories.signing_key(kid), world.now, new_nonce())
        return posted.model_copy(update={"headers": {**posted.headers, **fields}})

    return sign


def signed_long_ago(world: World, task: Task) -> Forwarded:
    posted = world.posted(world.part(task))
    world.now += timedelta(seconds=61)
    return posted


@pytest.mark.parametrize(
    ("post", "code"),
    [
        (unsigned, "signature-missing"),
        (signed_by("rtp#connector-1"), "key-unknown"),
        (signed_by("oja#client-1"), "key-unknown"),
        (signed_by("oja#gateway-1"), "key-unknown"),
        (signed_long_ago, "signature-stale"),
    ],
    ids=["unsigned", "another agency's connector", "a client", "the gateway itself", "stale"],
)
def test_an_answer_is_signed_by_its_own_connector_over_the_forward(
    world: World, post: Callable[[World, Task], Forwarded], code: str
) -> None:
    task = leased(world).task

    assert refused(world, task, post(world, task)) == code
    world.post(world.part(task))


def test_an_answer_signed_over_another_tasks_forward_is_refused(world: World) -> None:
    task = leased(world).task
    other = leased(world, "REQ-0002", 40_000_000).task
    posted = world.posted(world.part(task))
    fields = sign_part(other, posted.body.encode(), factories.signing_key("ccib#connector-1"), world.now, new_nonce())

    assert (
        refused(world, task, posted.model_copy(update={"headers": {**posted.headers, **fields}})) == "signature-wrong"
    )
    world.post(world.part(task))


def test_a_request_that_carries_no_signature_is_not_forwarded(world: World) -> None:
    request = factories.request()
    bare = Forwarded(method="POST", path="/v1/requests", headers={}, body=canonical_bytes(request).decode())
    with pytest.raises(Refused, match="signature-missing"):
        world.exchange.submit(world.asker(request), bare)

    assert world.lease() == ()
    assert (world.spent(), world.reserved()) == (0, 0)

"""Hot calls of members: answered as the framework's way would answer them, and given up when nobody waits any more."""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from typing_extensions import override

from contracts.canonical import canonical_bytes
from contracts.errors import Refused
from contracts.signature_base import Message
from contracts.task import Lease, LeaseCall
from gateway.api.desk import TICK, Desk
from gateway.api.signed import SHORT_BYTES
from gateway.exchange import Exchange
from gateway.store import topics
from tests import factories
from tests.api_world import ApiWorld, problem_in, request, running, send, with_headers
from tests.gateway_world import CONTRACT

pytestmark = pytest.mark.integration

CALL = LeaseCall(agency="ccib", data_versions={CONTRACT.id: 1}, wait_seconds=20)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(tmp_path_factory.mktemp("gateway") / "home") as started:
        yield started


def scope_of(world: ApiWorld, call: Message) -> dict[str, Any]:
    path, _, query = call.path.partition("?")
    length = [(b"content-length", b"%d" % len(call.body))] if call.body else []
    return {
        "type": "http",
        "method": call.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [*((name.encode(), value.encode()) for name, value in call.headers.items()), *length],
        "state": {},
        "app": world.app,
    }


class Watched(Exchange):
    """Counts how often somebody looks for work."""

    looks = 0

    @override
    def lease(self, *args: Any) -> Lease:
        self.looks += 1
        return super().lease(*args)


@pytest.fixture
def watched(world: ApiWorld) -> Iterator[Watched]:
    before: Desk = world.desk
    exchange = Watched(before.exchange.means, before.exchange._task_token)
    world.app.state.desk = replace(before, exchange=exchange, look_again_seconds=0.2)
    yield exchange
    world.app.state.desk = before


def test_who_hangs_up_while_he_waits_is_given_no_work_that_nobody_would_take(world: ApiWorld, watched: Watched) -> None:
    call = world.member("ccib#connector-1").message("POST", "/v1/tasks:lease", canonical_bytes(CALL))
    statuses: list[int] = []

    async def scene() -> float:
        events = [{"type": "http.request", "body": call.body, "more_body": False}]
        hung_up = asyncio.Event()

        async def receive() -> MutableMapping[str, Any]:
            if events:
                return events.pop()
            await hung_up.wait()
            return {"type": "http.disconnect"}

        async def tell(message: MutableMapping[str, Any]) -> None:
            statuses.extend([message["status"]] if "status" in message else [])

        waiting = asyncio.create_task(world.app(scope_of(world, call), receive, tell))
        await asyncio.sleep(0.1)
        assert (watched.looks, waiting.done()) == (1, False)
        assert world.desk.bell.waiting() == 1
        hung_up.set()
        started = time.monotonic()
        await asyncio.wait_for(waiting, 5)
        return time.monotonic() - started

    assert asyncio.run(scene()) < 0.15
    assert watched.looks == 1
    assert statuses == [422]
    assert world.desk.bell.waiting() == 0


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector", "watched")
@pytest.mark.parametrize(("agency", "status"), [("ccib", 200), ("rtp", 403)])
def test_a_call_that_was_answered_leaves_nothing_that_waits(world: ApiWorld, agency: str, status: int) -> None:
    connector = world.member("ccib#connector-1")
    body = canonical_bytes(CALL.model_copy(update={"agency": agency, "wait_seconds": 0}))
    desk = world.desk
    for _ in range(5):
        call = connector.message("POST", "/v1/tasks:lease", body)
        assert posted(world, call) == status
        assert desk.bell.waiting() == 0
    until = time.monotonic() + 5
    while len(desk.bell._circles):  # a thread may be about to let the last one go
        assert time.monotonic() < until
        time.sleep(0.001)


def posted(world: ApiWorld, call: Message) -> int:
    """The status with which a call is answered, without a server."""
    statuses: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": call.body, "more_body": False}

    async def tell(message: MutableMapping[str, Any]) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    asyncio.run(world.app(scope_of(world, call), receive, tell))
    return statuses[0]


def test_a_call_that_waits_looks_again_now_and_then_until_its_time_is_over(world: ApiWorld, watched: Watched) -> None:
    call = CALL.model_copy(update={"wait_seconds": 1})
    assert Lease.model_validate_json(world.member("ccib#connector-1").post("/v1/tasks:lease", call).content).tasks == ()
    assert 4 <= watched.looks <= 8


def test_a_call_that_waited_is_kept_under_its_key_like_any_other(world: ApiWorld, watched: Watched) -> None:
    connector = world.member("ccib#connector-1")
    body = canonical_bytes(CALL.model_copy(update={"wait_seconds": 1}))

    def post() -> httpx2.Response:
        call = connector.message("POST", "/v1/tasks:lease", body)
        return connector.checked(with_headers(call, {"idempotency-key": "lease-0001"}))

    first, looks = post(), watched.looks
    again = post()
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert watched.looks == looks


def test_only_who_waits_for_what_changed_looks_again_and_at_once(world: ApiWorld, watched: Watched) -> None:
    world.app.state.desk = replace(world.desk, look_again_seconds=60)
    store, call = world.desk.exchange.means.store, CALL.model_copy(update={"wait_seconds": 10})

    def wait_for_looks(wanted: int) -> None:
        until = time.monotonic() + 5
        while watched.looks < wanted:
            assert time.monotonic() < until
            time.sleep(0.01)

    def change(topic: str) -> None:
        with store.transaction() as t:
            t.tell(topic)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(world.member("ccib#connector-1").post, "/v1/tasks:lease", call)
        wait_for_looks(1)
        for topic in (topics.of_agency("rtp"), TICK):
            change(topic)
        time.sleep(0.1)
        assert watched.looks == 1
        change(topics.EVERY_AGENCY)
        wait_for_looks(2)
        other = factories.query(where={"hour": ("07",)})
        world.member().post("/v1/requests", request(id="REQ-WAKES", query=other, nano_rho=1_000_000))
        leased = Lease.model_validate_json(waiting.result(5).content)
    assert (len(leased.tasks), watched.looks) == (1, 3)


def without_token(call: Message) -> Message:
    return with_headers(call, {"authorization": None})


def with_bad_token(call: Message) -> Message:
    return with_headers(call, {"authorization": "Bearer nonsense"})


def with_expired_token(call: Message) -> Message:
    return call


@pytest.mark.parametrize(("shut_out", "later"), [(without_token, 0), (with_bad_token, 0), (with_expired_token, 301)])
def test_the_body_of_a_hot_call_is_not_read_without_a_token_that_lasts(
    world: ApiWorld, shut_out: Callable[[Message], Message], later: float
) -> None:
    member = world.member()
    member.get("/v1/budget")  # the token is known from now on
    call = shut_out(member.message("POST", "/v1/requests", canonical_bytes(request())))
    world.later(later)
    assert unread(world, scope_of(world, call)) == 401


def unread(world: ApiWorld, scope: dict[str, Any]) -> int:
    """The status with which a call is answered whose body must not be read."""
    statuses: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("it was read")

    async def tell(message: MutableMapping[str, Any]) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    asyncio.run(world.app(scope, receive, tell))
    return statuses[0]


CHUNKED = (b"transfer-encoding", b"chunked")
LENGTHS = {
    "short": [(b"content-length", b"%d" % SHORT_BYTES)],
    "long": [(b"content-length", b"%d" % (SHORT_BYTES + 1))],
    "longer": [(b"content-length", b"9" * 4500)],
    "no number": [(b"content-length", "²".encode("latin-1"))],
    "in chunks": [CHUNKED],
    "in chunks, it says short ones": [(b"content-length", b"2"), CHUNKED],
}
MAYBE_LONG = [length for length in LENGTHS if length != "short"]


def of_length(world: ApiWorld, call: Message, length: str) -> dict[str, Any]:
    """The scope of a call whose head says this of its body."""
    scope = scope_of(world, call)
    scope["headers"] = [*(each for each in scope["headers"] if each[0] != b"content-length"), *LENGTHS[length]]
    return scope


def known_call(world: ApiWorld) -> Message:
    """A call with a token that the gateway knows and would read a short body for."""
    member = world.member()
    call = member.message("POST", "/v1/requests", canonical_bytes(request(id="REQ-UNREAD")))
    assert send(world.http, with_headers(call, {"signature": None})).status_code != 202
    assert world.desk.door.recalls(call.headers, world.now)
    return call


@pytest.mark.parametrize("length", MAYBE_LONG)
@pytest.mark.parametrize("proof", [None, "nonsense"])
def test_a_body_that_may_be_long_is_not_read_for_a_known_token_without_its_proof(
    world: ApiWorld, proof: str | None, length: str
) -> None:
    call = with_headers(known_call(world), {"dpop": proof})
    assert unread(world, of_length(world, call, length)) == 401


@pytest.mark.parametrize("length", LENGTHS)
def test_the_body_of_a_call_with_a_known_token_that_was_revoked_is_not_read(world: ApiWorld, length: str) -> None:
    call = known_call(world)
    known = world.desk.door.tokens.read(call.headers["authorization"].partition(" ")[2], world.now)
    world.desk.oauth.revocations.revoke(known.jti, known.expires, world.now)
    assert not world.desk.door.recalls(call.headers, world.now)
    assert unread(world, of_length(world, call, length)) == 401


def test_a_long_body_is_read_with_a_proof(world: ApiWorld) -> None:
    body = canonical_bytes(request(id="REQ-LONG")) + b" " * SHORT_BYTES
    assert posted(world, world.member().message("POST", "/v1/requests", body)) == 202


def test_a_token_that_is_known_is_looked_at_again_with_each_call(world: ApiWorld) -> None:
    member = world.member()
    call = member.message("POST", "/v1/requests", canonical_bytes(request(id="REQ-REVOKED")))
    assert send(world.http, call).status_code == 202
    again = member.message("POST", "/v1/requests", canonical_bytes(request(id="REQ-REVOKED")))
    token = again.headers["authorization"].partition(" ")[2]
    assert world.desk.door.recalls(again.headers, world.now)
    known = world.desk.door.tokens.read(token, world.now)
    world.desk.oauth.revocations.revoke(known.jti, known.expires, world.now)
    assert problem_in(send(world.http, again)).code == "token-invalid"


def test_a_body_in_chunks_is_read_like_any_other(world: ApiWorld) -> None:
    call = world.member().message("POST", "/v1/requests", canonical_bytes(request(id="REQ-CHUNKS")))

    async def scene() -> int:
        half = len(call.body) // 2
        headers = {**call.headers, "transfer-encoding": "chunked"}
        scope = scope_of(world, replace(call, headers=headers))
        scope["headers"] = [field for field in scope["headers"] if field[0] != b"content-length"]
        pieces = iter(((call.body[:half], True), (call.body[half:], False)))
        statuses: list[int] = []

        async def receive() -> MutableMapping[str, Any]:
            body, is_more = next(pieces)
            return {"type": "http.request", "body": body, "more_body": is_more}

        async def tell(message: MutableMapping[str, Any]) -> None:
            statuses.extend([message["status"]] if "status" in message else [])

        await world.app(scope, receive, tell)
        return statuses[0]

    assert asyncio.run(scene()) == 202


def test_a_signed_call_whose_body_was_cut_off_on_the_way_is_refused(world: ApiWorld) -> None:
    call = world.member().message("POST", "/v1/requests", canonical_bytes(request(id="REQ-CUT")))
    assert problem_in(send(world.http, replace(call, body=b""))).code == "signature-wrong"


def test_a_release_by_an_impossible_name_is_what_the_description_says(world: ApiWorld) -> None:
    problem = problem_in(world.member().get("/v1/releases/-x"))
    assert (problem.status, problem.code) == (422, "malformed-body")
    assert "release_id" in problem.detail


def test_a_release_is_read_as_before_by_whoever_has_it_already(world: ApiWorld) -> None:
    world.member().post("/v1/requests", request(id="REQ-TAGGED"))
    world.answer()
    name = world.member().get("/v1/requests/REQ-TAGGED").json()["release"]
    first = world.member().get(f"/v1/releases/{name}")
    known = with_headers(
        world.member().message("GET", f"/v1/releases/{name}"), {"if-none-match": first.headers["etag"]}
    )
    again = world.member().checked(known)
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert world.http.get(f"/v1/releases/{name}").content == first.content


def test_a_defect_in_a_hot_call_shows_nothing_of_the_inside(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("1101700203451")

    monkeypatch.setattr(Exchange, "submit", fail)
    answer = send(world.http, world.member().message("POST", "/v1/requests", canonical_bytes(request())))
    assert problem_in(answer).code == "gateway-defect"
    assert "1101700203451" not in answer.text + caplog.text
    assert "defect: RuntimeError" in caplog.text


def test_whoever_waits_for_what_is_refused_meanwhile_hears_of_it(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Refused("not-allowed")

    monkeypatch.setattr(Exchange, "status", refuse)
    assert problem_in(world.member().get("/v1/requests/REQ-0001?wait=5")).code == "not-allowed"


def test_what_a_member_is_told_is_kept_by_nobody_on_the_way(world: ApiWorld) -> None:
    call = CALL.model_copy(update={"wait_seconds": 0})
    answer = world.member("ccib#connector-1").post("/v1/tasks:lease", call)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"

"""A gateway whose home pins a root: it serves the registry, goes by it, and follows a change without a restart."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from contracts.calls import SignedCalls
from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, SaphanError
from contracts.federation import Federation
from contracts.keys import key_file_name
from contracts.registry import CHARTER_PATH, RegistryBatch, contract_path
from gateway.api.desk import Desk
from gateway.home import GatewayHome
from gateway.main import _resume, create_app, means_of
from gateway.registry.keeper import Keeper, repository_of
from gateway.settings import GatewaySettings
from gateway.store.engine import Store
from tests.api_world import ApiWorld
from tests.factories import ISSUER, NOW
from tests.lines import line_into
from tests.migrated_store import write_migrated
from tests.registry_world import MEMBERS, Signers, member_update, update_of
from transport.line import Line
from trust.anchor import fetched
from trust.reader import over_http, read, read_known
from trust.registrar import merged, publish, send
from trust.roles import ROOT, TARGETS

pytestmark = pytest.mark.integration

OWN = ("oja#gateway-1", "oja#token-1", "oja#log-1", "oja#client-1", "oja#officer-1")
HELD = ("oja#gateway-1", "oja#token-1", "oja#log-1", "oja#registry-1")


@dataclass
class Founded:
    """A gateway that was founded by its officers; ``now`` is everybody's clock."""

    home: Path
    signers: Signers = field(default_factory=Signers)
    now: datetime = NOW
    app: FastAPI = field(init=False)
    http: TestClient = field(init=False)

    def __post_init__(self) -> None:
        (self.home / "keys").mkdir(parents=True)
        for kid in HELD:
            (self.home / "keys" / key_file_name(kid)).write_bytes(self.signers.key(kid).to_pem())
        write_migrated(self.home / "gateway.db")
        (self.home / "root.json").write_bytes(self.signers.root())
        self.take(self.first())

    @property
    def settings(self) -> GatewaySettings:
        return GatewaySettings(home=self.home, tick_seconds=3600.0)

    def first(self) -> RegistryBatch:
        charter = update_of(TARGETS, self.signers.targets(), **{CHARTER_PATH: self.signers.charter()})
        operator = self.signers.member("oja", *(self.signers.public(kid) for kid in OWN))
        members = [operator, *(self.signers.member(agency) for agency in MEMBERS[1:])]
        root = update_of(ROOT, (self.home / "root.json").read_bytes())
        return RegistryBatch(updates=(root, charter, *(member_update(self.signers, each) for each in members)))

    def take(self, batch: RegistryBatch) -> None:
        store = Store(self.settings.database)
        repository_of(GatewayHome(self.home), store).take(batch, NOW)
        store.close()

    def start(self) -> None:
        self.app = create_app(self.settings, lambda: self.now)
        self.http = TestClient(self.app, base_url="http://testserver", raise_server_exceptions=False)

    @property
    def desk(self) -> Desk:
        desk: Desk = self.app.state.desk
        return desk

    @property
    def keeper(self) -> Keeper:
        keeper: Keeper = self.app.state.keeper
        return keeper

    def tick(self) -> None:
        """What a running gateway does at each tick."""

        async def once() -> None:
            async with self.app.router.lifespan_context(self.app):
                await asyncio.sleep(0.5)

        asyncio.run(once())

    def line(self) -> Line:
        """A member's way to it, as members have it."""

        def handle(request: httpx2.Request) -> httpx2.Response:
            done = self.http.request(request.method, request.url.raw_path.decode(), content=request.content)
            return httpx2.Response(done.status_code, content=done.content)

        return line_into(handle)

    def send(self, *updates: object) -> int:
        body = canonical_bytes(RegistryBatch.model_validate({"updates": updates}))
        return self.http.post("/v1/registry/updates", content=body).status_code


@pytest.fixture
def founded(tmp_path: Path) -> Iterator[Founded]:
    made = Founded(tmp_path / "gateway")
    made.start()
    yield made
    made.desk.exchange.means.store.close()


def test_anybody_reads_the_registry_from_the_pinned_root(founded: Founded, tmp_path: Path) -> None:
    home = tmp_path / "member"
    home.mkdir()
    (home / "root.json").write_bytes((founded.home / "root.json").read_bytes())
    assert fetched(home, founded.line(), NOW) == founded.desk.door.federation
    answered = founded.http.get("/v1/registry/metadata/timestamp.json")
    assert (answered.status_code, answered.headers["cache-control"]) == (200, "no-cache")
    assert "immutable" in founded.http.get("/v1/registry/metadata/1.root.json").headers["cache-control"]
    assert founded.http.get("/v1/registry/metadata/9.root.json").status_code == 404
    assert founded.http.get("/v1/registry/targets/members/rtp.json").status_code == 404


def test_a_members_new_key_is_taken_in_and_known_without_a_restart(founded: Founded) -> None:
    desk, bell = founded.desk, founded.desk.bell
    signers = founded.signers
    new = signers.member("rtp", *signers.member("rtp").keys, signers.public("rtp#client-2"))
    assert founded.send(member_update(signers, new, 2)) == 200
    adopted: list[Federation] = []
    founded.keeper.step(adopted.append)
    assert adopted[0].member("rtp") == new
    founded.keeper.step(adopted.append)
    assert len(adopted) == 1
    # What the application does with it: another desk, and the bell of those who wait.
    assert founded.desk is desk
    assert founded.desk.bell is bell


def test_a_successor_of_an_own_key_takes_over_by_the_clock_alone(founded: Founded) -> None:
    signers, known = founded.signers, founded.desk.exchange.means.federation.member("oja")
    assert known is not None
    successor = signers.public("oja#gateway-2", valid_from=founded.now + timedelta(hours=1))
    announced = known.model_copy(update={"keys": (*known.keys, successor)})
    assert founded.send(member_update(signers, announced, 2)) == 200
    adopted: list[Federation] = []
    for expected, minutes in ((1, 0), (1, 59), (2, 1), (2, 1)):
        founded.now += timedelta(minutes=minutes)
        founded.keeper.step(adopted.append)
        assert len(adopted) == expected


def test_the_running_application_puts_another_desk_in_its_place(tmp_path: Path) -> None:
    made = Founded(tmp_path / "gateway")
    made.app = create_app(GatewaySettings(home=made.home, tick_seconds=0.05), lambda: NOW)
    made.http = TestClient(made.app, raise_server_exceptions=False)
    before = made.desk
    new = made.signers.member("rtp", *made.signers.member("rtp").keys, made.signers.public("rtp#client-2"))
    assert made.send(member_update(made.signers, new, 2)) == 200
    made.tick()
    assert made.desk is not before
    assert made.desk.door.federation.member("rtp") == new
    assert made.desk.exchange.means.federation == made.desk.door.federation
    assert made.desk.bell is before.bell


def test_what_others_sign_is_refused_with_its_reason(founded: Founded) -> None:
    signers = founded.signers
    forged = member_update(signers, signers.member("rtp"), 2, by="ccib#registrar-1")
    answered = founded.http.post("/v1/registry/updates", content=canonical_bytes(RegistryBatch(updates=(forged,))))
    assert (answered.status_code, answered.json()["code"]) == (403, "registry-update-refused")
    assert founded.http.post("/v1/registry/updates", content=b"{}").status_code == 422
    assert founded.http.post("/v1/registry/updates", content=b"x" * (2**20 + 1)).status_code == 413


def test_under_an_expired_registry_nobody_is_let_in(founded: Founded) -> None:
    calls = SignedCalls(founded.signers.key("oja#client-1"), "oja", ISSUER)
    token = calls.token_request(NOW)
    answered = founded.http.post(token.path, content=token.body, headers=dict(token.headers))
    assert answered.status_code == 200
    calls.accept_token(answered.content, NOW)
    # Its own process has not looked for two days, as when the database is away.
    later = NOW + timedelta(hours=48)
    with pytest.raises(SaphanError) as caught:
        founded.keeper.check(later)
    assert caught.value.code == "registry-expired"
    call = calls.message("GET", "/v1/budget", b"", NOW)
    assert founded.http.get("/v1/budget", headers=dict(call.headers)).status_code == 200
    founded.now = later
    renewed = calls.token_request(later)
    calls.accept_token(
        founded.http.post(renewed.path, content=renewed.body, headers=dict(renewed.headers)).content, later
    )
    call = calls.message("GET", "/v1/budget", b"", later)
    refused = founded.http.get("/v1/budget", headers=dict(call.headers))
    assert (refused.status_code, refused.json()["code"]) == (503, "registry-expired")
    # People at its pages change nothing either, and nothing waiting goes on.
    origin = {"origin": ISSUER, "sec-fetch-site": "same-origin"}
    posted = founded.http.post("/account/passkeys/revoke", headers=origin)
    assert (posted.status_code, posted.json()["code"]) == (503, "registry-expired")
    with pytest.raises(SaphanError, match="registry-expired"):
        _resume(founded.desk)


def test_a_gateway_that_lost_its_own_key_closes_instead_of_going_on_by_the_old(founded: Founded) -> None:
    signers = founded.signers
    keys = [signers.public(kid, revoked=kid == "oja#gateway-1") for kid in OWN]
    assert founded.send(member_update(signers, signers.member("oja", *keys), 2)) == 200

    def adopt(federation: Federation) -> None:
        raise InvalidInput("setting-invalid", setting="keys", why=federation.operator)

    for _ in range(2):
        with pytest.raises(InvalidInput):
            founded.keeper.step(adopt)
    with pytest.raises(SaphanError) as caught:
        founded.keeper.check(NOW)
    assert caught.value.code == "registry-incomplete"
    founded.keeper.step(lambda _: None)
    founded.keeper.check(NOW)


def test_a_home_that_pins_a_root_never_falls_back_to_a_fixed_list(founded: Founded) -> None:
    (founded.home / "federation.json").write_text(founded.desk.door.federation.model_dump_json())
    for act in (lambda: create_app(founded.settings), GatewayHome(founded.home).federation):
        with pytest.raises(InvalidInput) as caught:
            act()
        assert caught.value.code == "root-pinned"
    (founded.home / "federation.json").unlink()
    with pytest.raises(InvalidInput, match="root-pinned"):
        GatewayHome(founded.home).federation()
    # Not even when the registry is gone: the list that once was would come back with the keys of once.
    (founded.home / "root.json").write_text("{}")
    with pytest.raises(SaphanError) as caught_again:
        create_app(founded.settings, lambda: NOW)
    assert caught_again.value.code in {"registry-forged", "registry-content"}


def test_commands_beside_the_gateway_go_by_the_registry_too(founded: Founded) -> None:
    means = means_of(founded.settings, lambda: NOW)
    assert means.federation == founded.desk.door.federation
    means.store.close()


def member_home(founded: Founded, folder: Path) -> Path:
    """A member's home that pins the root."""
    folder.mkdir()
    (folder / "root.json").write_bytes((founded.home / "root.json").read_bytes())
    return folder


def test_a_registrar_publishes_keys_and_contracts_and_nothing_twice(founded: Founded, tmp_path: Path) -> None:
    home, signers = member_home(founded, tmp_path / "rtp"), founded.signers
    key, path = signers.key("rtp#registrar-1"), contract_path("rtp", f"sha-256:{'c' * 64}")
    stated = signers.member("rtp", signers.public("rtp#connector-1"), signers.public("rtp#registrar-1"))
    member = publish(home, founded.line(), stated, key, NOW, {path: "signed"})
    # What the other home of this agency registered stays; the registrar's own key is none of a member's.
    assert [each.kid for each in member.keys] == ["rtp#client-1", "rtp#officer-1", "rtp#connector-1"]
    assert read_known(home, NOW).contracts["rtp"] == {"c" * 64}
    repository = founded.keeper.repository
    assert repository.next_version("rtp") == 3
    assert publish(home, founded.line(), stated, key, NOW, {path: "signed by others"}) == member
    assert repository.next_version("rtp") == 3


def test_a_registrar_sends_nothing_that_brings_a_revoked_key_back(founded: Founded, tmp_path: Path) -> None:
    home, signers = member_home(founded, tmp_path / "rtp"), founded.signers
    key = signers.key("rtp#registrar-1")
    gone = signers.member("rtp", signers.public("rtp#client-1", revoked=True))
    publish(home, founded.line(), gone, key, NOW, {})
    with pytest.raises(SaphanError) as caught:
        publish(home, founded.line(), signers.member("rtp", signers.public("rtp#client-1")), key, NOW, {})
    assert caught.value.details["rule"] == "revoked-for-good"
    assert founded.keeper.repository.next_version("rtp") == 3


def test_a_registrar_signs_nothing_that_brings_an_ended_key_back() -> None:
    signers = Signers()
    gone = signers.member("rtp", signers.public("rtp#client-1", valid_until=NOW))
    stated = signers.member("rtp", signers.public("rtp#client-1"))
    assert merged(gone, stated, NOW - timedelta(seconds=1)) == stated
    with pytest.raises(SaphanError) as caught:
        merged(gone, stated, NOW)
    assert caught.value.details["rule"] == "ended-for-good"


def test_what_the_gateway_says_against_an_update_is_told(founded: Founded, tmp_path: Path) -> None:
    home, signers = member_home(founded, tmp_path / "rtp"), founded.signers
    stated = signers.member("rtp", signers.public("rtp#client-9"))
    with pytest.raises(SaphanError) as caught:
        publish(home, founded.line(), stated, signers.key("ccib#registrar-1"), NOW, {})
    assert caught.value.code == "registry-update-refused"


@pytest.mark.parametrize(("status", "code"), [(None, "gateway-unreachable"), (502, "unknown-answer"), (200, None)])
def test_a_gateway_that_does_not_answer_is_told(status: int | None, code: str | None) -> None:
    def handle(request: httpx2.Request) -> httpx2.Response:
        if status is None:
            raise httpx2.ConnectError("down", request=request)
        return httpx2.Response(status, text="<html>")

    batch = RegistryBatch(updates=(update_of(ROOT, Signers().root()),))
    with line_into(handle) as line:
        if code is None:
            send(line, batch)
            return
        with pytest.raises(SaphanError) as caught:
            send(line, batch)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx2.ConnectError("down"), "gateway-unreachable"),
        (httpx2.Response(503), "gateway-unreachable"),
        (httpx2.Response(404), "registry-incomplete"),
        (httpx2.Response(200, content=b"x" * 20_000), "registry-forged"),
        (httpx2.Response(200, text="{}"), "registry-forged"),
    ],
)
def test_a_registry_over_http_that_is_not_there_or_is_none(
    founded: Founded, tmp_path: Path, answer: httpx2.Response | httpx2.ConnectError, code: str
) -> None:
    def handle(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("root.json"):
            return httpx2.Response(404)
        if isinstance(answer, httpx2.Response):
            return answer
        raise answer

    home = member_home(founded, tmp_path / "rtp")
    with line_into(handle) as line, pytest.raises(SaphanError) as caught:
        read(home, over_http(line), NOW)
    assert caught.value.code == code


def test_a_gateway_without_a_registry_serves_none(tmp_path: Path) -> None:
    world = ApiWorld(tmp_path / "home")
    assert world.http.get("/v1/registry/metadata/timestamp.json").status_code == 404
    assert world.http.post("/v1/registry/updates", content=b"{}").status_code == 404

"""A whole gateway behind its HTTP interface, with members who sign and connectors that answer; the clock is ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
from fastapi import FastAPI
from pydantic import BaseModel, ValidationError
from starlette.testclient import TestClient

from contracts.authorization import ActivityDetail
from contracts.calls import SignedCalls
from contracts.canonical import canonical_bytes
from contracts.chain import sign_part
from contracts.errors import Problem
from contracts.federation import KeyPurpose, PublicKey
from contracts.forecast import Citation, Forecast, ForecastSeries
from contracts.keys import key_file_name
from contracts.message_signatures import Tag, new_nonce, verify
from contracts.release import Release
from contracts.request import Request
from contracts.signature_base import Message, headers_of
from contracts.task import Lease, LeaseCall, Part, Task
from gateway.api.desk import Desk
from gateway.client import Gateway
from gateway.main import create_app
from gateway.settings import GatewaySettings
from tests import factories
from tests.factories import ISSUER, NOW, Keys
from tests.gateway_world import AGREEMENT, CONTRACT, World
from tests.migrated_store import write_migrated
from transport.proxied import ClientLine

GATEWAY_KEYS = ("oja#gateway-1", "oja#token-1", "oja#log-1")


def make_home(path: Path, keys: Keys) -> Path:
    """A gateway's home with its keys, the federation and an empty database."""
    folder = path / "keys"
    folder.mkdir(parents=True, exist_ok=True)
    for kid in GATEWAY_KEYS:
        (folder / key_file_name(kid)).write_bytes(keys[kid].to_pem())
    (path / "federation.json").write_text(keys.federation.model_dump_json())
    write_migrated(path / "gateway.db")
    return path


@dataclass
class ApiWorld:
    """The application, a test client, and the members' keys; ``now`` is everybody's clock."""

    home: Path
    keys: Keys = field(default_factory=factories.federation)
    now: datetime = NOW
    app: FastAPI = field(init=False)
    http: TestClient = field(init=False)

    def __post_init__(self) -> None:
        make_home(self.home, self.keys)
        self.app = create_app(GatewaySettings(home=self.home, tick_seconds=3600.0), lambda: self.now)
        self.http = TestClient(self.app, raise_server_exceptions=False)
        self.world.register((CONTRACT,), AGREEMENT)

    @property
    def desk(self) -> Desk:
        """What the routes work with."""
        desk: Desk = self.app.state.desk
        return desk

    @property
    def world(self) -> World:
        """The same gateway without HTTP."""
        return World(self.desk.exchange.means.store, self.keys, self.now)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def member(self, kid: str = "oja#client-1") -> "Member":
        """A member that calls with this key."""
        return Member(self, SignedCalls(self.keys[kid], kid.partition("#")[0], ISSUER))

    def gateway(self, kid: str = "oja#client-1", quorum: int = 0) -> Gateway:
        """The client library of a member, over the test client."""
        key = self.keys[kid]
        return Gateway(
            "http://testserver",
            key,
            kid.partition("#")[0],
            self.keys.federation,
            quorum=quorum,
            clock=lambda: self.now,
            line=ClientLine(self.http),
        )

    def answer(self) -> None:
        """Let the connector of the contract's agency do its work over HTTP."""
        connector = self.member(f"{CONTRACT.agency}#connector-1")
        call = LeaseCall(agency=CONTRACT.agency, data_versions={CONTRACT.id: 1}, wait_seconds=0)
        lease = Lease.model_validate_json(connector.post("/v1/tasks:lease", call).content)
        for leased in lease.tasks:
            part = self.world.part(leased.task)
            assert connector.answer(leased.task, part).status_code == 204
        self.later(3600)


@dataclass
class Member:
    """Somebody who calls: signs, sends, and checks that the answer is signed for this call."""

    world: ApiWorld
    calls: SignedCalls

    def message(self, method: str, path: str, body: bytes = b"") -> Message:
        """A signed call; a client's request goes with a token for its activity."""
        now = self.world.now
        detail = _detail_of(path, body) if "#client-" in self.calls.key.kid else None
        if self.calls.needs_token(now, detail):
            answer = send(self.world.http, self.calls.token_request(now, detail))
            self.calls.accept_token(answer.content, now, detail)
        return self.calls.message(method, path, body, now, detail)

    def post(self, path: str, value: BaseModel) -> httpx2.Response:
        """Send a value and check the answer's signature."""
        return self.checked(self.message("POST", path, canonical_bytes(value)))

    def answer(self, task: Task, part: Part) -> httpx2.Response:
        """Post a part as a connector does, signed over what was forwarded to it, and check the answer's signature."""
        return self.checked(self.answering(task, part))

    def answering(self, task: Task, part: Part) -> Message:
        """The signed call that posts a part."""
        body = canonical_bytes(part)
        call = self.message("POST", f"/v1/tasks/{part.task}/part", body)
        signed = sign_part(task, body, self.calls.key, self.world.now, new_nonce())
        return replace(call, headers={**call.headers, **signed})

    def get(self, path: str) -> httpx2.Response:
        """Fetch and check the answer's signature."""
        return self.checked(self.message("GET", path))

    def checked(self, call: Message) -> httpx2.Response:
        """Send a call and check that the gateway signed this answer to it."""
        answer = send(self.world.http, call)
        signed = Message(
            call.method, call.path, headers_of(answer.headers.raw), answer.content, answer.status_code, call
        )
        verify(signed, Tag.RESPONSE, self._gateway_key, self.world.now)
        return answer

    def _gateway_key(self, kid: str) -> PublicKey | None:
        return self.world.keys.federation.key(kid, KeyPurpose.GATEWAY, self.world.now)


def _detail_of(path: str, body: bytes) -> ActivityDetail | None:
    if path != "/v1/requests":
        return None
    try:
        asked = Request.model_validate_json(body)
    except ValidationError:
        return None
    return ActivityDetail.of(asked.agreement, asked.activity)


def send(http: httpx2.Client, call: Message) -> httpx2.Response:
    """Send a message as it is."""
    return http.request(call.method, call.path, content=call.body, headers=dict(call.headers))


def with_headers(call: Message, changes: Mapping[str, str | None]) -> Message:
    """A call with other headers; None takes one away."""
    merged = {**call.headers, **changes}
    return replace(call, headers={name: value for name, value in merged.items() if value is not None})


def problem_in(answer: httpx2.Response) -> Problem:
    """The problem that an answer carries."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(answer.content)
    assert problem.status == answer.status_code
    return problem


def request(**changes: object) -> Request:
    """A request that the registered agreement permits."""
    return factories.request(AGREEMENT, **changes)


def forecast_from(release: Release) -> Forecast:
    """A small forecast that cites a release."""
    cited = Citation(release=release.body.id, digest=release.digest)
    series = ForecastSeries(labels={"province": "10"}, mean=(9.0,), low=(5.0,), high=(13.0,), usual=(9.0,))
    return Forecast(
        id="FC-2026-01",
        title=factories.text("forecast"),
        model="seasonal-naive",
        level=80,
        months=("2026-01",),
        dimensions=("province",),
        series=(series,),
        scores=(),
        citations=(cited,),
        limits=factories.text("reported cases only"),
        created=release.body.created,
    )


@contextmanager
def running(home: Path) -> Iterator[ApiWorld]:
    """A gateway that has started."""
    world = ApiWorld(home)
    with world.http:
        yield world

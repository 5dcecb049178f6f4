"""A small gateway of our own that speaks the connector's protocol for real: tokens, signatures, leases and parts."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from urllib.parse import parse_qs

import httpx2
import jwt

from contracts.canonical import canonical_bytes
from contracts.chain import PART_FIELDS, check_part
from contracts.errors import Refused, SaphanError
from contracts.federation import KeyPurpose
from contracts.message_signatures import Tag, new_nonce, sign, verify
from contracts.proofs import token_hash
from contracts.signature_base import Message, headers_of
from contracts.task import Forwarded, Lease, LeaseCall, LeasedTask, Notice, Part
from contracts.views import PublishedContract, SignedText
from gateway.identity.proofs import Target, check_proof
from tests.connector_world import token_for
from tests.factories import ISSUER, NOW, Keys
from tests.fake_log import FakeLog, entries
from tests.lines import line_into
from transport.line import Line

LOG = ("/checkpoint", "/tile/")
COSIGNATURES_PATH = "/v1/log/cosignatures"


@dataclass
class FakeGateway:
    """Hands out its tasks until they are answered; tests break it by setting its fields."""

    keys: Keys
    now: datetime = NOW
    tasks: list[LeasedTask] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)
    published: list[PublishedContract] = field(default_factory=list)
    retired: dict[str, SignedText] = field(default_factory=dict)
    leases: list[LeaseCall] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    problems: deque[SaphanError] = field(default_factory=deque)
    """What the next member calls are refused with."""

    answers: Lease = field(default_factory=lambda: Lease(tasks=()))
    """What else its leases say: versions, lost tasks, a pause."""

    retry_after: str | None = None
    """The header that its refusals carry."""

    is_down: bool = False
    signs_with: str | None = "oja#gateway-1"
    """The key of its answers; none when they are unsigned."""

    tokens_given: int = 0
    raw_answer: bytes | None = None
    """What stands in its answers instead of JSON."""

    proof_keys: dict[str, str] = field(default_factory=dict)
    """The thumbprint of the key that each caller's token is bound to."""

    _nonces: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def line(self) -> Line:
        """A line whose other end is this gateway."""
        return line_into(self.handle)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one call."""
        with self._lock:
            if self.is_down:
                raise httpx2.ConnectError("down")
            if request.url.path == "/v1/token":
                return self._give_token(request)
            if request.method == "GET" and request.url.path.startswith(LOG):
                return FakeLog(self.keys["oja#log-1"], entries(5)).handle(request)
            call = Message(request.method, request.url.path, headers_of(request.headers.raw), request.content)
            self._enter(call)
            if self.problems:
                error = self.problems.popleft()
                return self._answer(call, error.status, error.problem().model_dump_json().encode())
            return self._answer(call, *((204, b"") if call.path == COSIGNATURES_PATH else self._serve(call)))

    def _give_token(self, request: httpx2.Request) -> httpx2.Response:
        form = parse_qs(request.content.decode())
        assertion = form["client_assertion"][0]
        kid = jwt.get_unverified_header(assertion)["kid"]
        key = self.keys.federation.key(kid, KeyPurpose.CONNECTOR, self.now)
        assert key is not None
        options: jwt.types.Options = {"verify_exp": False, "verify_iat": False}
        claims = jwt.decode(
            assertion, jwt.PyJWK.from_dict(key.as_jwk()), algorithms=["ES256"], audience=ISSUER, options=options
        )
        assert claims["sub"] == kid
        self.tokens_given += 1
        proof = check_proof(request.headers["dpop"], Target("POST", f"{ISSUER}/v1/token"), self.now)
        self.proof_keys[kid] = proof.thumbprint
        token = {"access_token": _token_of(kid), "token_type": "DPoP", "expires_in": 300}
        return httpx2.Response(200, json=token)

    def _enter(self, call: Message) -> None:
        resolve = self.keys.resolve(KeyPurpose.CONNECTOR, self.now)
        verified = verify(call, Tag.REQUEST, resolve, self.now)
        token = _token_of(verified.kid)
        assert call.headers["authorization"] == f"DPoP {token}"
        target = Target(call.method, f"{ISSUER}{call.path}", token_hash(token), self.proof_keys[verified.kid])
        assert check_proof(call.headers["dpop"], target, self.now).jti == verified.nonce
        assert verified.nonce not in self._nonces
        self._nonces.add(verified.nonce)

    def _serve(self, call: Message) -> tuple[int, bytes]:
        if call.path == "/v1/tasks:lease":
            asked = LeaseCall.model_validate_json(call.body)
            self.leases.append(asked)
            open_tasks = [self._with_fresh_token(each) for each in self.tasks if each.task.id not in self.parts]
            notices = tuple(each for each in self.notices if each.number > asked.notices_after)
            told = {"tasks": tuple(open_tasks[: asked.most]), "notices": notices}
            return 200, canonical_bytes(self.answers.model_copy(update=told))
        if call.path == "/v1/suspensions":
            self.orders.append(SignedText.model_validate_json(call.body).document)
            return 201, b"{}"
        if call.path == "/v1/contracts":
            self.published.append(PublishedContract.model_validate_json(call.body))
            return 201, b"{}"
        if call.path.endswith("/retirement"):
            self.retired[call.path.split("/")[3]] = SignedText.model_validate_json(call.body)
            return 201, b"{}"
        part = Part.model_validate_json(call.body)
        assert call.path == f"/v1/tasks/{part.task}/part"
        self._check_signed_over_forward(part, call)
        known = self.parts.setdefault(part.task, part)
        if known != part:
            return Refused.status, Refused("part-already-posted").problem().model_dump_json().encode()
        return 204, b""

    def _check_signed_over_forward(self, part: Part, call: Message) -> None:
        assert call.headers.keys() >= set(PART_FIELDS)
        posted = Forwarded(method=call.method, path=call.path, headers=dict(call.headers), body=call.body.decode())
        for each in self.tasks:
            if each.task.id == part.task:
                check_part(each.task, posted, self.keys.resolve(KeyPurpose.CONNECTOR, self.now), self.now)

    def _with_fresh_token(self, leased: LeasedTask) -> LeasedTask:
        return leased.model_copy(update={"token": token_for(leased.task, self.keys, now=self.now)})

    def _answer(self, call: Message, status: int, body: bytes) -> httpx2.Response:
        body = body if self.raw_answer is None else self.raw_answer
        answer = Message(call.method, call.path, {"content-type": "application/json"}, body, status, call)
        if self.signs_with is not None:
            answer = sign(answer, self.keys[self.signs_with], Tag.RESPONSE, self.now, new_nonce())
        extra = {"retry-after": self.retry_after} if self.retry_after and status >= 400 else {}
        return httpx2.Response(status, headers={**answer.headers, **extra}, content=body)


def _token_of(kid: str) -> str:
    return f"token-of-{kid.replace('#', '-')}"

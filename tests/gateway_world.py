"""A gateway over a real store, with clients and connectors that a test can bend. Crypto and noise are real too."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from contracts.agreement import Agreement
from contracts.authorization import ActivityDetail
from contracts.canonical import canonical_bytes, digest_of, digest_of_bytes
from contracts.chain import sign_part
from contracts.checkpoints import LogKeys, log_keys, verify_checkpoint
from contracts.dataset import DatasetContract, ProtectAt
from contracts.federation import KeyPurpose
from contracts.grid import grid_of
from contracts.lifecycle import fold
from contracts.log_audit import walk
from contracts.message_signatures import JSON_TYPE, Tag, new_nonce, sign
from contracts.request import Request
from contracts.signature_base import Message, content_digest
from contracts.task import Forwarded, LeaseCall, LeasedTask, Part, Task
from contracts.tiles import Tile
from contracts.transparency import EventKind, LogEntry
from contracts.views import RequestStatus
from gateway import events, receipts
from gateway.caller import Caller
from gateway.crash import Crash, CrashPoint, never
from gateway.exchange import Exchange
from gateway.means import ExchangeKeys, ExchangeSettings, Means
from gateway.store import agreement_acts, log, registry, relay
from gateway.store.engine import Store
from gateway.store.migrate import upgrade
from privacy.layout import vector_size
from privacy.release import exact_part, protect
from tests import factories
from tests.agreement_world import chain, text_signed, until_active
from tests.factories import ISSUER, NOW, Keys

CONTRACT = factories.contract()
AGREEMENT = factories.agreement((CONTRACT,))
NUMBERS = count(1)


class Killed(BaseException):
    """What kill -9 looks like from inside a test: nothing after it runs, and nothing catches it."""


def killed_at(wanted: CrashPoint) -> Crash:
    """A crash hook that ends the test's gateway at one point."""

    def hook(point: CrashPoint) -> None:
        if point is wanted:
            raise Killed(point)

    return hook


@dataclass
class World:
    """A gateway and everybody around it. ``exchange`` may be replaced by ``restart``; the store stays."""

    store: Store
    keys: Keys
    now: datetime = NOW
    versions: dict[str, int] = field(default_factory=dict)
    exchange: Exchange = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, crash: Crash = never) -> Exchange:
        """A new gateway process over the same store."""
        keys = ExchangeKeys(self.keys["oja#gateway-1"], (self.keys["oja#token-1"],), self.keys["oja#log-1"])
        settings = ExchangeSettings(issuer=ISSUER, tick_seconds=1.0, lease_seconds=30.0)
        means = Means(self.store, keys, self.keys.federation, lambda: self.now, settings, crash)
        self.exchange = Exchange(means, lambda task, *_: f"token for {task.id}")
        return self.exchange

    def later(self, seconds: float = 1.0) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def register(self, contracts: Iterable[DatasetContract], agreement: Agreement, *, active: bool = True) -> None:
        """Contracts and an agreement as if they had been published, approved and signed, or only submitted."""
        done = until_active(agreement) if active else until_active(agreement)[:1]
        acts = chain(self.keys, agreement, done, self.now)
        stands = fold((each.signed for each in acts), agreement, self.now)
        signers = tuple(sorted(factories.signers_of(agreement))) if active else ()
        document = text_signed(self.keys, agreement) if active else ""
        state = stands.history[-1].state  # also of an agreement that has run out
        held = registry.HeldAgreement(agreement, digest_of(agreement), document, signers, state, stands.head)
        with self.store.transaction() as t:
            for each in contracts:
                registry.add_contract(t, each, "document", self.now, events.contract_published(each, self.now))
            registry.add_agreement(t, held, self.now)
            for act in acts:
                agreement_acts.add_act(t, act, self.now)

    def caller(self, agency: str = "oja", purpose: KeyPurpose = KeyPurpose.CLIENT) -> Caller:
        """A fresh call of a member."""
        return Caller(agency, f"{agency}#{purpose.value}-1", purpose, f"nonce-{next(NUMBERS):08d}")

    def connector(self, agency: str = "ccib") -> Caller:
        """A fresh call of a connector."""
        return self.caller(agency, KeyPurpose.CONNECTOR)

    def submit(self, request: Request, caller: Caller | None = None) -> RequestStatus:
        """Send a request."""
        return self.exchange.submit(self.asker(request, caller), forwarded(request))

    def asker(self, request: Request, caller: Caller | None = None) -> Caller:
        """Somebody whose token is for the activity of a request; by default a fresh call of the requester."""
        covered = (ActivityDetail.of(request.agreement, request.activity),)
        return replace(caller or self.caller(request.requester), details=covered)

    def lease(self, agency: str = "ccib") -> tuple[LeasedTask, ...]:
        """What an agency's connector is given."""
        call = LeaseCall(agency=agency, data_versions=self.versions, wait_seconds=0)
        return self.exchange.lease(self.connector(agency), call).tasks

    def post(self, part: Part, task: str | None = None) -> None:
        """Send a part."""
        self.exchange.accept_part(self.connector(part.agency), task or part.task, self.posted(part))

    def posted(self, part: Part) -> Forwarded:
        """A part as its connector posts it now, signed over what was forwarded to it, if that is still there."""
        with self.store.read() as r:
            held = relay.held_task(r, part.task)
        return posted(part, held.task if held and held.task.request.body else None, self.now)

    def answer(self, *contracts: DatasetContract, level: int = 1000) -> None:
        """Let the connectors of these contracts do all their work."""
        for each in contracts or (CONTRACT,):
            for leased in self.lease(each.agency):
                self.post(self.part(leased.task, each, level=level))

    def log(self) -> list[LogEntry]:
        """Every entry of the log."""
        with self.store.read() as r:
            size = log.head(r).size
            return [LogEntry.model_validate_json(text) for text in log.entries(r, 0, size)]

    def audited(self) -> int:
        """The number of the log's entries, after a walk through all of it as an auditor makes it."""
        checkpoint = verify_checkpoint(receipts.checkpoint(self.exchange.means).document, self.log_keys())
        return sum(1 for _ in walk(self.tile, checkpoint))

    def tile(self, wanted: Tile) -> bytes:
        """A tile of the log; it is there."""
        content = self.exchange.tile(wanted)
        assert content is not None
        return content

    def log_keys(self) -> LogKeys:
        """What checkpoints are checked with."""
        return log_keys(self.keys.federation, self.now)

    def kinds(self) -> list[EventKind]:
        """What the log records, in its order."""
        return [entry.kind for entry in self.log()]

    def spent(self) -> int:
        """All that was spent, over all accounts, in nano-rho."""
        return sum(line.spent for line in self.exchange.budget(self.caller()))

    def reserved(self) -> int:
        """All that is reserved, over all accounts, in nano-rho."""
        return sum(line.reserved for line in self.exchange.budget(self.caller()))

    def part(self, task: Task, contract: DatasetContract = CONTRACT, *, level: int = 1000, **changes: object) -> Part:
        """The part that an honest connector signs: ``level`` in every cell."""
        request = Request.model_validate_json(task.request.body)
        grid = grid_of(request.query, contract)
        exact = {name: [level] * vector_size(grid, contract, name) for name in request.query.base_measures}
        if contract.privacy.protect_at is ProtectAt.GATEWAY:
            measures = exact_part(exact, request.query)
        else:
            measures = protect(exact, contract, request.query, request.nano_rho)
        return Part.model_validate(self._frame(task) | {"charged": True, "measures": measures} | changes)

    def refusal(self, task: Task, code: str = "contract-not-approved", *, charged: bool = False) -> Part:
        """The part of a connector that refuses."""
        return Part.model_validate(self._frame(task) | {"charged": charged, "refusal": code})

    def _frame(self, task: Task) -> dict[str, object]:
        return {
            "task": task.id,
            "task_digest": digest_of(task),
            "agency": task.agency,
            "contract": task.contract,
            "request_digest": digest_of_bytes(task.request.body.encode()),
            "data_version": self.versions.get(task.contract.id, 1),
            "finished": self.now,
        }


def new_world(url: str, contracts: Sequence[DatasetContract] = (CONTRACT,), agreement: Agreement = AGREEMENT) -> World:
    """A gateway over a fresh database, with contracts and one active agreement."""
    upgrade(url)
    world = World(Store(url), factories.federation())
    world.register(contracts, agreement)
    return world


def forwarded(request: Request) -> Forwarded:
    """A request as the door hands it on, signed by a client of its requester."""
    body, key = canonical_bytes(request), factories.signing_key(f"{request.requester}#client-1")
    signed = sign(Message("POST", "/v1/requests", {}, body), key, Tag.REQUEST, NOW, new_nonce())
    return Forwarded(method="POST", path="/v1/requests", headers=dict(signed.headers), body=body.decode())


def posted(part: Part, task: Task | None, now: datetime = NOW) -> Forwarded:
    """A part as the door hands it on; as an answer to nothing, if there is no task."""
    body, headers = canonical_bytes(part), {"content-type": JSON_TYPE}
    headers["content-digest"] = content_digest(body)
    if task is not None:
        headers |= sign_part(task, body, factories.signing_key(f"{part.agency}#connector-1"), now, new_nonce())
    return Forwarded(method="POST", path=f"/v1/tasks/{part.task}/part", headers=headers, body=body.decode())

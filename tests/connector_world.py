"""One agency in a folder: real keys, journal and snapshot, and the tasks that an honest gateway would hand it."""

import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from connectors.answer import Desk
from connectors.crash import CrashPoint, Hook, carry_on
from connectors.guard import Guard
from connectors.journal.book import Journal
from connectors.journal.entries import Use, Used
from connectors.shelf import Shelf
from connectors.situation import JournalSituation
from connectors.snapshot import Snapshot, refresh
from connectors.sources import open_source
from contracts.agreement import Agreement
from contracts.approval import OfficerDecision
from contracts.canonical import canonical_bytes, digest_of
from contracts.chain import forward
from contracts.dataset import DatasetContract
from contracts.errors import SaphanError
from contracts.federation import KeyPurpose
from contracts.keys import new_key
from contracts.lifecycle import AgreementState
from contracts.message_signatures import Tag, new_nonce, sign
from contracts.odcs import bundled_text, canonical_document, read_contract
from contracts.request import Request
from contracts.signature_base import Message
from contracts.signing import sign_claims, sign_document
from contracts.suspension import Suspended
from contracts.task import Charge, Forwarded, LeasedTask, Part, Task
from tests import factories
from tests.factories import NOW, Keys

SECRET = b"0123456789abcdef0123456789abcdef"
PRICE = 40_000_000
"""Nano-rho of one request; the contract's year holds ten of them."""

COLUMNS = (
    *("case_ref", "victim_id", "reported_at", "occurred_at", "province", "station", "channel", "case_type"),
    *("platform", "victim_age", "victim_sex", "damage_thb", "linked", "stage", "crimes_ref"),
)


@cache
def contract_text(protect_at: str = "connector", budget: int = 400_000_000) -> str:
    """The bundled contract of CCIB, with another place of protection or another budget if asked."""
    text = bundled_text("tpo_complaint").replace("protectAt: connector", f"protectAt: {protect_at}")
    return text.replace("nanoRhoPerWindow: 400000000", f"nanoRhoPerWindow: {budget}")


@cache
def contract_of(text: str) -> DatasetContract:
    """The contract that a text writes, parsed once a test run."""
    return read_contract(text)


@cache
def case_types() -> tuple[str, str]:
    """Two codes of the contract's list."""
    dimension = contract_of(contract_text()).dimension("case_type")
    assert dimension is not None
    return dimension.values[0], dimension.values[1]


@cache
def snapshot_bytes() -> bytes:
    """A snapshot of five complaints of October and November 2025, four of them of the first type."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "snapshot.duckdb")
        refresh_snapshot(path)
        return path.read_bytes()


def refresh_snapshot(path: Path, more: Sequence[tuple[str, str, str, str]] = ()) -> None:
    """Bring a snapshot up to date with these five complaints, and more if given; a new one, if there is none."""
    first, second = case_types()
    rows = [("a", "p1", "2025-10-05", first), ("b", "p2", "2025-10-06", first), ("c", "p3", "2025-11-07", first)]
    rows += [("d", "p4", "2025-11-08", first), ("e", "p5", "2025-11-09", second)]
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "agency.db")
        _fill(database, [*rows, *more])
        refresh(path, open_source(f"sqlite:///{database}"), contract_of(contract_text()), SECRET, NOW)


def _fill(database: Path, rows: Iterable[tuple[str, str, str, str]]) -> None:
    connection = sqlite3.connect(database)
    connection.execute(f"CREATE TABLE tpo_complaint ({', '.join(COLUMNS)})")
    for case_ref, victim, day, case_type in rows:
        given = {"case_ref": case_ref, "victim_id": victim, "reported_at": f"{day} 10:00:00", "case_type": case_type}
        values = [{**given, "damage_thb": 100, "victim_age": 30}.get(name) for name in COLUMNS]
        places = ", ".join("?" * len(COLUMNS))
        connection.execute(f"INSERT INTO tpo_complaint VALUES ({places})", values)  # noqa: S608  # question marks
    connection.commit()
    connection.close()


class Killed(BaseException):
    """What stands for kill -9 inside one process: no ``except Exception`` survives it."""


def die_at(wanted: CrashPoint) -> Hook:
    """A hook that ends everything at one point."""

    def hook(point: CrashPoint) -> None:
        if point is wanted:
            raise Killed(point)

    return hook


@dataclass
class Case:
    """One question and everything around it; change a field, then ask for ``leased()``. By default all is honest."""

    keys: Keys
    agreement: Agreement
    request: Request
    contract: DatasetContract
    officers: tuple[str, ...] = ("oja#officer-2", "ccib#officer-1", "ccib#dpo-1")
    client: str = "oja#client-1"
    task_id: str = "TASK-0001"
    agency: str = "ccib"
    path: str = "/v1/requests"
    method: str = "POST"
    signed_at: datetime = NOW
    body: bytes | None = None
    document: str | None = None
    gateway: str = "oja#gateway-1"
    forwarded_at: datetime = NOW

    def task(self) -> Task:
        """The task as the gateway would hand it out."""
        return forward(self.unforwarded(), self.keys[self.gateway], self.forwarded_at, new_nonce)

    def unforwarded(self) -> Task:
        """The task with the requester's signature alone."""
        body = canonical_bytes(self.request) if self.body is None else self.body
        signed = sign(
            Message(self.method, self.path, {}, body), self.keys[self.client], Tag.REQUEST, self.signed_at, "n" * 22
        )
        document = self.document or sign_document(
            canonical_bytes(self.agreement), "agreement", *(self.keys[kid] for kid in self.officers)
        )
        sent = Forwarded(method=self.method, path=self.path, headers=dict(signed.headers), body=body.decode())
        return Task(
            id=self.task_id,
            agency=self.agency,
            contract=self.contract.reference,
            request=sent,
            agreement=document,
        )

    def leased(self, **changes: object) -> LeasedTask:
        """The task with its token; ``changes`` are claims, and ``key``, ``typ`` and ``now``."""
        task = self.task()
        return LeasedTask(task=task, token=token_for(task, self.keys, **changes), attempt=1)

    def asking(self, **changes: object) -> "Case":
        """The same case with another request."""
        return replace(self, request=self.request.model_copy(update=changes))


def token_for(task: Task, keys: Keys, **changes: object) -> str:
    """The gateway's token for a task."""
    key = str(changes.pop("key", "oja#token-1"))
    typ = str(changes.pop("typ", "at+jwt"))
    now = changes.pop("now", NOW)
    assert isinstance(now, datetime)
    issued = int(now.timestamp())
    claims: dict[str, object] = {
        "iss": factories.ISSUER,
        "aud": "ccib",
        "sub": task.id,
        "task_digest": digest_of(task),
        "jti": "j" * 16,
        "iat": issued,
        "exp": issued + 300,
    }
    claims |= changes
    return sign_claims({name: value for name, value in claims.items() if value is not None}, keys.signing[key], typ)


def case(protect_at: str = "connector", budget: int = 400_000_000, **changes: object) -> Case:
    """An honest case over the bundled contract: complaints by month and two types, October and November 2025."""
    keys = factories.federation()
    contract = contract_of(contract_text(protect_at, budget))
    activity = factories.activity(
        [contract],
        purpose="justice-statistics",
        legal_basis=("s24-4-public-task",),
        dimensions=("month", "case_type"),
    )
    agreement = factories.agreement([contract], activities=(activity,))
    query = factories.query(
        dimensions=("month", "case_type"),
        where={"case_type": case_types()},
        period=factories.period("2025-10-01", "2025-12-01"),
    )
    fields = {"nano_rho": PRICE, "purpose": "justice-statistics"} | changes
    return Case(keys, agreement, factories.request(agreement, query, **fields), contract)


@dataclass
class Known:
    """What stands at CCIB; nothing unless a test says so."""

    suspensions: Suspended = field(default_factory=Suspended)
    state: AgreementState = AgreementState.ACTIVE
    usage: Used = field(default_factory=lambda: Used(0, 0))
    decided: OfficerDecision | None = None

    def suspended(self) -> Suspended:
        return self.suspensions

    def state_of(self, _agreement: Agreement, _digest: str) -> AgreementState:
        return self.state

    def used(self, _use: Use, _request_digest: str, _charges: object) -> Used:
        return self.usage

    def owed(self, _series_key: str, charges: Collection[Charge]) -> tuple[Charge, ...]:
        return tuple(charges)

    def decision(self, _request_digest: str) -> OfficerDecision | None:
        return self.decided


@dataclass
class World:
    """The agency: its journal, snapshot and desk, a clock that tests turn, and the parts that it posted."""

    folder: Path
    keys: Keys
    now: datetime = NOW
    at: Hook = carry_on
    posted: list[Part] = field(default_factory=list)
    answers: list[SaphanError] = field(default_factory=list)
    """What the gateway answers to the next posts, instead of taking them."""

    def __post_init__(self) -> None:
        self.journal = Journal(self.folder / "journal.db", self.at)

    @property
    def snapshot(self) -> Path:
        """The snapshot's file."""
        return self.folder / "snapshot.duckdb"

    def clock(self) -> datetime:
        """The world's time."""
        return self.now

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def guard(self) -> Guard:
        """CCIB's guard."""
        situation = JournalSituation(self.journal, "ccib", self.keys.federation)
        return Guard("ccib", self.keys.federation, Shelf(self.journal).approved, situation)

    def desk(self, cap: int | None = None, post: Callable[[Part, Task], None] | None = None) -> Desk:
        """CCIB's desk, with a snapshot."""
        if not self.snapshot.exists():
            self.snapshot.write_bytes(snapshot_bytes())
        return Desk(
            guard=self.guard(),
            journal=self.journal,
            snapshot=self.snapshot,
            data_versions=Snapshot(self.snapshot).data_versions,
            post=post or self.post,
            cap_nano_rho=cap,
            at=self.at,
        )

    def post(self, part: Part, _task: Task) -> None:
        """The gateway takes a part, or answers what the test wants."""
        if self.answers:
            raise self.answers.pop(0)
        self.posted.append(part)

    def approve(self, text: str | None = None, place: str = "CCIB's table") -> None:
        """Put a contract on the agency's list."""
        text = text or contract_text()
        self.journal.approve(contract_of(text), canonical_document(text).decode(), place, self.now)

    def restarted(self, at: Hook = carry_on) -> "World":
        """The same folder in a new process, so to speak."""
        self.journal.close()
        return World(self.folder, self.keys, self.now, at)

    @property
    def spent(self) -> int:
        """Everything that the journal has charged."""
        return sum(each.nano_rho for each in self.journal.spending())


def with_key(keys: Keys, kid: str, purpose: KeyPurpose) -> Keys:
    """The federation with one more key, registered by its owner."""
    key = new_key(kid)
    public = key.public_key(purpose, NOW - timedelta(days=1), NOW + timedelta(days=100))
    members = tuple(
        each.model_copy(update={"keys": (*each.keys, public)}) if each.agency == kid.partition("#")[0] else each
        for each in keys.federation.members
    )
    return Keys(keys.federation.model_copy(update={"members": members}), {**keys.signing, kid: key})

"""The test federation of an audit: a gateway and two connectors as programs of their own, over HTTP, in one folder.

One agency trusts the centre to add the noise, the other adds its own. Each has both worlds of ``privacy_audit.world``.
The auditor is a member like any other and sees what a member sees: releases, through the public client.

Whatever reads settings runs as a child with an environment of its own, so that no setting of the machine's real gateway
or connector (its database, its proxy) can reach the test federation, nor the audit reach them.
"""

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

import httpx2

from connectors.enrol import SNAPSHOT_SECRET, Enrolment, make_home
from connectors.home import Home
from connectors.shelf import read_folder
from connectors.snapshot import refresh
from connectors.sources import open_source
from contracts.agreement import Activity, Agreement
from contracts.dataset import ContractRef, ProtectAt, Text
from contracts.errors import Unavailable
from contracts.federation import Federation, KeyPurpose, Member
from contracts.keys import SigningKey, new_key
from contracts.lifecycle import Act
from contracts.odcs import SUFFIX
from contracts.periods import Period
from contracts.query import Mechanism
from contracts.release import ReleaseBody
from gateway import agreement_calls
from gateway.client import Gateway
from gateway.home import GatewayHome
from gateway.store.migrate import upgrade
from saphan.federation_assembly import assemble
from saphan.privacy_audit.world import DIMENSIONS, World, blocks, contract_text, last_whole_year, question, write_rows

HOST: Final = "127.0.0.1"
OPERATOR: Final = "operator"
AUDITOR: Final = "auditor"
AGREEMENT: Final = "privacy-audit"
AGENCIES: Final = {"trusting": ProtectAt.GATEWAY, "guarding": ProtectAt.CONNECTOR}
MECHANISMS: Final = tuple(Mechanism)
TICK_SECONDS: Final = 0.2
START_SECONDS: Final = 60
ANSWER_SECONDS: Final = 900
PAUSE_SECONDS: Final = 0.1
A_DAY: Final = timedelta(days=1)

Answers = Mapping[tuple[World, Mechanism], ReleaseBody]


class Programs(Protocol):
    """Starts ``saphan ...`` as a program of its own in a home; ``saphan.demo.processes.Processes`` is one."""

    def start(self, name: str, home: Path, *arguments: str) -> object:
        """Start it."""
        ...

    def check(self) -> None:
        """Raise when one has ended by itself."""
        ...

    def run_together(self, jobs: Sequence[tuple[Path, Sequence[Sequence[str]]]]) -> list[bytes]:
        """Run sequences of ``saphan ...`` commands side by side, each in a home."""
        ...


@dataclass(slots=True)
class AuditFederation:
    """One test federation; it lives as long as the stack and the programs that it was given.

    Args:
        folder: An empty folder.
        cells: At least how many cells a release has.
        nano_rho: The price of each question; the contracts' budget is what the audit asks and not more.
        programs: What starts the gateway and the connectors.
        stack: Closes the lines to the gateway.
        clock: The present, aware UTC.
    """

    folder: Path
    cells: int
    nano_rho: int
    programs: Programs
    stack: ExitStack
    clock: Callable[[], datetime]
    address: str = ""
    _keys: dict[str, SigningKey] = field(default_factory=dict)

    def answers(self) -> Answers:
        """Set everything up, ask every question of both worlds of each agency, and give the releases as they came.

        Raises:
            Unavailable: ``demo-step-failed``: a program ended; ``waiting-for-agency``.
            SaphanError: What the gateway or a connector refused.
        """
        period = last_whole_year(self.clock())
        self.address = f"http://{HOST}:{_free_port()}"
        self._keys = {name: new_key(f"{AUDITOR}#{name}") for name in ("officer-1", "officer-2", "client-1")}
        worlds = [World(agency, at, is_there) for agency, at in AGENCIES.items() for is_there in (False, True)]
        self._write(worlds, period)
        federation = self._enrol(worlds)
        self._start_gateway()
        for agency in AGENCIES:
            self._refresh(agency)
        self._wait_for_gateway()
        to_register = [("connector", verb, "--home", ".") for verb in ("publish", "approve")]
        self.programs.run_together([(self.folder / agency, to_register) for agency in AGENCIES])
        for agency in AGENCIES:
            self.programs.start(agency, self.folder / agency, "connector", "serve", "--home", ".")
        auditor = self._line(federation, self._keys["client-1"], AUDITOR)
        self._agree(auditor, federation)
        return self._ask(auditor, worlds, period)

    def _write(self, worlds: list[World], period: Period) -> None:
        labels, budget = blocks(self.cells), self.nano_rho * len(MECHANISMS)
        for world in worlds:
            source = self._source(world.agency)
            source.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_rows(source, world, labels, period)
            text = contract_text(world, labels, period, budget)
            (source / f"{world.dataset}{SUFFIX}").write_text(text, encoding="utf-8")

    def _source(self, agency: str) -> Path:
        return self.folder / "sources" / agency

    def _source_url(self, agency: str) -> str:
        return f"parquet:///{quote(str(self._source(agency)))}"

    def _enrol(self, worlds: list[World]) -> Federation:
        gateway, now = GatewayHome(self.folder / "gateway"), self.clock()
        gateway.make()
        members = [gateway.make_keys(OPERATOR, _title(OPERATOR), now, now + A_DAY), self._auditor()]
        for agency in AGENCIES:
            files = tuple(
                str(self._source(agency) / f"{world.dataset}{SUFFIX}") for world in worlds if world.agency == agency
            )
            enrolment = Enrolment(agency, _title(agency), self.address, self._source_url(agency), files)
            members.append(make_home(Home(self.folder / agency), enrolment, now))
        federation = assemble(self.address, OPERATOR, members)
        gateway.pin(federation)
        for agency in AGENCIES:
            Home(self.folder / agency).pin(federation)
        return federation

    def _auditor(self) -> Member:
        start = self.clock()
        purposes = {"officer-1": KeyPurpose.OFFICER, "officer-2": KeyPurpose.OFFICER, "client-1": KeyPurpose.CLIENT}
        keys = tuple(self._keys[name].public_key(purpose, start, start + A_DAY) for name, purpose in purposes.items())
        return Member(agency=AUDITOR, title=_title(AUDITOR), keys=keys)

    def _start_gateway(self) -> None:
        home = GatewayHome(self.folder / "gateway")
        home.write(home.settings, f"tick_seconds = {TICK_SECONDS}\nsynthetic = true\n".encode())
        upgrade(f"sqlite:///{home.database}")
        port = self.address.rpartition(":")[2]
        self.programs.start("gateway", home.path, "gateway", "serve", "--home", ".", "--host", HOST, "--port", port)

    def _wait_for_gateway(self) -> None:
        until = time.monotonic() + START_SECONDS
        while not _is_ready(self.address):
            self.programs.check()
            if time.monotonic() > until:
                raise Unavailable("demo-step-failed", step="gateway", log=self.folder / "gateway" / "log.txt")
            time.sleep(PAUSE_SECONDS)

    def _refresh(self, agency: str) -> None:
        home = Home(self.folder / agency)
        source, secret = open_source(self._source_url(agency)), home.secret(SNAPSHOT_SECRET)
        for each in read_folder(home.contracts):
            refresh(home.snapshot, source, each.contract, secret, self.clock())

    def _agree(self, auditor: Gateway, federation: Federation) -> None:
        agreement = self._agreement([each.reference for each in auditor.contracts()])
        agreement_calls.put_forward(auditor, agreement, Act.SUBMIT, self._keys["officer-1"])
        for agency in AGENCIES:
            home = Home(self.folder / agency)
            line = self._line(federation, home.key(f"{agency}#connector-1"), agency)
            for who in ("officer", "dpo"):
                proposed = agreement_calls.meant(line, AGREEMENT, Act.APPROVE)
                agreement_calls.approve(line, proposed, home.key(f"{agency}#{who}-1"))
        approved = agreement_calls.meant(auditor, AGREEMENT, Act.SIGN)
        agreement_calls.move(auditor, approved, Act.SIGN, self._keys["officer-2"], agreement_calls.Words())

    def _agreement(self, references: Sequence[ContractRef]) -> Agreement:
        today = self.clock().date()
        activities = tuple(
            Activity(
                id=reference.id,
                title=_title(reference.id),
                purpose="justice-statistics",
                legal_basis=("s24-1-statistics",),
                contracts=(reference,),
                measures=("count",),
                dimensions=DIMENSIONS,
                nano_rho_per_request=self.nano_rho,
            )
            for reference in references
        )
        return Agreement(
            id=AGREEMENT,
            version=1,
            requester=AUDITOR,
            providers=tuple(AGENCIES),
            drafted_by=f"{AUDITOR}#officer-1",
            activities=activities,
            period=Period.model_validate({"from": today - 2 * A_DAY, "until": today + 2 * A_DAY}),
            retention_days=1,
        )

    def _ask(self, auditor: Gateway, worlds: list[World], period: Period) -> Answers:
        asked = {}
        for mechanism in MECHANISMS:
            for world in worlds:
                call = auditor.question(AGREEMENT, world.dataset, question(period, mechanism))
                request = auditor.request(call)
                auditor.submit(request)
                asked[world, mechanism] = request.id
        until = time.monotonic() + ANSWER_SECONDS
        return {key: auditor.wait(name, until - time.monotonic()).release.body for key, name in asked.items()}

    def _line(self, federation: Federation, key: SigningKey, agency: str) -> Gateway:
        return self.stack.enter_context(Gateway(self.address, key, agency, federation, clock=self.clock))


def _title(name: str) -> Text:
    return Text(th=name, en=name)


def _free_port() -> int:
    with closing(socket.create_server((HOST, 0))) as probe:
        port: int = probe.getsockname()[1]
        return port


def _is_ready(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/health/ready", trust_env=False, timeout=5).is_success
    except httpx2.TransportError:
        return False

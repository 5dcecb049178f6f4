"""The demonstration, straight through: set up, register, agree, ask, release, forecast, verify."""

import shutil
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx2
from pydantic_core import to_json

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, Unavailable
from contracts.keys import new_key
from contracts.transport import ClientFiles, client_context
from gateway.centre.round import Round
from gateway.client import Gateway
from saphan.demo.agreement import AGREEMENT, agreement
from saphan.demo.outcome import Outcome, Seconds, outcome_of
from saphan.demo.processes import Processes
from saphan.demo.registry import Founding
from saphan.dev_ca import new_authority
from saphan.dev_ca import write as write_certificate
from saphan.postgres import TemporaryPostgres, find_binaries
from transport.lines import line_to
from trust.anchor import ROOT_FILE, fetched

MARKER: Final = ".saphan-demo"
HOST: Final = "127.0.0.1"
NAME: Final = "localhost"
"""By which the gateway is reached: a browser's passkeys want a name, not an address."""

CERTIFICATE_DAYS: Final = 30
TLS_SETTINGS: Final = 'tls_ca = "tls/ca.pem"\ntls_certificate = "tls/client.pem"\ntls_key = "tls/client.key"\n'
GATEWAY_SETTINGS: Final = (
    'synthetic = true\ntls_certificate = "tls/server.pem"\ntls_key = "tls/server.key"\ntls_client_ca = "tls/ca.pem"\n'
)
"""A client certificate is asked for and not required: the public page is for everybody."""

START_SECONDS: Final = 60
PAUSE_SECONDS: Final = 0.1
PORTS_TRIED: Final = 50
SIMULATIONS: Final = 100
"""Of the centre's evaluations: the fewest that say anything, so that the first look takes no longer than it must."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """How large the demonstration is and where it lives.

    Args:
        folder: Its folder; an earlier demonstration there is removed, anything else is left alone.
        port: The first port to try.
        scale: Share of real volume.
        months: Closed months of data.
        seed: Decides every synthetic draw.
    """

    folder: Path
    port: int
    scale: float
    months: int
    seed: int


@dataclass(frozen=True, slots=True)
class DemoAgency:
    """An agency of the demonstration and the kind of database that it keeps."""

    name: str
    title_th: str
    title_en: str
    dataset: str
    engine: str


AGENCIES: Final = (
    DemoAgency("ccib", "บช.สอท.", "Cyber Crime Investigation Bureau", "tpo_complaint", "sqlite"),
    DemoAgency("rtp", "สำนักงานตำรวจแห่งชาติ", "Royal Thai Police", "crimes_case", "postgresql"),
    DemoAgency("dop", "กรมคุมประพฤติ", "Department of Probation", "dop_case", "parquet"),
)


@dataclass(slots=True)
class Demo:
    """One demonstration: its processes live as long as the stack that it was given."""

    settings: DemoSettings
    processes: Processes
    stack: ExitStack
    clock: Callable[[], datetime]
    say: Say
    address: str = ""

    def run(self) -> Outcome:
        """Do the main job once and tell how it went; the gateway and the connectors stay up.

        Raises:
            Unavailable: ``demo-step-failed``.
            IntegrityError: The log or a release is not what was signed.
        """
        started = time.monotonic()
        self._make_homes()
        self._found_federation()
        self.say("2/5 gateway up; synthetic people and cases; ranked snapshots; contracts signed and published")
        self._start_gateway()
        self._register()
        self.say("3/5 agreement proposed; approved by each agency's officer and DPO; signed")
        visitor = self._visitor()
        self._agree(visitor)
        for agency in AGENCIES:
            self.processes.start(agency.name, self._home(agency.name), "connector", "serve", "--home", ".")
        setup = time.monotonic() - started
        self.say("4/5 the centre asks; connectors answer; releases; forecast")
        (printed,) = self.processes.run_together([(self._home("centre"), [_centre("--once", "--json")])])
        done = Round.model_validate_json(printed)
        if done.problems:
            raise Unavailable("demo-step-failed", step=", ".join(done.problems), log=self._home("centre") / "log.txt")
        self.processes.check()
        self.say("5/5 verify the log")
        seconds = Seconds(setup=setup, exchange=done.exchange_seconds, forecast=done.forecast_seconds)
        return outcome_of(visitor, done, len(AGENCIES), seconds)

    def keep_up(self, wait: Callable[[], None]) -> None:
        """Start the centre for good, write down which process is which, and wait until told to stop."""
        self.processes.start("centre", self._home("centre"), *_centre())
        running = {each.name: {"pid": each.process.pid, "home": str(each.home)} for each in self.processes.programs}
        (self.settings.folder / "processes.json").write_bytes(to_json(running))
        wait()

    def _make_homes(self) -> None:
        self.say("1/5 homes and keys")
        _clear(self.settings.folder)
        self.address = f"https://{NAME}:{_free_port(self.settings.port)}"
        for name in ("gateway", "centre", *(agency.name for agency in AGENCIES)):
            self._home(name).mkdir(mode=0o700, parents=True)
        words = ("--title-th", "สกธ.", "--title-en", "OJA")
        gateway = ("gateway", "init", "--home", "gateway", "--operator", "oja", *words)
        centre = (
            *("centre", "init", "--home", "centre", "--agency", "oja", "--gateway", self.address),
            *("--agreement", AGREEMENT, *words),
        )
        enrolments = [(self._home(agency.name), [self._enrolment(agency)]) for agency in AGENCIES]
        # The gateway and the centre are the same member's, so that one process may make both homes.
        self.processes.run_together([*enrolments, (self.settings.folder, [gateway, centre])])
        listen = f"listen_port = {self.address.rpartition(':')[2]}\n"
        (self._home("gateway") / "saphan.toml").write_text(GATEWAY_SETTINGS + listen, encoding="utf-8")
        self._issue_certificates()
        with (self._home("centre") / "saphan.toml").open("a", encoding="utf-8") as settings:
            settings.write(f"simulations = {SIMULATIONS}\n")

    def _issue_certificates(self) -> None:
        """Certificates for the gateway and for each program that connects, of an authority that is then forgotten."""
        authority = new_authority((NAME, HOST), self.clock(), CERTIFICATE_DAYS)
        write_certificate(self._home("gateway") / "tls", "server", authority.server((NAME, HOST)), authority.pem)
        for name in ("centre", *(agency.name for agency in AGENCIES)):
            write_certificate(self._home(name) / "tls", "client", authority.client(name), authority.pem)
            with (self._home(name) / "saphan.toml").open("a", encoding="utf-8") as settings:
                settings.write(TLS_SETTINGS)

    @property
    def authority(self) -> Path:
        """The certificate by which a visitor knows the gateway."""
        return self._home("gateway") / "tls" / "ca.pem"

    def _enrolment(self, agency: DemoAgency) -> tuple[str, ...]:
        return (
            *("connector", "init", "--home", ".", "--agency", agency.name, "--gateway", self.address),
            *("--title-th", agency.title_th, "--title-en", agency.title_en),
            *("--dataset", agency.dataset, "--source", self._source(agency)),
        )

    def _source(self, agency: DemoAgency) -> str:
        home = self._home(agency.name)
        if agency.engine == "postgresql" and find_binaries() is not None:
            server = TemporaryPostgres()
            url = server.start()
            self.stack.callback(server.stop)
            return url
        return {
            "sqlite": f"sqlite:///{home / 'source.db'}",
            "parquet": f"parquet:///{home / 'source'}",
            "postgresql": f"duckdb:///{home / 'source.duckdb'}",
        }[agency.engine]

    def _found_federation(self) -> None:
        homes = {agency.name: self._home(agency.name) for agency in AGENCIES}
        operator = ("oja", self._home("centre"))
        Founding(self.settings.folder, self._home("gateway"), operator, homes, self.clock).found(self.address)

    def _register(self) -> None:
        until = f"{self.clock():%Y-%m-%d}"
        size = ("--scale", str(self.settings.scale), "--months", str(self.settings.months))
        generate = ("connector", "generate", "--home", ".", *size, "--seed", str(self.settings.seed), "--until", until)
        steps = (generate, *(("connector", verb, "--home", ".") for verb in ("refresh", "publish", "approve")))
        lines = {self._home(each.name): f"    {each.name}: {each.dataset} published" for each in AGENCIES}
        jobs = [(home, steps) for home in lines]
        self.processes.run_together(jobs, lambda home: self.say(lines[home]))

    def _start_gateway(self) -> None:
        serve = ("gateway", "serve", "--home", ".", "--host", HOST)
        gateway = self.processes.start("gateway", self._home("gateway"), *serve)
        until = time.monotonic() + START_SECONDS
        verify = client_context(self.address, ClientFiles(ca=self.authority))
        while not _is_ready(self.address, verify):
            self.processes.check()
            if time.monotonic() > until:
                raise Unavailable("demo-step-failed", step="gateway", log=gateway.home / "log.txt")
            time.sleep(PAUSE_SECONDS)

    def _visitor(self) -> Gateway:
        """A line for what is public; its key is nobody's, and all that it believes is the officers' root."""
        home, tls = self._home("visitor"), ClientFiles(ca=self.authority)
        home.mkdir(mode=0o700)
        shutil.copy(self._home("gateway") / ROOT_FILE, home / ROOT_FILE)
        with line_to(self.address, tls) as line:
            federation = fetched(home, line, self.clock())
        key = new_key("visitor#client-1")
        return self.stack.enter_context(Gateway(self.address, key, "visitor", federation, tls=tls))

    def _agree(self, visitor: Gateway) -> None:
        references = {each.reference.id: each.reference for each in visitor.contracts()}
        draft = self._home("centre") / "agreement.json"
        draft.write_bytes(canonical_bytes(agreement(references, self.clock().date())))
        propose = ("agreement", "propose", draft.name, "--home", ".", "--json")
        self.processes.run_together([(self._home("centre"), [propose])])
        self._each_agency(*(_agreed("approve", "--as", who) for who in ("officer", "dpo")))
        self.processes.run_together([(self._home("centre"), [_agreed("sign")])])

    def _each_agency(self, *steps: tuple[str, ...]) -> None:
        self.processes.run_together([(self._home(agency.name), steps) for agency in AGENCIES])

    def _home(self, name: str) -> Path:
        return self.settings.folder / name


def _agreed(verb: str, *options: str) -> tuple[str, ...]:
    return ("agreement", verb, AGREEMENT, *options, "--home", ".", "--json")


def _centre(*options: str) -> tuple[str, ...]:
    return ("centre", "run", "--home", ".", *options)


def _clear(folder: Path) -> None:
    """Remove an earlier demonstration; refuse to touch anything else."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise InvalidInput(
            "setting-invalid", setting="home", why="the folder holds something else than a demonstration"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    (folder / MARKER).touch()


def _free_port(first: int) -> int:
    for port in range(first, first + PORTS_TRIED):
        if not any(_is_taken(address) for address in socket.getaddrinfo(NAME, port, type=socket.SOCK_STREAM)):
            return port
    raise InvalidInput("setting-invalid", setting="port", why=f"{PORTS_TRIED} ports from {first} on are taken")


def _is_taken(address: tuple[Any, ...]) -> bool:
    """Whether somebody listens at what ``getaddrinfo`` found: a browser tries every address of a name."""
    family, kind, _, _, place = address
    with socket.socket(family, kind) as probe:
        return probe.connect_ex(place) == 0


def _is_ready(address: str, verify: ssl.SSLContext) -> bool:
    try:
        return httpx2.get(f"{address}/health/ready", trust_env=False, timeout=5, verify=verify).is_success
    except httpx2.TransportError:
        return False

"""An agency sets its connector up by its commands, publishes, approves, refreshes and serves over real HTTP."""

import json
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result
from typing_extensions import override

import connectors.main
import saphan.connector_commands
from connectors.home import Home
from connectors.journal.book import Journal
from connectors.main import DataVersions, serve
from connectors.settings import ConnectorSettings, load_settings
from contracts.error_catalogue import CATALOGUE
from contracts.errors import FAMILIES, InvalidInput
from contracts.federation import Federation, KeyPurpose, Member, PublicKey
from contracts.keys import SoftwareKey
from contracts.odcs import bundled_text, canonical_document
from contracts.signing import verify_document
from contracts.task import LeasedTask
from saphan.connector_commands import GeneratedAll, Snapshots, app
from tests import factories
from tests.connector_world import COLUMNS, _fill, case, case_types, contract_of, contract_text
from tests.factories import NOW, Keys
from tests.fake_gateway import FakeGateway

pytestmark = pytest.mark.integration


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--home", str(home)])


def done(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.exception
    parsed = json.loads(result.stdout)
    assert isinstance(parsed, dict)
    return parsed


def code_of(result: Result) -> str:
    """The error that a command told, and its family's exit code."""
    code = result.stderr.partition(" ")[0]
    assert result.exit_code == FAMILIES[CATALOGUE[code].family].exit_code
    return code


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway(factories.federation())


@pytest.fixture
def address(gateway: FakeGateway) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on("GET", b"")

        def do_POST(self) -> None:
            self._pass_on("POST", self.rfile.read(int(self.headers["content-length"])))

        def _pass_on(self, method: str, body: bytes) -> None:
            url = f"http://gateway.example{self.path}"
            answer = gateway.handle(httpx2.Request(method, url, headers=dict(self.headers), content=body))
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name != "content-length":
                    self.send_header(name, value)
            if answer.status_code != 204:
                self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        @override
        def log_message(self, format: str, *args: object) -> None:  # the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(tmp_path: Path, address: str, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CCIB's home after init, with the federation pinned."""
    monkeypatch.setattr(saphan.connector_commands, "now", lambda: NOW)
    database = tmp_path / "agency.db"
    first, second = case_types()
    _fill(database, [("a", "p1", "2025-10-05", first), ("b", "p2", "2025-11-06", second)])
    assert len(COLUMNS) == 15
    home = tmp_path / "ccib"
    made = run(
        home,
        *("init", "--agency", "ccib", "--gateway", address, "--source", f"sqlite:///{database}"),
        *("--dataset", "tpo_complaint", "--title-en", "CCIB", "--title-th", "บช.สอท."),
    )
    assert made.exit_code == 0, made.exception
    Home(home).pin(_join(gateway, home))
    return home


def _join(gateway: FakeGateway, home: Path) -> Federation:
    """Put CCIB's own new keys in the place of the test federation's."""
    member = Member.model_validate_json((home / "public.json").read_bytes())
    others = tuple(each for each in gateway.keys.federation.members if each.agency != "ccib")
    federation = gateway.keys.federation.model_copy(update={"members": (*others, member)})
    held = (Home(home).key(key.kid) for key in member.keys)
    own = {key.kid: key for key in held if isinstance(key, SoftwareKey)}
    gateway.keys = Keys(federation, {**gateway.keys.signing, **own})
    return federation


def test_init_makes_a_closed_home_with_a_key_for_each_purpose(home: Path) -> None:
    modes = {path: path.stat().st_mode & 0o777 for path in (home, *home.rglob("*"))}
    assert {modes[path] for path in modes if path.is_dir()} == {0o700}
    assert {modes[path] for path in modes if path.is_file()} == {0o600}
    keys = done(run(home, "keys", "--json"))["keys"]
    assert isinstance(keys, list)
    assert [(each["kid"], each["purpose"]) for each in keys] == [
        (f"ccib#{name}-1", name) for name in ("connector", "officer", "steward", "dpo", "registrar", "witness")
    ]


def test_init_never_replaces_keys(home: Path, address: str) -> None:
    before = (home / "public.json").read_bytes()
    again = run(
        home,
        *("init", "--agency", "ccib", "--gateway", address, "--source", "sqlite:///x", "--dataset", "tpo_complaint"),
    )
    assert code_of(again) == "folder-in-use"
    assert (home / "public.json").read_bytes() == before


@pytest.mark.parametrize(("dataset", "code"), [("crimes_case", "setting-invalid"), ("no_such_set", "unknown-contract")])
def test_init_takes_only_contracts_of_this_agency(tmp_path: Path, dataset: str, code: str) -> None:
    made = run(
        tmp_path / "new",
        *("init", "--agency", "ccib", "--gateway", "http://gateway.example", "--source", "sqlite:///x"),
        *("--dataset", dataset),
    )
    assert code_of(made) == code
    assert not list((tmp_path / "new").glob("**/*.yaml"))


def test_init_takes_a_contract_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.odcs.yaml"
    file.write_text(contract_text("gateway"), encoding="utf-8")
    made = run(
        tmp_path / "new",
        *("init", "--agency", "ccib", "--gateway", "http://gateway.example", "--source", "sqlite:///x"),
        *("--dataset", str(file)),
    )
    assert made.exit_code == 0
    assert (tmp_path / "new" / "contracts" / "tpo_complaint.odcs.yaml").read_text(encoding="utf-8") == file.read_text(
        encoding="utf-8"
    )


def test_a_contract_is_published_under_the_signatures_of_steward_and_dpo(home: Path, gateway: FakeGateway) -> None:
    published = done(run(home, "publish", "--json"))
    (contract,) = gateway.published
    assert published == {"contracts": [contract.reference.model_dump()]}
    assert contract.reference == contract_of(contract_text()).reference

    def resolve(kid: str) -> PublicKey | None:
        purpose = KeyPurpose(kid.partition("#")[2].partition("-")[0])
        return gateway.keys.federation.key(kid, purpose, NOW)

    signed = verify_document(contract.document, "contract", resolve)
    assert signed.signers == {"ccib#steward-1", "ccib#dpo-1"}
    assert signed.payload == canonical_document(bundled_text("tpo_complaint"))


@pytest.mark.parametrize("how", ["digest", "file", "all"])
def test_a_contract_is_approved_by_digest_by_file_or_all_at_once(home: Path, how: str) -> None:
    contract = contract_of(contract_text())
    named = {
        "digest": [contract.digest],
        "file": [str(home / "contracts" / "tpo_complaint.odcs.yaml")],
        "all": [],
    }[how]
    approved = done(run(home, "approve", *named, "--json"))
    assert approved == {"contracts": [contract.reference.model_dump()]}
    journal = Journal(home / "journal.db")
    assert [each.contract for each in journal.approvals()] == [contract.reference]
    journal.close()


@pytest.mark.parametrize("wanted", ["nothing.yaml", f"sha-256:{'0' * 64}"])
def test_what_the_agency_does_not_hold_cannot_be_approved(home: Path, wanted: str) -> None:
    assert code_of(run(home, "approve", wanted)) == "unknown-contract"


def test_another_agencys_contract_cannot_be_approved(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.odcs.yaml"
    file.write_text(bundled_text("crimes_case"), encoding="utf-8")
    assert code_of(run(home, "approve", str(file))) == "setting-invalid"


def test_no_rename_of_the_source_opens_a_new_budget(home: Path, tmp_path: Path) -> None:
    done(run(home, "approve", "--json"))
    file = tmp_path / "again.odcs.yaml"
    renamed = contract_text().replace("source: ccib/thaipoliceonline", "source: ccib/other")
    file.write_text(renamed.replace("id: tpo_complaint", "id: tpo_again"), encoding="utf-8")
    secret = home / "secrets" / "saphan_source"
    address = secret.read_text(encoding="utf-8")
    for same in (address, address.replace("/agency.db", "/./agency.db")):
        secret.write_text(same, encoding="utf-8")
        assert code_of(run(home, "approve", str(file))) == "source-renamed"
    assert b"agency.db" not in (home / "journal.db").read_bytes()
    secret.write_text(address.replace("agency.db", "elsewhere.db"), encoding="utf-8")
    assert run(home, "approve", str(file)).exit_code == 0


def test_refresh_counts_what_the_snapshot_holds(home: Path) -> None:
    counted = {"dataset": "tpo_complaint", "data_version": 1, "rows": 2, "kept_rows": 2, "persons": 2}
    assert done(run(home, "refresh", "--json")) == {
        "datasets": [{**counted, "outside_pilot": [], "unmatched_objections": 0}]
    }
    versions = DataVersions(home / "snapshot.duckdb")
    assert versions() == versions() == {"tpo_complaint": 1}
    assert "version 2, 2 of 2 rows" in run(home, "refresh").stdout
    assert versions() == {"tpo_complaint": 2}


def test_before_the_first_refresh_there_are_no_data_versions(home: Path) -> None:
    assert DataVersions(home / "snapshot.duckdb")() == {}


def test_generate_fills_the_agencys_database_with_made_up_people(home: Path) -> None:
    (home / "secrets" / "saphan_source").write_text(f"sqlite:///{home.parent}/empty.db", encoding="utf-8")
    arguments = ("--scale", "0.001", "--months", "12", "--until", "2026-01-01", "--seed", "7")
    generated = GeneratedAll.model_validate(done(run(home, "generate", *arguments, "--json"))).datasets[0]
    refreshed = Snapshots.model_validate(done(run(home, "refresh", "--json"))).datasets[0]
    assert refreshed.rows == generated.rows > 100
    assert f"tpo_complaint: {generated.rows} rows" in run(home, "generate", *arguments).stdout


def test_a_damaged_snapshot_offers_no_data_and_stops_nothing(home: Path) -> None:
    (home / "snapshot.duckdb").write_bytes(b"no snapshot")
    assert DataVersions(home / "snapshot.duckdb")() == {}


def test_a_home_without_a_federation_or_a_key_says_so(home: Path) -> None:
    with pytest.raises(InvalidInput) as raised:
        Home(home).key("ccib#client-1")
    assert raised.value.code == "key-not-held"
    (home / "federation.json").unlink()
    assert code_of(run(home, "publish")) == "members-unknown"


# The signal may break off a poll that is still connecting: that socket is closed by the collector, not by the client.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_connector_serves_until_it_is_told_to_stop(home: Path, gateway: FakeGateway) -> None:
    run(home, "approve")
    run(home, "refresh")
    gateway.tasks.append(_rekeyed(gateway))
    stopper = threading.Thread(target=_stop_when, args=(lambda: bool(gateway.parts),))
    stopper.start()
    try:
        serve(load_settings(home=home, wait_seconds=0), lambda: NOW)
    finally:
        stopper.join()
    assert gateway.parts["TASK-0001"].refusal is None
    view = done(run(home, "journal", "--json"))
    assert isinstance(view["departures"], list)
    assert [each["state"] for each in view["departures"]] == ["acknowledged"]
    shown = run(home, "journal").stdout
    assert "approved  tpo_complaint" in shown
    assert "spent     ccib/thaipoliceonline FY2569: 40000000 nano-rho" in shown


def test_serve_reads_the_settings_of_its_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[ConnectorSettings] = []
    monkeypatch.setattr(saphan.connector_commands, "serve", seen.append)
    assert run(home, "serve").exit_code == 0
    assert [(each.agency, each.crash_at) for each in seen] == [("ccib", None)]


def test_the_setting_for_tests_of_recovery_arms_the_hook(home: Path) -> None:
    armed = connectors.main.hook_of(load_settings(home=home, crash_at="cells-read"))
    assert armed is not connectors.main.hook_of(load_settings(home=home))


def test_the_clock_is_aware() -> None:
    assert connectors.main.now().utcoffset() is not None


def test_a_source_that_is_no_database_is_named(home: Path) -> None:
    database = load_settings(home=home).source.get_secret_value().removeprefix("sqlite:///")
    with sqlite3.connect(f"{database}") as connection:
        connection.execute("DROP TABLE tpo_complaint")
    connection.close()
    assert code_of(run(home, "refresh")) == "source-mismatch"


def _rekeyed(gateway: FakeGateway) -> LeasedTask:
    asked = case()
    asked.keys = gateway.keys
    return asked.leased()


def _stop_when(is_done: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(400):
        if is_done():
            pause.wait(0.5)  # the acknowledgement is on its way
            break
        pause.wait(0.05)
    os.kill(os.getpid(), signal.SIGTERM)

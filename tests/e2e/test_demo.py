"""The one command, as a person runs it: five programs, nothing shared, one JSON object, one web page."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from contracts.transport import ClientFiles, client_context

pytestmark = pytest.mark.e2e

SCALE = "0.01"
START_SECONDS = 600


def plain_environment() -> dict[str, str]:
    """Without coverage, which would take half as long again: what the programs do is covered by tests of their own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def command(home: Path, *options: str) -> list[str]:
    """The demonstration in a folder of its own, small."""
    port = "18400"
    return [sys.executable, "-m", "saphan", "demo", "--home", str(home), "--scale", SCALE, "--port", port, *options]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A demonstration that stays up; gives its folder."""
    home = tmp_path_factory.mktemp("demo") / "home"
    with (home.parent / "log.txt").open("wb") as log:
        demo = subprocess.Popen(
            command(home), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=plain_environment()
        )
    deadline = time.monotonic() + START_SECONDS
    while not (home / "processes.json").exists():
        assert demo.poll() is None, (home.parent / "log.txt").read_text()
        assert time.monotonic() < deadline, (home.parent / "log.txt").read_text()
        time.sleep(0.2)
    yield home
    demo.send_signal(signal.SIGINT)
    assert demo.wait(timeout=60) == 0
    assert not [pid for pid in pids(home).values() if Path(f"/proc/{pid}").exists()]


def pids(home: Path) -> dict[str, int]:
    """The process of each program."""
    programs = json.loads((home / "processes.json").read_text())
    return {name: each["pid"] for name, each in programs.items()}


def opened(pid: int, home: Path) -> set[Path]:
    """The files under the demonstration that a process has open or mapped."""
    links = [Path(os.path.realpath(link)) for link in Path(f"/proc/{pid}/fd").iterdir() if link.exists()]
    mapped = [Path(line.split()[-1]) for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if "/" in line]
    return {path for path in (*links, *mapped) if path.is_relative_to(home)}


def environment(pid: int) -> dict[str, str]:
    """The environment that a process was started with."""
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def test_the_main_job_is_done_once_and_reported_as_one_object(tmp_path: Path) -> None:
    once = command(tmp_path / "home", "--once", "--json")
    done = subprocess.run(once, check=True, capture_output=True, timeout=START_SECONDS, env=plain_environment())

    said = done.stderr.decode()
    assert all(f"    {agency}: " in said for agency in ("ccib", "rtp", "dop"))
    report = json.loads(done.stdout)
    assert (report["agencies"], report["contracts"], report["agreements"]) == (3, 3, 1)
    assert report["forecast"]["series"] >= 77 * 4
    assert report["forecast"]["horizon"] == 12
    assert report["audit"]["verified"] is True
    assert report["audit"]["size"] >= 3 + 1 + 3 + 2 * 4
    assert set(report["seconds"]) == {"setup", "exchange", "forecast"}
    assert {name for each in report["releases"] for name in each["contracts"]} == {
        "crimes_case",
        "tpo_complaint",
        "dop_case",
    }
    for each in report["releases"]:
        assert each["cells"] > 0
        assert all(each[name] > 0 for name in ("rho", "epsilon", "delta", "sigma", "expected_error_95"))


def test_five_programs_run_and_none_listens_but_the_gateway(running: Path) -> None:
    programs = pids(running)

    assert set(programs) == {"gateway", "ccib", "rtp", "dop", "centre"}
    assert len(set(programs.values())) == 5
    for name, pid in programs.items():
        sockets = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
        inodes = {link[8:-1] for link in sockets if link.startswith("socket:[")}
        listening = {
            line.split()[9]
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
            if line.split()[3] == "0A"
        }
        assert bool(inodes & listening) == (name == "gateway"), name


def test_the_doctor_finds_every_hop_of_the_gateway_fine(running: Path) -> None:
    line = [sys.executable, "-m", "saphan", "doctor", "--home", str(running / "gateway"), "--json"]
    told = subprocess.run(line, capture_output=True, timeout=120, check=False)

    assert (told.returncode, json.loads(told.stdout)["failing"]) == (0, None)


def test_no_program_has_a_file_of_another_open(running: Path) -> None:
    for name, pid in pids(running).items():
        foreign = {path for path in opened(pid, running) if not path.is_relative_to(running / name)}

        assert not foreign, name
        assert opened(pid, running), name


def test_no_program_is_given_anything_by_its_environment(running: Path) -> None:
    for pid in pids(running).values():
        assert set(environment(pid)) <= {"PATH", "LANG", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"}


def test_no_private_key_or_database_lies_in_two_homes(running: Path) -> None:
    keys = [path.read_bytes() for path in running.glob("*/keys/*.key")]
    names = [path.name for path in running.glob("*/keys/*.key")]

    assert len(keys) == len(set(keys)) == len(set(names)) >= 3 + 2 + 3 * 4
    for name in pids(running):
        assert (running / name).stat().st_mode & 0o077 == 0
    owners = {path.name.partition("~")[0] for path in (running / "gateway/keys").iterdir()}
    assert owners == {"oja"}
    assert {path.name.partition("~")[2] for path in (running / "gateway/keys").iterdir()} == {
        "gateway-1.key",
        "token-1.key",
        "log-1.key",
        "registry-1.key",
    }


def test_the_public_page_the_forecast_and_the_offline_docs_are_served(running: Path) -> None:
    address = gateway_address(running)
    verify = client_context(address, ClientFiles(ca=running / "gateway/tls/ca.pem"))
    with httpx2.Client(base_url=address, trust_env=False, timeout=30, verify=verify) as http:
        thai, english = http.get("/"), http.get("/", params={"lang": "en"})
        forecast = http.get("/forecast.csv")
        docs = http.get("/docs")

    assert 'lang="th"' in thai.text
    assert "สะพาน" in thai.text
    assert 'lang="en"' in english.text
    assert "±" in english.text
    assert forecast.text.count("\n") > 77 * 3 * 12
    assert docs.is_success
    assert "//" not in docs.headers["content-security-policy"]


def gateway_address(running: Path) -> str:
    """The address that the demonstration took."""
    settings = tomllib.loads((running / "centre/saphan.toml").read_text())
    return str(settings["gateway"])


def test_every_home_believes_the_officers_root_alone_and_the_gateway_holds_no_key_of_theirs(running: Path) -> None:
    homes = [running / name for name in ("gateway", "centre", "ccib", "rtp", "dop")]
    roots = {(home / "root.json").read_bytes() for home in homes}
    assert len(roots) == 1
    assert not [home for home in homes if (home / "federation.json").exists()]
    root = json.loads(roots.pop())
    assert root["signed"]["roles"]["root"]["threshold"] == 2
    assert {each["keyid"] for each in root["signatures"]} == {"ccib#root-1", "rtp#root-1"}
    for agency in ("ccib", "rtp", "dop"):
        role = json.loads((running / agency / "registry/metadata" / f"{agency}.json").read_bytes())["signed"]
        assert [path.split("/")[:2] for path in role["targets"] if path.startswith("contracts")] == [
            ["contracts", agency]
        ]
    held = {path.stem for path in (running / "gateway/keys").iterdir()}
    assert held == {"oja~gateway-1", "oja~token-1", "oja~log-1", "oja~registry-1"}


def test_the_gateway_is_reached_over_tls_by_an_authority_that_can_issue_no_more(running: Path) -> None:
    address = gateway_address(running)
    assert address.startswith("https://localhost:")
    with pytest.raises(httpx2.TransportError):
        httpx2.get(address.replace("https", "http"), trust_env=False).raise_for_status()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(address, trust_env=False, verify=client_context(address, ClientFiles()))

    files = {path.relative_to(running) for path in running.rglob("tls/*")}
    members = ("centre", "ccib", "rtp", "dop")
    assert files == {
        *(Path("gateway/tls") / name for name in ("ca.pem", "server.pem", "server.key")),
        *(Path(member) / "tls" / name for member in members for name in ("ca.pem", "client.pem", "client.key")),
    }
    assert all((running / path).stat().st_mode & 0o077 == 0 for path in files)


def test_no_log_of_a_program_holds_a_secret(running: Path) -> None:
    keys = [*running.rglob("keys/*.key"), *running.rglob("tls/*.key")]
    lines = {line for path in keys for line in path.read_bytes().splitlines() if len(line) > 7 and b"-----" not in line}
    whole = {path.read_bytes().strip() for path in running.rglob("secrets/*")}
    encoded = {form for each in whole for form in (each.hex().encode(), base64.b64encode(each).rstrip(b"="))}
    secrets = lines | whole | encoded
    logs = {path: path.read_bytes() for path in running.rglob("log.txt")}
    logs[running.parent / "log.txt"] = (running.parent / "log.txt").read_bytes()

    assert len(secrets) > 3 * 4
    assert all(len(secret) > 7 for secret in secrets)
    assert sum(len(log) for log in logs.values()) > 1000
    for path, log in logs.items():
        assert not [secret for secret in secrets if secret in log], path
        assert not re.search(rb"eyJ[A-Za-z0-9_-]{8}|PRIVATE KEY|[Aa]uthorization:|[Cc]ookie:", log), path


def test_the_command_line_asks_previews_and_verifies_in_a_running_federation(running: Path) -> None:
    def saphan(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        home = ["--home", str(running / "centre")]
        return subprocess.run(
            [sys.executable, "-m", "saphan", *arguments, *home], capture_output=True, timeout=120, check=False
        )

    question = (
        *("--agreement", "oja-forecasting-2569", "--activity", "dop-monthly", "--by", "type"),
        *("--from", "2025-10-01", "--until", "2026-10-01"),
    )
    preview = saphan("preview", *question, "--json")
    asked = saphan("ask", *question, "--json")
    again = saphan("ask", *question, "--json")
    verified = saphan("audit", "verify", "--json")
    refused = saphan("ask", *question, "--where", "type=NOT-A-CODE", "--json")

    assert preview.returncode == 0, preview.stderr.decode()
    assert json.loads(preview.stdout)["affordable"] is True
    assert asked.returncode == 0, asked.stderr.decode()
    assert json.loads(asked.stdout)["body"]["id"] == json.loads(again.stdout)["body"]["id"]
    assert verified.returncode == 0, verified.stderr.decode()
    assert refused.returncode == 2
    assert "1109" in refused.stderr.decode()

"""``saphan token`` against a served gateway: the token comes by standard input and is never shown again."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result

from contracts.calls import SignedCalls
from gateway.main import system_clock
from saphan.__main__ import command_line
from tests.served_world import Served, served_gateway

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_gateway(tmp_path_factory.mktemp("token") / "gateway") as started:
        yield started


@pytest.fixture(scope="module")
def home(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served.member_home(tmp_path_factory.mktemp("member") / "oja", "oja")


def run(home: Path, verb: str, given: str) -> Result:
    arguments = ["token", verb, "--home", str(home)]
    return CliRunner().invoke(command_line(arguments), arguments, input=given)


def token_of(served: Served) -> str:
    calls = SignedCalls(served.keys["oja#client-1"], "oja", served.keys.federation.gateway)
    asked = calls.token_request(system_clock())
    address = f"{served.url}{asked.path}"
    answer = httpx2.post(address, content=asked.body, headers=dict(asked.headers), trust_env=False)
    return str(answer.json()["access_token"])


def test_a_token_is_shown_and_revoked(served: Served, home: Path) -> None:
    token = token_of(served)
    shown = run(home, "show", f"DPoP {token}\n")
    assert shown.exit_code == 0, shown.stderr
    assert json.loads(shown.stdout)["client_id"] == "oja#client-1"
    assert token not in shown.stdout

    revoked = run(home, "revoke", token)
    assert revoked.exit_code == 0, revoked.stderr
    assert not json.loads(revoked.stdout)["active"]
    assert "The token opens nothing any more." in revoked.stderr
    assert not json.loads(run(home, "show", token).stdout)["active"]


def test_on_a_terminal_it_is_a_table(served: Served, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saphan.output.is_for_programs", lambda **_: False)
    assert "oja#client-1" in run(home, "show", token_of(served)).stdout


@pytest.mark.parametrize("given", ["", "two words", "ก", "x" * 9000])
def test_what_is_no_token_is_not_sent(home: Path, given: str) -> None:
    refused = run(home, "show", given)
    assert refused.exit_code == 2
    assert "malformed-body" in refused.stderr

"""``saphan gateway serve`` with a certificate: members and visitors over TLS, tokens bound to the certificate shown."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from contracts.calls import TOKEN_PATH, SignedCalls
from contracts.errors import InvalidInput, Unavailable
from contracts.transport import ClientFiles, client_context
from gateway.agreement_calls import everything
from gateway.client import Gateway
from saphan import dev_ca
from saphan.client_settings import load_client_settings
from saphan.dev_ca import new_authority
from tests import factories
from tests.api_world import make_home
from tests.factories import Keys
from tests.served_world import COMMAND, free_port

pytestmark = pytest.mark.integration

SETTINGS = """
tls_certificate = "tls/server.pem"
tls_key = "tls/server.key"
tls_client_ca = "tls/ca.pem"
allowed_hosts = ["saphan.local"]

[limits]
header_bytes = 16384
"""


@dataclass(frozen=True)
class Served:
    """A gateway in a process of its own, and the papers of a member and of a visitor."""

    url: str
    keys: Keys
    member: ClientFiles
    visitor: ClientFiles

    def client(self, files: ClientFiles) -> httpx2.Client:
        """A connection of one's own."""
        return httpx2.Client(base_url=self.url, trust_env=False, verify=client_context(self.url, files))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, now = tmp_path_factory.mktemp("tls"), datetime.now(UTC)
    keys = factories.federation(valid_from=now - timedelta(days=1), valid_until=now + timedelta(days=1))
    home = make_home(folder / "home", keys)
    authority = new_authority(("localhost",), now, 1)
    dev_ca.write(home / "tls", "server", authority.server(("localhost",)), authority.pem)
    dev_ca.write(folder / "member", "client", authority.client("oja"), authority.pem)
    (home / "saphan.toml").write_text(SETTINGS)
    port = free_port()
    visitor = ClientFiles(folder / "member" / "ca.pem")
    member = ClientFiles(visitor.ca, folder / "member" / "client.pem", folder / "member" / "client.key")
    made = Served(f"https://localhost:{port}", keys, member, visitor)
    command = [sys.executable, "-c", COMMAND, "serve", "--home", str(home), "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(made)
            yield made
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def _wait(made: Served) -> None:
    with made.client(made.visitor) as http:
        for _ in range(300):
            try:
                assert http.get("/health/ready").is_success
            except httpx2.TransportError:
                time.sleep(0.2)
            else:
                return
    raise TimeoutError


def gateway(served: Served, files: ClientFiles) -> Gateway:
    """A member's line."""
    return Gateway(served.url, served.keys["oja#client-1"], "oja", served.keys.federation, tls=files)


def test_a_member_talks_with_a_certificate_and_without_one(served: Served) -> None:
    for files in (served.member, served.visitor):
        with gateway(served, files) as line:
            assert everything(line) == ()


def test_a_token_that_was_bound_to_a_certificate_is_worth_nothing_on_another_connection(served: Served) -> None:
    issuer = served.keys.federation.gateway
    calls = SignedCalls(served.keys["oja#client-1"], "oja", issuer, has_certificate=True)
    with served.client(served.member) as own, served.client(served.visitor) as other:
        asked = calls.token_request(datetime.now(UTC))
        answer = own.post(TOKEN_PATH, content=asked.body, headers=dict(asked.headers))
        assert answer.json()["token_type"] == "Bearer"  # noqa: S105  # the kind of a token
        calls.accept_token(answer.content, datetime.now(UTC))
        statuses = []
        for http in (other, own):
            call = calls.message("GET", "/v1/agreements", b"", datetime.now(UTC))
            statuses.append(http.get(call.path, headers=dict(call.headers)).status_code)
    assert statuses == [401, 200]


def test_a_visitor_reads_the_public_page_and_what_goes_with_it(served: Served) -> None:
    with served.client(served.visitor) as http:
        page = http.get("/", params={"lang": "th"})
        assert 'lang="th"' in page.text
        assert "secure" in page.headers["set-cookie"].lower()
        assert http.get("/", headers={"host": "saphan.local"}).is_success
        assert http.get("/", headers={"host": "saphan.other"}).status_code == 421
        assert http.get("/", headers={"x": "a" * 17_000}).status_code == 431


def test_a_member_who_trusts_another_authority_does_not_talk(served: Served) -> None:
    with gateway(served, ClientFiles()) as line, pytest.raises(Unavailable) as caught:
        everything(line)
    assert caught.value.code == "gateway-unreachable"


def test_a_member_does_not_speak_plainly_through_a_network(served: Served) -> None:
    with pytest.raises(InvalidInput) as caught:
        Gateway("http://gateway.example", served.keys["oja#client-1"], "oja", served.keys.federation)
    assert caught.value.details["setting"] == "gateway"


def test_the_command_line_finds_its_papers_in_the_members_home(served: Served, tmp_path: Path) -> None:
    whose = f'agency = "oja"\ngateway = "{served.url}"\n'
    papers = 'tls_ca = "tls/ca.pem"\ntls_certificate = "c.pem"\ntls_key = "c.key"\n'
    (tmp_path / "saphan.toml").write_text(whose + papers)
    settings = load_client_settings(home=tmp_path)
    assert settings.tls == ClientFiles(tmp_path / "tls/ca.pem", tmp_path / "c.pem", tmp_path / "c.key")

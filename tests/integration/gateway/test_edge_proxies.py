"""What a reverse proxy says of its callers is believed of the peers that the operator named, and of nobody else."""

import asyncio
import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

import pytest
from typing_extensions import override
from uvicorn.server import ServerState

from contracts.transport import ClientFiles, client_context
from gateway.edges.listener import GuardedProtocol
from gateway.edges.proxies import Proxies
from gateway.edges.server import Listening, server_config
from gateway.edges.tls import ServerFiles
from saphan import dev_ca
from saphan.dev_ca import new_authority
from tests.edge_world import ISSUER, Answer, EdgeWorld, Noted, listening

pytestmark = pytest.mark.integration

HERE = (IPv4Network("127.0.0.0/8"),)
ELSEWHERE = (IPv4Network("192.0.2.0/24"), IPv6Network("2001:db8::/32"))
DER = b"a certificate"
X5T = base64.urlsafe_b64encode(sha256(DER).digest()).decode().rstrip("=")
CERTIFICATE = b"Client-Cert: :%b:" % base64.b64encode(DER)
BELIEVED = (
    b"X-Forwarded-For: 198.51.100.9, 203.0.113.5, 127.0.0.2",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Host: evil.example",
    CERTIFICATE,
)


def call(world: EdgeWorld, *fields: bytes) -> tuple[str, str, dict[str, str]]:
    """Call with these fields; the caller's address, the scheme and the state that the application saw."""
    head = b"".join(b"%b\r\n" % each for each in fields)
    assert world.say(b"GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%b\r\n" % head).status == 200
    scope = world.noted.scopes[-1]
    return scope["client"][0], scope["scheme"], scope["state"]


@pytest.fixture(scope="module")
def behind() -> Iterator[EdgeWorld]:
    with listening(Listening(ISSUER, "127.0.0.1", 0, proxies=Proxies(HERE, bring_certificates=True))) as world:
        yield world


def test_a_trusted_proxy_says_who_called_and_how(behind: EdgeWorld) -> None:
    assert call(behind, *BELIEVED) == ("203.0.113.5", "https", {"x5t_s256": X5T})


def test_a_trusted_proxy_that_says_nothing_is_the_caller(behind: EdgeWorld) -> None:
    assert call(behind) == ("127.0.0.1", "http", {})


def test_what_one_call_says_holds_for_that_call_alone(behind: EdgeWorld) -> None:
    with behind.line() as line:
        line.send(b"GET /page HTTP/1.1\r\nHost: localhost\r\n%b\r\n\r\n" % b"\r\n".join(BELIEVED))
        line.until(b"ok")
        line.send(b"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n")
        line.until(b"ok")
    scope = behind.noted.scopes[-1]
    assert (scope["client"][0], scope["scheme"], scope["state"]) == ("127.0.0.1", "http", {})


@pytest.mark.parametrize(
    "fields",
    [
        (b"Client-Cert: YQ==",),
        (b"Client-Cert: :not base64!:",),
        (b"Client-Cert: ::",),
        (CERTIFICATE, CERTIFICATE),
        (b"X-Forwarded-Proto: gopher",),
        (b"X-Forwarded-For: unknown",),
        (b"X-Forwarded-For: 127.0.0.3",),
        (b"X-Forwarded-For: 203.0.113.5, somebody",),
    ],
)
def test_what_cannot_be_read_is_not_guessed(behind: EdgeWorld, fields: tuple[bytes, ...]) -> None:
    assert call(behind, *fields) == ("127.0.0.1", "http", {})


def test_the_nearest_proxys_scheme_counts(behind: EdgeWorld) -> None:
    assert call(behind, b"X-Forwarded-Proto: https, http")[1] == "http"


@pytest.mark.parametrize("networks", [(), ELSEWHERE], ids=["no proxies", "proxies elsewhere"])
def test_nobody_else_is_believed(networks: tuple[IPv4Network | IPv6Network, ...]) -> None:
    with listening(Listening(ISSUER, "127.0.0.1", 0, proxies=Proxies(networks, bring_certificates=True))) as world:
        assert call(world, *BELIEVED) == ("127.0.0.1", "http", {})


def test_certificates_are_believed_only_of_a_proxy_that_checks_them() -> None:
    with listening(Listening(ISSUER, "127.0.0.1", 0, proxies=Proxies(HERE))) as world:
        assert call(world, *BELIEVED) == ("203.0.113.5", "https", {})


def test_a_name_that_a_proxy_forwards_does_not_make_a_foreign_host_ours(behind: EdgeWorld) -> None:
    message = b"GET /page HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\n\r\n"
    assert behind.say(message).told == (421, "host-unknown")


def test_a_proxys_own_certificate_is_not_its_callers(tmp_path: Path) -> None:
    authority = new_authority(("localhost",), datetime.now(UTC), 1)
    dev_ca.write(tmp_path / "s", "server", authority.server(("localhost",)), authority.pem)
    dev_ca.write(tmp_path / "c", "client", authority.client("proxy"), authority.pem)
    ca = tmp_path / "s" / "ca.pem"
    tls = ServerFiles(tmp_path / "s" / "server.pem", tmp_path / "s" / "server.key", ca)
    shown = ClientFiles(ca, tmp_path / "c" / "client.pem", tmp_path / "c" / "client.key")
    how = Listening(ISSUER, "127.0.0.1", 0, tls=tls, proxies=Proxies(HERE))
    with listening(how) as world, world.line(client_context("https://localhost", shown)) as line:
        assert line.say(b"GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").status == 200
    assert world.noted.scopes[-1]["state"] == {}


@pytest.mark.parametrize(
    ("network", "peer", "trusted"),
    [
        ("127.0.0.1/32", "127.0.0.1", True),
        ("127.0.0.1/32", "::ffff:127.0.0.1", True),
        ("127.0.0.1/32", "127.0.0.2", False),
        ("fd00::/8", "fd00::1%eth0", True),
        ("fd00::/8", "10.0.0.1", False),
        ("0.0.0.0/0", "unix", False),
    ],
)
def test_a_proxy_is_known_by_its_address(network: str, peer: str, trusted: bool) -> None:  # noqa: FBT001  # a parameter
    assert Proxies((ip_network(network),)).trust(peer) is trusted


class Wire(asyncio.Transport):
    """A connection without TLS from that address; it keeps what is written."""

    def __init__(self, peer: str) -> None:
        super().__init__({"peername": (peer, 40_000), "sockname": ("192.0.2.1", 8000)})
        self.written = b""

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    @override
    def can_write_eof(self) -> bool:
        return False

    @override
    def is_closing(self) -> bool:
        return False

    @override
    def close(self) -> None:
        """Nothing is open."""


async def answered(peer: str) -> tuple[bytes, list[Mapping[str, object]]]:
    """What a listener without TLS says to a peer, and what reaches its application."""
    noted = Noted()
    config = server_config(noted, Listening(ISSUER, "0.0.0.0", 8000, proxies=Proxies(ELSEWHERE)))  # noqa: S104  # the case
    config.load()
    state, wire, made = ServerState(), Wire(peer), config.http_protocol_class
    assert issubclass(made, GuardedProtocol)
    protocol = made(config, state, {}, asyncio.get_running_loop())
    protocol.connection_made(wire)
    protocol.data_received(b"GET /page HTTP/1.1\r\nHost: gateway.example\r\n\r\n")
    await asyncio.gather(*state.tasks)
    protocol.connection_lost(None)
    return wire.written, noted.scopes


@pytest.mark.parametrize("peer", ["203.0.113.5", "10.0.0.7", "2001:db9::1", "::ffff:203.0.113.5", "no address"])
def test_who_comes_past_the_proxies_in_the_clear_is_not_read(peer: str) -> None:
    written, reached = asyncio.run(answered(peer))
    assert Answer(written, 0.0).told == (426, "tls-required")
    assert reached == []


@pytest.mark.parametrize("peer", ["192.0.2.9", "2001:db8::1", "127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_proxies_and_this_machine_are_served_in_the_clear(peer: str) -> None:
    written, reached = asyncio.run(answered(peer))
    assert (written[:12], len(reached)) == (b"HTTP/1.1 200", 1)

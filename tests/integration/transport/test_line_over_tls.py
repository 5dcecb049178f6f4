"""TLS of the line to a gateway: whose certificate is believed, for which name, and what is shown."""

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.errors import Unavailable
from contracts.signature_base import Message
from contracts.transport import ClientFiles
from saphan import dev_ca
from saphan.dev_ca import Authority, new_authority
from tests.wire_server import ANSWER, Heard, polite, saying, serving
from transport.http import HttpLine

pytestmark = pytest.mark.integration

CALL = Message("GET", "/v1/x", {}, b"")
HOSTS = ("localhost",)
NOW = datetime.now(UTC)
SECONDS = 5.0
SOON = 0.2


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority(("localhost", "other"), NOW, 1)


def server_side(folder: Path, authority: Authority, hosts: tuple[str, ...] = HOSTS) -> ssl.SSLContext:
    """A server's TLS, by a certificate of the authority, which also asks for one of a client."""
    dev_ca.write(folder / "server", "server", authority.server(hosts), authority.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server" / "server.pem", folder / "server" / "server.key")
    context.load_verify_locations(folder / "server" / "ca.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def trusting(folder: Path) -> ClientFiles:
    """What trusts the authority of the server, and shows nothing."""
    return ClientFiles(folder / "server" / "ca.pem")


def is_unreachable(url: str, files: ClientFiles, seconds: float = SECONDS) -> bool:
    """Whether no answer can be had."""
    with HttpLine(url, files) as line, pytest.raises(Unavailable) as caught:
        line.send(CALL, seconds)
    return caught.value.code == "gateway-unreachable"


def test_a_gateway_of_the_pinned_root_is_talked_to_over_one_connection(tmp_path: Path, authority: Authority) -> None:
    context = server_side(tmp_path, authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with serving(polite, tls=context) as server, HttpLine(server.url, trusting(tmp_path)) as line:
        assert [line.send(CALL, SECONDS).body for _ in range(3)] == [b"ok"] * 3
        secured = server.taken[0].socket
        assert isinstance(secured, ssl.SSLSocket)
        assert secured.version() == "TLSv1.3"
        assert secured.selected_alpn_protocol() == "http/1.1"
        assert secured.getpeercert() is None
    assert [len(each.requests) for each in server.taken] == [3]


def test_a_member_shows_its_certificate(tmp_path: Path, authority: Authority) -> None:
    context = server_side(tmp_path, authority)
    dev_ca.write(tmp_path / "oja", "client", authority.client("oja"), authority.pem)
    files = ClientFiles(trusting(tmp_path).ca, tmp_path / "oja" / "client.pem", tmp_path / "oja" / "client.key")
    with serving(polite, tls=context) as server, HttpLine(server.url, files) as line:
        line.send(CALL, SECONDS)
        secured = server.taken[0].socket
        assert isinstance(secured, ssl.SSLSocket)
        assert secured.getpeercert()


def test_a_root_that_is_not_the_pinned_one_is_not_believed(tmp_path: Path, authority: Authority) -> None:
    context = server_side(tmp_path, new_authority(HOSTS, NOW, 1))
    dev_ca.write(tmp_path / "mine", "server", authority.server(HOSTS), authority.pem)
    with serving(polite, tls=context) as server:
        assert is_unreachable(server.url, ClientFiles(tmp_path / "mine" / "ca.pem"))
        assert is_unreachable(server.url, ClientFiles())
        assert not any(each.requests for each in server.taken)


def test_a_certificate_for_another_name_is_not_believed(tmp_path: Path, authority: Authority) -> None:
    context = server_side(tmp_path, authority, ("other",))
    with serving(polite, tls=context) as server:
        assert is_unreachable(server.url, trusting(tmp_path))
        assert not any(each.requests for each in server.taken)


def test_a_certificate_that_has_ended_is_not_believed(tmp_path: Path) -> None:
    context = server_side(tmp_path, new_authority(HOSTS, NOW - timedelta(days=3), 1))
    with serving(polite, tls=context) as server:
        assert is_unreachable(server.url, trusting(tmp_path))
        assert not any(each.requests for each in server.taken)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_an_old_version_is_not_spoken(tmp_path: Path, authority: Authority) -> None:
    context = server_side(tmp_path, authority)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with serving(polite, tls=context) as server:
        assert is_unreachable(server.url, trusting(tmp_path))
        assert not any(each.requests for each in server.taken)


def test_a_handshake_that_does_not_end_takes_no_longer_than_the_call(tmp_path: Path, authority: Authority) -> None:
    server_side(tmp_path, authority)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        started = time.monotonic()
        assert is_unreachable(f"https://localhost:{mute.getsockname()[1]}", trusting(tmp_path), SOON)
        assert time.monotonic() - started < 5 * SOON


def test_who_speaks_plainly_where_tls_is_due_is_not_heard(tmp_path: Path, authority: Authority) -> None:
    server_side(tmp_path, authority)

    def plain(heard: Heard) -> None:
        heard.say(ANSWER)
        heard.over.wait()

    with serving(plain) as server:
        assert is_unreachable(server.url.replace("http:", "https:"), trusting(tmp_path))


def test_a_large_answer_comes_whole_in_many_records(tmp_path: Path, authority: Authority) -> None:
    body = bytes(range(256)) * 2**13
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    def script(heard: Heard) -> None:
        heard.request()
        heard.say(answer)
        polite(heard)

    context = server_side(tmp_path, authority)
    with serving(script, tls=context) as server, HttpLine(server.url, trusting(tmp_path)) as line:
        assert line.send(CALL, SECONDS).body == body
        assert line.send(CALL, SECONDS).body == b"ok"
    assert len(server.taken) == 1


def test_a_connection_that_is_cut_off_is_no_answer(tmp_path: Path, authority: Authority) -> None:
    torn = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"
    with serving(saying(torn), tls=server_side(tmp_path, authority)) as server:
        assert is_unreachable(server.url, trusting(tmp_path))

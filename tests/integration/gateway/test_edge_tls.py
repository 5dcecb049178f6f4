"""TLS of the listener and of those who connect: who is let in, who is not, and whose certificate was seen."""

import base64
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization

from contracts.errors import InvalidInput
from contracts.transport import ClientFiles, client_context
from gateway.edges.limits import Limits
from gateway.edges.server import Listening, server_config
from gateway.edges.tls import ServerFiles
from saphan import dev_ca
from saphan.dev_ca import Authority, new_authority
from tests.edge_world import ISSUER, EdgeWorld, Noted, listening

pytestmark = pytest.mark.integration

HOSTS = ("localhost", "127.0.0.1")
GET = b"GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
NOW = datetime.now(UTC)
QUICK = Limits(header_seconds=0.3, linger_seconds=0.2)


@dataclass
class Papers:
    """Certificates of every kind, each in a folder of its own."""

    folder: Path

    def issue(self, authority: Authority, name: str) -> ClientFiles:
        """A client certificate of an authority."""
        dev_ca.write(self.folder / name, "client", authority.client(name), authority.pem)
        return self.files(name)

    def files(self, name: str) -> ClientFiles:
        """The files of a client, which trusts the gateway's root."""
        folder = self.folder / name
        return ClientFiles(self.folder / "gateway" / "ca.pem", folder / "client.pem", folder / "client.key")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority(HOSTS, NOW, 1)


@pytest.fixture(scope="module")
def papers(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("papers")
    dev_ca.write(folder / "gateway", "server", authority.server(HOSTS), authority.pem)
    made = Papers(folder)
    made.issue(authority, "ccib")
    made.issue(new_authority(HOSTS, NOW, 1), "stranger")
    expired = Authority(authority.certificate, authority.key, (NOW - timedelta(days=2), NOW - timedelta(days=1)))
    made.issue(expired, "expired")
    early = Authority(authority.certificate, authority.key, (NOW + timedelta(days=1), NOW + timedelta(days=2)))
    made.issue(early, "early")
    dev_ca.write(folder / "server-as-client", "client", authority.server(HOSTS), authority.pem)
    return made


def served(papers: Papers, name: str = "gateway", *, required: bool) -> Listening:
    """A listener with the certificate in this folder."""
    folder = papers.folder / name
    tls = ServerFiles(folder / "server.pem", folder / "server.key", papers.folder / "gateway" / "ca.pem", required)
    return Listening(ISSUER, "127.0.0.1", 0, tls=tls, limits=QUICK)


@pytest.fixture(scope="module")
def strict(papers: Papers) -> Iterator[EdgeWorld]:
    with listening(served(papers, required=True)) as world:
        yield world


@pytest.fixture(scope="module")
def lenient(papers: Papers) -> Iterator[EdgeWorld]:
    with listening(served(papers, required=False)) as world:
        yield world


def call(world: EdgeWorld, files: ClientFiles, host: str = "localhost") -> int:
    """Call as members do; the status."""
    address = f"https://{host}:{world.port}"
    with httpx2.Client(trust_env=False, verify=client_context(address, files)) as http:
        return http.get(f"{address}/page").status_code


def thumbprint_of(files: ClientFiles) -> str:
    """As RFC 8705 says, by another road than the gateway's."""
    assert files.certificate is not None
    der = ssl.PEM_cert_to_DER_cert(files.certificate.read_text())
    return base64.urlsafe_b64encode(sha256(der).digest()).decode().rstrip("=")


def test_the_application_sees_the_thumbprint_of_the_callers_certificate(strict: EdgeWorld, papers: Papers) -> None:
    assert call(strict, papers.files("ccib")) == 200
    scope = strict.noted.scopes[-1]
    assert scope["state"] == {"x5t_s256": thumbprint_of(papers.files("ccib"))}
    assert scope["scheme"] == "https"


def test_without_a_certificate_a_visitor_is_let_in_and_has_no_thumbprint(lenient: EdgeWorld, papers: Papers) -> None:
    assert call(lenient, ClientFiles(ca=papers.files("ccib").ca)) == 200
    assert lenient.noted.scopes[-1]["state"] == {}


def test_a_thumbprint_is_its_own_connections(lenient: EdgeWorld, papers: Papers) -> None:
    files = papers.files("ccib")
    with lenient.line(client_context("https://localhost", files)) as line:
        assert line.say(GET).status == 200
    with lenient.line(client_context("https://localhost", ClientFiles(ca=files.ca))) as line:
        assert line.say(GET).status == 200
    assert [scope["state"] for scope in lenient.noted.scopes[-2:]] == [{"x5t_s256": thumbprint_of(files)}, {}]


def test_nobody_says_in_a_field_whose_certificate_it_was(lenient: EdgeWorld, papers: Papers) -> None:
    fields = b"Client-Cert: :AAAA:\r\nX-Client-Cert: x\r\nX-Forwarded-Proto: http\r\nX-Forwarded-For: 192.0.2.1\r\n"
    with lenient.line(client_context("https://localhost", ClientFiles(ca=papers.files("ccib").ca))) as line:
        assert line.say(GET.replace(b"Connection", fields + b"Connection")).status == 200
    scope = lenient.noted.scopes[-1]
    assert (scope["state"], scope["scheme"], scope["client"][0]) == ({}, "https", "127.0.0.1")


def test_without_a_certificate_nobody_is_let_in_where_one_is_required(strict: EdgeWorld, papers: Papers) -> None:
    before = len(strict.noted.scopes)
    with pytest.raises(httpx2.TransportError):
        call(strict, ClientFiles(ca=papers.files("ccib").ca))
    assert len(strict.noted.scopes) == before


@pytest.mark.parametrize("name", ["stranger", "expired", "early", "server-as-client"])
@pytest.mark.parametrize("kind", ["strict", "lenient"])
def test_a_wrong_certificate_is_refused_also_where_none_is_required(
    name: str, kind: str, papers: Papers, request: pytest.FixtureRequest
) -> None:
    world: EdgeWorld = request.getfixturevalue(kind)
    before = len(world.noted.scopes)
    with pytest.raises(httpx2.TransportError):
        call(world, papers.files(name))
    assert len(world.noted.scopes) == before


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_tls_1_1_is_refused_by_the_listener(lenient: EdgeWorld, papers: Papers) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(papers.files("ccib").ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        lenient.line(context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken_with_fresh_keys(
    lenient: EdgeWorld, papers: Papers, version: ssl.TLSVersion
) -> None:
    context = client_context("https://localhost", ClientFiles(ca=papers.files("ccib").ca))
    context.minimum_version = context.maximum_version = version
    with lenient.line(context) as line:
        cipher = line.socket.cipher()  # type: ignore[attr-defined]  # it is wrapped
        assert line.say(GET).status == 200
        assert line.socket.session is None or not line.socket.session.has_ticket  # type: ignore[attr-defined]  # wrapped
    assert "GCM" in cipher[0] or "POLY1305" in cipher[0]


def test_the_newest_version_is_preferred(lenient: EdgeWorld, papers: Papers) -> None:
    with lenient.line(client_context("https://localhost", ClientFiles(ca=papers.files("ccib").ca))) as line:
        assert line.socket.version() == "TLSv1.3"  # type: ignore[attr-defined]  # it is wrapped


def test_an_old_cipher_is_refused(lenient: EdgeWorld, papers: Papers) -> None:
    context = client_context("https://localhost", ClientFiles(ca=papers.files("ccib").ca))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AES+SHA256:!AESGCM")
    with pytest.raises(ssl.SSLError):
        lenient.line(context)


def test_a_handshake_that_does_not_go_on_is_ended(lenient: EdgeWorld) -> None:
    with lenient.line() as line:
        answer = line.rest()
    assert answer.seconds < 3


def test_limits_hold_over_tls_too(lenient: EdgeWorld, papers: Papers) -> None:
    with lenient.line(client_context("https://localhost", ClientFiles(ca=papers.files("ccib").ca))) as line:
        message = b"GET /page HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000 + b"\r\n\r\n"
        assert line.say(message).told == (431, "header-too-large")


# ------------------------------------------------------------ those who connect


def test_a_gateway_of_another_authority_is_not_believed(papers: Papers, lenient: EdgeWorld) -> None:
    with pytest.raises(httpx2.ConnectError):
        call(lenient, ClientFiles(ca=papers.folder / "stranger" / "ca.pem"))


def test_without_a_root_of_ones_own_those_of_the_system_hold(lenient: EdgeWorld) -> None:
    with pytest.raises(httpx2.ConnectError):
        call(lenient, ClientFiles())


@pytest.mark.parametrize(
    ("hosts", "span"),
    [
        (("gateway.example",), (NOW - timedelta(days=1), NOW + timedelta(days=1))),
        (HOSTS, (NOW - timedelta(days=2), NOW - timedelta(days=1))),
    ],
    ids=["of another host", "expired"],
)
def test_a_gateways_wrong_certificate_is_not_believed(
    papers: Papers, tmp_path: Path, hosts: tuple[str, ...], span: tuple[datetime, datetime]
) -> None:
    other = new_authority((*HOSTS, *hosts), NOW - timedelta(days=3), 10)
    dev_ca.write(tmp_path, "server", Authority(other.certificate, other.key, span).server(hosts), other.pem)
    how = Listening(ISSUER, "127.0.0.1", 0, tls=ServerFiles(tmp_path / "server.pem", tmp_path / "server.key"))
    with listening(how) as world, pytest.raises(httpx2.ConnectError):
        call(world, ClientFiles(ca=tmp_path / "ca.pem"))


def test_a_clients_certificate_is_no_gateways(papers: Papers, tmp_path: Path, authority: Authority) -> None:
    tls = ServerFiles(papers.folder / "ccib" / "client.pem", papers.folder / "ccib" / "client.key")
    with listening(Listening(ISSUER, "127.0.0.1", 0, tls=tls)) as world, pytest.raises(httpx2.ConnectError):
        call(world, ClientFiles(ca=papers.folder / "ccib" / "ca.pem"))


def test_the_development_authority_can_vouch_for_no_other_host(tmp_path: Path) -> None:
    narrow = new_authority(("gateway.example",), NOW, 1)
    dev_ca.write(tmp_path, "server", narrow.server(HOSTS), narrow.pem)
    how = Listening(ISSUER, "127.0.0.1", 0, tls=ServerFiles(tmp_path / "server.pem", tmp_path / "server.key"))
    with listening(how) as world, pytest.raises(httpx2.ConnectError):
        call(world, ClientFiles(ca=tmp_path / "ca.pem"))


# ------------------------------------------------------------ settings that cannot be used


def test_without_a_certificate_the_gateway_listens_on_this_machine_or_behind_proxies_alone() -> None:
    with pytest.raises(InvalidInput) as caught:
        server_config(Noted(), Listening(ISSUER, "192.0.2.1", 0))
    assert caught.value.details["setting"] == "tls_certificate"


@pytest.mark.parametrize("name", ["missing", "not PEM", "another key", "encrypted"])
def test_files_that_cannot_be_used_are_told_without_their_paths(papers: Papers, tmp_path: Path, name: str) -> None:
    certificate, key = papers.folder / "gateway" / "server.pem", tmp_path / "server.key"
    if name == "not PEM":
        key.write_text("no key")
    elif name == "another key":
        key.write_bytes((papers.folder / "ccib" / "client.key").read_bytes())
    elif name == "encrypted":
        private = serialization.load_pem_private_key((papers.folder / "gateway" / "server.key").read_bytes(), None)
        encryption = serialization.BestAvailableEncryption(b"secret")
        form = serialization.PrivateFormat.PKCS8
        key.write_bytes(private.private_bytes(serialization.Encoding.PEM, form, encryption))
    with pytest.raises(InvalidInput) as caught:
        server_config(Noted(), Listening(ISSUER, "127.0.0.1", 0, tls=ServerFiles(certificate, key)))
    assert caught.value.details["setting"] == "tls_certificate"
    assert str(tmp_path) not in str(caught.value.problem())
    with pytest.raises(InvalidInput) as caught:
        client_context("https://localhost", ClientFiles(None, certificate, key))
    assert str(tmp_path) not in str(caught.value.problem())


def test_a_root_that_is_none_is_told(papers: Papers, tmp_path: Path) -> None:
    gateway = papers.folder / "gateway"
    for path in (tmp_path / "missing.pem", gateway / "server.key"):
        with pytest.raises(InvalidInput) as caught:
            client_context("https://localhost", ClientFiles(ca=path))
        assert caught.value.details["setting"] == "tls_ca"
        tls = ServerFiles(gateway / "server.pem", gateway / "server.key", path)
        with pytest.raises(InvalidInput) as caught:
            server_config(Noted(), Listening(ISSUER, "127.0.0.1", 0, tls=tls))
        assert caught.value.details["setting"] == "tls_client_ca"


def test_requiring_certificates_of_nobody_in_particular_is_refused(papers: Papers) -> None:
    gateway = papers.folder / "gateway"
    tls = ServerFiles(gateway / "server.pem", gateway / "server.key", client_required=True)
    with pytest.raises(InvalidInput) as caught:
        server_config(Noted(), Listening(ISSUER, "127.0.0.1", 0, tls=tls))
    assert caught.value.details["setting"] == "tls_client_ca"

"""How members reach the gateway."""

import ssl
from pathlib import Path

import pytest

from contracts.errors import InvalidInput
from contracts.transport import ClientFiles, check_address, client_context, is_loopback

pytestmark = pytest.mark.unit

HERE = [
    "https://gateway.example",
    "https://10.0.0.1:8443/",
    "http://127.0.0.1:8000",
    "http://[::1]:8000",
    "http://localhost",
]
ELSEWHERE = [
    *(
        "http://gateway.example",
        "http://10.0.0.1:8000",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
    ),
    *("http://0.0.0.0:8000", "ftp://127.0.0.1", "http://", "gateway.example"),
]


@pytest.mark.parametrize("address", HERE)
def test_https_goes_everywhere_and_http_stays_here(address: str) -> None:
    check_address(address)
    client_context(address, ClientFiles())


@pytest.mark.parametrize("address", ELSEWHERE)
def test_plain_http_goes_no_further_than_this_machine(address: str) -> None:
    for refuse in (check_address, lambda address: client_context(address, ClientFiles())):
        with pytest.raises(InvalidInput) as caught:
            refuse(address)
        assert caught.value.details["setting"] == "gateway"


def test_a_gateway_is_always_verified() -> None:
    for address in ("https://gateway.example", "http://localhost"):
        context = client_context(address, ClientFiles())
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.verify_flags & ssl.VERIFY_X509_STRICT


def test_without_tls_no_file_is_read() -> None:
    client_context("http://localhost", ClientFiles(Path("missing"), Path("missing"), Path("missing")))


@pytest.mark.parametrize("half", [ClientFiles(certificate=Path("x")), ClientFiles(key=Path("x"))])
def test_certificate_and_key_go_together(half: ClientFiles) -> None:
    with pytest.raises(InvalidInput) as caught:
        client_context("https://gateway.example", half)
    assert caught.value.details["why"] == "certificate and key go together"


def test_a_relative_file_lies_in_the_home() -> None:
    files = ClientFiles(Path("tls/ca.pem"), Path("/etc/saphan/client.pem")).within(Path("/home"))
    assert files == ClientFiles(Path("/home/tls/ca.pem"), Path("/etc/saphan/client.pem"), None)
    assert files.shows_certificate
    assert not ClientFiles().shows_certificate


@pytest.mark.parametrize(
    ("host", "here"), [("127.9.9.9", True), ("::1", True), ("LOCALHOST", True), ("10.0.0.1", False)]
)
def test_this_machine_is_known_by_name(host: str, here: bool) -> None:  # noqa: FBT001  # a parameter
    assert is_loopback(host) is here

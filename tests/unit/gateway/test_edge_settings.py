"""The settings of the gateway's edges, as a file gives them."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from contracts.errors import InvalidInput
from contracts.transport import ClientFiles
from gateway.centre.settings import load_settings as load_centre_settings
from gateway.edges.limits import Limits
from gateway.edges.tls import ServerFiles
from gateway.settings import load_settings

pytestmark = pytest.mark.unit

TLS = """
tls_certificate = "tls/server.pem"
tls_key = "/run/secrets/server.key"
tls_client_ca = "tls/clients.pem"
tls_client_required = true
trusted_proxies = ["10.0.0.0/8", "fd00::1/128"]
proxy_client_certificates = true
allowed_hosts = ["saphan.local"]

[limits]
header_seconds = 2.5
connections = 1000
"""


def test_without_settings_there_is_no_tls_and_nobody_is_trusted() -> None:
    settings = load_settings()
    assert settings.tls is None
    assert settings.trusted_proxies == ()
    assert not settings.proxy_client_certificates
    assert settings.allowed_hosts == ()
    assert settings.limits == Limits()


def test_files_that_are_not_absolute_lie_in_the_home(tmp_path: Path) -> None:
    (tmp_path / "saphan.toml").write_text(TLS)
    settings = load_settings(tmp_path)
    expected = ServerFiles(
        tmp_path / "tls/server.pem", Path("/run/secrets/server.key"), tmp_path / "tls/clients.pem", client_required=True
    )
    assert settings.tls == expected
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("fd00::1/128"))
    assert settings.proxy_client_certificates
    assert settings.allowed_hosts == ("saphan.local",)
    assert (settings.limits.header_seconds, settings.limits.connections) == (2.5, 1000)
    assert settings.limits.header_bytes == Limits().header_bytes


@pytest.mark.parametrize("name", ["tls_certificate", "tls_key"])
def test_certificate_and_key_go_together(tmp_path: Path, name: str) -> None:
    (tmp_path / "saphan.toml").write_text(f'{name} = "x.pem"\n')
    with pytest.raises(InvalidInput) as caught:
        _ = load_settings(tmp_path).tls
    assert caught.value.details["why"] == "certificate and key go together"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('trusted_proxies = ["proxy.example"]', "trusted_proxies"),
        ('trusted_proxies = ["10.0.0.1/8"]', "trusted_proxies"),
        ("[limits]\nheader_seconds = 0", "limits.header_seconds"),
        ("[limits]\nheader_second = 1", "limits.header_second"),
        ("[limits]\nbody_bytes = 1", "limits.body_bytes"),
    ],
)
def test_what_is_no_address_or_no_limit_is_told_by_its_name(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "saphan.toml").write_text(f"{text}\n")
    with pytest.raises(InvalidInput) as caught:
        load_settings(tmp_path)
    assert caught.value.details["setting"].startswith(name)


def test_the_centre_finds_its_papers_in_its_home(tmp_path: Path) -> None:
    whose = 'agency = "oja"\ngateway = "https://gateway.example"\nagreement = "some-agreement"\n'
    (tmp_path / "saphan.toml").write_text(whose + 'tls_ca = "ca.pem"\n')
    assert load_centre_settings(tmp_path).tls == ClientFiles(ca=tmp_path / "ca.pem")

"""A connector's papers for TLS."""

from pathlib import Path

import pytest

from connectors.settings import load_settings
from contracts.errors import InvalidInput
from contracts.transport import ClientFiles

pytestmark = pytest.mark.unit

WHOSE = {"agency": "dop", "source": "sqlite:///x.db"}


def test_a_connector_finds_its_papers_in_its_home(tmp_path: Path) -> None:
    given = {"tls_ca": "tls/ca.pem", "tls_certificate": "tls/c.pem", "tls_key": "/run/c.key"}
    settings = load_settings(home=tmp_path, gateway="https://gateway.example", **WHOSE, **given)
    assert settings.tls == ClientFiles(tmp_path / "tls/ca.pem", tmp_path / "tls/c.pem", Path("/run/c.key"))


def test_without_papers_the_systems_roots_hold_and_nothing_is_shown(tmp_path: Path) -> None:
    assert load_settings(home=tmp_path, gateway="http://127.0.0.1:8000", **WHOSE).tls == ClientFiles()


@pytest.mark.parametrize(
    "address",
    ["gateway.example", "ftp://gateway.example", "https://me:pw@gateway.example", "https://gateway.example/path"],
)
def test_an_address_is_scheme_host_and_port(tmp_path: Path, address: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_settings(home=tmp_path, gateway=address, **WHOSE)
    assert caught.value.details["setting"] == "gateway"
    assert "pw" not in str(caught.value.problem().detail)

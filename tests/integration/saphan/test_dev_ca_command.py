"""``saphan federation dev-ca``: certificates for a trial of TLS."""

import json
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from typer.testing import CliRunner, Result

from saphan.federation_commands import app

pytestmark = pytest.mark.integration


def dev_ca(output: Path, *arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["dev-ca", "--output", str(output), "--json", *arguments])


def loaded(path: Path) -> x509.Certificate:
    """A certificate."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_each_member_gets_a_folder_of_its_own_that_only_it_can_read(tmp_path: Path) -> None:
    output = tmp_path / "trial"
    done = dev_ca(output, "--server", "gateway.example", "--server", "10.0.0.7", "--client", "ccib", "--client", "rtp")

    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout.splitlines()[0])
    assert made["clients"] == [str(output / "ccib" / "client.pem"), str(output / "rtp" / "client.pem")]
    files = sorted(str(path.relative_to(output)) for path in output.rglob("*") if path.is_file())
    assert files == [
        *("ccib/ca.pem", "ccib/client.key", "ccib/client.pem"),
        *("gateway/ca.pem", "gateway/server.key", "gateway/server.pem"),
        *("rtp/ca.pem", "rtp/client.key", "rtp/client.pem"),
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in output.rglob("*") if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in output.iterdir()} == {0o700}
    for key in output.rglob("*.key"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(key.with_suffix(".pem"), key)


def test_certificates_are_for_one_use_one_month_and_the_named_hosts(tmp_path: Path) -> None:
    output = tmp_path / "trial"
    assert dev_ca(output, "--server", "gateway.example", "--server", "10.0.0.7", "--client", "ccib").exit_code == 0
    ca, server, client = (loaded(output / name) for name in ("gateway/ca.pem", "gateway/server.pem", "ccib/client.pem"))

    assert list(server.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.SERVER_AUTH
    ]
    assert list(client.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["gateway.example"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.7"]
    constraints = ca.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [str(each.value) for each in constraints.value.permitted_subtrees or ()] == [
        "gateway.example",
        "10.0.0.7/32",
    ]
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    for each in (server, client):
        each.verify_directly_issued_by(ca)
        assert each.not_valid_after_utc - datetime.now(UTC) <= timedelta(days=30)
        assert each.not_valid_before_utc <= datetime.now(UTC)


def test_the_authoritys_own_key_is_kept_nowhere(tmp_path: Path) -> None:
    output = tmp_path / "trial"
    dev_ca(output, "--server", "localhost", "--client", "ccib")
    authority = loaded(output / "gateway/ca.pem").public_key()
    for path in output.rglob("*.key"):
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        assert key.public_key() != authority


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "server.key").write_text("somebody's")
    done = dev_ca(tmp_path, "--server", "localhost")
    assert done.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["server.key"]


@pytest.mark.parametrize("name", ["../elsewhere", "CCIB", "a/b", ""])
def test_a_members_name_is_no_path(tmp_path: Path, name: str) -> None:
    done = dev_ca(tmp_path / "trial", "--server", "localhost", "--client", name)
    assert done.exit_code == 2
    assert not (tmp_path / "trial").exists()


def test_people_read_what_was_made_and_what_it_is_good_for(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["dev-ca", "--output", str(tmp_path / "trial"), "--server", "localhost"])
    assert "for trials only" in done.output


def test_on_a_terminal_the_files_are_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saphan.output.is_for_programs", lambda **_: False)
    output = tmp_path / "trial"
    done = CliRunner().invoke(app, ["dev-ca", "--output", str(output), "--server", "localhost", "--client", "ccib"])
    assert "the authority" in done.output
    assert "valid until" in done.output

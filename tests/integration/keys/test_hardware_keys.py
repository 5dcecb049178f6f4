"""Keys in a hardware module, on SoftHSM: a real PKCS#11 library with a token of its own for this module."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, Unavailable
from contracts.federation import Federation, KeyPurpose, Member, PublicKey
from contracts.keys import new_key
from contracts.message_signatures import Tag, sign, verify
from contracts.signature_base import Message
from contracts.signing import sign_document, verify_document
from keys.folder import KeyFolder
from keys.reference import HardwareReference
from saphan import keys_commands
from tests.factories import NOW, text

pytestmark = pytest.mark.integration

UNTIL = NOW + timedelta(days=1)
PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
PIN = "72451"
LABEL = "saphan"


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """SoftHSM with one fresh token. Without it: skipped, but a failure where CI=true."""
    found = next((place for place in PLACES if Path(place).is_file()), None)
    if found is None or shutil.which("softhsm2-util") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("SoftHSM is needed in CI: install softhsm2", pytrace=False)
        pytest.skip("no SoftHSM on this system")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(configuration))
        made = ["softhsm2-util", "--init-token", "--free", "--label", "saphan", "--so-pin", "5678", "--pin", PIN]
        subprocess.run(made, check=True, capture_output=True)
        yield found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that knows the token's PIN."""
    KeyFolder.write(tmp_path / "secrets" / "hardware-pin", f"{PIN}\n".encode())
    member = Member(agency="oja", title=text("OJA"), keys=())
    KeyFolder.write(tmp_path / "public.json", member.model_dump_json().encode())
    return tmp_path


def reference(module: str, kid: str, label: str | None = None) -> HardwareReference:
    return HardwareReference(kid=kid, module=module, token=LABEL, label=label or kid)


def test_a_key_made_in_the_module_signs_documents_and_messages_that_anybody_verifies(module: str, home: Path) -> None:
    made = KeyFolder(home).make_in_hardware(reference(module, "oja#client-1"))
    key = KeyFolder(home).key("oja#client-1")
    public = made.public_key(KeyPurpose.CLIENT, NOW, UNTIL)
    member = Member(agency="oja", title=text("OJA"), keys=(public,))
    federation = Federation(gateway="https://gateway.example", operator="oja", members=(member,))

    document = sign_document(canonical_bytes({"a": 1}), "agreement", key)
    sent = sign(Message("POST", "/v1/requests", {}, b"{}"), key, Tag.REQUEST, NOW, "n" * 22)

    def resolve(kid: str) -> PublicKey | None:
        return federation.key(kid, KeyPurpose.CLIENT, NOW)

    assert verify_document(document, "agreement", resolve).signers == {"oja#client-1"}
    assert verify(sent, Tag.REQUEST, resolve, NOW).kid == "oja#client-1"
    assert KeyFolder(home).place("oja#client-1") == "hardware"
    assert repr(key).count(PIN) == 0


def test_the_home_holds_nothing_of_the_key(module: str, home: Path) -> None:
    KeyFolder(home).make_in_hardware(reference(module, "oja#officer-2"))

    held = (home / "keys" / "oja~officer-2.key").read_text()
    assert set(HardwareReference.model_validate_json(held).model_dump()) == {"kind", "kid", "module", "token", "label"}
    assert PIN not in held


def test_a_label_is_used_once(module: str, home: Path) -> None:
    KeyFolder(home).make_in_hardware(reference(module, "oja#officer-3"))
    with pytest.raises(InvalidInput, match="setting-invalid"):
        KeyFolder(home).make_in_hardware(reference(module, "oja#officer-3"))


@pytest.mark.parametrize(("token", "label", "pin"), [("other", "x", PIN), ("saphan", "absent", PIN)])
def test_what_is_not_there_is_unavailable(module: str, home: Path, token: str, label: str, pin: str) -> None:
    absent = HardwareReference(kid="oja#officer-4", module=module, token=token, label=label)
    KeyFolder.write(home / "keys" / "oja~officer-4.key", absent.model_dump_json().encode())

    with pytest.raises(Unavailable, match="hardware-key-unavailable") as told:
        KeyFolder(home).key("oja#officer-4").sign(b"data")
    assert pin not in str(told.value.problem())


def test_a_module_that_is_no_library_is_unavailable(home: Path) -> None:
    absent = reference("/nowhere/libpkcs11.so", "oja#officer-5")
    KeyFolder.write(home / "keys" / "oja~officer-5.key", absent.model_dump_json().encode())

    with pytest.raises(Unavailable, match="hardware-key-unavailable"):
        KeyFolder(home).key("oja#officer-5").sign(b"data")


def test_a_wrong_pin_opens_nothing_and_is_not_repeated(module: str, home: Path) -> None:
    KeyFolder(home).make_in_hardware(reference(module, "oja#officer-6"))
    KeyFolder.write(home / "secrets" / "hardware-pin", b"99999")

    with pytest.raises(Unavailable, match="hardware-key-unavailable") as told:
        KeyFolder(home).key("oja#officer-6").sign(b"data")
    assert "99999" not in str(told.value.problem())


def test_the_command_makes_and_lists_a_hardware_key(module: str, home: Path) -> None:
    options = ["--home", str(home), "--json"]
    made = CliRunner().invoke(keys_commands.app, ["new", "dpo", "--hardware", module, *options])
    assert made.exit_code == 0, made.stderr
    listed = CliRunner().invoke(keys_commands.app, ["list", *options])
    assert '"place":"hardware","state":"unregistered"' in listed.stdout


def test_a_home_holds_keys_in_hardware_and_in_files_and_sealing_touches_files_alone(module: str, home: Path) -> None:
    folder = KeyFolder(home)
    folder.make_in_hardware(reference(module, "oja#officer-7"))
    folder.save(new_key("oja#log-1"))

    assert folder.seal_again(None) == ("oja#log-1",)

    assert len(folder.key("oja#officer-7").sign(b"data")) == 64
    assert len(folder.key("oja#log-1").sign(b"data")) == 64
    assert (home / "secrets" / "hardware-pin").read_text().strip() == PIN


def test_without_its_pin_a_hardware_key_is_asked_for_or_stays_shut(module: str, home: Path) -> None:
    KeyFolder(home).make_in_hardware(reference(module, "oja#officer-8"))
    (home / "secrets" / "hardware-pin").unlink()

    with pytest.raises(InvalidInput, match="key-not-opened"):
        KeyFolder(home).key("oja#officer-8")
    assert len(KeyFolder(home, PIN.encode).key("oja#officer-8").sign(b"data")) == 64

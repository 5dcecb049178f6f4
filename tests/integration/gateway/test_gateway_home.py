"""The gateway's home and its start: private files, the right keys, the right schema, or no start at all."""

from datetime import timedelta
from pathlib import Path

import pytest

from contracts.errors import InvalidInput
from contracts.federation import Federation, KeyPurpose
from contracts.keys import key_file_name, new_key
from gateway.home import GatewayHome
from gateway.main import create_app, system_clock
from gateway.settings import GatewaySettings
from tests import factories
from tests.api_world import make_home
from tests.factories import NOW

pytestmark = pytest.mark.integration

KEYS = factories.federation()


def why(home: Path, **settings: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        create_app(GatewaySettings.model_validate({"home": home, **settings}), lambda: NOW)
    if caught.value.code != "setting-invalid":
        return caught.value.code
    return f"{caught.value.details['setting']}: {caught.value.details['why']}"


def test_a_home_is_closed_to_others_and_keeps_its_keys(tmp_path: Path) -> None:
    home = GatewayHome(tmp_path / "home")
    home.make()
    made = home.make_keys("oja", factories.text("operator"), NOW, NOW + timedelta(days=1))
    assert home.make_keys("oja", factories.text("operator"), NOW, NOW + timedelta(days=1)) == made
    assert [key.purpose for key in made.keys] == [
        KeyPurpose.GATEWAY,
        KeyPurpose.TOKEN,
        KeyPurpose.LOG,
        KeyPurpose.REGISTRY,
    ]
    assert home.path.stat().st_mode & 0o777 == 0o700
    for file in (home.path / "keys").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
    home.pin(Federation(gateway="https://gateway.example", operator="oja", members=(made,)))
    assert home.key(home.federation(), KeyPurpose.TOKEN, NOW).kid == "oja#token-1"


def test_a_gateway_without_a_federation_does_not_start(tmp_path: Path) -> None:
    assert why(tmp_path) == "members-unknown"


def test_a_gateway_under_another_name_does_not_start(tmp_path: Path) -> None:
    assert why(make_home(tmp_path / "home", KEYS), issuer="https://elsewhere.example").startswith("issuer")


def test_a_gateway_without_its_keys_does_not_start(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", KEYS)
    (home / "keys" / key_file_name("oja#log-1")).unlink()
    assert why(home) == "key-not-held"


def test_a_gateway_with_another_key_under_the_registered_name_does_not_start(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", KEYS)
    (home / "keys" / key_file_name("oja#log-1")).write_bytes(new_key("oja#log-1").to_pem())
    assert why(home) == "keys: oja#log-1 is not the registered one"


def test_a_gateway_does_not_start_on_an_older_schema(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", KEYS)
    (home / "gateway.db").unlink()
    assert why(home).startswith("database")


def test_the_clock_is_aware_and_utc() -> None:
    assert system_clock().utcoffset() == timedelta(0)

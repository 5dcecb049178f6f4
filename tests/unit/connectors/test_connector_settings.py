"""Where a connector's settings come from, in which order, and what may not be one."""

from pathlib import Path

import pytest

from connectors.crash import CrashPoint
from connectors.settings import load_settings
from contracts.errors import InvalidInput

pytestmark = pytest.mark.unit

TOML = 'agency = "ccib"\ngateway = "http://127.0.0.1:8440"\nsource = "sqlite:///toml.db"\nworkers = 3\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "saphan.toml").write_text(TOML, encoding="utf-8")
    return tmp_path


def test_the_file_in_the_home_is_read(home: Path) -> None:
    settings = load_settings(home=home)
    assert (settings.agency, settings.workers, settings.wait_seconds) == ("ccib", 3, 20)


def test_the_environment_stands_above_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAPHAN_WORKERS", "4")
    monkeypatch.setenv("SAPHAN_CRASH_AT", "cells-read")
    settings = load_settings(home=home)
    assert (settings.workers, settings.crash_at) == (4, CrashPoint.CELLS_READ)


def test_a_secret_file_stands_above_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAPHAN_SOURCE", "sqlite:///environment.db")
    (home / "secrets").mkdir()
    (home / "secrets" / "saphan_source").write_text("sqlite:///secret.db", encoding="utf-8")
    assert load_settings(home=home).source.get_secret_value() == "sqlite:///secret.db"


def test_the_command_line_stands_above_all_and_silence_says_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAPHAN_WORKERS", "4")
    assert load_settings(home=home, workers=5, gateway=None).workers == 5


def test_the_environment_may_name_the_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAPHAN_HOME", str(home))
    assert load_settings().agency == "ccib"


def test_a_wrong_setting_is_named_without_its_value(home: Path) -> None:
    with pytest.raises(InvalidInput) as raised:
        load_settings(home=home, gateway="secret-word")
    assert raised.value.details["setting"] == "gateway"
    assert "secret-word" not in str(raised.value)


def test_a_home_without_settings_is_told_as_that_alone(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as raised:
        load_settings(home=tmp_path)
    assert [each.code for each in raised.value.reasons] == ["home-without-settings"]
    assert "SAPHAN_HOME" in raised.value.reasons[0].advice_en


def test_the_source_is_never_printed(home: Path) -> None:
    assert "toml.db" not in repr(load_settings(home=home))

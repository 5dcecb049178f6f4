"""The gateway's settings: their order, and what is said of a wrong one."""

from pathlib import Path

import pytest

from contracts.errors import InvalidInput
from gateway.crash import CrashPoint
from gateway.settings import DEFAULT_HOME, load_settings

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "DATABASE_URL", "LISTEN_PORT", "TICK_SECONDS", "CRASH_AT", "ISSUER"):
        monkeypatch.delenv(f"SAPHAN_{name}", raising=False)


def test_without_any_setting_the_gateway_is_local() -> None:
    settings = load_settings()
    assert (settings.home, settings.listen_host, settings.listen_port) == (DEFAULT_HOME, "127.0.0.1", 8000)
    assert settings.database == f"sqlite:///{DEFAULT_HOME / 'gateway.db'}"
    assert settings.crash_at is None


def test_each_source_beats_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "saphan.toml").write_text("listen_port = 1\ntick_seconds = 2.0\n")
    assert load_settings(tmp_path).listen_port == 1
    monkeypatch.setenv("SAPHAN_LISTEN_PORT", "2")
    assert load_settings(tmp_path).listen_port == 2
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "saphan_listen_port").write_text("3")
    assert load_settings(tmp_path).listen_port == 3
    settings = load_settings(tmp_path, listen_port=4)
    assert (settings.listen_port, settings.tick_seconds) == (4, 2.0)


def test_the_home_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "saphan.toml").write_text("listen_port = 1\n")
    monkeypatch.setenv("SAPHAN_HOME", str(tmp_path))
    monkeypatch.setenv("SAPHAN_CRASH_AT", "after-received")
    settings = load_settings()
    assert (settings.home, settings.listen_port) == (tmp_path, 1)
    assert settings.crash_at is CrashPoint.AFTER_RECEIVED


def test_the_password_of_a_database_is_not_shown(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, database_url="postgresql+psycopg://saphan:hunter2@db/saphan")
    assert settings.database.endswith("hunter2@db/saphan")
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("listen_port = 70000", "listen_port"),
        ("listen_prot = 8000", "listen_prot"),
        ("tick_seconds = 0", "tick_seconds"),
        ('crash_at = "nowhere"', "crash_at"),
        ("listen_port == 1", "saphan.toml"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "saphan.toml").write_text(text)
    with pytest.raises(InvalidInput) as caught:
        load_settings(tmp_path)
    assert (caught.value.code, caught.value.details["setting"]) == ("setting-invalid", name)
    assert "nowhere" not in str(caught.value)

"""The temporary PostgreSQL server, and what happens where the system has none."""

from pathlib import Path
from tempfile import gettempdir

import psycopg
import pytest

from saphan import postgres
from saphan.postgres import TemporaryPostgres, find_binaries

pytestmark = pytest.mark.integration


def test_a_server_starts_again_on_its_data_and_leaves_nothing_running(postgres_url: str, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to(gettempdir()) and folder != Path(gettempdir()):
            folder.chmod(0o711)  # root drops to another user, who must be able to enter
    server, url = TemporaryPostgres(tmp_path / "pg", durable=True), ""

    for expected in (1, 2):
        url = server.start().replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            connection.execute("create table if not exists starts (at timestamptz default now())")
            connection.execute("insert into starts default values")
            row = connection.execute("select count(*), current_setting('fsync') from starts").fetchone()
        server.stop()
        assert row == (expected, "on")

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    server.stop()


def test_it_listens_on_no_port(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)


def test_binaries_are_found_on_the_path_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("initdb", "pg_ctl"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_binaries() == tmp_path


def test_of_several_versions_the_newest_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(postgres, "SYSTEM_FOLDERS", tmp_path)
    for version in ("9", "15"):
        folder = tmp_path / version / "bin"
        folder.mkdir(parents=True)
        (folder / "initdb").touch()
        (folder / "pg_ctl").touch()

    assert find_binaries() == tmp_path / "15" / "bin"


def test_without_binaries_a_server_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(postgres, "SYSTEM_FOLDERS", tmp_path)

    assert find_binaries() is None
    with pytest.raises(FileNotFoundError, match="no PostgreSQL binaries"):
        TemporaryPostgres().start()
    with pytest.raises(RuntimeError, match="not started"):
        _ = TemporaryPostgres()._data

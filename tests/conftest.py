"""Databases for every test: SQLite in a temporary folder, and a real PostgreSQL where the system has one."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from gateway.store.migrate import upgrade
from saphan.postgres import TemporaryPostgres, find_binaries
from tests.migrated_store import write_migrated


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server for the whole session. Without binaries: skipped, but a failure where CI=true."""
    if find_binaries() is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL binaries are needed in CI: install postgresql", pytrace=False)
        pytest.skip("no PostgreSQL binaries (initdb, pg_ctl) on this system")
    server = TemporaryPostgres()
    url = server.start()
    yield url
    server.stop()


@contextmanager
def _database(postgres_url: str, template: str) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex[:12]}"
    plain = postgres_url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
    yield postgres_url.replace("/postgres?", f"/{name}?")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """A fresh database on the session's server."""
    with _database(postgres_url, "template0") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gateway.db'}"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> str:
    """The name of a PostgreSQL database that is migrated and holds nothing."""
    name = f"m{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"create database {name} template template0")
    upgrade(postgres_url.replace("/postgres?", f"/{name}?"))
    return name


@pytest.fixture
def migrated_database(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """A migrated database of its own on the session's server."""
    with _database(postgres_url, migrated_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database, once of each kind, so that every test of the store runs on both."""
    if request.param == "sqlite":
        path = tmp_path / "gateway.db"
        write_migrated(path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("migrated_database")
    return url

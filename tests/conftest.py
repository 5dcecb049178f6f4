"""Databases for every test: SQLite in a temporary folder, and a real PostgreSQL where the system has one."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from saphan.postgres import TemporaryPostgres, find_binaries


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


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """A fresh database on the session's server."""
    name = f"t{uuid.uuid4().hex[:12]}"
    plain = postgres_url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"create database {name} template template0")
    yield postgres_url.replace("/postgres?", f"/{name}?")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once of each kind, so that every test of the store runs on both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gateway.db'}"
    url: str = request.getfixturevalue("postgres_database")
    return url

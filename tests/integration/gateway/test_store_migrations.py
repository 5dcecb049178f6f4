"""The schema: migrations build exactly what the tables say, on both databases."""

from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from contracts.errors import InvalidInput
from gateway.store.engine import Store, open_engine
from gateway.store.migrate import check, has_drifted, upgrade
from gateway.store.schema import whole

pytestmark = pytest.mark.integration


def test_the_migrations_build_what_the_tables_say(empty_store_url: str) -> None:
    upgrade(empty_store_url)

    engine = open_engine(empty_store_url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    assert names == set(whole().tables) | {"alembic_version"}
    assert not has_drifted(empty_store_url)


def test_a_table_that_no_migration_knows_is_noticed(empty_store_url: str) -> None:
    upgrade(empty_store_url)
    engine = open_engine(empty_store_url)
    with engine.connect() as connection, connection.begin():
        connection.execute(text("DROP TABLE nonces"))
    engine.dispose()

    assert has_drifted(empty_store_url)


def test_a_database_that_was_not_migrated_is_refused(empty_store_url: str) -> None:
    with pytest.raises(InvalidInput, match="migrate it first"):
        check(empty_store_url)

    upgrade(empty_store_url)
    upgrade(empty_store_url)
    check(empty_store_url)


def test_sqlite_is_opened_for_durable_commits(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'gateway.db'}")
    with store.engine.connect() as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    store.close()

    assert settings == ["wal", 2, 1, 30_000]

"""A log that was written before there were tiles is the same log afterwards, and what was wrong in it stays wrong."""

from collections.abc import Callable, Iterator

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from contracts.errors import IntegrityError
from gateway.store import log, migrate
from gateway.store.engine import open_engine
from tests.fake_log import entries
from tests.gateway_world import World, new_world

pytestmark = pytest.mark.integration

SIZE = 600


@pytest.fixture
def world(store_url: str) -> Iterator[World]:
    made = new_world(store_url, ())
    with made.store.transaction() as t:
        log.append_entries(t, [each.decode() for each in entries(SIZE)])
    yield made
    made.store.close()


def move(url: str, step: Callable[[Config, str], None], revision: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        connection.execution_options(saphan_writes=True)
        with connection.begin():
            step(migrate._config(connection), revision)
    engine.dispose()


def test_the_root_stays_and_tiles_are_there(world: World, store_url: str) -> None:
    with world.store.read() as r:
        before = log.head(r)
    move(store_url, command.downgrade, "0008")
    with world.store.engine.connect() as connection:
        nodes = connection.execute(text("SELECT count(*) FROM log_nodes")).scalar()
    move(store_url, command.upgrade, "head")

    with world.store.read() as r:
        assert log.head(r) == before
    assert nodes == 2 * SIZE - SIZE.bit_count()
    assert world.audited() == SIZE
    with world.store.transaction() as t:
        log.append_entries(t, ["one more"])
    assert not migrate.has_drifted(store_url)


def test_an_entry_that_was_changed_before_is_still_named(world: World, store_url: str) -> None:
    move(store_url, command.downgrade, "0008")
    with world.store.engine.begin() as connection:
        changed = entries(1, "rtp")[0].decode()
        connection.execute(text("UPDATE log_entries SET entry = :entry WHERE place = 300"), {"entry": changed})
    move(store_url, command.upgrade, "head")

    with pytest.raises(IntegrityError) as caught:
        world.audited()

    assert caught.value.details == {"index": "300"}

"""A gateway over each kind of database."""

from collections.abc import Iterator

import pytest

from tests.gateway_world import World, new_world


@pytest.fixture
def world(store_url: str) -> Iterator[World]:
    """A gateway with one contract and one active agreement, over SQLite and over PostgreSQL."""
    made = new_world(store_url)
    yield made
    made.store.close()

"""The names of an assertion and its proof are spent together or not at all, by one call, on both databases."""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from contracts.errors import Refused
from gateway.store import requests
from gateway.store.engine import Store
from gateway.store.migrate import upgrade
from tests.factories import NOW

pytestmark = pytest.mark.integration

CLIENT = "oja#client-1"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    upgrade(store_url)
    made = Store(store_url)
    yield made
    made.close()


def spend(store: Store, *names: str, kid: str = CLIENT) -> bool:
    return spend_all(store, kid, names)


def spend_all(store: Store, kid: str, names: Collection[str]) -> bool:
    try:
        with store.transaction() as t:
            requests.spend_nonces(t, kid, names, NOW)
    except Refused as refusal:
        return refusal.code != "request-replayed"
    return True


def test_names_are_spent_once_and_each_alone_is_spent_then(store: Store) -> None:
    assert spend(store, "assertion", "proof")

    assert not spend(store, "assertion", "proof")
    assert not spend(store, "assertion")
    assert not spend(store, "proof")


def test_when_one_was_spent_before_the_other_stays(store: Store) -> None:
    assert spend(store, "proof")

    assert not spend(store, "assertion", "proof")
    assert not spend(store, "proof", "zero")

    assert spend(store, "assertion", "zero")


def test_names_are_each_clients_own(store: Store) -> None:
    assert spend(store, "assertion", "proof")
    assert spend(store, "assertion", "proof", kid="ccib#connector-1")


def test_a_name_of_a_message_counts_too(store: Store) -> None:
    with store.transaction() as t:
        requests.spend_nonce(t, CLIENT, "once", NOW)

    assert not spend(store, "assertion", "once")


def test_of_many_who_spend_the_same_names_at_once_one_does_whatever_their_order(store: Store) -> None:
    orders = [("assertion", "proof"), ("proof", "assertion")] * 4
    together = Barrier(len(orders))

    def at_once(names: Collection[str]) -> bool:
        together.wait()
        return spend_all(store, CLIENT, names)

    with ThreadPoolExecutor(len(orders)) as pool:
        assert sum(pool.map(at_once, orders)) == 1

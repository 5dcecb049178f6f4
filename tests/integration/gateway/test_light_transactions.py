"""Light transactions: everybody sees them at once and no killed process takes them back, but they wait for no disk."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from sqlalchemy import text

from contracts.errors import Refused
from gateway.store import requests
from gateway.store.commits import Together
from gateway.store.engine import Store, Transaction
from gateway.store.migrate import upgrade
from tests.factories import NOW

pytestmark = pytest.mark.integration

CLIENT = "oja#client-1"
KILLED = """
import os, signal, sys
from gateway.store import requests
from gateway.store.commits import Together
from gateway.store.engine import Store
from tests.factories import NOW
with Store(sys.argv[1]).light_transaction() as t:
    requests.spend_nonces(t, "oja#client-1", ["assertion", "proof"], NOW)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    upgrade(store_url)
    made = Store(store_url)
    yield made
    made.close()


def spend(begin: Callable[[], Transaction], *names: str) -> bool:
    try:
        with begin() as t:
            requests.spend_nonces(t, CLIENT, names, NOW)
    except Refused:
        return False
    return True


def is_light(t: Transaction, store: Store) -> bool:
    """Whether the transaction's connection was told not to wait for the disk; a whole server may be, too."""
    asks = "SELECT setting || source FROM pg_settings WHERE name = 'synchronous_commit'"
    if store.engine.dialect.name == "sqlite":
        asks = "PRAGMA synchronous"
    return str(t._connection.execute(text(asks)).scalar()) in ("1", "offsession")


def test_what_a_killed_process_has_committed_stays_spent(store: Store, store_url: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, store_url], check=False)

    assert done.returncode < 0
    assert not spend(store.light_transaction, "assertion")
    assert not spend(store.transaction, "proof")


def test_light_and_durable_transactions_see_each_other(store: Store) -> None:
    assert spend(store.light_transaction, "one")
    assert not spend(store.transaction, "one")
    assert spend(store.transaction, "two")
    assert not spend(store.light_transaction, "two")


def test_only_light_transactions_wait_for_no_disk(store: Store) -> None:
    for _ in range(2):  # connections are used again
        with store.light_transaction() as light:
            assert is_light(light, store)
        with store.transaction() as durable:
            assert not is_light(durable, store)


def test_a_durable_transaction_waits_for_the_disk_also_right_behind_a_light_one(store: Store) -> None:
    begun, let_go = Event(), Event()

    def first() -> None:
        with store.light_transaction() as t:
            requests.spend_nonces(t, CLIENT, ["one"], NOW)
            begun.set()
            assert let_go.wait(20)

    def second() -> bool:
        with store.transaction() as t:
            return is_light(t, store)

    with ThreadPoolExecutor(2) as pool:
        holding = pool.submit(first)
        assert begun.wait(20)
        behind = pool.submit(second)
        while isinstance(store.commits, Together) and not store.commits.waiting:
            time.sleep(0.001)
        let_go.set()
        holding.result(20)
        assert not behind.result(20)


def test_of_many_of_both_kinds_at_once_each_name_is_spent_once(store: Store) -> None:
    begins = [store.light_transaction, store.transaction] * 4
    together = Barrier(len(begins))

    def at_once(begin: Callable[[], Transaction]) -> list[bool]:
        together.wait()
        return [spend(begin, f"assertion-{turn}", f"proof-{turn}") for turn in range(10)]

    with ThreadPoolExecutor(len(begins)) as pool:
        spent = list(pool.map(at_once, begins))

    assert [sum(turn) for turn in zip(*spent, strict=True)] == [1] * 10


def test_what_goes_wrong_in_a_light_transaction_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.light_transaction() as t:
            requests.spend_nonces(t, CLIENT, ["one"], NOW)
            raise ValueError("the call's own")

    with pytest.raises(ValueError, match="the call's own"):
        fail()

    assert spend(store.light_transaction, "one")

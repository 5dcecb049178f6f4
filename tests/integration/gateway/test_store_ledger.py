"""The budget, on both databases: never negative, never overspent, whoever races and whoever is killed."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from contracts.errors import Refused
from contracts.task import Charge, Forwarded
from contracts.transparency import EventKind, LogEntry
from contracts.views import BudgetLine
from gateway.store import ledger, requests
from gateway.store.engine import Store
from gateway.store.log import Event
from gateway.store.migrate import upgrade
from gateway.store.requests import NewRequest
from gateway.store.tables import accounts, charges
from tests.factories import NOW

pytestmark = pytest.mark.integration

SOURCE = "ccib/tpo_complaint"
NO_BODY = Forwarded(method="POST", path="/v1/requests", headers={}, body="{}")


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    upgrade(store_url)
    made = Store(store_url)
    yield made
    made.close()


def price(nano_rho: int, *windows: str) -> tuple[Charge, ...]:
    return tuple(Charge(source=SOURCE, window=w, nano_rho=nano_rho) for w in windows or ("FY2569",))


def a_request(store: Store, name: str) -> str:
    entry = LogEntry(kind=EventKind.DATA_REQUESTED, at=NOW, agency="oja", subject=name)
    with store.transaction() as t:
        requests.receive(t, NewRequest(name, "digest", "oja", f"question of {name}", NO_BODY), NOW, Event(entry))
    return name


def reserve(store: Store, name: str, nano_rho: int, budget: int = 100, *windows: str) -> None:
    with store.transaction() as t:
        ledger.reserve(t, name, price(nano_rho, *windows), {SOURCE: budget}, NOW)


def settle(store: Store, name: str, *, charged: bool) -> tuple[Charge, ...]:
    with store.transaction() as t:
        return ledger.spend(t, name, NOW) if charged else ledger.give_back(t, name, NOW)


def lines(store: Store) -> dict[str, BudgetLine]:
    with store.read() as r:
        return {line.window: line for line in ledger.lines(r)}


def test_what_is_reserved_is_spent_once(store: Store) -> None:
    reserve(store, a_request(store, "REQ-1"), 30)

    first, again = settle(store, "REQ-1", charged=True), settle(store, "REQ-1", charged=True)
    back = settle(store, "REQ-1", charged=False)

    assert (first, again, back) == (price(30), (), ())
    line = lines(store)["FY2569"]
    assert (line.budget, line.spent, line.reserved, line.left) == (100, 30, 0, 70)


def test_what_is_given_back_can_be_used_again(store: Store) -> None:
    reserve(store, a_request(store, "REQ-1"), 100)
    settle(store, "REQ-1", charged=False)

    reserve(store, a_request(store, "REQ-2"), 100)

    line = lines(store)["FY2569"]
    assert (line.spent, line.reserved, line.left) == (0, 100, 0)


def test_charges_of_one_account_add_up(store: Store) -> None:
    a_request(store, "REQ-1")
    with store.transaction() as t:
        owed = ledger.reserve(t, "REQ-1", price(30) + price(20), {SOURCE: 100}, NOW)

    assert owed == price(50)


def test_a_request_is_charged_once_in_its_life(store: Store) -> None:
    reserve(store, a_request(store, "REQ-1"), 30)

    with pytest.raises(IntegrityError):
        reserve(store, "REQ-1", 30)

    assert lines(store)["FY2569"].reserved == 30


def test_all_windows_are_charged_or_none(store: Store) -> None:
    reserve(store, a_request(store, "REQ-1"), 80, 100, "FY2569")

    with pytest.raises(Refused, match="budget-exceeded"):
        reserve(store, a_request(store, "REQ-2"), 30, 100, "FY2568", "FY2569")

    assert [line.reserved for line in lines(store).values()] == [80]


def test_a_later_contract_lowers_a_budget_and_never_raises_it(store: Store) -> None:
    reserve(store, a_request(store, "REQ-1"), 30, 100)
    reserve(store, a_request(store, "REQ-2"), 30, 1000)
    after_more = lines(store)["FY2569"].budget

    with pytest.raises(Refused, match="budget-exceeded") as caught:
        reserve(store, a_request(store, "REQ-3"), 1, 10)
    reserve(store, a_request(store, "REQ-4"), 5, 70)

    assert after_more == 100
    assert caught.value.details["left"] == "0"  # what is used stays used
    assert lines(store)["FY2569"].budget == 70


@pytest.mark.parametrize(
    "values", [{"spent": -1}, {"reserved": -1}, {"spent": 90, "reserved": 20}], ids=["spent", "reserved", "over"]
)
def test_the_database_itself_refuses_a_wrong_account(store: Store, values: dict[str, int]) -> None:
    reserve(store, a_request(store, "REQ-1"), 30)

    with pytest.raises(IntegrityError), store.transaction() as t:
        t.run(update(accounts).values(**values))


def test_of_many_that_race_for_the_last_slots_exactly_those_fit_that_fit(store: Store) -> None:
    names = [a_request(store, f"REQ-{number:03d}") for number in range(24)]

    def race(name: str) -> bool:
        try:
            reserve(store, name, 12, 100, "FY2568", "FY2569")
        except Refused:
            return False
        settle(store, name, charged=True)
        return True

    with ThreadPoolExecutor(24) as pool:
        won = list(pool.map(race, names))

    assert sum(won) == 8
    assert [(line.spent, line.reserved) for line in lines(store).values()] == [(96, 0), (96, 0)]


KILLED = """
import os, signal, sys
from gateway.store import ledger
from gateway.store.engine import Store
from tests.factories import NOW
from tests.integration.gateway.test_store_ledger import price

store, name, when = Store(sys.argv[1]), sys.argv[2], sys.argv[3]
with store.transaction() as t:
    ledger.reserve(t, name, price(10), {"ccib/tpo_complaint": 100}, NOW)
    if when == "before-commit":
        os.kill(os.getpid(), signal.SIGKILL)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("when", "reserved"), [("before-commit", 0), ("after-commit", 10)])
def test_a_process_that_is_killed_leaves_all_of_its_charge_or_nothing(
    store: Store, store_url: str, when: str, reserved: int
) -> None:
    a_request(store, "REQ-1")
    reserve(store, a_request(store, "REQ-2"), 30)

    done = subprocess.run([sys.executable, "-c", KILLED, store_url, "REQ-1", when], check=False, timeout=60)

    assert done.returncode == -9
    assert lines(store)["FY2569"].reserved == 30 + reserved
    with store.read() as r:
        held = r.all(select(charges.c.request).where(charges.c.request == "REQ-1"))
    assert len(held) == (reserved > 0)
    reserve(store, a_request(store, "REQ-3"), 10)  # a dead process holds no lock

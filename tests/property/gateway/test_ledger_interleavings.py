"""The gateway's accounts against a plain model, over random orders of everything that may happen to them.

Reservations, final charges, returns, killed transactions, restarts, budgets that change and steps that race each other,
on a real SQLite file and on PostgreSQL. After every step the accounts equal the model and the sums of their own rows.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Barrier

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from typing_extensions import override

from contracts.errors import Refused
from contracts.task import Charge, Forwarded
from contracts.transparency import EventKind, LogEntry
from gateway.store import ledger, requests
from gateway.store.engine import Store, Transaction
from gateway.store.ledger import ChargeState
from gateway.store.log import Event
from gateway.store.migrate import upgrade
from gateway.store.requests import NewRequest
from gateway.store.tables import accounts, charges
from tests.factories import NOW

pytestmark = pytest.mark.property

SOURCES = ("ccib/tpo_complaint", "dop/dop_case")
WINDOWS = ("FY2568", "FY2569")
NO_BODY = Forwarded(method="POST", path="/v1/requests", headers={}, body="{}")
EXAMPLES = {"sqlite": 40, "postgres": 15}
STEPS = 25

Key = tuple[str, str]

prices = st.lists(
    st.tuples(st.sampled_from(SOURCES), st.sampled_from(WINDOWS), st.integers(1, 60)), min_size=1, max_size=5
)
budgets = st.fixed_dictionaries({source: st.integers(0, 150) for source in SOURCES})


class KilledError(Exception):
    """What stands for a process that dies inside its transaction."""


@dataclass
class Account:
    """What the model holds of one source and window."""

    budget: int
    spent: int = 0
    reserved: int = 0

    @property
    def used(self) -> int:
        return self.spent + self.reserved


@dataclass
class Model:
    """The law in plain words: what is used fits the least budget so far, and a request is charged once."""

    accounts: dict[Key, Account] = field(default_factory=dict)
    charges: dict[tuple[str, Key], tuple[int, ChargeState]] = field(default_factory=dict)

    def most(self, key: Key, budget: int) -> int:
        known = self.accounts.get(key)
        return budget if known is None else max(min(known.budget, budget), known.used)

    def lacking(self, price: dict[Key, int], budgets: dict[str, int]) -> list[Key]:
        used = {key: self.accounts[key].used if key in self.accounts else 0 for key in price}
        return [key for key, amount in price.items() if used[key] + amount > self.most(key, budgets[key[0]])]

    def reserve(self, request: str, price: dict[Key, int], budgets: dict[str, int]) -> None:
        for key, amount in price.items():
            most = self.most(key, budgets[key[0]])
            account = self.accounts.setdefault(key, Account(most))
            account.budget, account.reserved = most, account.reserved + amount
            self.charges[request, key] = (amount, ChargeState.RESERVED)

    def settle(self, request: str, state: ChargeState) -> dict[Key, int]:
        mine = {
            key: amount
            for (owner, key), (amount, held) in self.charges.items()
            if owner == request and held is ChargeState.RESERVED
        }
        for key, amount in mine.items():
            self.accounts[key].reserved -= amount
            self.accounts[key].spent += amount if state is ChargeState.SPENT else 0
            self.charges[request, key] = (amount, state)
        return mine

    def was_charged(self, request: str) -> bool:
        return any(owner == request for owner, _ in self.charges)


class LedgerMachine(RuleBasedStateMachine):
    """Random steps on one database, which is emptied before each example."""

    names = Bundle("names")

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._store = Store(url)
        self._model = Model()
        self._prices: dict[str, list[Charge]] = {}
        self._budgets: dict[str, int] = {}
        with self._store.transaction() as t:
            t.run(delete(charges))
            t.run(delete(accounts))

    @initialize(target=names, first=budgets, priced=st.lists(prices, min_size=6, max_size=6))
    def begin(self, first: dict[str, int], priced: list[list[tuple[str, str, int]]]) -> object:
        self._budgets = first
        for number, price in enumerate(priced):
            name = f"REQ-{number}"
            self._prices[name] = [Charge(source=s, window=w, nano_rho=amount) for s, w, amount in price]
            entry = LogEntry(kind=EventKind.DATA_REQUESTED, at=NOW, agency="oja", subject=name)
            with self._store.transaction() as t:
                requests.receive(t, NewRequest(name, "digest", "oja", name, NO_BODY), NOW, Event(entry))
        return multiple(*self._prices)

    @rule(budgets=budgets)
    def publish_another_contract(self, budgets: dict[str, int]) -> None:
        self._budgets = budgets

    @rule(name=names)
    def reserve(self, name: str) -> None:
        price = self._price(name)
        if self._model.was_charged(name):
            if not self._model.lacking(price, self._budgets):
                with pytest.raises(IntegrityError):
                    self._reserve(name)
            return
        lacking = self._model.lacking(price, self._budgets)
        if lacking:
            with pytest.raises(Refused, match="budget-exceeded") as refusal:
                self._reserve(name)
            assert (refusal.value.details["source"], refusal.value.details["window"]) in lacking
            return
        assert {(each.source, each.window): each.nano_rho for each in self._reserve(name)} == price
        self._model.reserve(name, price, self._budgets)

    @rule(name=names, state=st.sampled_from([ChargeState.SPENT, ChargeState.RETURNED]))
    def settle(self, name: str, state: ChargeState) -> None:
        settled = self._settle(name, state)
        assert {(each.source, each.window): each.nano_rho for each in settled} == self._model.settle(name, state)

    @rule(name=names, state=st.sampled_from(ChargeState))
    def be_killed(self, name: str, state: ChargeState) -> None:
        """A process dies after its statements and before its commit: none of it happened."""
        with suppress(KilledError, Refused, IntegrityError), self._store.transaction() as t:
            if state is ChargeState.RESERVED:
                ledger.reserve(t, name, self._prices[name], self._budgets, NOW)
            else:
                _settled(t, name, state)
            raise KilledError

    @rule()
    def restart(self) -> None:
        self._store.close()
        self._store = Store(self._url)

    @rule(
        names=st.lists(names, unique=True, min_size=2, max_size=4),
        state=st.sampled_from([ChargeState.SPENT, ChargeState.RETURNED]),
    )
    def race(self, names: list[str], state: ChargeState) -> None:
        """Requests that were charged settle while the others are reserved, all at once, each from its own thread."""
        settling = [name for name in names if self._model.was_charged(name)]
        asking = [name for name in names if name not in settling]
        used_before = {key: account.used for key, account in self._model.accounts.items()}
        before = {key: account.budget for key, account in self._model.accounts.items()}
        together = Barrier(len(names), timeout=30)
        with ThreadPoolExecutor(len(names)) as pool:
            won = pool.map(partial(self._try, together=together), asking)
            done = list(pool.map(partial(self._settle_with, state=state, together=together), settling))
            outcome = dict(zip(asking, won, strict=True))
        for name, settled in zip(settling, done, strict=True):
            assert {(each.source, each.window): each.nano_rho for each in settled} == self._model.settle(name, state)
        for name in (each for each in asking if outcome[each]):
            self._model.reserve(name, self._price(name), dict.fromkeys(SOURCES, 2**60))
        for name in (each for each in asking if not outcome[each]):
            others = [self._price(each) for each in asking if each != name]
            assert any(
                used_before.get(key, 0) + amount + sum(other.get(key, 0) for other in others)
                > min(self._budgets[key[0]], before.get(key, math.inf))
                for key, amount in self._price(name).items()
            ), "refused, though it fits however the others went"
        self._take_lowered_budgets(before)

    def _take_lowered_budgets(self, before: dict[Key, int]) -> None:
        """How far a race lowers a budget that is below what is used depends on its order; raised it never is."""
        with self._store.read() as r:
            for line in ledger.lines(r):
                key = (line.source, line.window)
                assert line.budget <= before.get(key, self._budgets[line.source])
                self._model.accounts[key].budget = line.budget

    @invariant()
    def accounts_are_those_of_the_model(self) -> None:
        with self._store.read() as r:
            lines = ledger.lines(r)
        held = {(line.source, line.window): (line.budget, line.spent, line.reserved) for line in lines}
        assert held == {key: (each.budget, each.spent, each.reserved) for key, each in self._model.accounts.items()}
        assert all(line.left >= 0 and line.spent >= 0 and line.reserved >= 0 for line in lines)

    @invariant()
    def every_charge_is_one_row_and_the_rows_add_up_to_the_accounts(self) -> None:
        with self._store.read() as r:
            rows = r.all(select(charges))
            total = func.sum(charges.c.nano_rho)
            sums = r.all(
                select(charges.c.source, charges.c.budget_window, charges.c.state, total).group_by(
                    charges.c.source, charges.c.budget_window, charges.c.state
                )
            )
        kept = {(row.request, (row.source, row.budget_window)): (row.nano_rho, ChargeState(row.state)) for row in rows}
        assert kept == self._model.charges
        by_state = {((source, window), state): amount for source, window, state, amount in sums}
        for key, account in self._model.accounts.items():
            assert by_state.get((key, ChargeState.SPENT), 0) == account.spent
            assert by_state.get((key, ChargeState.RESERVED), 0) == account.reserved

    @override
    def teardown(self) -> None:
        self._store.close()

    def _price(self, name: str) -> dict[Key, int]:
        price: dict[Key, int] = {}
        for each in self._prices[name]:
            price[each.source, each.window] = price.get((each.source, each.window), 0) + each.nano_rho
        return price

    def _reserve(self, name: str) -> Sequence[Charge]:
        with self._store.transaction() as t:
            return ledger.reserve(t, name, self._prices[name], self._budgets, NOW)

    def _try(self, name: str, together: Barrier) -> bool:
        together.wait()
        try:
            self._reserve(name)
        except Refused:
            return False
        return True

    def _settle_with(self, name: str, state: ChargeState, together: Barrier) -> Sequence[Charge]:
        together.wait()
        return self._settle(name, state)

    def _settle(self, name: str, state: ChargeState) -> Sequence[Charge]:
        with self._store.transaction() as t:
            return _settled(t, name, state)


def _settled(t: Transaction, name: str, state: ChargeState) -> Sequence[Charge]:
    return ledger.spend(t, name, NOW) if state is ChargeState.SPENT else ledger.give_back(t, name, NOW)


@pytest.fixture
def machine(store_url: str) -> Callable[[], LedgerMachine]:
    upgrade(store_url)
    return partial(LedgerMachine, store_url)


def test_the_ledger_is_never_overspent_and_loses_and_doubles_no_charge(
    machine: Callable[[], LedgerMachine], request: pytest.FixtureRequest
) -> None:
    kind = request.node.callspec.params["store_url"]
    limits = settings(
        max_examples=EXAMPLES[kind],
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=limits)  # type: ignore[arg-type]  # any factory of machines will do

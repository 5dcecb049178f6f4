"""Standing series at the gateway against a plain model, over random orders of requests, answers and refusals.

The law: over all that was ever charged and kept, a window is paid for once in a series and a month is answered once;
nothing is charged for a request that was refused, and what was returned is free again.
"""

import shutil
from collections import Counter
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select
from typing_extensions import override

from contracts.errors import Refused, Unavailable
from contracts.query import Series
from contracts.request import RequestState
from contracts.task import LeasedTask
from gateway.store.engine import Store
from gateway.store.ledger import ChargeState
from gateway.store.tables import charges
from privacy.series import window_of_month
from tests import factories
from tests.gateway_world import World, new_world

pytestmark = pytest.mark.property

PRICE = 1_000_000
FIRSTS = [f"{year}-{month:02d}" for year, month in [(2025, m) for m in range(7, 13)] + [(2026, 1)]]
"""Three months of one fiscal year and three of the next, and the end."""

Months = tuple[str, ...]
spans = st.tuples(st.integers(0, 5), st.integers(1, 3)).map(lambda pair: (pair[0], min(pair[0] + pair[1], 6)))


class SeriesMachine(RuleBasedStateMachine):
    """Random steps on one database; ``held`` are the months of each series, by request, that are out or for good."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.world = World(Store(url), factories.federation())
        self.out: dict[str, tuple[int, Months, LeasedTask]] = {}
        self.months: dict[tuple[int, str], bool] = {}
        """Revision and month: whether it is taken for good."""
        self.paid: dict[tuple[int, str], tuple[str, bool]] = {}
        self.released: dict[tuple[int, Months], str] = {}
        self.number = 0

    @override
    def teardown(self) -> None:
        self.world.store.close()

    @rule(span=spans, revision=st.integers(0, 1))
    def ask(self, span: tuple[int, int], revision: int) -> None:
        months = tuple(FIRSTS[span[0] : span[1]])
        self.number += 1
        period = factories.period(f"{FIRSTS[span[0]]}-01", f"{FIRSTS[span[1]]}-01")
        query = factories.query(dimensions=("month",), period=period, series=Series(revision=revision))
        request = factories.request(None, query, id=f"REQ-{self.number:04d}", nano_rho=PRICE)
        if any((revision, months) == (other, theirs) for other, theirs, _ in self.out.values()):
            return  # it would join, which other tests try
        expected = self._expected(revision, months)
        if expected in (Refused, Unavailable):
            with pytest.raises(expected):
                self.world.submit(request)
            return
        status = self.world.submit(request)
        if expected is RequestState.RELEASED:
            assert status.repeated
            assert status.release == self.released[revision, months]
            return
        (leased,) = self.world.lease()
        self.out[request.id] = (revision, months, leased)
        for month in months:
            self.months[revision, month] = False
            self.paid.setdefault((revision, window_of_month(month)), (request.id, False))

    def _expected(self, revision: int, months: Months) -> object:
        if (revision, months) in self.released:
            return RequestState.RELEASED
        taken = [self.months[revision, month] for month in months if (revision, month) in self.months]
        if taken:
            return Refused if any(taken) else Unavailable
        windows = {(revision, window_of_month(month)) for month in months}
        return Unavailable if any(not self.paid.get(each, ("", True))[1] for each in windows) else RequestState.WAITING

    @precondition(lambda self: self.out)
    @rule(data=st.data(), how=st.sampled_from(["answer", "answer", "refuse", "refuse-charged"]))
    def finish(self, data: st.DataObject, how: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.out)))
        revision, months, leased = self.out.pop(name)
        if how == "answer":
            self.world.post(self.world.part(leased.task))
        else:
            self.world.post(self.world.refusal(leased.task, charged=how == "refuse-charged"))
        self.world.later()
        done = self.world.exchange.status(self.world.caller(), name)
        if done.release:
            self.released[revision, months] = done.release
        for month in months:
            if how == "refuse":
                del self.months[revision, month]
            else:
                self.months[revision, month] = True
        for key, (payer, _) in list(self.paid.items()):
            if payer == name and how == "refuse":
                del self.paid[key]
            elif payer == name:
                self.paid[key] = (payer, True)

    @invariant()
    def the_accounts_hold_each_series_once_in_each_window(self) -> None:
        assert self.world.spent() == PRICE * sum(final for _, final in self.paid.values())
        assert self.world.reserved() == PRICE * sum(not final for _, final in self.paid.values())

    @invariant()
    def no_window_is_charged_twice_in_a_series(self) -> None:
        with self.world.store.read() as r:
            rows = r.all(select(charges).where(charges.c.state != ChargeState.RETURNED))
        assert Counter(row.budget_window for row in rows) == Counter(window for _, window in self.paid)


def test_a_window_is_charged_once_and_a_month_answered_once_whatever_the_order() -> None:
    def machine() -> SeriesMachine:
        copy = shutil.copy(template, template.with_name(f"{next(numbers)}.db"))
        return SeriesMachine(f"sqlite:///{copy}")

    numbers = count()
    with TemporaryDirectory() as folder:
        template = Path(folder) / "template.db"
        new_world(f"sqlite:///{template}").store.close()
        limits = settings(
            max_examples=4, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
        run_state_machine_as_test(machine, settings=limits)  # type: ignore[arg-type]  # any factory of machines will do

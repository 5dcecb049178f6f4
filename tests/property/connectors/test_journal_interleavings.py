"""The connector's own cap against a gateway that lies: re-leases, replays, new request identifiers, renamed contracts.

Nothing here asks the gateway's ledger: whatever order the journal's methods are called in, by however many deliveries,
no window of a physical table costs more than the agency's own cap, and of one question one set of figures leaves.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from typing_extensions import override

from connectors.answer import cap_of
from connectors.crash import CrashPoint, carry_on
from connectors.journal import book
from connectors.journal.book import Journal
from connectors.journal.entries import Opening, Use, Used
from contracts.canonical import canonical_bytes, digest_of
from contracts.dataset import DatasetContract
from contracts.errors import Refused
from contracts.odcs import canonical_document, contract_as_signed
from contracts.request import Request
from contracts.task import Charge, Part, PartMeasure, Task
from tests.connector_world import Killed, case, contract_of, contract_text, die_at
from tests.factories import NOW

pytestmark = pytest.mark.property

SOURCE, OTHER = "ccib/thaipoliceonline", "ccib/other"
WINDOWS = ("FY2568", "FY2569")
PLACES = ("one table", "another table")
QUESTIONS = 6
CHARGING = (CrashPoint.CHARGE_BEFORE_COMMIT, CrashPoint.CHARGE_AFTER_COMMIT)
TRIES = settings(max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))


def _written(dataset: str, version: str, source: str, budget: int) -> str:
    text = contract_text(budget=budget).replace(f"source: {SOURCE}", f"source: {source}")
    return text.replace("id: tpo_complaint", f"id: {dataset}", 1).replace("version: 1.0.0", f"version: {version}", 1)


TEXTS = (
    _written("tpo_complaint", "1.0.0", SOURCE, 400),
    _written("tpo_complaint", "1.1.0", SOURCE, 250),
    _written("tpo_again", "1.0.0", SOURCE, 600),
    _written("tpo_again", "1.1.0", OTHER, 600),
    _written("tpo_complaint", "1.2.0", OTHER, 900),
)
"""A contract, its tighter version, the same source under another dataset's name, and two that rename the source."""

numbers = st.integers(0, QUESTIONS - 1)
texts = st.sampled_from(TEXTS)


class Asked(NamedTuple):
    """One question to one contract: what the journal knows it by, and the task that brings it."""

    request: Request
    task: Task
    contract: DatasetContract
    key: tuple[str, str]


@lru_cache
def asked(number: int, text: str) -> Asked:
    """The question of that number to that contract; the same number to another contract is the same request."""
    made = case().asking(id=f"REQ-{number:04d}")
    made.contract = contract_of(text)
    return Asked(made.request, made.task(), made.contract, (digest_of(made.request), made.contract.digest))


@lru_cache
def _document(text: str) -> str:
    return canonical_document(text).decode()


@lru_cache
def _read_once(document: str) -> DatasetContract:
    return contract_as_signed(json.loads(document))


def _read(document: Mapping[str, object]) -> DatasetContract:
    """The contract as the journal reads it, read once a test run."""
    return _read_once(canonical_bytes(document).decode())


def _permitted(_: Used) -> None:
    """The activity has no limits."""


class JournalMachine(RuleBasedStateMachine):
    """Random calls of one journal, on a real file."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._journal = Journal(self._path)
        self._own_cap: int | None = None
        self._least: dict[str, int] = {}
        self._source_of_place: dict[str, str] = {}
        self._source_of_dataset: dict[str, str] = {}
        self._charged: dict[tuple[str, str], tuple[Charge, ...]] = {}
        self._parts: dict[tuple[str, str], tuple[int, ...]] = {}
        """The figures that may have left, by question."""

        self._exact: set[tuple[str, str]] = set()
        self._forgotten: set[tuple[str, str]] = set()
        self._task_of: dict[tuple[str, str], str] = {}

    @property
    def _path(self) -> Path:
        return Path(self._folder.name, "journal.db")

    @initialize(amounts=st.lists(st.lists(st.integers(0, 250), min_size=2, max_size=2), min_size=6, max_size=6))
    def begin(self, amounts: list[list[int]]) -> None:
        self._amounts = amounts
        self.approve(TEXTS[0], PLACES[0])

    @rule(text=texts, place=st.sampled_from(PLACES))
    def approve(self, text: str, place: str) -> None:
        """Under another source neither a table nor a dataset that is known comes in again: its budget would not end."""
        contract = contract_of(text)
        known = {self._source_of_place.get(place), self._source_of_dataset.get(contract.id)} - {None}
        document = _document(text)
        if known - {contract.source}:
            with pytest.raises(Refused, match="source-renamed"):
                self._journal.approve(contract, document, place, NOW)
            return
        self._journal.approve(contract, document, place, NOW)
        self._source_of_place[place] = self._source_of_dataset[contract.id] = contract.source
        budget = contract.privacy.nano_rho_per_window
        self._least[contract.source] = min(self._least.get(contract.source, budget), budget)

    @rule(cap=st.none() | st.integers(0, 500))
    def set_the_own_cap(self, cap: int | None) -> None:
        self._own_cap = cap

    @rule(number=numbers, text=texts, task=st.integers(0, 2))
    def lease(self, number: int, text: str, task: int) -> None:
        question = asked(number, text)
        if not self._journal.lists(question.contract.digest):
            return  # the guard refuses it before the journal is asked
        opening, key = self._opening(question, task), question.key
        if key in self._charged:
            self._lease_again(opening, key)
            return
        if any(self._spent(each) + each.nano_rho > self._cap(question, each) for each in opening.charges):
            with pytest.raises(Refused, match="local-cap-exceeded"):
                self._journal.open(opening, NOW)
            return
        assert self._journal.open(opening, NOW) is None
        self._charged[key], self._task_of[key] = opening.charges, opening.task.id

    def _lease_again(self, opening: Opening, key: tuple[str, str]) -> None:
        if key in self._forgotten:
            with pytest.raises(Refused, match="part-already-posted"):
                self._journal.open(opening, NOW)
            return
        stored = self._journal.open(opening, NOW)
        assert (stored.measures[0].cells if stored else None) == self._parts.get(key)
        self._task_of[key] = opening.task.id

    @rule(number=numbers, text=texts, figure=st.integers(0, 99), sigma=st.none() | st.just(2.5))
    def finish(self, number: int, text: str, figure: int, sigma: float | None) -> None:
        """Any delivery of the question may be the one that ends now, also one whose charge was returned meanwhile."""
        question = asked(number, text)
        kept = self._journal.finish(_part(question, (figure,), sigma), NOW)
        if question.key not in self._charged or question.key in self._forgotten:
            assert kept is None
            return
        if question.key not in self._parts:
            self._parts[question.key] = (figure,)
            self._exact |= {question.key} if sigma is None else set()
        assert kept is not None
        assert kept.measures[0].cells == self._parts[question.key]

    @rule(number=numbers, text=texts, undo=st.booleans())
    def refuse(self, number: int, text: str, undo: bool) -> None:  # noqa: FBT001  # hypothesis gives it by name
        question = asked(number, text)
        if undo and question.key not in self._parts:
            self._charged.pop(question.key, None)
        stays = self._journal.refuse(question.task, question.key[0], "delivery-expired", NOW, undo=undo)
        assert stays is (question.key in self._charged)

    @rule(number=numbers, text=texts, task=st.integers(0, 2))
    def settle(self, number: int, text: str, task: int) -> None:
        name = _task(asked(number, text), task).id
        self._journal.settle(name, "acknowledged", NOW)
        self._forgotten |= {key for key in self._exact if self._task_of[key] == name}

    @rule(number=numbers, text=texts, point=st.sampled_from(CHARGING))
    def be_killed_while_charging(self, number: int, text: str, point: CrashPoint) -> None:
        """What was committed is true afterwards, and nothing else."""
        question = asked(number, text)
        if not self._journal.lists(question.contract.digest) or question.key in self._charged:
            return
        opening = self._opening(question, 0)
        self._restart(point)
        with suppress(Killed, Refused):
            self._journal.open(opening, NOW)
        self._restart()
        fits = all(self._spent(each) + each.nano_rho <= self._cap(question, each) for each in opening.charges)
        if fits and point is CrashPoint.CHARGE_AFTER_COMMIT:
            self._charged[question.key], self._task_of[question.key] = opening.charges, opening.task.id

    @invariant()
    def the_sums_are_those_of_what_was_charged_and_not_returned(self) -> None:
        spending = {(each.source, each.window): each.nano_rho for each in self._journal.spending()}
        expected: dict[tuple[str, str], int] = {}
        for each in (charge for charges in self._charged.values() for charge in charges):
            expected[each.source, each.window] = expected.get((each.source, each.window), 0) + each.nano_rho
        assert spending == expected
        assert set(self._parts) <= set(self._charged), "figures may have left, so their charge stays"

    @invariant()
    def no_window_costs_more_than_the_largest_budget_that_was_ever_the_least(self) -> None:
        for each in self._journal.spending():
            assert each.nano_rho <= max(
                contract_of(text).privacy.nano_rho_per_window
                for text in TEXTS
                if contract_of(text).source == each.source and self._journal.known(contract_of(text).digest)
            )

    @override
    def teardown(self) -> None:
        self._journal.close()
        self._folder.cleanup()

    def _restart(self, point: CrashPoint | None = None) -> None:
        self._journal.close()
        self._journal = Journal(self._path, carry_on if point is None else die_at(point))

    def _opening(self, question: Asked, task: int) -> Opening:
        amounts = self._amounts[int(question.request.id.removeprefix("REQ-"))]
        charges = tuple(
            Charge(source=question.contract.source, window=window, nano_rho=amount)
            for window, amount in zip(WINDOWS, amounts, strict=True)
            if amount
        )
        return Opening(
            task=_task(question, task),
            request=question.request,
            request_digest=question.key[0],
            charges=charges,
            cap=cap_of(question.contract, self._own_cap),
            use=Use(question.request.agreement, question.request.activity, None),
            permit=_permitted,
        )

    def _cap(self, question: Asked, charge: Charge) -> int:
        budget = question.contract.privacy.nano_rho_per_window
        own = budget if self._own_cap is None else self._own_cap
        return min(budget, own, self._least[charge.source])

    def _spent(self, wanted: Charge) -> int:
        return sum(
            each.nano_rho
            for charges in self._charged.values()
            for each in charges
            if (each.source, each.window) == (wanted.source, wanted.window)
        )


def _task(question: Asked, task: int) -> Task:
    """The gateway may hand one question out under any name."""
    return question.task.model_copy(update={"id": f"TASK-{question.request.id}-{task}"})


def _part(question: Asked, cells: tuple[int, ...], sigma: float | None) -> Part:
    return Part(
        task=question.task.id,
        task_digest=digest_of(question.task),
        agency="ccib",
        contract=question.contract.reference,
        request_digest=question.key[0],
        data_version=1,
        charged=True,
        measures=(PartMeasure(measure="count", cells=cells, sigma=sigma),),
        finished=NOW,
    )


def test_no_order_of_deliveries_makes_the_journal_exceed_its_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "contract_as_signed", _read)  # the same reading, once for each text
    run_state_machine_as_test(JournalMachine, settings=TRIES)

"""The agency's own record on a real SQLite file."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.crash import CrashPoint
from connectors.journal import statements
from connectors.journal.book import Journal
from connectors.journal.entries import Opening, Use, Used
from connectors.shelf import Shelf
from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Refused, Spent
from contracts.task import Charge, Part, PartMeasure
from tests import factories
from tests.connector_world import PRICE, Case, Killed, World, case, contract_of, contract_text, die_at
from tests.factories import NOW

pytestmark = pytest.mark.integration

CAP = 100_000_000
SOURCE = "ccib/thaipoliceonline"
NO_DIGEST = f"sha-256:{'0' * 64}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, factories.federation())
    yield world
    world.journal.close()


def opening(asked: Case | None = None, windows: tuple[str, ...] = ("FY2569",), cap: int = CAP) -> Opening:
    asked = asked or case()
    charges = tuple(Charge(source=SOURCE, window=each, nano_rho=PRICE) for each in windows)
    use = Use(asked.agreement.id, asked.request.activity, None)
    return Opening(asked.task(), asked.request, digest_of(asked.request), charges, cap, use, permit=_permitted)


def _permitted(_used: Used) -> None:
    """The activity has no limits."""


def part(asked: Case, sigma: float | None = 2.5, cells: tuple[int, ...] = (4, 1)) -> Part:
    return Part(
        task=asked.task_id,
        task_digest=NO_DIGEST,
        agency="ccib",
        contract=asked.contract.reference,
        request_digest=digest_of(asked.request),
        data_version=1,
        charged=True,
        measures=(PartMeasure(measure="count", cells=cells, sigma=sigma),),
        finished=NOW,
    )


def test_a_new_question_is_charged_in_every_window(world: World) -> None:
    assert world.journal.open(opening(windows=("FY2568", "FY2569")), NOW) is None
    assert [(each.window, each.nano_rho) for each in world.journal.spending()] == [("FY2568", PRICE), ("FY2569", PRICE)]


def test_an_unfinished_question_is_not_charged_again(world: World) -> None:
    world.journal.open(opening(), NOW)
    assert world.journal.open(opening(), NOW) is None
    assert world.spent == PRICE


def test_a_finished_question_gives_its_part_and_is_not_charged_again(world: World) -> None:
    world.journal.open(opening(), NOW)
    assert world.journal.finish(part(case()), NOW) == part(case())
    stored = world.journal.open(opening(), NOW)
    assert stored is not None
    assert stored.measures == part(case()).measures
    assert world.spent == PRICE


def test_a_stored_part_is_addressed_to_the_task_that_asks_and_keeps_its_figures(world: World) -> None:
    world.journal.open(opening(), NOW)
    world.journal.finish(part(case()), NOW)
    again = opening()._replace(task=replace(case(), task_id="TASK-0002").task())
    answered = world.journal.open(again, NOW)
    addressed = {"task": "TASK-0002", "task_digest": digest_of(again.task)}
    assert answered == part(case()).model_copy(update=addressed)
    assert [each.part for each in world.journal.unfinished()] == [answered]


def test_of_two_parts_for_one_question_the_first_stays(world: World) -> None:
    world.journal.open(opening(), NOW)
    first = world.journal.finish(part(case()), NOW)
    assert world.journal.finish(part(case(), cells=(5, 2)), NOW) == first


def test_the_cap_holds_in_each_window_and_a_refused_question_charges_none(world: World) -> None:
    world.journal.open(opening(), NOW)
    world.journal.open(opening(case().asking(id="REQ-0002")), NOW)
    with pytest.raises(Refused) as raised:
        world.journal.open(opening(case().asking(id="REQ-0003"), windows=("FY2568", "FY2569")), NOW)
    assert raised.value.code == "local-cap-exceeded"
    assert [(each.window, each.nano_rho) for each in world.journal.spending()] == [("FY2569", 2 * PRICE)]
    world.journal.open(opening(case().asking(id="REQ-0003"), windows=("FY2568",)), NOW)


def test_a_question_that_reaches_the_cap_exactly_is_charged(world: World) -> None:
    assert world.journal.open(opening(cap=PRICE), NOW) is None


def test_questions_that_come_at_once_cannot_pass_the_cap_together(world: World) -> None:
    def ask(number: int) -> bool:
        try:
            world.journal.open(opening(case().asking(id=f"REQ-{number:04d}")), NOW)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, range(8))) == 2
    assert world.spent == 2 * PRICE


def test_exact_figures_are_forgotten_when_the_gateway_has_them(world: World) -> None:
    exact = part(case(), sigma=None, cells=(987_654_321,))
    world.journal.open(opening(), NOW)
    world.journal.finish(exact, NOW)
    assert world.journal.unfinished()[0].part == exact
    world.journal.settle("TASK-0001", "acknowledged", NOW)
    assert world.journal.unfinished() == ()
    with pytest.raises(Refused) as raised:
        world.journal.open(opening(), NOW)
    assert (raised.value.code, raised.value.spent) == ("part-already-posted", Spent.CHARGED)
    assert world.journal.finish(exact, NOW) is None
    world.journal.close()
    with sqlite3.connect(world.folder / "journal.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    assert b"987654321" not in (world.folder / "journal.db").read_bytes()


def test_protected_figures_are_kept_and_given_again(world: World) -> None:
    world.journal.open(opening(), NOW)
    world.journal.finish(part(case()), NOW)
    world.journal.settle("TASK-0001", "acknowledged", NOW)
    assert world.journal.unfinished() == ()
    stored = world.journal.open(opening(), NOW)
    assert stored is not None
    assert stored.measures == part(case()).measures


def test_a_task_without_a_part_cannot_be_settled(world: World) -> None:
    world.journal.open(opening(), NOW)
    world.journal.settle("TASK-0001", "acknowledged", NOW)
    assert [each.part for each in world.journal.unfinished()] == [None]


def test_a_refusal_returns_the_charge_if_no_part_was_made(world: World) -> None:
    world.journal.open(opening(), NOW)
    digest = digest_of(case().request)
    assert world.journal.refuse(case().task(), digest, "delivery-expired", NOW, undo=True) is False
    assert (world.spent, world.journal.unfinished()) == (0, ())
    assert world.journal.finish(part(case()), NOW) is None


def test_a_refusal_of_an_unproven_delivery_returns_nothing(world: World) -> None:
    world.journal.open(opening(), NOW)
    assert world.journal.refuse(case().task(), digest_of(case().request), "token-invalid", NOW, undo=False) is True
    assert world.spent == PRICE


def test_a_refusal_after_a_part_was_made_leaves_the_charge(world: World) -> None:
    world.journal.open(opening(), NOW)
    world.journal.finish(part(case()), NOW)
    assert world.journal.refuse(case().task(), digest_of(case().request), "delivery-expired", NOW, undo=True) is True
    assert world.spent == PRICE


def test_a_refusal_of_one_question_leaves_the_charges_of_others(world: World) -> None:
    other = case().asking(id="REQ-0002")
    world.journal.open(opening(), NOW)
    world.journal.open(opening(other), NOW)
    world.journal.refuse(case().task(), digest_of(case().request), "delivery-expired", NOW, undo=True)
    assert world.spent == PRICE
    assert [each.task.request.body for each in world.journal.unfinished()] == [other.task().request.body]


def test_the_list_of_approved_contracts_is_kept(world: World) -> None:
    world.approve()
    contract = case().contract
    world.later(days=1)
    world.approve(contract_text("gateway"))
    assert [each.contract for each in world.journal.approvals()] == [
        contract.reference,
        case("gateway").contract.reference,
    ]
    assert Shelf(world.journal).approved(contract.digest) == contract
    assert Shelf(world.journal).approved(NO_DIGEST) is None


def test_a_retired_contract_is_not_approved_until_it_is_approved_again(world: World) -> None:
    world.approve()
    shelf, digest = Shelf(world.journal), case().contract.digest
    assert shelf.approved(digest) is not None
    world.journal.retire(digest, NOW)
    assert shelf.approved(digest) is None
    assert world.journal.approvals() == ()
    world.approve()
    assert shelf.approved(digest) is not None


def renamed(dataset: str = "tpo_complaint") -> str:
    """A contract over the same table that calls its source by another name."""
    text = contract_text().replace("source: ccib/thaipoliceonline", "source: ccib/other")
    return text.replace("id: tpo_complaint", f"id: {dataset}")


def refused_name(world: World, text: str, place: str) -> Refused:
    with pytest.raises(Refused, match="source-renamed") as raised:
        world.approve(text, place)
    return raised.value


def test_a_table_keeps_the_source_under_which_it_was_first_approved(world: World) -> None:
    world.approve(place="one table")
    other = contract_of(renamed("tpo_again"))
    assert (other.id, other.source) == ("tpo_again", "ccib/other")
    names = {"contract": "tpo_again", "source": "ccib/other", "known": SOURCE}
    assert refused_name(world, renamed("tpo_again"), "one table").details == names
    assert [each.contract for each in world.journal.approvals()] == [case().contract.reference]
    world.approve(renamed("tpo_again"), "another table")


def test_a_dataset_keeps_its_source_wherever_its_table_moves_and_after_its_retirement(world: World) -> None:
    world.approve(place="one table")
    world.journal.retire(case().contract.digest, NOW)
    assert refused_name(world, renamed(), "another table").details["known"] == SOURCE
    world.approve(contract_text("gateway"), "another table")


def test_a_refused_name_is_not_kept_for_its_table(world: World) -> None:
    world.approve(place="one table")
    refused_name(world, renamed(), "another table")
    world.approve(place="another table")
    assert refused_name(world, renamed("tpo_again"), "another table").details["known"] == SOURCE


def test_what_never_stood_on_the_list_cannot_be_retired(world: World) -> None:
    with pytest.raises(InvalidInput) as raised:
        world.journal.retire(NO_DIGEST, NOW)
    assert raised.value.code == "unknown-contract"


def test_the_names_of_what_is_unfinished_are_those_of_the_unfinished_tasks(world: World) -> None:
    def names() -> frozenset[str]:
        assert world.journal.unfinished_names() == {each.task.id for each in world.journal.unfinished()}
        return world.journal.unfinished_names()

    assert names() == frozenset()
    world.journal.open(opening(), NOW)
    assert names() == {"TASK-0001"}
    world.journal.finish(part(case()), NOW)
    assert names() == {"TASK-0001"}
    world.journal.settle("TASK-0001", "acknowledged", NOW)
    assert names() == frozenset()


def test_what_is_unfinished_is_found_by_an_index(world: World) -> None:
    statement = statements.unsettled_names().statement
    with world.journal.writing() as t:
        found = t.connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", [bind.value for bind in statement.binds])
        steps = [line[-1] for line in found]
    assert steps
    assert not [step for step in steps if step.startswith("SCAN")]


def test_the_record_says_what_left_and_what_was_refused(world: World) -> None:
    world.journal.open(opening(), NOW)
    world.journal.finish(part(case()), NOW)
    world.journal.settle("TASK-0001", "acknowledged", NOW)
    world.journal.refuse(case().task(), NO_DIGEST, "task-not-ours", NOW + timedelta(seconds=1), undo=False)
    answered, refused = world.journal.departures()
    assert (answered.state, answered.cells, answered.charged, answered.requester) == ("acknowledged", 2, True, "oja")
    assert answered.part_digest == digest_of(part(case()))
    assert (refused.state, refused.refusal, refused.charged, refused.cells) == ("refused", "task-not-ours", False, 0)


def test_the_file_is_its_owners_alone_and_every_commit_reaches_the_disk(world: World) -> None:
    path = world.folder / "journal.db"
    assert path.stat().st_mode & 0o777 == 0o600
    with world.journal._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1


@pytest.mark.parametrize(
    ("point", "spent"), [(CrashPoint.CHARGE_BEFORE_COMMIT, 0), (CrashPoint.CHARGE_AFTER_COMMIT, PRICE)]
)
def test_a_charge_is_whole_or_absent(tmp_path: Path, point: CrashPoint, spent: int) -> None:
    dying = Journal(tmp_path / "journal.db", die_at(point))
    with pytest.raises(Killed):
        dying.open(opening(windows=("FY2568",)), NOW)
    dying.close()
    world = World(tmp_path, factories.federation())
    assert world.spent == spent
    world.journal.close()

"""A standing series at the connector: by its own count, whatever the gateway says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.answer import answer, resume
from connectors.crash import CrashPoint
from connectors.journal.series_tables import SeriesWindow
from contracts.agreement import Approval
from contracts.canonical import digest_of
from contracts.errors import Unavailable
from contracts.query import Series
from contracts.task import LeasedTask, Part
from tests import factories
from tests.connector_world import (
    PRICE,
    Case,
    Killed,
    World,
    case,
    case_types,
    contract_text,
    die_at,
    refresh_snapshot,
    snapshot_bytes,
)

pytestmark = pytest.mark.integration

ALL = ("2025-10", "2025-12")
OCTOBER, NOVEMBER = ("2025-10", "2025-11"), ("2025-11", "2025-12")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, factories.federation())
    world.approve()
    world.approve(contract_text("gateway"))
    yield world
    world.journal.close()


def asked(months: tuple[str, str], number: int = 1, revision: int = 0, **changes: object) -> Case:
    """The series' question about some months, each under a request and a task of its own."""
    honest = case("gateway")
    query = factories.query(
        dimensions=("month", "case_type"),
        where={"case_type": case_types()},
        period=factories.period(f"{months[0]}-01", f"{months[1]}-01"),
        series=Series(revision=revision),
    )
    found = honest.asking(query=query, id=f"REQ-{number:04d}", **changes)
    found.task_id = f"TASK-{number:04d}"
    return found


def give(world: World, leased: LeasedTask) -> Part:
    """Answer a task and give what was posted for it."""
    answer(leased, world.desk(), world.clock)
    return world.posted[-1]


def settle(world: World, months: tuple[str, str], number: int) -> Part:
    """A question that is answered and acknowledged."""
    return give(world, asked(months, number).leased())


def test_two_months_of_a_series_are_charged_once(world: World) -> None:
    first = settle(world, OCTOBER, 1)
    second = settle(world, NOVEMBER, 2)

    assert [part.measures[0].cells for part in (first, second)] == [(2, 0), (2, 1)]
    assert (first.charged, second.charged, world.spent) == (True, True, PRICE)


def test_a_month_is_answered_once_even_if_the_gateway_asks_again(world: World) -> None:
    settle(world, OCTOBER, 1)

    part = give(world, asked(ALL, 2).leased())

    assert (part.refusal, part.charged, world.spent) == ("series-overlaps", False, PRICE)
    # What was refused took nothing: November is still free.
    assert settle(world, NOVEMBER, 3).refusal is None


def test_the_very_request_gets_its_stored_part_again(world: World) -> None:
    leased = asked(OCTOBER).leased()
    world.answers.append(Unavailable("gateway-unreachable"))
    with pytest.raises(Unavailable):
        answer(leased, world.desk(), world.clock)

    part = give(world, leased)

    assert (part.refusal, world.spent) == (None, PRICE)


@pytest.mark.parametrize("change", [{"revision": 1}, {"nano_rho": PRICE - 1}])
def test_a_revision_and_another_price_are_charged_anew(world: World, change: dict[str, int]) -> None:
    settle(world, OCTOBER, 1)

    part = give(world, asked(OCTOBER, 2, **change).leased())

    assert part.refusal is None
    assert world.spent == PRICE + change.get("nano_rho", PRICE)


def test_nobody_relies_on_a_charge_that_may_still_be_returned(world: World) -> None:
    payer = asked(OCTOBER).leased()
    world.snapshot.write_bytes(snapshot_bytes())
    dying = World(world.folder, world.keys, world.now, die_at(CrashPoint.CHARGE_AFTER_COMMIT))
    with pytest.raises(Killed):
        answer(payer, dying.desk(), dying.clock)
    dying.journal.close()

    with pytest.raises(Unavailable, match="series-busy"):
        answer(asked(NOVEMBER, 2).leased(), world.desk(), world.clock)

    (left,) = world.journal.unfinished()
    resume(left, world.desk(), world.clock)
    assert settle(world, NOVEMBER, 2).refusal is None
    assert world.spent == PRICE


def test_a_returned_charge_frees_its_months_and_its_window(world: World) -> None:
    one = asked(OCTOBER)
    world.snapshot.write_bytes(snapshot_bytes())
    dying = World(world.folder, world.keys, world.now, die_at(CrashPoint.CHARGE_AFTER_COMMIT))
    with pytest.raises(Killed):
        answer(one.leased(), dying.desk(), dying.clock)
    dying.journal.close()
    assert not world.journal.refuse(one.task(), digest_of(one.request), "delivery-expired", world.now, undo=True)
    assert world.spent == 0

    assert settle(world, ALL, 2).refusal is None
    assert world.spent == PRICE


def test_the_cap_counts_a_series_once_and_a_revision_again(world: World) -> None:
    settle(world, OCTOBER, 1)
    answer(asked(NOVEMBER, 2).leased(), world.desk(PRICE), world.clock)
    answer(asked(OCTOBER, 3, revision=1).leased(), world.desk(PRICE), world.clock)

    assert [part.refusal for part in world.posted] == [None, None, "local-cap-exceeded"]
    assert world.spent == PRICE


def test_an_activity_s_ceiling_counts_what_the_series_really_charged(world: World) -> None:
    def capped(months: tuple[str, str], number: int) -> Case:
        found = asked(months, number)
        only = found.agreement.activities[0].model_copy(update={"nano_rho_in_all": PRICE})
        agreement = found.agreement.model_copy(update={"activities": (only,)})
        found.agreement = agreement
        return found.asking(agreement_digest=digest_of(agreement))

    for number, months in enumerate((OCTOBER, NOVEMBER)):
        assert give(world, capped(months, number + 1).leased()).refusal is None

    assert world.spent == PRICE


def test_a_snapshot_that_was_built_anew_ends_the_series_of_its_window(world: World) -> None:
    settle(world, OCTOBER, 1)
    world.snapshot.unlink()
    _build(world.snapshot)

    part = give(world, asked(NOVEMBER, 2).leased())

    assert (part.refusal, part.charged, world.spent) == ("series-memory-lost", False, PRICE)
    assert give(world, asked(NOVEMBER, 3, revision=1).leased()).refusal is None


def test_a_snapshot_that_went_back_ends_the_series_of_its_window(world: World) -> None:
    world.snapshot.write_bytes(snapshot_bytes())
    world.desk()
    backup = world.snapshot.read_bytes()
    _build(world.snapshot)
    settle(world, OCTOBER, 1)
    world.snapshot.write_bytes(backup)

    assert give(world, asked(NOVEMBER, 2).leased()).refusal == "series-memory-lost"


def test_a_newer_snapshot_goes_on_with_the_series(world: World) -> None:
    settle(world, OCTOBER, 1)
    _build(world.snapshot)

    assert settle(world, NOVEMBER, 2).refusal is None
    with world.journal.transaction() as session:
        assert [row.data_version for row in session.query(SeriesWindow)] == [2]


def test_what_was_charged_under_a_lost_memory_is_given_back_and_not_counted(world: World) -> None:
    settle(world, OCTOBER, 1)
    dying = World(world.folder, world.keys, world.now, die_at(CrashPoint.CHARGE_AFTER_COMMIT))
    with pytest.raises(Killed):
        answer(asked(NOVEMBER, 2).leased(), dying.desk(), dying.clock)
    dying.journal.close()
    world.snapshot.unlink()
    _build(world.snapshot)

    (left,) = world.journal.unfinished()
    resume(left, world.desk(), world.clock)

    assert (world.posted[-1].refusal, world.posted[-1].charged) == ("series-memory-lost", False)


def test_a_snapshot_that_is_renewed_while_it_is_counted_is_counted_again(world: World) -> None:
    def renew(point: CrashPoint) -> None:
        if point is CrashPoint.CHARGE_AFTER_COMMIT:
            _build(world.snapshot)

    world.snapshot.write_bytes(snapshot_bytes())
    renewing = World(world.folder, world.keys, world.now, renew)
    with pytest.raises(Unavailable, match="snapshot-renewed"):
        answer(asked(OCTOBER).leased(), renewing.desk(), renewing.clock)
    renewing.journal.close()

    (left,) = world.journal.unfinished()
    resume(left, world.desk(), world.clock)

    assert (world.posted[-1].data_version, world.spent) == (2, PRICE)


def test_an_activity_that_an_officer_looks_at_has_series_of_its_own(world: World) -> None:
    standing = asked(OCTOBER)
    activity = standing.agreement.activities[0].model_copy(update={"approval": Approval.EACH})
    each_time = standing.agreement.model_copy(update={"activities": (activity,)})
    other = asked(NOVEMBER, 2)
    other.agreement = each_time
    other = other.asking(agreement_digest=digest_of(each_time))
    guard = world.guard()

    first, second = (guard.check_task(each.task(), world.now).series for each in (standing, other))

    assert first is not None
    assert second not in (None, first)


def test_a_counter_answers_the_nodes_that_its_months_complete(world: World) -> None:
    only = case("gateway").agreement.activities[0].model_copy(update={"dimensions": ("case_type",)})
    agreement = case("gateway").agreement.model_copy(update={"activities": (only,)})
    cells: dict[str, int] = {}
    for number, months in enumerate((OCTOBER, NOVEMBER)):
        found = asked(months, number + 1)
        found.agreement = agreement
        query = found.request.query.model_copy(update={"dimensions": (), "counter": True, "where": {}})
        found = found.asking(query=query, agreement_digest=digest_of(agreement))
        part = give(world, found.leased())
        assert part.refusal is None
        grid = world.guard().check_task(found.task(), world.now).grid
        assert not cells.keys() & set(grid.axes[0].values)
        cells |= dict(zip(grid.axes[0].values, part.measures[0].cells, strict=True))

    # Five complaints: 5 and 6 October; 7, 8 and 9 November.
    assert (cells["2025-10-05+1"], cells["2025-10-05+2"], cells["2025-10-01+32"]) == (1, 2, 2)
    assert (cells["2025-11-06+4"], cells["2025-10-01+32"], cells["2025-11-02+16"]) == (3, 2, 3)
    assert world.spent == PRICE


def _build(path: Path) -> None:
    """A refresh with the rows of the world's snapshot: of that one if it is there, else of a new one."""
    refresh_snapshot(path)

"""Empty and absent areas look like all others: in content, size and release tick, in the log and in the books."""

import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput
from contracts.release import Release
from contracts.request import Request
from contracts.task import PartMeasure
from contracts.transparency import EventKind, LogEntry
from contracts.views import BudgetLine, PreviewCall, RequestStatus
from gateway.preview import preview
from tests import factories
from tests.factories import NOW
from tests.gateway_world import AGREEMENT, CONTRACT, new_world

pytestmark = pytest.mark.integration

QUERY = factories.query(dimensions=("month", "province", "hour"))
CELLS = 3 * 3 * 24
TICK = NOW.replace(second=1)


def everywhere(_cell: int) -> int:
    return 40


def nowhere(_cell: int) -> int:
    return 0


def not_in_one_province(cell: int) -> int:
    return 0 if (cell // 24) % 3 == 1 else 40


@dataclass(frozen=True)
class Seen:
    """All that the requester and the public can see of one request."""

    waiting: RequestStatus
    before_tick: RequestStatus
    done: RequestStatus
    release: Release
    log: list[LogEntry]
    budget: tuple[BudgetLine, ...]


def seen(folder: Path, rows: object, seconds: float) -> Seen:
    """What is seen where an agency has so many rows in each cell and takes so long to count them."""
    assert callable(rows)
    folder.mkdir()
    world = new_world(f"sqlite:///{folder / 'gateway.db'}")
    request = factories.request(AGREEMENT, QUERY)
    world.later(0.1)
    waiting = world.submit(request)
    (leased,) = world.lease()
    world.later(seconds)
    measure = PartMeasure(measure="count", cells=tuple(rows(cell) for cell in range(CELLS)))
    world.post(world.part(leased.task, measures=(measure,)))
    before_tick = world.exchange.status(world.caller(), request.id)
    world.now = TICK
    done = world.exchange.status(world.caller(), request.id)
    release = world.exchange.release(world.caller(), str(done.release))
    found = Seen(waiting, before_tick, done, release, world.log(), world.exchange.budget(world.caller()))
    world.store.close()
    return found


def outline(release: Release) -> Release:
    """A release without its figures, which are noise over something that nobody sees."""
    bare = tuple(each.model_copy(update={"cells": (0,) * len(each.cells)}) for each in release.body.released)
    body = release.body.model_copy(update={"released": bare, "parts": ()})
    return release.model_copy(update={"body": body, "digest": "", "signature": "", "receipt": None})


def told(entry: LogEntry) -> LogEntry:
    """A log entry with random commitments and digests made alike."""
    commitments = dict.fromkeys(entry.commitments, "0" * 71)
    facts = {name: "0" * len(value) if "digest" in name else value for name, value in entry.facts.items()}
    return entry.model_copy(update={"commitments": commitments, "facts": facts})


def test_an_area_without_rows_cannot_be_told_from_one_with_rows(tmp_path: Path) -> None:
    full = seen(tmp_path / "full", everywhere, 0.8)
    for name, rows, seconds in (("partly", not_in_one_province, 0.3), ("empty", nowhere, 0.0)):
        other = seen(tmp_path / name, rows, seconds)

        assert other.release.body.grid == full.release.body.grid
        assert len(other.release.body.released[0].cells) == CELLS
        assert outline(other.release) == outline(full.release)
        assert other.waiting == full.waiting
        assert other.before_tick == full.before_tick == full.waiting  # not even that the agency has answered
        assert other.done == full.done
        assert other.done.available_at == other.release.body.created == TICK
        assert [told(entry) for entry in other.log] == [told(entry) for entry in full.log]
        assert other.budget == full.budget
        sizes = [len(canonical_bytes(each.release.body)) for each in (full, other)]
        digits = [sum(len(str(cell)) for cell in each.release.body.released[0].cells) for each in (full, other)]
        assert sizes[0] - digits[0] == sizes[1] - digits[1]


def test_a_cell_without_rows_is_no_more_often_zero_than_its_noise(tmp_path: Path) -> None:
    (released,) = seen(tmp_path / "empty", nowhere, 0.0).release.body.released
    zeros = sum(cell == 0 for cell in released.cells)
    expected = CELLS / (released.sigma * math.sqrt(2 * math.pi))

    assert expected > 8
    assert 0 < zeros < expected + 8 * math.sqrt(expected)
    assert min(released.cells) < 0 < max(released.cells)
    assert math.sqrt(sum(cell**2 for cell in released.cells) / CELLS) == pytest.approx(released.sigma, rel=0.3)


def test_a_refusal_leaves_on_the_tick_in_one_form_whatever_the_work_took(tmp_path: Path) -> None:
    forms = []
    for name, seconds in (("slow", 0.8), ("quick", 0.0)):
        (tmp_path / name).mkdir()
        world = new_world(f"sqlite:///{tmp_path / name / 'gateway.db'}")
        request = factories.request(AGREEMENT, QUERY)
        world.later(0.1)
        world.submit(request)
        (leased,) = world.lease()
        world.later(seconds)
        world.post(world.refusal(leased.task))
        early = world.exchange.status(world.caller(), request.id)
        world.now = TICK
        forms.append((early, world.exchange.status(world.caller(), request.id), told(world.log()[-1])))
        world.store.close()

    assert forms[0] == forms[1]
    assert forms[0][1].available_at == forms[0][2].at == TICK
    assert forms[0][2].kind is EventKind.DATA_REFUSED


def test_a_preview_of_what_was_never_asked_knows_nothing_of_rows(tmp_path: Path) -> None:
    found = []
    for name, level in (("full", 1_000), ("empty", 0)):
        (tmp_path / name).mkdir()
        world = new_world(f"sqlite:///{tmp_path / name / 'gateway.db'}")
        world.submit(factories.request(AGREEMENT, QUERY))
        (leased,) = world.lease()
        call = PreviewCall(
            agreement=AGREEMENT.id, activity=factories.ACTIVITY, contracts=(CONTRACT.reference,), query=QUERY
        )
        found.append(preview(world.exchange.means, world.caller(), call))
        world.post(world.part(leased.task, level=level))
        world.store.close()

    assert found[0] == found[1]


# ------------------------------------------------------------ no identifier is a dimension


@pytest.mark.parametrize(
    "name", ["victim_key", "complaint_id", "event_time", "tpo_complaint", "damage_thb", "narrative"]
)
@pytest.mark.parametrize("place", ["dimensions", "where", "share"])
def test_what_names_a_person_or_a_row_is_no_dimension_and_no_error_says_that_it_exists(
    tmp_path: Path, name: str, place: str
) -> None:
    kinds: dict[str, dict[str, object]] = {
        "dimensions": {"dimensions": ("month", name)},
        "where": {"where": {name: ("1101700203451",)}},
        "share": {"measures": (f"{name}:share",)},
    }
    asked = kinds[place]
    world = new_world(f"sqlite:///{tmp_path / 'gateway.db'}")
    requests = [request_for(asked), request_for(asked_of_nothing(asked))]

    refusals = []
    for request in requests:
        with pytest.raises(InvalidInput, match=r"unknown-dimension|unknown-measure") as caught:
            world.submit(request)
        refusals.append(caught.value)

    assert refusals[0].code == refusals[1].code
    assert {k: v for k, v in refusals[0].details.items() if k not in {"dimension", "measure"}} == {
        k: v for k, v in refusals[1].details.items() if k not in {"dimension", "measure"}
    }
    assert name not in str(refusals[0].details["choices"]).split(", ")
    assert "1101700203451" not in str(refusals[0].problem())
    assert (world.spent(), world.reserved(), world.lease()) == (0, 0, ())
    world.store.close()


def request_for(asked: dict[str, object]) -> Request:
    return factories.request(AGREEMENT, factories.query(**asked))


def asked_of_nothing(asked: dict[str, object]) -> dict[str, object]:
    """The same question of a column that nobody has."""
    nothing: dict[str, object] = {
        "dimensions": ("month", "no_such_column"),
        "where": {"no_such_column": ("1",)},
        "measures": ("no_such_column:share",),
    }
    return {place: nothing[place] for place in asked}

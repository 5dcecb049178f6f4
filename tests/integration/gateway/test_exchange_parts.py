"""Connectors' parts and tasks: what fits is kept once, what does not is refused before it is kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from contracts.dataset import ContractRef, ProtectAt
from contracts.errors import IntegrityError, InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.task import LeaseCall, Part, PartMeasure
from gateway.crash import CrashPoint
from gateway.question import digest_of_request
from gateway.store import relay
from gateway.store.engine import open_engine
from gateway.store.tables import metadata
from tests import factories
from tests.gateway_world import Killed, World, killed_at, new_world

pytestmark = pytest.mark.integration

WRONG = f"sha-256:{'0' * 64}"


def short(part: Part) -> Part:
    cut = tuple(m.model_copy(update={"cells": m.cells[1:]}) for m in part.measures)
    return part.model_copy(update={"measures": cut})


def noisy(part: Part) -> Part:
    return part.model_copy(update={"measures": tuple(m.model_copy(update={"sigma": 1.0}) for m in part.measures)})


def doubled(part: Part) -> Part:
    return part.model_copy(update={"measures": (*part.measures, *part.measures)})


def other_measure(part: Part) -> Part:
    return part.model_copy(update={"measures": (PartMeasure(measure="damage_thb:sum", cells=part.measures[0].cells),)})


def changed(**update: object) -> Callable[[Part], Part]:
    return lambda part: part.model_copy(update=update)


@pytest.mark.parametrize(
    "bend",
    [
        short,
        noisy,
        doubled,
        other_measure,
        changed(task_digest=WRONG),
        changed(request_digest=WRONG),
        changed(agency="rtp"),
        changed(task="task-of-another-request"),
        changed(contract=ContractRef(id="crimes_case", version="1.0.0", digest=WRONG)),
    ],
)
def test_a_part_that_does_not_fit_its_task_is_not_kept(world: World, bend: Callable[[Part], Part]) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    honest = world.part(leased.task)

    with pytest.raises(IntegrityError, match="part-invalid"):
        world.exchange.accept_part(world.connector(), leased.task.id, world.posted(bend(honest)))

    world.post(honest)
    assert world.spent() == 50_000_000


@pytest.mark.parametrize("sigma", [None, 1.0])
def test_an_agency_that_protects_itself_cannot_send_less_noise_than_planned(
    store_url: str, sigma: float | None
) -> None:
    contract = factories.contract(protect_at=ProtectAt.CONNECTOR)
    agreement = factories.agreement((contract,))
    world = new_world(store_url, (contract,), agreement)
    world.submit(factories.request(agreement))
    (leased,) = world.lease()
    honest = world.part(leased.task, contract)
    bent = tuple(m.model_copy(update={"sigma": sigma}) for m in honest.measures)

    with pytest.raises(IntegrityError, match="part-invalid"):
        world.post(honest.model_copy(update={"measures": bent}))

    world.post(honest)
    assert world.spent() == 50_000_000
    world.store.close()


def test_what_is_not_a_part_is_malformed(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    broken = world.posted(world.part(leased.task)).model_copy(update={"body": "[]"})

    with pytest.raises(InvalidInput, match="malformed-body"):
        world.exchange.accept_part(world.connector(), leased.task.id, broken)


@pytest.mark.parametrize("cell", [2**52 + 1, -(2**52) - 1, 2**53 + 1, 2**62])
def test_a_part_with_a_cell_that_no_release_can_carry_is_refused_before_it_is_kept(world: World, cell: int) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    honest = world.part(leased.task)
    body = world.posted(honest).body.replace("1000", str(cell), 1)

    with pytest.raises(InvalidInput, match="malformed-body"):
        world.exchange.accept_part(
            world.connector(), leased.task.id, world.posted(honest).model_copy(update={"body": body})
        )

    world.exchange.resume()
    assert world.exchange.status(world.caller(), "REQ-0001").waiting_for == ("ccib",)
    world.post(honest)
    assert world.spent() == 50_000_000


@pytest.mark.parametrize("cell", [2**52, -(2**52)])
def test_the_largest_cell_is_kept_and_released(world: World, cell: int) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()

    world.post(world.part(leased.task, level=cell))

    assert world.spent() == 50_000_000


@pytest.mark.parametrize("version", [-1, 2**31 + 1])
def test_a_data_version_out_of_range_is_refused_in_a_part_and_in_a_lease(world: World, version: int) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    bent = world.part(leased.task).model_copy(update={"data_version": version})

    with pytest.raises(InvalidInput, match="malformed-body"):
        world.post(bent)
    with pytest.raises(ValidationError):
        LeaseCall(agency="ccib", data_versions={"tpo_complaint": version}, wait_seconds=0)


@pytest.mark.parametrize("bend", [lambda body: f" {body}", lambda body: body.replace('"charged":true', '"charged":1')])
def test_a_part_that_is_not_in_its_canonical_form_is_malformed(world: World, bend: Callable[[str], str]) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    honest = world.posted(world.part(leased.task))

    with pytest.raises(InvalidInput, match="malformed-body"):
        world.exchange.accept_part(
            world.connector(), leased.task.id, honest.model_copy(update={"body": bend(honest.body)})
        )


def test_a_part_with_no_canonical_form_is_malformed(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    honest = world.part(leased.task)
    body = honest.model_copy(update={"refusal": "x", "measures": (), "charged": False}).model_dump_json()
    unpaired = body.replace('"refusal":"x"', '"refusal":"\\ud800"')

    with pytest.raises(InvalidInput, match="malformed-body"):
        world.exchange.accept_part(
            world.connector(), leased.task.id, world.posted(honest).model_copy(update={"body": unpaired})
        )


def test_a_task_is_answered_by_the_connector_of_its_agency_alone(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    body = world.posted(world.part(leased.task))

    for stranger in (world.connector("rtp"), world.caller("ccib", KeyPurpose.OFFICER)):
        with pytest.raises(InvalidInput, match="unknown-task"):
            world.exchange.accept_part(stranger, leased.task.id, body)
    with pytest.raises(InvalidInput, match="unknown-task"):
        world.exchange.accept_part(world.connector(), "task-0000", body)
    assert world.spent() == 0


def test_the_same_part_is_welcome_twice_and_another_one_is_not(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    part = world.part(leased.task)
    world.post(part)
    size = len(world.log())

    world.post(part)
    with pytest.raises(Refused, match="part-already-posted"):
        world.post(world.part(leased.task, level=7))

    assert len(world.log()) == size
    assert world.spent() == 50_000_000


def test_a_connector_leases_for_its_own_agency_alone(world: World) -> None:
    world.submit(factories.request())
    call = LeaseCall(agency="ccib", data_versions={}, wait_seconds=0)

    for stranger in (world.connector("rtp"), world.caller("ccib", KeyPurpose.CLIENT)):
        with pytest.raises(Refused, match="not-allowed"):
            world.exchange.lease(stranger, call)


CELLS = 9
LEVEL = 4_271_828
"""A figure that nothing else in the database looks like."""


def kept(world: World) -> str:
    """Everything in the database, as text."""
    with world.store.engine.connect() as connection:
        return "\n".join(
            str(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(table.select())
        )


def test_no_exact_cell_outlives_the_release(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    part = world.part(leased.task, level=LEVEL)
    world.restart(killed_at(CrashPoint.AFTER_PART))
    with pytest.raises(Killed):
        world.post(part)
    exact = ",".join([str(LEVEL)] * CELLS)  # all of them: two neighbours may draw no noise
    assert exact in kept(world)

    world.restart().resume()

    assert exact not in kept(world)
    world.post(part)  # still known as the same
    with pytest.raises(Refused, match="part-already-posted"):
        world.post(world.part(leased.task, level=7))
    world.exchange.resume()
    with world.store.read() as r:
        (task,) = relay.tasks_of(r, "REQ-0001")
    assert (task.part, task.part_digest) == (None, digest_of_request(world.posted(part)))
    assert world.spent() == 50_000_000


def test_no_exact_cell_outlives_a_refusal_whose_own_words_stay(store_url: str) -> None:
    ours = factories.contract(disjoint_from=("crimes_case",))
    theirs = factories.contract(id="crimes_case", agency="rtp", disjoint_from=("tpo_complaint",))
    agreement = factories.agreement((ours, theirs))
    world = new_world(store_url, (ours, theirs), agreement)
    world.submit(factories.request(agreement))
    world.answer(ours, level=LEVEL)
    assert str(LEVEL) in kept(world)
    (leased,) = world.lease("rtp")

    world.post(world.refusal(leased.task))

    assert str(LEVEL) not in kept(world)
    with world.store.read() as r:
        parts = [task.part for task in relay.tasks_of(r, "REQ-0001")]
    assert parts[0] is None
    assert parts[1] is not None
    assert parts[1].refusal == "contract-not-approved"
    world.store.close()


def test_a_part_that_carries_its_own_noise_stays(store_url: str) -> None:
    contract = factories.contract(protect_at=ProtectAt.CONNECTOR)
    agreement = factories.agreement((contract,))
    world = new_world(store_url, (contract,), agreement)
    world.submit(factories.request(agreement))
    (leased,) = world.lease()
    part = world.part(leased.task, contract)

    world.post(part)

    with world.store.read() as r:
        assert [task.part for task in relay.tasks_of(r, "REQ-0001")] == [part]
    world.store.close()


def test_sqlite_overwrites_what_is_erased(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'gateway.db'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar_one() == 1
    engine.dispose()

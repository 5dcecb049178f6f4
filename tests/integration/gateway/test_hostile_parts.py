"""Numbers in a connector's part that nobody means: refused before they are kept; the honest part is still welcome."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from contracts.canonical import canonical_bytes
from contracts.dataset import DatasetContract, ProtectAt
from contracts.errors import InvalidInput, SaphanError
from contracts.query import Query
from contracts.request import RequestState
from contracts.task import LeasedTask, Part
from tests import factories
from tests.gateway_world import World, new_world

pytestmark = pytest.mark.integration

PRICE = 50_000_000
Doc = dict[str, Any]
Bend = Callable[[Doc], object]
CLAMPS = {"romance_scam": (0, 100_000), "shopping_scam": (0, 1_000), "call_center": (0, 50_000)}
EXACT = factories.contract()
NOISY = factories.contract(
    protect_at=ProtectAt.CONNECTOR,
    measure_columns=(factories.damage(clamp_by="case_type", clamps=CLAMPS),),
)
SUMS = factories.query(measures=("damage_thb:sum",), dimensions=("case_type",))
FAMILY = factories.query(family={"tables": [{"by": ["month", "province"]}, {"by": ["month"]}]})


def asked(tmp_path: Path, contract: DatasetContract, query: Query) -> tuple[World, LeasedTask]:
    """A gateway whose connector holds the task of one question."""
    families = (query.family,) if query.family else ()
    agreed = factories.agreement((contract,), activities=(factories.activity((contract,), families=families),))
    world = new_world(f"sqlite:///{tmp_path / 'gateway.db'}", (contract,), agreed)
    world.submit(factories.request(agreed, query))
    (leased,) = world.lease()
    return world, leased


def written(document: Doc, honest: str) -> str:
    """The canonical form, so that what it says must be refused; as an attacker writes it, where that is the point."""
    raw = json.dumps(document, separators=(",", ":"), sort_keys=True)
    if any(type(each) is float for measure in document["measures"] for each in measure["cells"]):
        return raw
    with suppress(InvalidInput):
        canonical = canonical_bytes(document).decode()
        return raw if canonical == honest else canonical
    return raw


def assert_refused(world: World, leased: LeasedTask, honest: Part, bend: Bend) -> None:
    """The bent part is refused under a stable code, and nothing is kept, released or lost."""
    document = json.loads(world.posted(honest).body)
    bend(document)
    body = written(document, world.posted(honest).body)
    log = world.log()
    with pytest.raises(SaphanError) as caught:
        world.exchange.accept_part(
            world.connector(), leased.task.id, world.posted(honest).model_copy(update={"body": body})
        )
    assert caught.value.code in {"malformed-body", "part-invalid"}
    assert (world.log(), world.spent(), world.reserved()) == (log, 0, PRICE)
    assert world.exchange.status(world.caller(), "REQ-0001").waiting_for == ("ccib",)


def assert_welcome(world: World, honest: Part) -> None:
    world.post(honest)
    world.later()
    assert world.exchange.status(world.caller(), "REQ-0001").state is RequestState.RELEASED
    assert (world.spent(), world.reserved()) == (PRICE, 0)
    world.store.close()


def cell(value: object) -> Bend:
    return lambda part: part["measures"][0]["cells"].__setitem__(0, value)


def field(name: str, value: object, place: int = 0) -> Bend:
    return lambda part: part["measures"][place].update({name: value})


def times(factor: float) -> Bend:
    return lambda part: part["measures"][0].update(sigma=part["measures"][0]["sigma"] * factor)


def code(name: str, factor: float) -> Bend:
    def bend(part: Doc) -> None:
        sigmas = part["measures"][0]["sigmas"]
        sigmas[name] = sigmas.get(name, 1.0) * factor

    return bend


NAN, INF = float("nan"), float("inf")
CELLS: tuple[float, ...] = (NAN, INF, -INF, 0.5, -0.0, 1000.0, 1e300, 2**52 + 1, 2**63 - 1, 2**63)
ODD_CELLS: tuple[object, ...] = (None, "1000", True, [], 10**400)
ANY_PART: dict[str, Bend] = {
    **{f"cell {value}": cell(value) for value in CELLS},
    **{f"cell {value!r}": cell(value) for value in ODD_CELLS},
    "a cell more": lambda part: part["measures"][0]["cells"].append(0),
    "a cell less": lambda part: part["measures"][0]["cells"].pop(),
    "no cells": field("cells", []),
    "another measure": field("measure", "people"),
    "no measure": lambda part: part.update(measures=[]),
    "a measure twice": lambda part: part["measures"].append(part["measures"][0]),
    "uncharged": lambda part: part.update(charged=False),
    "charged by a number": lambda part: part.update(charged=1),
    "version out of range": lambda part: part.update(data_version=2**63 - 1),
    "refused and answered": lambda part: part.update(refusal="contract-not-approved"),
}
EXACT_PART: dict[str, Bend] = {
    **{f"sigma {value}": field("sigma", value) for value in (NAN, INF, 0, -1.0, 1e308, "1")},
    "by": field("by", ["month", "province"]),
    "sigmas": field("sigmas", {"10": 1.0}),
}
NOISY_PART: dict[str, Bend] = {
    **{f"sigma {value}": field("sigma", value) for value in (None, NAN, INF, -INF, 0, -0.0, -1.0, 1e308, "1", True)},
    **{f"sigma times {factor}": times(factor) for factor in (0.999, 1.001, -1.0)},
    **{f"code times {factor}": code("shopping_scam", factor) for factor in (0.0, 0.999, 1.001, -1.0, NAN, INF, 1e300)},
    "a code more": code("other_scam", 1e9),
    "a code less": lambda part: part["measures"][0]["sigmas"].pop("shopping_scam"),
    "no codes": field("sigmas", {}),
    "by": field("by", ["case_type"]),
}
FAMILY_PART: dict[str, Bend] = {
    "no table": field("by", None),
    "another table": field("by", ["province"], 1),
    "a table of nothing": field("by", ["station"], 1),
    "axes in another order": lambda part: part["measures"][1].update(by=list(reversed(part["measures"][1]["by"]))),
    "a table twice": lambda part: part["measures"].__setitem__(0, part["measures"][1]),
    "a table less": lambda part: part["measures"].pop(),
    "another table's cells": lambda part: part["measures"][0].update(cells=part["measures"][1]["cells"]),
    "another table's noise": lambda part: part["measures"][0].update(sigma=part["measures"][1]["sigma"] / 2),
}


@pytest.mark.parametrize(
    ("contract", "query", "bends"),
    [
        pytest.param(EXACT, factories.query(), ANY_PART | EXACT_PART, id="exact"),
        pytest.param(NOISY, SUMS, ANY_PART | NOISY_PART, id="with its own noise"),
        pytest.param(NOISY, FAMILY, FAMILY_PART, id="a family"),
    ],
)
def test_a_hostile_number_in_a_part_releases_nothing_and_loses_nothing(
    tmp_path: Path, contract: DatasetContract, query: Query, bends: dict[str, Bend]
) -> None:
    world, leased = asked(tmp_path, contract, query)
    honest = world.part(leased.task, contract)

    for bend in bends.values():
        assert_refused(world, leased, honest, bend)

    assert_welcome(world, honest)

"""Numbers that nobody means, wherever they can come in: refused under a stable code, or clamped. Nothing else is left.

Those in a connector's part stand in tests/integration/gateway/test_hostile_parts.py, those in tables in
tests/property/connectors, and those in the mechanisms in tests/unit/privacy/test_mechanism_*.py.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput
from contracts.odcs import bundled_text, read_contract
from contracts.odcs_yaml import parse
from contracts.query import Query
from contracts.task import Forwarded, Part
from contracts.views import PreviewCall
from gateway.question import read_request
from privacy.plan import plan
from privacy.release import protect
from tests import factories as make
from tests.gateway_world import forwarded
from tests.odcs_documents import column, extra

pytestmark = pytest.mark.unit

NO_PRICES = (
    *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "-0.0", "0", "-1", "0.5", "5e7", "50000000.0"),
    *("9007199254740992", "9223372036854775807", "9223372036854775808", f"1{'0' * 400}", f"1{'0' * 5000}"),
    *('"50000000"', '"NaN"', "true", "false", "[50000000]", "{}", "0x10", "1_000", "", "٥"),
)


def with_price(written: str) -> Forwarded:
    """The honest request with its price written as it never should be."""
    honest = forwarded(make.request(nano_rho=50_000_000))
    return honest.model_copy(update={"body": honest.body.replace('"nano_rho":50000000', f'"nano_rho":{written}')})


@pytest.mark.parametrize("written", NO_PRICES, ids=lambda text: text[:24])
def test_what_is_no_price_is_malformed_in_a_request_and_in_a_preview(written: str) -> None:
    with pytest.raises(InvalidInput, match="malformed-body"):
        read_request(with_price(written))

    call = PreviewCall(
        agreement="AGR-2569-001",
        activity=make.ACTIVITY,
        contracts=(make.contract().reference,),
        query=make.query(),
        nano_rho=50_000_000,
    )
    body = canonical_bytes(call).decode().replace('"nano_rho":50000000', f'"nano_rho":{written}')
    with pytest.raises(ValidationError):
        PreviewCall.model_validate_json(body)


def test_the_largest_price_is_a_price_and_leaves_noise_in_no_doubt() -> None:
    assert read_request(with_price(str(2**53 - 1))).nano_rho == 2**53 - 1
    assert plan(make.query(), [make.contract()], 2**53 - 1).vectors[0].sigma > 0


BAD_QUERIES: tuple[tuple[str, object], ...] = (
    ("measures", []),
    ("measures", ["nan"]),
    ("measures", ["damage_thb:p50"]),
    ("measures", ["count"] * 17),
    ("dimensions", [1]),
    ("dimensions", ["month", "month"]),
    ("where", {"month": []}),
    ("where", {"month": [202510]}),
    ("where", {"month": [None]}),
    ("where", {"month": [float("nan")]}),
    ("period", {"from": "2026-01-01", "until": "2025-10-01"}),
    ("period", {"from": "2025-10-01", "until": "2025-10-01"}),
    ("period", {"from": "0001-01-01", "until": "9999-12-31"}),
    ("period", {"from": "-0001-01-01", "until": "2025-10-01"}),
    ("period", {"from": 1e400, "until": "2025-10-01"}),
    ("series", {"revision": -1}),
    ("series", {"revision": 2**63}),
    ("series", {"revision": 0.5}),
    ("family", {"tables": [{"by": ["month", "province"], "weight": 0}]}),
    ("family", {"tables": [{"by": ["month", "province"], "weight": -1}]}),
    ("family", {"tables": [{"by": ["month", "province"], "weight": float("nan")}]}),
    ("family", {"tables": [{"by": ["month", "province"], "weight": 2**63}]}),
    ("family", {"tables": []}),
    ("mechanism", "none"),
    ("nano_rho", 5),
)


@pytest.mark.parametrize(("name", "value"), BAD_QUERIES, ids=str)
def test_what_is_no_query_is_refused(name: str, value: object) -> None:
    honest = json.loads(canonical_bytes(make.query()))

    with pytest.raises(ValidationError):
        Query.model_validate_json(json.dumps(honest | {name: value}))  # NaN is the point


Doc = dict[str, Any]


def alerts(document: Doc) -> Doc:
    found: Doc = extra(column(document, "alerts_tamper"), "measure")
    return found


def privacy(document: Doc) -> Doc:
    found: Doc = extra(document, "differentialPrivacy")
    return found


def read_with(change: Callable[[Doc], object]) -> None:
    document = json.loads(canonical_bytes(dict(parse(bundled_text("dop_em")))))
    change(document)
    read_contract(json.dumps(document))  # NaN is the point


CLAMPS: tuple[object, ...] = (
    *([20, 0], [5, 5], [float("nan"), 1], [0, float("nan")], [0, float("inf")], [-(2**63), 2**63 - 1], [0, 2**63 - 1]),
    *([0, 2**64], [0, 10**30], [0, 0.5], ["0", "5"], [True, 5], [0, 5, 6], [0], [], None),
)


@pytest.mark.parametrize("clamp", CLAMPS, ids=str)
def test_what_is_no_clamp_is_no_contract(clamp: object) -> None:
    with pytest.raises(InvalidInput, match="contract-invalid"):
        read_with(lambda document: alerts(document).update(clamp=clamp))


@pytest.mark.parametrize(
    "delta", ["0", ".0", "0.000", "1", "1e-0", "1e-00", "1e-1", ".5", "1e-99", "NaN", "-1e-6", 0, 1]
)
def test_what_is_no_delta_is_no_contract(delta: object) -> None:
    with pytest.raises(InvalidInput, match="contract-invalid"):
        read_with(lambda document: privacy(document).update(delta=delta))


@pytest.mark.parametrize(
    "budget", [0, -1, -0.0, 0.5, float("nan"), float("inf"), 2**53, 2**63, 10**400, "5", True, None, 100_000_000_001]
)
def test_what_is_no_budget_is_no_contract(budget: object) -> None:
    with pytest.raises(InvalidInput, match="contract-invalid"):
        read_with(lambda document: privacy(document).update(nanoRhoPerWindow=budget))


def test_a_minus_zero_is_a_zero() -> None:
    read_with(lambda document: alerts(document).update(clamp=[-0.0, 5]))


@pytest.mark.parametrize("measure", ["damage_thb:sum", "damage_thb:mean"])
def test_what_needs_more_noise_than_can_be_drawn_is_refused_before_it_is_charged(measure: str) -> None:
    widest = make.contract(measure_columns=(make.damage(clamp=(0, 2**53 - 1)),), rows_per_window=1000)

    with pytest.raises(InvalidInput, match="scale-out-of-range"):
        plan(make.query(measures=(measure,)), [widest], 2)


@pytest.mark.parametrize("cell", [float("nan"), float("inf"), None, "x", 0.5, True])
def test_a_cell_that_is_no_whole_number_is_not_protected(cell: object) -> None:
    exact: Any = {"count": [cell] * 9}

    with pytest.raises((InvalidInput, TypeError, OverflowError)):
        protect(exact, make.contract(protect_at="connector"), make.query(), 50_000_000)


@pytest.mark.parametrize("cell", [2**63 - 1, -(2**63), 2**52 + 1, 10**30])
def test_a_cell_that_is_too_large_is_clamped(cell: int) -> None:
    contract = make.contract(protect_at="connector")

    (measure,) = protect({"count": [cell] * 9}, contract, make.query(), 50_000_000)

    assert all(abs(each) <= 2**52 for each in measure.cells)


PART = {
    "task": "TASK-0001",
    "task_digest": f"sha-256:{'0' * 64}",
    "agency": "ccib",
    "contract": make.contract().reference.model_dump(),
    "request_digest": f"sha-256:{'0' * 64}",
    "data_version": 1,
    "charged": True,
    "finished": "2026-01-15T03:00:00Z",
}


@pytest.mark.parametrize(
    "measure",
    [
        {"cells": [float("nan")]},
        {"cells": [float("inf")]},
        {"cells": [1.5]},
        {"cells": [2**63 - 1]},
        {"cells": [2**52 + 1]},
        {"cells": [-(2**52) - 1]},
        {"cells": [None]},
        {"cells": 5},
        {"cells": [1], "sigma": float("nan")},
        {"cells": [1], "sigma": float("inf")},
        {"cells": [1], "sigmas": {"a": float("nan")}},
        {"cells": [1], "sigmas": {"": 1.0}},
        {"cells": [1], "surprise": 1},
    ],
    ids=str,
)
def test_what_is_no_figure_is_no_part(measure: dict[str, object]) -> None:
    body = json.dumps(PART | {"measures": [{"measure": "count"} | measure]})  # NaN is the point

    with pytest.raises(ValidationError):
        Part.model_validate_json(body)

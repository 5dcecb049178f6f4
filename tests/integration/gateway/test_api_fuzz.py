"""Schemathesis against our own description: whatever it sends, no answer is a 5xx or a status that nobody documented.

Calls are signed by members, so that they pass the door and reach what is behind it; path values are often those of
things that exist. The examples are the same at every run.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx2
import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from contracts.request import RequestState
from contracts.views import RequestStatus
from gateway.api.description import describe
from gateway.api.routes import add_routes
from tests.api_world import ApiWorld, forecast_from, request, running
from tests.factories import ACTIVITY
from tests.gateway_world import AGREEMENT, CONTRACT

pytestmark = pytest.mark.integration

EXAMPLES: Final = 8
"""For each operation; all of them take about twenty seconds."""

CHECKS: Final = [not_a_server_error, status_code_conformance, response_schema_conformance]
SIGNERS: Final = ("oja#client-1", "oja#client-1", "ccib#connector-1", None)
UNSENT: Final = frozenset({"content-length", "host", "accept", "user-agent", "connection", "accept-encoding"})

load_all_checks()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(tmp_path_factory.mktemp("fuzzed") / "home") as started:
        yield started


@pytest.fixture(scope="module")
def real(world: ApiWorld) -> dict[str, str]:
    """What exists, by the names that parameters have."""
    asked = request()
    world.member().post("/v1/requests", asked)
    world.answer()
    status = RequestStatus.model_validate_json(world.member().get(f"/v1/requests/{asked.id}").content)
    assert status.state is RequestState.RELEASED
    release = status.release or ""
    found = world.gateway().release(release).release
    forecast = world.gateway().publish_forecast(forecast_from(found))
    return {
        "request_id": asked.id,
        "release_id": release,
        "agreement_id": AGREEMENT.id,
        "agreement": AGREEMENT.id,
        "activity": ACTIVITY,
        "digest": CONTRACT.digest,
        "contract": CONTRACT.id,
        "dataset": CONTRACT.id,
        "agency": CONTRACT.agency,
        "forecast_id": forecast.forecast.id,
        "province": "10",
        "document": "0",
        "L": "0",
        "N": "000",
    }


def operations() -> list[Any]:
    """Every operation of the description."""
    app = FastAPI(title="Saphan")
    add_routes(app)
    found: list[Any] = list(schemathesis.openapi.from_dict(describe(app)).get_all_operations())
    return [each.ok() for each in found]


OPERATIONS: Final = operations()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_no_call_ends_in_a_5xx_or_in_an_undocumented_status(
    world: ApiWorld,
    real: Mapping[str, str],
    operation: Any,  # noqa: ANN401  # the library's own class is generic
) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), is_real=st.booleans(), signer=st.sampled_from(SIGNERS))
    def attack(case: Case[Any], is_real: bool, signer: str | None) -> None:  # noqa: FBT001  # Hypothesis passes it by name
        if is_real:
            _make_real(case, real)
        _make_short(case)
        answer = _sent(world, case, signer)
        answer.request.read()
        case.validate_response(answer, checks=CHECKS)

    attack()


def _make_real(case: Case[Any], real: Mapping[str, str]) -> None:
    for name in case.path_parameters or {}:
        if name in real:
            case.path_parameters[name] = real[name]


def _make_short(case: Case[Any]) -> None:
    """No long poll: what it would wait for never comes."""
    for part in (case.query, case.body):
        for name in ("wait", "wait_seconds"):
            if isinstance(part, dict) and isinstance(part.get(name), int | float):
                part[name] = 0


def _sent(world: ApiWorld, case: Case[Any], signer: str | None) -> httpx2.Response:
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    body = _bytes_of(prepared.body)
    call = world.member(signer or SIGNERS[0]).message(prepared.method or "GET", prepared.path_url, body)
    own = {name.lower(): str(value) for name, value in prepared.headers.items() if name.lower() not in UNSENT}
    headers = own if signer is None else {**own, **call.headers}
    return world.http.request(call.method, call.path, content=body, headers=headers, follow_redirects=False)


def _bytes_of(body: object) -> bytes:
    assert body is None or isinstance(body, str | bytes)
    return body.encode() if isinstance(body, str) else body or b""


def test_a_status_that_is_not_in_the_description_is_found(world: ApiWorld) -> None:
    app = FastAPI(title="Saphan")
    add_routes(app)
    description = describe(app)
    del description["paths"]["/v1/releases/{release_id}"]["get"]["responses"]["404"]
    operation = schemathesis.openapi.from_dict(description)["/v1/releases/{release_id}"]["GET"]
    case = operation.Case(path_parameters={"release_id": "rel-nothing"})

    answer = _sent(world, case, SIGNERS[0])
    answer.request.read()

    assert answer.status_code == 404
    with pytest.raises(FailureGroup):
        case.validate_response(answer, checks=CHECKS)

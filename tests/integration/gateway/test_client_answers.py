"""What the client takes for an answer: the genuine release of the very question, with its receipt, and no other."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from typing_extensions import override

from contracts.authorization import ActivityDetail
from contracts.errors import SaphanError
from contracts.release import Release
from contracts.views import RequestStatus
from gateway.asking import query_of
from gateway.checked_release import check_answer
from gateway.client import Gateway, Result
from tests import factories
from tests.api_world import ApiWorld, running
from tests.gateway_world import AGREEMENT
from transport.proxied import ClientLine

pytestmark = pytest.mark.integration

PERIOD = ("2025-10-01", "2026-01-01")
QUERY = query_of(("count", "damage_thb:mean"), ("month", "province"), PERIOD, {"province": ("10", "50")})
OTHER_PERIOD = query_of(("count", "damage_thb:mean"), ("month", "province"), ("2025-10-01", "2025-12-01"), {})


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(tmp_path_factory.mktemp("gateway") / "home") as started:
        yield started


@pytest.fixture
def result(world: ApiWorld) -> Result:
    gateway = world.gateway()
    request = gateway.request(gateway.question(AGREEMENT.id, factories.ACTIVITY, QUERY, nano_rho=10_000_000))
    gateway.submit(request)
    world.answer()
    return gateway.wait(request.id, 1)


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(SaphanError) as caught:
        act()
    return caught.value.code


class Dishonest(Gateway):
    """The client of a gateway that signs whatever it likes: it sends another release than the one that is asked for."""

    told: Release

    @override
    def _member(self, method: str, path: str, body: bytes = b"", detail: ActivityDetail | None = None) -> bytes:
        if path.startswith("/v1/releases/"):
            return self.told.model_dump_json(by_alias=True).encode()
        honest = super()._member(method, path, body, detail)
        if path.startswith("/v1/requests/"):
            status = RequestStatus.model_validate_json(honest)
            return status.model_copy(update={"release": self.told.body.id}).model_dump_json().encode()
        return honest

    @override
    def public(self, path: str) -> bytes:
        return self.told.model_dump_json(by_alias=True).encode()


def dishonest(world: ApiWorld, told: Release) -> Dishonest:
    key = world.keys["oja#client-1"]
    line = Dishonest("", key, "oja", world.keys.federation, clock=lambda: world.now, line=ClientLine(world.http))
    line.told = told
    return line


def test_a_genuine_release_of_another_question_is_no_answer(world: ApiWorld, result: Result) -> None:
    line = dishonest(world, result.release)
    assert (
        code_of(lambda: line.ask(line.question(AGREEMENT.id, factories.ACTIVITY, OTHER_PERIOD), wait_seconds=0))
        == "release-altered"
    )
    (request,) = line._submitted
    assert code_of(lambda: line.wait(request, 0)) == "release-altered"
    assert dishonest(world, result.release).wait(request, 0).release == result.release  # it never saw the question
    same = line.question(AGREEMENT.id, factories.ACTIVITY, QUERY, nano_rho=20_000_000)
    assert line.ask(same, wait_seconds=0).release == result.release


def test_a_release_of_other_contracts_is_no_answer(world: ApiWorld, result: Result) -> None:
    asked = world.gateway().request(world.gateway().question(AGREEMENT.id, factories.ACTIVITY, QUERY))
    check_answer(result.release, asked)
    newer = asked.contracts[0].model_copy(update={"digest": f"sha-256:{'0' * 64}"})
    for contracts in ((newer,), (*asked.contracts, newer)):
        other = asked.model_copy(update={"contracts": contracts})
        assert code_of(partial(check_answer, result.release, other)) == "release-altered"


def test_a_fetched_release_is_the_one_asked_for_and_has_its_receipt(world: ApiWorld, result: Result) -> None:
    name = result.release.body.id
    without = dishonest(world, result.release.model_copy(update={"receipt": None}))
    for fetch in (without.release, without.public_release):
        assert code_of(partial(fetch, name)) == "receipt-missing"
    call = without.question(AGREEMENT.id, factories.ACTIVITY, QUERY)
    assert code_of(lambda: without.ask(call, wait_seconds=0)) == "receipt-missing"
    other = dishonest(world, result.release)
    for fetch in (other.release, other.public_release):
        assert code_of(partial(fetch, "REL-OTHER")) == "release-altered"
        assert fetch(name).release == result.release

"""Contracts over HTTP: a new version, its refusal, and a retirement that everybody can read and check."""

from collections.abc import Iterator

import pytest

from contracts.canonical import canonical_bytes
from contracts.federation import KeyPurpose, PublicKey
from contracts.retirement import ContractRetirement
from contracts.signing import sign_document, verify_document
from contracts.views import PublishedContract, SignedText
from tests import contract_texts
from tests.api_world import ApiWorld, problem_in, running
from tests.contract_texts import version, weaker
from tests.factories import NOW
from tests.gateway_world import CONTRACT

pytestmark = pytest.mark.integration

PATH = f"/v1/contracts/{CONTRACT.digest}/retirement"


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(tmp_path_factory.mktemp("gateway") / "home") as started:
        yield started


def retirement(world: ApiWorld, *kids: str) -> SignedText:
    value = ContractRetirement(reference=CONTRACT.reference, agency="ccib", reason="replaced", at=NOW)
    signers = (world.keys[kid] for kid in kids or ("ccib#steward-1", "ccib#dpo-1"))
    return SignedText(document=sign_document(canonical_bytes(value), "contract-retirement", *signers))


def test_a_retirement_is_taken_from_its_owner_and_read_by_everybody_with_its_signatures(world: ApiWorld) -> None:
    answer = world.member("ccib#connector-1").post(PATH, retirement(world))

    assert answer.status_code == 201
    view = PublishedContract.model_validate_json(answer.content)
    assert view == PublishedContract.model_validate(world.http.get(f"/v1/contracts/{CONTRACT.digest}").json())
    assert [each["retired"]["retirement"]["reason"] for each in world.http.get("/v1/contracts").json()] == ["replaced"]
    assert view.retired is not None

    def key(kid: str) -> PublicKey | None:
        return world.keys.federation.key(kid, KeyPurpose(kid.partition("#")[2].partition("-")[0]), NOW)

    signed = verify_document(view.retired.document, "contract-retirement", key)
    assert ContractRetirement.model_validate_json(signed.payload) == view.retired.retirement


def test_a_retirement_by_others_or_by_one_alone_is_refused(world: ApiWorld) -> None:
    alone = world.member("ccib#connector-1").post(PATH, retirement(world, "ccib#steward-1"))
    foreign = world.member("rtp#connector-1").post(PATH, retirement(world))
    unsigned = world.http.post(PATH, json={"document": "x"})

    assert [problem_in(each).code for each in (alone, foreign)] == ["signers-incomplete", "not-allowed"]
    assert unsigned.status_code == 401
    assert world.http.get(f"/v1/contracts/{CONTRACT.digest}").json()["retired"] is None


def test_a_version_that_rises_too_little_is_refused_with_where_it_weakens(world: ApiWorld) -> None:
    member = world.member("dop#connector-1")
    first = member.post("/v1/contracts", contract_texts.published(world.keys, version()))
    problem = problem_in(member.post("/v1/contracts", contract_texts.published(world.keys, weaker("1.0.1"))))

    assert first.status_code == 201
    assert (problem.code, problem.number, problem.status) == ("contract-weaker-than-version", 1241, 403)
    assert "coverage.firstMonth" in problem.detail
    assert "2.0.0" in problem.advice

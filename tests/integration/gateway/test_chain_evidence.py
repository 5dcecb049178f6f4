"""Who signed what of one request: taken out at the gateway, checked from the pinned keys alone."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.chain import forward, sign_part
from contracts.chain_evidence import ChainEvidence, ChainLink, check_links
from contracts.dataset import ProtectAt
from contracts.errors import IntegrityError, InvalidInput
from contracts.federation import Federation
from contracts.message_signatures import new_nonce
from contracts.signature_base import content_digest
from contracts.task import Forwarded
from gateway.chain_evidence import check_evidence, evidence_of
from tests import factories
from tests.factories import NOW
from tests.gateway_world import World, new_world
from tests.migrated_store import write_migrated

pytestmark = pytest.mark.integration

HERE = factories.contract(protect_at=ProtectAt.CONNECTOR)
THERE = factories.contract(id="crimes_case", agency="rtp")
AGREEMENT = factories.agreement((HERE, THERE))
NO_DIGEST = f"sha-256:{0:064x}"
Bend = Callable[[ChainEvidence], ChainEvidence]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    path: Path = tmp_path_factory.mktemp("gateway") / "gateway.db"
    write_migrated(path)
    made = new_world(f"sqlite:///{path}", (HERE, THERE), AGREEMENT)
    made.submit(factories.request(AGREEMENT))
    made.answer(HERE, THERE)
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def evidence(world: World) -> ChainEvidence:
    return evidence_of(world.store, "REQ-0001")


def with_first(evidence: ChainEvidence, **changes: object) -> ChainEvidence:
    first, *others = evidence.links
    return evidence.model_copy(update={"links": (first.model_copy(update=changes), *others)})


def broken(evidence: ChainEvidence, federation: Federation) -> str:
    with pytest.raises(IntegrityError) as caught:
        check_evidence(evidence, federation)
    return f"{caught.value.code} {caught.value.details.get('link', '')}".split(" of task-")[0].split(" to task-")[0]


def test_the_chain_of_a_released_request_holds_and_names_everybody_who_signed(
    world: World, evidence: ChainEvidence
) -> None:
    checked = check_evidence(
        ChainEvidence.model_validate_json(evidence.model_dump_json(by_alias=True)), world.keys.federation
    )

    signers = [(each.asked_by, each.forwarded_by, each.answered_by) for each in checked]
    assert signers == [
        ("oja#client-1", "oja#gateway-1", "ccib#connector-1"),
        ("oja#client-1", "oja#gateway-1", "rtp#connector-1"),
    ]
    assert [each.figures for each in checked] == [True, False]  # exact figures are gone, their signature is not
    assert all(each.committed and each.asked == each.forwarded == each.answered == NOW for each in checked)


def test_a_chain_outlives_the_keys_that_signed_it_but_not_their_revocation(
    world: World, evidence: ChainEvidence
) -> None:
    def changed(**changes: object) -> Federation:
        members = tuple(
            each.model_copy(update={"keys": tuple(key.model_copy(update=changes) for key in each.keys)})
            for each in world.keys.federation.members
        )
        return world.keys.federation.model_copy(update={"members": members})

    assert check_evidence(evidence, changed(valid_until=NOW + timedelta(seconds=1)))
    without_release = evidence.model_copy(update={"release": None})
    assert broken(without_release, changed(valid_until=NOW)) == "chain-broken the request"
    assert broken(without_release, changed(revoked=True)) == "chain-broken the request"
    assert broken(evidence, changed(valid_until=NOW)) == "release-altered "


def stolen_forward(evidence: ChainEvidence) -> ChainEvidence:
    first, second = evidence.links
    return with_first(evidence, task=first.task.model_copy(update={"request": second.task.request}))


def by_another(evidence: ChainEvidence, kid: str) -> ChainEvidence:
    """The first answer, signed by another key of the federation."""
    link = evidence.links[0]
    signed = sign_part(link.task, link.part.body.encode(), factories.signing_key(kid), NOW, new_nonce())
    return with_first(evidence, part=link.part.model_copy(update={"headers": {**link.part.headers, **signed}}))


def with_body(evidence: ChainEvidence, body: str) -> ChainEvidence:
    """The first answer with another body, which the connector itself signed well."""
    link = evidence.links[0]
    key = factories.signing_key("ccib#connector-1")
    headers = {**link.part.headers, "content-digest": content_digest(body.encode())}
    headers |= sign_part(link.task, body.encode(), key, NOW, new_nonce())
    return with_first(evidence, part=link.part.model_copy(update={"body": body, "headers": headers}))


def reforwarded(evidence: ChainEvidence, kid: str) -> ChainEvidence:
    """The first task, forwarded and answered again, by another key at the gateway's place."""
    link = evidence.links[0]
    task = forward(link.task, factories.signing_key(kid), NOW, new_nonce)
    signed = sign_part(task, link.part.body.encode(), factories.signing_key("ccib#connector-1"), NOW, new_nonce())
    part = link.part.model_copy(update={"headers": {**link.part.headers, **signed}})
    return with_first(evidence, task=task, part=part)


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        (stolen_forward, "chain-broken the forward"),
        (lambda e: by_another(e, "rtp#connector-1"), "chain-broken the answer"),
        (lambda e: by_another(e, "oja#gateway-1"), "chain-broken the answer"),
        (lambda e: by_another(e, "nobody#connector-1"), "chain-broken the answer"),
        (lambda e: by_another(e, "ccib#connector-1"), "chain-broken the release"),  # it answered twice
        (lambda e: reforwarded(e, "oja#client-1"), "chain-broken the forward"),
        (lambda e: reforwarded(e, "oja#gateway-1"), "chain-broken the answer"),
        (lambda e: with_body(e, "{}"), "chain-broken the answer"),
        (lambda e: with_body(e, e.links[0].part.body.replace("sha-256:", "sha-256:0", 1)), "chain-broken the answer"),
        (
            lambda e: with_body(e, e.links[0].part.body.replace('"task":"task-', '"task":"task-0')),
            "chain-broken the answer",
        ),
        (lambda e: with_first(e, salt="0" * 64), "chain-broken the release"),
        (lambda e: with_first(e, salt=None), "chain-broken the release"),
        (lambda e: e.model_copy(update={"links": e.links[:1]}), "chain-broken the release"),
        (lambda e: e.model_copy(update={"links": e.links[::-1]}), "chain-broken the release"),
        (lambda e: e.model_copy(update={"links": ()}), "chain-broken the request"),
    ],
)
def test_a_chain_with_a_link_that_does_not_hold_is_named_at_that_link(
    world: World, evidence: ChainEvidence, bend: Bend, code: str
) -> None:
    assert broken(bend(evidence), world.keys.federation) == code


def test_a_release_that_was_altered_or_answers_another_request_is_named(world: World, evidence: ChainEvidence) -> None:
    release = evidence.release
    assert release is not None
    altered = release.model_copy(update={"body": release.body.model_copy(update={"epsilon": 0.0})})
    assert broken(evidence.model_copy(update={"release": altered}), world.keys.federation) == "release-altered "

    elsewhere = release.model_copy(update={"body": release.body.model_copy(update={"request_digest": NO_DIGEST})})
    with pytest.raises(IntegrityError) as caught:
        check_links(evidence.model_copy(update={"release": elsewhere}), world.keys.federation)
    assert caught.value.details["why"] == "it answers another request"

    world.submit(factories.request(AGREEMENT, id="REQ-0002", nano_rho=40_000_000))
    world.answer(HERE, THERE)
    other = evidence_of(world.store, "REQ-0002")
    crossed = evidence.model_copy(update={"release": other.release})
    assert broken(crossed, world.keys.federation) == "chain-broken the release"
    mixed = evidence.model_copy(update={"links": (evidence.links[0], other.links[1]), "release": None})
    assert broken(mixed, world.keys.federation) == "chain-broken the request"


def test_a_repeated_question_has_the_evidence_of_the_one_that_was_asked(world: World, evidence: ChainEvidence) -> None:
    world.submit(factories.request(AGREEMENT, id="REQ-0003"))

    assert evidence_of(world.store, "REQ-0003") == evidence


def test_a_refused_request_has_its_signed_refusal(world: World) -> None:
    world.submit(factories.request(AGREEMENT, id="REQ-0004", nano_rho=30_000_000))
    for contract in (HERE, THERE):
        (leased,) = world.lease(contract.agency)
        world.post(world.refusal(leased.task))
    found = evidence_of(world.store, "REQ-0004")

    assert found.release is None
    assert [each.committed for each in check_evidence(found, world.keys.federation)] == [False, False]


def test_of_a_request_that_nobody_answered_nothing_is_kept(world: World) -> None:
    for name in ("REQ-9999", "REQ-0005"):
        with pytest.raises(InvalidInput, match="chain-not-kept"):
            evidence_of(world.store, name)
        world.submit(factories.request(AGREEMENT, id="REQ-0005", nano_rho=20_000_000)) if name == "REQ-9999" else None


def test_a_link_that_is_no_message_is_refused(world: World, evidence: ChainEvidence) -> None:
    nothing = Forwarded(method="POST", path="/v1/requests", headers={}, body="{}")
    link = ChainLink(task=evidence.links[0].task.model_copy(update={"request": nothing}), part=nothing)

    unsigned = evidence.model_copy(update={"links": (link,), "release": None})
    assert broken(unsigned, world.keys.federation) == "chain-broken the request"

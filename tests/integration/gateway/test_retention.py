"""Retention deletes what is due and proves it; nothing that was spent comes back, and the log stays whole."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from contracts.canonical import digest_of_bytes
from contracts.errors import SaphanError
from contracts.federation import KeyPurpose
from contracts.lifecycle import AgreementState
from contracts.merkle import EMPTY_ROOT, leaf_hash, root_of
from contracts.release import ReleaseState, Withdrawal
from contracts.retention import IssuedCertificate, RetentionCertificate, RetentionRule, RuleOutcome
from contracts.signing import verify_compact
from contracts.transparency import EventKind
from gateway.privacy_office import disclosures, retention
from gateway.privacy_office.retention import Daily
from gateway.store import registry
from gateway.store.idempotency import KEPT_FOR, KeptAnswer, keep_answer
from gateway.store.idempotency_tables import kept_answers
from gateway.store.releases import make_public
from gateway.store.tables import releases, requests, tasks
from tests import factories
from tests.gateway_world import CONTRACT, World, new_world
from tests.publication_world import analysis_from, cites, publish_analysis

pytestmark = pytest.mark.integration

DAYS = 30
PRIVATE = factories.agreement(
    (CONTRACT,), activities=(factories.activity((CONTRACT,), publish=False),), retention_days=DAYS
)


@pytest.fixture
def world(store_url: str) -> Iterator[World]:
    world = new_world(store_url, agreement=PRIVATE)
    yield world
    world.store.close()


def released(world: World, **changes: object) -> str:
    """Ask, let the agency answer, and give the release's identifier."""
    request = factories.request(PRIVATE, **changes)
    world.submit(request)
    world.answer()
    world.later(2)
    name = world.exchange.status(world.caller(), request.id).release
    assert name is not None
    return name


def run(world: World) -> IssuedCertificate:
    (issued,) = retention.run_now(world.exchange.means)
    return issued


def outcome(issued: IssuedCertificate, rule: RetentionRule) -> RuleOutcome:
    return next(each for each in issued.certificate.outcomes if each.rule is rule)


def counts(issued: IssuedCertificate) -> dict[str, int]:
    return {each.rule.value: each.count for each in issued.certificate.outcomes}


def stored(world: World) -> str:
    """All that the tables of requests, tasks and releases say."""
    with world.store.read() as r:
        return "\n".join(str(row) for table in (requests, tasks, releases) for row in r.all(select(table)))


def code_of(world: World, name: str) -> str:
    with pytest.raises(SaphanError) as caught:
        world.exchange.release(world.caller(), name)
    return caught.value.code


def test_what_is_not_due_stays(world: World) -> None:
    name = released(world)
    world.later((DAYS - 1) * 86_400)
    issued = run(world)
    assert {k: v for k, v in counts(issued).items() if k != "nonces"} == dict.fromkeys(
        ("requests", "parts", "releases", "drafts"), 0
    )
    assert outcome(issued, RetentionRule.RELEASES).root == EMPTY_ROOT.hex()
    assert world.exchange.release(world.caller(), name).body.id == name


def test_what_is_due_is_gone_and_certified_leaf_by_leaf(world: World) -> None:
    name = released(world)
    digest = world.exchange.release(world.caller(), name).digest
    signed_headers = [f"{world.exchange.release(world.caller(), name).signature[:200]}"]
    world.later(DAYS * 86_400)
    issued = run(world)
    assert counts(issued) | {"nonces": 0} == {"requests": 1, "parts": 1, "releases": 1, "drafts": 0, "nonces": 0}
    assert all(each.left == 0 for each in issued.certificate.outcomes)
    gone = retention.proof(world.exchange.means, world.caller(), issued.certificate.id)
    for each in gone.deleted:
        leaves = [leaf_hash(leaf.encode()) for leaf in each.digests]
        assert outcome(issued, each.rule).root == root_of(leaves).hex()
    assert digest in next(each for each in gone.deleted if each.rule is RetentionRule.RELEASES).digests
    left = stored(world)
    assert '"cells"' not in left
    assert '"nano_rho":50000000,"created"' not in left
    assert not any(header in left for header in signed_headers)
    assert code_of(world, name) == "release-erased"
    (summary,) = world.exchange.releases(world.caller())
    assert (summary.erased, summary.digest) == (True, digest)


def test_the_certificate_is_signed_and_in_the_log(world: World) -> None:
    issued = run(world)
    signed = verify_compact(
        issued.document, retention.CERTIFICATE_KIND, world.keys.resolve(KeyPurpose.GATEWAY, world.now)
    )
    assert RetentionCertificate.model_validate_json(signed.payload) == issued.certificate
    assert issued.digest == digest_of_bytes(signed.payload)
    (entry,) = [each for each in world.log() if each.kind is EventKind.RETENTION_DELETED]
    assert entry.facts["digest"] == issued.digest
    assert "0 left" in entry.facts["releases"]
    (listed,) = retention.certificates(world.exchange.means)
    assert listed.log_index == len(world.log()) - 1


def test_no_budget_comes_back_and_the_log_stays_whole(world: World) -> None:
    released(world)
    before, entries = world.exchange.budget(world.caller()), world.log()
    world.later(DAYS * 86_400)
    run(world)
    assert world.exchange.budget(world.caller()) == before
    assert world.spent() > 0
    assert world.log()[: len(entries)] == entries
    assert world.audited() == len(entries) + 1


def test_the_same_request_is_still_known_and_a_new_one_is_charged_anew(world: World) -> None:
    request = factories.request(PRIVATE)
    name = released(world)
    spent = world.spent()
    world.later(DAYS * 86_400)
    run(world)
    assert world.submit(request).release == name
    assert world.spent() == spent
    later = {"created": world.now, "deliver_until": world.now + timedelta(days=1)}
    fresh = released(world, id="REQ-0002", **later)
    assert fresh != name
    assert world.spent() == 2 * spent


def test_a_part_that_comes_again_after_its_request_is_erased_changes_nothing(world: World) -> None:
    world.submit(factories.request(PRIVATE))
    (leased,) = world.lease()
    part = world.part(leased.task)
    world.post(part)
    world.later(DAYS * 86_400)
    run(world)
    spent, left = world.spent(), stored(world)
    with pytest.raises(SaphanError) as caught:
        world.post(part)
    assert caught.value.code == "part-invalid"  # the connector takes that for the last word
    assert (world.spent(), stored(world)) == (spent, left)


def test_a_public_release_and_a_cited_one_stay(world: World) -> None:
    public, cited = released(world), released(world, id="REQ-0002", nano_rho=60_000_000, query=other_query())
    with world.store.transaction() as t:
        make_public(t, public)
    publish_analysis(world, analysis_from(cites(world.exchange.release(world.caller(), cited)), public=False))
    world.later(DAYS * 86_400)
    issued = run(world)
    assert (counts(issued)["requests"], counts(issued)["releases"]) == (2, 0)
    assert world.exchange.release(world.caller(), cited).digest


def test_a_release_stays_while_one_of_its_agreements_needs_it(world: World) -> None:
    longer = PRIVATE.model_copy(update={"id": "AGR-2569-002", "retention_days": 2 * DAYS})
    world.register((), longer)
    name = released(world)
    again = factories.request(longer, id="REQ-0002", nano_rho=50_000_000)
    assert world.submit(again).release == name or world.submit(again).repeated
    world.later(DAYS * 86_400)
    first = run(world)
    assert (counts(first)["requests"], counts(first)["releases"]) == (1, 0)
    world.later(DAYS * 86_400)
    assert counts(run(world))["releases"] == 1


def test_a_refused_request_and_one_whose_text_is_lost_go_too(world: World) -> None:
    world.submit(factories.request(PRIVATE))
    (leased,) = world.lease()
    world.post(world.refusal(leased.task))
    world.later(2)
    with world.store.transaction() as t:
        t.run(update(requests).values(forwarded='{"method":"POST","path":"/","headers":{},"body":"lost"}'))
    world.later(DAYS * 86_400)
    assert counts(run(world))["requests"] == 1


def test_what_waits_for_an_agency_is_never_due(world: World) -> None:
    world.submit(factories.request(PRIVATE))
    world.later(10 * 365 * 86_400)
    assert counts(run(world))["requests"] == 0


def test_old_nonces_are_counted_when_they_go(world: World) -> None:
    world.exchange.admit(world.caller())
    world.later(3600)
    assert counts(run(world))["nonces"] == 1


def test_a_draft_goes_when_its_time_is_over_and_an_active_agreement_does_not(world: World) -> None:
    draft = PRIVATE.model_copy(update={"id": "AGR-DRAFT-1"})
    world.register((), draft, active=False)
    assert counts(run(world))["drafts"] == 0
    world.later(300 * 86_400)
    assert counts(run(world))["drafts"] == 1
    with world.store.read() as r:
        assert registry.agreement(r, "AGR-DRAFT-1") is None
        kept = registry.agreement(r, PRIVATE.id)
    assert kept is not None
    assert kept.state is AgreementState.ACTIVE


def test_the_register_of_disclosures_outlives_what_was_disclosed(world: World) -> None:
    name = released(world)
    before = disclosures.lines(world.exchange.means, world.caller())
    world.later(DAYS * 86_400)
    run(world)
    assert disclosures.lines(world.exchange.means, world.caller()) == before
    assert [each.reference for each in before] == [name]


def test_an_erased_release_is_not_withdrawn_any_more(world: World) -> None:
    name = released(world)
    world.later(DAYS * 86_400)
    run(world)
    withdrawal = Withdrawal(release=name, state=ReleaseState.WITHDRAWN, reason="counted twice")
    with pytest.raises(SaphanError) as caught:
        world.exchange.withdraw(world.caller(), withdrawal)
    assert caught.value.code == "release-erased"
    assert EventKind.RELEASE_WITHDRAWN not in world.kinds()


def test_a_dry_run_tells_and_touches_nothing(world: World) -> None:
    name = released(world)
    world.later(DAYS * 86_400)
    before, size = stored(world), len(world.log())
    told = retention.dry_run(world.exchange.means)
    assert {each.rule.value: each.left for each in told.outcomes} | {"nonces": 0} == {
        "requests": 1,
        "parts": 1,
        "releases": 1,
        "drafts": 0,
        "nonces": 0,
    }
    assert told.dry_run
    assert (stored(world), len(world.log())) == (before, size)
    assert world.exchange.release(world.caller(), name).body.id == name


def test_more_than_one_batch_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.retention.MOST", 2)
    for _ in range(5):
        world.exchange.admit(world.caller())
    world.later(3600)
    made = retention.run_now(world.exchange.means)
    assert [(counts(each)["nonces"], outcome(each, RetentionRule.NONCES).left) for each in made] == [
        (2, 2),
        (2, 1),
        (1, 0),
    ]


def test_a_day_has_one_run_whichever_process_comes_first(world: World) -> None:
    daily, other = Daily(world.exchange.means), Daily(world.exchange.means)
    for each in (daily, other, daily):
        each()
    assert [each.certificate.id for each in retention.certificates(world.exchange.means)] == ["daily-2026-01-15"]
    assert retention.run(world.exchange.means, "daily-2026-01-15") == ()
    world.later(86_400)
    daily()
    assert len(retention.certificates(world.exchange.means)) == 2


def test_a_run_that_fails_is_not_tried_at_every_tick(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    daily, tries = Daily(world.exchange.means), []

    def fail(*_: object) -> None:
        tries.append(1)
        raise LookupError

    monkeypatch.setattr("gateway.store.retention.claim", fail)
    with pytest.raises(LookupError):
        daily()
    daily()
    assert len(tries) == 1
    world.later(601)
    with pytest.raises(LookupError):
        daily()


@pytest.mark.parametrize("agency", ["ccib", "rtp"])
def test_the_list_of_digests_is_for_operator_and_supervisor(world: World, agency: str) -> None:
    issued = run(world)
    with pytest.raises(SaphanError) as caught:
        retention.proof(world.exchange.means, world.caller(agency), issued.certificate.id)
    assert caught.value.code == "unknown-entry"


def other_query() -> object:
    return factories.query(period=factories.period("2025-11-01", "2026-01-01"))


def test_answers_kept_for_a_day_go_with_the_daily_run(world: World) -> None:
    means = world.exchange.means
    with means.store.transaction() as t:
        keep_answer(t, "oja#client-1", "key-1", KeptAnswer("call", 200, "text/plain", b"figures"), means.clock())
    world.later(int(KEPT_FOR.total_seconds()))
    run(world)
    with means.store.read() as r:
        assert r.all(select(kept_answers)) == []

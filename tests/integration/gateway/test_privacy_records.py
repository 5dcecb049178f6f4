"""The register of disclosures and the record of processing say what the log, the contracts and the agreements say."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from connectors.shelf import read_file
from contracts.canonical import digest_of
from contracts.dataset import Contact
from contracts.errors import SaphanError
from contracts.federation import KeyPurpose
from contracts.lifecycle import AgreementState
from contracts.personal_data import DisclosureLine, SubjectCase
from contracts.processing import ProcessingRecord
from contracts.release import ReleaseState, Withdrawal
from contracts.signing import sign_document
from gateway.privacy_calls import disclosures, move_subject_request, processing_record, record_disclosure
from gateway.privacy_office.processing_records import collected
from gateway.store import registry
from gateway.store.retention import NEVER_BOUND
from gateway.workbook import MEDIA_TYPE
from tests import factories
from tests.api_world import ApiWorld, problem_in
from tests.factories import NOW
from tests.gateway_world import AGREEMENT, CONTRACT
from tests.privacy_world import act, disclosure, filing, signed

pytestmark = pytest.mark.integration

CONNECTOR, DPO = "ccib#connector-1", "ccib#dpo-1"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorld]:
    world = ApiWorld(tmp_path / "gateway")
    yield world
    world.desk.exchange.means.store.close()


def released(world: ApiWorld, **changes: object) -> str:
    """OJA asks and CCIB answers; the release's identifier."""
    request = factories.request(AGREEMENT, created=world.now, deliver_until=world.now + timedelta(days=1), **changes)
    gateway = world.gateway()
    gateway.submit(request)
    world.answer()
    return gateway.wait(request.id, 1).release.body.id


def ours(world: ApiWorld) -> tuple[DisclosureLine, ...]:
    return disclosures(world.gateway(CONNECTOR))


def record(world: ApiWorld) -> ProcessingRecord:
    return processing_record(world.gateway(CONNECTOR), "ccib")


# ---------------------------------------------------------------- disclosures


def test_a_release_is_a_disclosure_with_its_basis(world: ApiWorld) -> None:
    name = released(world)
    (line,) = ours(world)
    activity = AGREEMENT.activities[0]
    assert (line.kind, line.reference, line.recipient, line.agency) == ("release", name, "oja", "ccib")
    assert (line.datasets, line.contracts) == ((CONTRACT.id,), (CONTRACT.digest,))
    assert (line.purpose, line.legal_basis, line.oia24, line.tier) == (
        activity.purpose,
        activity.legal_basis,
        ("24(3)",),
        "statistics",
    )
    assert line.public
    assert line.records is None
    entry = world.world.log()[line.log_index]
    assert entry.facts["release_digest"] == line.digest


def test_a_repeat_is_a_disclosure_too_and_a_refusal_is_none(world: ApiWorld) -> None:
    name = released(world)
    again = factories.request(AGREEMENT, id="REQ-0002", created=world.now, deliver_until=world.now + timedelta(days=1))
    world.gateway().submit(again)
    wrong = again.model_copy(update={"id": "REQ-0003", "purpose": "marketing"})
    with pytest.raises(SaphanError):
        world.gateway().submit(wrong)
    world.later(5)
    assert [(each.kind, each.reference) for each in ours(world)] == [("release", name), ("repeat", name)]


def test_nothing_is_listed_before_it_leaves(world: ApiWorld) -> None:
    world.gateway().submit(factories.request(AGREEMENT))
    world.now = NOW.replace(microsecond=500_000)
    before = world.now
    world.answer()
    world.now = before
    assert ours(world) == ()


def test_a_withdrawn_release_is_flagged_where_it_is_listed(world: ApiWorld) -> None:
    name, better = released(world), released(world, id="REQ-0002", query=factories.query(dimensions=("month",)))
    withdrawal = Withdrawal(release=name, state=ReleaseState.SUPERSEDED, reason="นับซ้ำ", replaced_by=better)
    world.gateway().withdraw(withdrawal)
    first, second = ours(world)
    assert (first.state, first.reason, first.replaced_by) == ("superseded", "นับซ้ำ", better)
    assert second.state == "valid"


def test_own_entries_stand_among_the_releases_by_date(world: ApiWorld) -> None:
    name = released(world)
    record_disclosure(world.gateway(CONNECTOR), disclosure(), world.keys["ccib#officer-1"])
    assert [each.reference for each in ours(world)] == ["dis-2569-001", name]
    assert ours(world)[0].at.astimezone().date().isoformat() <= "2026-01-14"


def test_each_agency_reads_its_own_register_and_the_operator_all(world: ApiWorld) -> None:
    released(world)
    rtp = world.gateway("rtp#connector-1")
    assert disclosures(rtp) == ()
    with pytest.raises(SaphanError) as caught:
        disclosures(rtp, "ccib")
    assert caught.value.code == "not-allowed"
    assert disclosures(world.gateway(), "ccib") == disclosures(world.gateway()) == ours(world)
    with pytest.raises(SaphanError) as caught:
        disclosures(world.gateway(), "nobody")
    assert caught.value.code == "unknown-agency"


def test_the_register_leaves_as_a_workbook_when_that_is_accepted(world: ApiWorld) -> None:
    released(world)
    member = world.member(CONNECTOR)
    call = member.message("GET", "/v1/disclosures?agency=ccib")
    call.headers["accept"] = MEDIA_TYPE  # type: ignore[index]  # a dict underneath
    answer = member.checked(call)
    assert answer.headers["content-type"] == MEDIA_TYPE
    rows = list(openpyxl.load_workbook(BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))
    assert rows[0][2] == "หน่วยงานเจ้าของข้อมูล"
    assert rows[1][2:5] == ("ccib", "tpo_complaint", "oja")


# ---------------------------------------------------------------- record of processing


def test_the_record_has_the_items_of_section_39(world: ApiWorld) -> None:
    released(world)
    made = record(world)
    (item,) = made.processing
    assert item.contract == CONTRACT.reference
    assert {each.name for each in item.collected} >= {"province", "damage_thb"}
    assert [(each.purpose, each.legal_basis) for each in item.purposes] == [("crime-prevention", CONTRACT.legal_basis)]
    assert made.title.en == "ccib"
    assert item.retention_days == CONTRACT.retention_days
    assert len(item.rights) == 7
    (use,) = item.recipients
    assert (use.recipient, use.activity, use.times, use.state) == ("oja", factories.ACTIVITY, 1, "active")
    assert use.last_at is not None
    assert item.refusals == ()
    assert any("zCDP" in each.th for each in item.security)
    assert made.log_size == len(world.world.log())


def test_an_agreement_that_was_never_used_and_a_legal_disclosure_are_in_it(world: ApiWorld) -> None:
    record_disclosure(world.gateway(CONNECTOR), disclosure(), world.keys[DPO])
    (item,) = record(world).processing
    assert [(each.recipient, each.times) for each in item.recipients] == [
        ("oja", 0),
        ("สำนักงานป้องกันและปราบปรามการฟอกเงิน", 1),
    ]


def test_a_refused_objection_is_in_it(world: ApiWorld) -> None:
    member = world.member(CONNECTOR)
    filed = member.post("/v1/subject-requests", signed(world.keys, filing(), "subject-request", DPO))
    case = SubjectCase.model_validate_json(filed.content)
    refusal = act("refuse", case.steps[-1].digest, reason="public-task", note="คดียังไม่สิ้นสุด")
    move_subject_request(world.gateway(CONNECTOR), refusal, world.keys[DPO])
    (item,) = record(world).processing
    (refused,) = item.refusals
    assert (refused.section, refused.reason, refused.note) == ("32", "public-task", "คดียังไม่สิ้นสุด")
    assert item.requests == 1


def test_the_newest_version_of_a_contract_counts(world: ApiWorld) -> None:
    newer = factories.contract(
        version="1.1.0", retention_days=100, contacts=(Contact(role="dpo", name="ศูนย์คุ้มครองข้อมูล บช.สอท."),)
    )
    world.later(1)
    world.world.register((newer,), AGREEMENT.model_copy(update={"id": "AGR-OTHER-1"}))
    (item,) = record(world).processing
    assert (item.contract.version, item.retention_days) == ("1.1.0", 100)
    assert item.contacts[0].role == "dpo"


def kept(world: ApiWorld, name: str, state: AgreementState, *, signed_by_all: bool, **changes: object) -> None:
    """An agreement in the store as it stands in some state."""
    agreement = AGREEMENT.model_copy(update={"id": name, **changes})
    signers = factories.signers_of(agreement) if signed_by_all else ()
    held = registry.HeldAgreement(agreement, digest_of(agreement), "", tuple(signers), state, None)
    with world.desk.exchange.means.store.transaction() as t:
        registry.add_agreement(t, held, world.now)


def recipients(world: ApiWorld) -> list[tuple[str, str]]:
    (item,) = record(world).processing
    return sorted((each.agreement, each.state) for each in item.recipients)


def test_what_never_bound_is_nobody_s_business(world: ApiWorld) -> None:
    before = recipients(world)
    for state in (*map(AgreementState, NEVER_BOUND), AgreementState.APPROVED, AgreementState.SUPERSEDED):
        kept(world, f"AGR-{state.value.upper().replace('_', '-')}", state, signed_by_all=False)
    assert recipients(world) == before


def test_what_bound_once_stays_and_is_said_to_be_expired(world: ApiWorld) -> None:
    kept(world, "AGR-WAS", AgreementState.SUPERSEDED, signed_by_all=True)
    over = factories.agreement((CONTRACT,)).period.model_copy(update={"until": NOW.date()})
    kept(world, "AGR-OVER", AgreementState.ACTIVE, signed_by_all=True, period=over)
    assert {("AGR-WAS v1", "superseded"), ("AGR-OVER v1", "expired")} <= set(recipients(world))


def test_another_agency_s_dataset_of_the_same_name_is_not_ours(world: ApiWorld) -> None:
    theirs = factories.activity((CONTRACT.model_copy(update={"digest": "sha-256:" + "0" * 64}),))
    kept(world, "AGR-THEIRS", AgreementState.ACTIVE, signed_by_all=True, activities=(theirs,))
    assert "AGR-THEIRS v1" not in {name for name, _ in recipients(world)}


def test_the_columns_come_from_the_signed_document() -> None:
    written = read_file(Path("contracts/datasets/tpo_complaint.odcs.yaml"))
    keys = factories.federation()
    document = sign_document(written.document, "contract", keys["ccib#steward-1"], keys[DPO])
    columns = {each.name: each for each in collected(written.contract, document)}
    assert columns["victim_id"].classification == "direct-identifier"
    assert columns["victim_id"].title == "รหัสผู้เสียหาย"


def test_another_agency_may_not_read_the_record(world: ApiWorld) -> None:
    answer = world.member("rtp#connector-1").get("/v1/processing-records/ccib")
    assert problem_in(answer).code == "not-allowed"
    assert problem_in(world.member().get("/v1/processing-records/nobody")).code == "unknown-agency"


def test_the_record_leaves_as_a_workbook_with_thai_headings(world: ApiWorld) -> None:
    released(world)
    answer = world.member(CONNECTOR).get("/v1/processing-records/ccib?format=xlsx")
    book = openpyxl.load_workbook(BytesIO(answer.content))
    assert len(book.sheetnames) == 4
    headings = [cell.value for cell in next(book[book.sheetnames[1]].iter_rows(max_row=1))]
    assert headings[3] == "(1) ข้อมูลส่วนบุคคลที่เก็บรวบรวม"
    uses = list(book[book.sheetnames[2]].iter_rows(min_row=2, values_only=True))
    assert uses[0][1] == "oja"


def test_the_key_that_signs_is_an_officer_s_or_the_dpo_s(world: ApiWorld) -> None:
    for purpose in (KeyPurpose.STEWARD, KeyPurpose.CONNECTOR):
        with pytest.raises(SaphanError) as caught:
            record_disclosure(world.gateway(CONNECTOR), disclosure(), world.keys[f"ccib#{purpose.value}-1"])
        assert caught.value.code == "key-unknown"

"""The registers of people's requests, of breaches and of own disclosures, over the whole HTTP interface."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import httpx2
import openpyxl
import pytest

from contracts.breach import BreachView
from contracts.canonical import canonical_bytes
from contracts.federation import KeyPurpose
from contracts.personal_data import DisclosureLine, SubjectCase
from contracts.signing import sign_compact
from contracts.transparency import EventKind
from contracts.values import Value
from contracts.views import SignedText
from gateway.workbook import MEDIA_TYPE
from tests import factories
from tests.api_world import ApiWorld, problem_in
from tests.factories import NOW, PURPOSES_OF
from tests.gateway_world import AGREEMENT
from tests.privacy_world import BREACH, REFERENCE, act, breach, disclosure, filing, signed

pytestmark = pytest.mark.integration

WITH_SUPERVISOR = {**PURPOSES_OF, "pdpc": (KeyPurpose.CLIENT,), "rtp": (*PURPOSES_OF["rtp"], KeyPurpose.CLIENT)}
RTP_CONTRACT = factories.contract(id="crimes_case", agency="rtp")
DPO, OFFICER, CONNECTOR = "ccib#dpo-1", "ccib#officer-1", "ccib#connector-1"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorld]:
    world = ApiWorld(tmp_path / "gateway", factories.federation(WITH_SUPERVISOR))
    world.world.register((RTP_CONTRACT,), AGREEMENT.model_copy(update={"id": "AGR-OTHER-1"}))
    yield world
    world.desk.exchange.means.store.close()


def post(world: ApiWorld, path: str, text: SignedText, caller: str = CONNECTOR) -> httpx2.Response:
    return world.member(caller).post(path, text)


def send(
    world: ApiWorld, path: str, entry: tuple[Value, str], kid: str = DPO, caller: str = CONNECTOR
) -> httpx2.Response:
    return post(world, path, signed(world.keys, *entry, kid), caller)


def filed(world: ApiWorld, **changes: object) -> SubjectCase:
    answer = send(world, "/v1/subject-requests", (filing(**changes), "subject-request"))
    assert answer.status_code == 201, answer.text
    return SubjectCase.model_validate_json(answer.content)


def moved(world: ApiWorld, move: str, case: SubjectCase, **changes: object) -> httpx2.Response:
    return move_as(world, move, case, DPO, CONNECTOR, **changes)


def move_as(world: ApiWorld, move: str, case: SubjectCase, kid: str, caller: str, **changes: object) -> httpx2.Response:
    made = act(move, case.steps[-1].digest, **changes)
    return send(world, f"/v1/subject-requests/{REFERENCE}/acts", (made, "subject-act"), kid, caller)


def recorded(world: ApiWorld, **changes: object) -> BreachView:
    answer = send(world, "/v1/breaches", (breach(**changes), "breach"))
    assert answer.status_code == 201, answer.text
    return BreachView.model_validate_json(answer.content)


def code(answer: httpx2.Response) -> str:
    return problem_in(answer).code


# ---------------------------------------------------------------- people's requests


def test_a_request_gets_its_clock_and_the_agency_s_contact(world: ApiWorld) -> None:
    case = filed(world)
    assert (case.section, case.state, case.overdue) == ("32", "received", False)
    assert case.due == case.received_at + timedelta(days=30)
    assert filed(world) == case, "the same again is no new entry"


def test_erasure_has_ninety_days(world: ApiWorld) -> None:
    case = filed(world, right="erasure")
    assert case.due - case.received_at == timedelta(days=90)


def test_a_request_that_is_open_after_its_time_is_overdue(world: ApiWorld) -> None:
    filed(world)
    world.later(31 * 86_400)
    (case,) = world.gateway(CONNECTOR).get_all("/v1/subject-requests", SubjectCase)
    assert case.overdue


def test_a_request_that_another_desk_took_is_forwarded_to_who_holds_the_rows(world: ApiWorld) -> None:
    text = signed(world.keys, filing(desk="rtp"), "subject-request", "rtp#dpo-1")
    case = SubjectCase.model_validate_json(post(world, "/v1/subject-requests", text, "rtp#connector-1").content)
    assert (case.desk, case.agency, case.state) == ("rtp", "ccib", "forwarded")
    answered = SubjectCase.model_validate_json(moved(world, "acknowledge", case).content)
    assert answered.state == "acknowledged"
    assert SubjectCase.model_validate_json(moved(world, "fulfil", answered).content).state == "fulfilled"
    desk = world.gateway("rtp#connector-1").get(f"/v1/subject-requests/{REFERENCE}", SubjectCase)
    assert [each.state for each in desk.steps] == ["forwarded", "acknowledged", "fulfilled"]


def test_a_request_is_passed_on_to_the_agency_whose_rows_they_are(world: ApiWorld) -> None:
    case = filed(world)
    passed = moved(world, "forward", case, to_agency="rtp", to_dataset="crimes_case")
    case = SubjectCase.model_validate_json(passed.content)
    assert (case.agency, case.dataset, case.state) == ("rtp", "crimes_case", "forwarded")
    assert code(moved(world, "fulfil", case)) == "not-allowed"
    done = move_as(world, "fulfil", case, "rtp#dpo-1", "rtp#connector-1", agency="rtp")
    assert SubjectCase.model_validate_json(done.content).state == "fulfilled"


def test_a_request_is_passed_on_only_to_who_holds_the_dataset(world: ApiWorld) -> None:
    case = filed(world)
    wrong = moved(world, "forward", case, to_agency="rtp", to_dataset="tpo_complaint")
    assert code(wrong) == "dataset-not-held"


def test_a_refusal_keeps_its_reason_and_its_record(world: ApiWorld) -> None:
    answer = moved(world, "refuse", filed(world), reason="public-task", note="จำเป็นต่อการสืบสวนคดีที่ยังไม่สิ้นสุด")
    case = SubjectCase.model_validate_json(answer.content)
    assert (case.state, case.steps[-1].reason) == ("refused", "public-task")
    assert case.steps[-1].note.startswith("จำเป็น")
    assert code(moved(world, "fulfil", case)) == "move-not-allowed"


def test_only_the_dpo_of_the_agency_that_holds_the_rows_moves_a_request(world: ApiWorld) -> None:
    case = filed(world)
    assert code(move_as(world, "fulfil", case, OFFICER, CONNECTOR)) == "key-unknown"
    assert code(move_as(world, "fulfil", case, "rtp#dpo-1", "rtp#connector-1")) == "register-signer-wrong"
    assert code(move_as(world, "fulfil", case, DPO, "rtp#connector-1")) == "register-signer-wrong"
    outsider = move_as(world, "fulfil", case, "rtp#dpo-1", "rtp#connector-1", agency="rtp")
    assert code(outsider) == "unknown-entry"


def test_who_acts_has_read_the_newest_entry(world: ApiWorld) -> None:
    case = filed(world)
    assert moved(world, "acknowledge", case).status_code == 200
    assert code(moved(world, "fulfil", case)) == "register-moved"


def test_a_reference_stands_for_one_request(world: ApiWorld) -> None:
    filed(world)
    other = send(world, "/v1/subject-requests", (filing(right="access"), "subject-request"))
    assert code(other) == "register-moved"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"received_at": NOW + timedelta(hours=1)}, "entry-time-wrong"),
        ({"agency": "rtp"}, "dataset-not-held"),
    ],
)
def test_a_request_that_cannot_be_is_not_filed(world: ApiWorld, changes: dict[str, object], expected: str) -> None:
    assert code(send(world, "/v1/subject-requests", (filing(**changes), "subject-request"))) == expected


def test_no_number_of_a_person_comes_into_the_register(world: ApiWorld) -> None:
    answer = moved(world, "refuse", filed(world), reason="not-identified", note="เลขบัตร 1-1037-00123-45-6 ไม่ตรง")
    assert code(answer) == "identity-in-register"
    assert "1037" not in answer.text


def test_an_act_goes_to_the_request_that_it_names(world: ApiWorld) -> None:
    case = filed(world)
    made = signed(world.keys, act("fulfil", case.steps[-1].digest), "subject-act", DPO)
    other = f"/v1/subject-requests/sr-{'ff' * 12}/acts"
    assert code(post(world, other, made)) == "malformed-body"


def test_others_do_not_see_a_request_but_operator_and_supervisor_do(world: ApiWorld) -> None:
    filed(world)
    path = f"/v1/subject-requests/{REFERENCE}"
    assert code(world.member("rtp#connector-1").get(path)) == "unknown-entry"
    assert world.gateway("rtp#connector-1").get_all("/v1/subject-requests", SubjectCase) == ()
    for caller in ("oja#client-1", "pdpc#client-1", CONNECTOR):
        assert world.member(caller).get(path).status_code == 200, caller
        assert len(world.gateway(caller).get_all("/v1/subject-requests", SubjectCase)) == 1


def test_the_public_log_tells_neither_who_holds_nor_what_is_asked(world: ApiWorld) -> None:
    filed(world)
    recorded(world)
    entries = [each for each in world.world.log() if each.kind is EventKind.REGISTER_WRITTEN]
    assert len(entries) == 2
    assert {(each.agency, each.subject, tuple(each.facts)) for each in entries} == {
        (None, "personal-data-registers", ())
    }
    assert all(set(each.commitments) == {"entry"} for each in entries)


# ---------------------------------------------------------------- breaches


def test_a_breach_starts_a_clock_of_72_hours(world: ApiWorld) -> None:
    view = recorded(world)
    assert (view.state, view.seconds_left, view.overdue) == ("open", 62 * 3600, False)
    world.later(63 * 3600)
    (late,) = world.gateway(CONNECTOR).get_all("/v1/breaches", BreachView)
    assert late.overdue
    assert late.seconds_left == -3600


def test_a_notification_stops_the_clock(world: ApiWorld) -> None:
    view = recorded(world)
    told = recorded(world, notified_pdpc_at=NOW, previous=view.digest)
    assert (told.state, told.seconds_left, told.overdue, told.versions) == ("notified", None, False, 2)
    closed = recorded(world, notified_pdpc_at=NOW, closed_at=NOW, previous=told.digest)
    assert closed.state == "closed"
    again = breach(notified_pdpc_at=NOW, closed_at=NOW, people=41, previous=closed.digest)
    assert code(send(world, "/v1/breaches", (again, "breach"))) == "move-not-allowed"


@pytest.mark.parametrize(
    "changes",
    [
        {"detected_at": NOW - timedelta(hours=9)},
        {"notified_pdpc_at": None},
        {"notified_pdpc_at": NOW, "closed_at": NOW + timedelta(hours=1)},
    ],
)
def test_a_clock_that_runs_is_neither_moved_later_nor_restarted(world: ApiWorld, changes: dict[str, object]) -> None:
    first = recorded(world)
    told = recorded(world, notified_pdpc_at=NOW, previous=first.digest)
    fields = {"notified_pdpc_at": NOW, "previous": told.digest} | changes
    assert code(send(world, "/v1/breaches", (breach(**fields), "breach"))) == "entry-time-wrong"


def test_a_breach_is_found_earlier_than_it_was_thought(world: ApiWorld) -> None:
    first = recorded(world)
    earlier = recorded(world, detected_at=NOW - timedelta(hours=80), previous=first.digest)
    assert earlier.overdue


def test_the_least_time_left_comes_first_and_what_is_settled_last(world: ApiWorld) -> None:
    names = {hours: f"breach-{hours:016x}" for hours in (1, 20, 40)}
    for hours, name in names.items():
        done = {"notified_pdpc_at": NOW} if hours == 40 else {}
        recorded(world, id=name, detected_at=NOW - timedelta(hours=hours), **done)
    listed = world.gateway(CONNECTOR).get_all("/v1/breaches", BreachView)
    assert [each.breach.id for each in listed] == [names[20], names[1], names[40]]


def test_a_breach_is_seen_by_its_agency_the_operator_and_the_supervisor_alone(world: ApiWorld) -> None:
    recorded(world)
    for caller in (CONNECTOR, "oja#client-1", "pdpc#client-1"):
        assert world.member(caller).get(f"/v1/breaches/{BREACH}").status_code == 200
        assert len(world.gateway(caller).get_all("/v1/breaches", BreachView)) == 1
    assert code(world.member("rtp#connector-1").get(f"/v1/breaches/{BREACH}")) == "unknown-entry"
    assert world.gateway("rtp#connector-1").get_all("/v1/breaches", BreachView) == ()


def test_another_s_name_of_a_breach_tells_nothing_and_is_not_written_into(world: ApiWorld) -> None:
    view = recorded(world)
    follows = signed(world.keys, breach(agency="rtp", previous=view.digest), "breach", "rtp#dpo-1")
    assert code(post(world, "/v1/breaches", follows, "rtp#connector-1")) == "register-moved"
    theirs = signed(world.keys, breach(agency="rtp"), "breach", "rtp#dpo-1")
    assert post(world, "/v1/breaches", theirs, "rtp#connector-1").status_code == 201
    for caller, agency in ((CONNECTOR, "ccib"), ("rtp#connector-1", "rtp"), ("pdpc#client-1", "ccib")):
        shown = BreachView.model_validate_json(world.member(caller).get(f"/v1/breaches/{BREACH}").content)
        assert (shown.breach.agency, shown.versions) == (agency, 1)
    assert len(world.gateway("pdpc#client-1").get_all("/v1/breaches", BreachView)) == 2


def test_a_breach_names_nobody_but_the_office_to_ask(world: ApiWorld) -> None:
    bad = breach(description="ข้อมูลของ somchai@example.com หลุด")
    assert code(send(world, "/v1/breaches", (bad, "breach"))) == "identity-in-register"


def test_a_breach_leaves_as_the_committee_s_form(world: ApiWorld) -> None:
    recorded(world)
    answer = world.member(CONNECTOR).get("/v1/breaches?format=xlsx")
    assert answer.headers["content-type"] == MEDIA_TYPE
    book = openpyxl.load_workbook(BytesIO(answer.content))
    form = {str(row[0]): row[1] for row in book[BREACH].iter_rows(min_row=2, values_only=True)}
    assert form["ครบกำหนดแจ้งสำนักงาน (72 ชั่วโมง)"] == "18/01/2569 00:00 น."
    assert form["จำนวนเจ้าของข้อมูลโดยประมาณ"] == 40
    one = world.member(CONNECTOR).get(f"/v1/breaches/{BREACH}?format=xlsx")
    assert openpyxl.load_workbook(BytesIO(one.content)).sheetnames == [BREACH]


# ---------------------------------------------------------------- own disclosures


def test_a_legal_disclosure_is_recorded_without_its_data(world: ApiWorld) -> None:
    answer = send(world, "/v1/disclosures", (disclosure(), "disclosure"), OFFICER)
    line = DisclosureLine.model_validate_json(answer.content)
    assert (line.kind, line.recipient, line.oia24, line.records) == (
        "legal",
        "สำนักงานป้องกันและปราบปรามการฟอกเงิน",
        ("24(6)",),
        12,
    )
    (entry,) = [each for each in world.world.log() if each.kind is EventKind.DISCLOSURE_RECORDED]
    assert (entry.agency, entry.facts["kind"]) == ("ccib", "legal")
    assert "ฟอกเงิน" not in entry.model_dump_json()


def test_a_disclosure_is_corrected_by_a_newer_version(world: ApiWorld) -> None:
    first = DisclosureLine.model_validate_json(
        send(world, "/v1/disclosures", (disclosure(kind="feed", dataset=None), "disclosure")).content
    )
    assert first.tier == "feed"
    assert code(send(world, "/v1/disclosures", (disclosure(records=13), "disclosure"))) == "register-moved"
    corrected = disclosure(records=13, previous=first.digest)
    line = DisclosureLine.model_validate_json(send(world, "/v1/disclosures", (corrected, "disclosure")).content)
    assert (line.records, line.versions, line.log_index) == (13, 2, first.log_index)


def test_one_agency_does_not_correct_another_s_disclosure(world: ApiWorld) -> None:
    line = DisclosureLine.model_validate_json(send(world, "/v1/disclosures", (disclosure(), "disclosure")).content)
    text = signed(
        world.keys, disclosure(agency="rtp", dataset=None, previous=line.digest), "disclosure", "rtp#officer-1"
    )
    assert code(post(world, "/v1/disclosures", text, "rtp#connector-1")) == "unknown-entry"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"disclosed_on": (NOW + timedelta(days=2)).date()}, "entry-time-wrong"),
        ({"dataset": "crimes_case"}, "dataset-not-held"),
        ({"category": "บัญชี 123-4-56789-0"}, "identity-in-register"),
    ],
)
def test_a_disclosure_that_cannot_be_is_not_recorded(
    world: ApiWorld, changes: dict[str, object], expected: str
) -> None:
    assert code(send(world, "/v1/disclosures", (disclosure(**changes), "disclosure"))) == expected


def test_an_entry_is_canonical_and_of_its_kind(world: ApiWorld) -> None:
    text = signed(world.keys, disclosure(), "breach", DPO)
    assert code(post(world, "/v1/disclosures", text)) == "signature-wrong"
    loose = disclosure().model_dump_json().encode()
    assert loose != canonical_bytes(disclosure())
    document = sign_compact(loose, "disclosure", world.keys[DPO])
    assert code(post(world, "/v1/disclosures", SignedText(document=document))) == "not-canonical"
    wrong = sign_compact(canonical_bytes({"id": "dis-2569-001"}), "disclosure", world.keys[DPO])
    assert code(post(world, "/v1/disclosures", SignedText(document=wrong))) == "malformed-body"


def test_words_that_look_like_a_formula_stay_words(world: ApiWorld) -> None:
    trap = '=HYPERLINK("http://evil.example","x")'
    assert send(world, "/v1/disclosures", (disclosure(purpose=trap), "disclosure")).status_code == 201
    answer = world.member(CONNECTOR).get("/v1/disclosures?format=xlsx")
    book = openpyxl.load_workbook(BytesIO(answer.content))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value == trap]
    assert [cell.data_type for cell in cells] == ["s"]

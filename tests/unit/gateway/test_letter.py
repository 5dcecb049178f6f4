"""The official letter: every sentence follows from the agreement, and nothing in it is markup."""

from datetime import UTC, date, datetime

import pytest

from contracts.agreement import Approval, Every, PolicyDecision, Schedule
from contracts.canonical import digest_of
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.lifecycle import AgreementState
from contracts.views import AgreementView
from gateway.letters.html import html_of
from gateway.letters.letter import Letter, Papers, compose, thai_day
from gateway.letters.papers import check_addressee, papers_of
from gateway.letters.pdf import HERE, pdf_of
from tests import factories

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 21)
AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
CONTRACT = factories.contract()
ALL_SIGNED = ("ccib#dpo-1", "ccib#officer-1", "oja#officer-1")
TITLES = {
    "oja": Text(th="สำนักงานกิจการยุติธรรม", en="OJA"),
    "ccib": Text(th="กองบัญชาการตำรวจสืบสวนสอบสวนอาชญากรรมทางเทคโนโลยี", en="CCIB"),
}


def papers(
    *, signed_by: tuple[str, ...] = (), agreement: dict[str, object] | None = None, **activity: object
) -> Papers:
    agreed = factories.agreement(
        (CONTRACT,), activities=(factories.activity((CONTRACT,), **activity),), **(agreement or {})
    )
    return Papers(agreed, digest_of(agreed), {CONTRACT.digest: CONTRACT}, TITLES, signed_by)


def lines(letter: Letter) -> dict[str, str]:
    (sheet,) = letter.sheets
    return {each.label: each.text for each in sheet.lines}


def test_a_day_is_written_with_thai_month_year_and_digits() -> None:
    assert thai_day(TODAY) == "๒๑ พฤศจิกายน ๒๕๖๙"


def test_the_letter_says_who_asks_whom_for_what_until_when() -> None:
    letter = compose(papers(agreement={"obligations": ("cite-source",)}), TODAY)

    assert letter.number == "ที่ AGR-2569-001 ฉบับที่ ๑"
    assert letter.sender == TITLES["oja"].th
    assert letter.to == f"หัวหน้าหน่วยงานเจ้าของข้อมูล ({TITLES['ccib'].th})"
    assert "ข้อมูลสถิติจากชุดข้อมูลแจ้งความออนไลน์" in letter.cause
    assert "ข้อตกลงมีผลตั้งแต่วันที่ ๑ ตุลาคม ๒๕๖๘ ถึงวันที่ ๓๐ กันยายน ๒๕๖๙" in letter.conditions
    assert "ผู้ขอเก็บรักษาผลลัพธ์ไม่เกิน ๓๖๕ วัน" in letter.conditions
    assert "อ้างอิงแหล่งที่มาและค่าความคลาดเคลื่อนทุกครั้งที่เผยแพร่" in letter.conditions
    assert "พระราชบัญญัติข้อมูลข่าวสารของราชการ พ.ศ. ๒๕๔๐ มาตรา ๒๔(๓)" in letter.references


def test_a_letter_to_one_provider_names_it_alone() -> None:
    assert compose(papers(), TODAY, "ccib").to == f"หัวหน้า{TITLES['ccib'].th}"


def test_a_letter_is_not_addressed_to_who_provides_nothing() -> None:
    with pytest.raises(InvalidInput, match="not-a-provider"):
        check_addressee(papers(), "dop")
    check_addressee(papers(), "ccib")
    check_addressee(papers(), None)


def test_an_activity_is_told_with_scope_datasets_need_and_budget() -> None:
    told = lines(
        compose(
            papers(
                need=Text(th="เพื่อพยากรณ์รายเดือน", en="To forecast"),
                purpose="crime-forecasting",
                legal_basis=("s24-4-public-task",),
                dimensions=("month", "unheard"),
                schedule=Schedule(every=Every.MONTH, requests=2),
                approval=Approval.EACH,
                nano_rho_in_all=1_000_000_000,
                publish=False,
            ),
            TODAY,
        )
    )

    assert told["ความจำเป็น"] == "เพื่อพยากรณ์รายเดือน"
    assert told["วัตถุประสงค์"] == "การพยากรณ์อาชญากรรม"
    assert told["ฐานทางกฎหมาย"].startswith("พ.ร.บ.คุ้มครองข้อมูลส่วนบุคคล ม.24(4)")
    assert told["ชุดข้อมูล"] == "แจ้งความออนไลน์"
    assert told["ตัววัด"] == "จำนวนรายการ ผลรวมของข้อความ (THB) และค่าเฉลี่ยของข้อความ (THB)"
    assert told["จำแนกตาม"] == "ข้อความ และunheard"
    assert "ρ = 0.1 ต่อคำขอต่อปีงบประมาณ (ε = 2." in told["งบความเป็นส่วนตัว"]
    assert "รวมทุกคำขอไม่เกิน ρ = 1 ต่อปีงบประมาณ" in told["งบความเป็นส่วนตัว"]
    assert told["กำหนดการ"] == "ไม่เกิน ๒ คำขอต่อเดือน"
    assert told["การอนุมัติ"] == "เจ้าหน้าที่ของหน่วยงานเจ้าของข้อมูลอนุมัติทุกคำขอ"
    assert told["การเผยแพร่"] == "ใช้เฉพาะผู้ขอ"
    assert "มติเชิงนโยบาย" not in told


def test_a_policy_decision_and_a_former_version_are_cited() -> None:
    decision = PolicyDecision(
        number="กพยช. 3/2569",
        decided_on=date(2026, 6, 1),
        digest=f"sha-256:{'a' * 64}",
        body=Text(th="คณะกรรมการพัฒนาการบริหารงานยุติธรรมแห่งชาติ", en="NCJAD"),
    )
    letter = compose(papers(policy_decision=decision, agreement={"supersedes": f"sha-256:{'b' * 64}"}), TODAY)

    assert "เลขที่ กพยช. ๓/๒๕๖๙ ลงวันที่ ๑ มิถุนายน ๒๕๖๙" in lines(letter)["มติเชิงนโยบาย"]
    assert any("ข้อตกลงฉบับก่อน" in each and "bbbb" in each for each in letter.references)


def test_a_letter_that_lacks_a_signature_says_so() -> None:
    some = compose(papers(signed_by=("oja#officer-1", "ccib#officer-1")), TODAY)
    everybody = compose(papers(signed_by=ALL_SIGNED), TODAY)

    assert some.note is not None
    assert [each.mark for each in some.signatures if each.role == "เจ้าหน้าที่คุ้มครองข้อมูลส่วนบุคคล"] == ["ยังไม่ได้ลงลายมือชื่อ"]
    assert everybody.note is None
    assert {each.mark.rpartition(" ")[2] for each in everybody.signatures} == set(ALL_SIGNED)


def test_a_contract_that_nobody_published_is_named_as_missing() -> None:
    known = papers()
    unknown = Papers(known.agreement, known.digest, {}, {}, ())
    letter = compose(unknown, TODAY)

    assert "tpo_complaint (ไม่พบสัญญาชุดข้อมูล)" in letter.cause
    assert letter.sender == "oja"
    assert lines(letter)["ตัววัด"].endswith("damage_thb:mean")
    assert not any("ข้อมูลข่าวสาร" in each for each in letter.references)


def test_only_the_contracts_that_are_cited_become_papers() -> None:
    agreed = factories.agreement((CONTRACT,))
    view = AgreementView(
        agreement=agreed, digest=digest_of(agreed), document="", signed_by=(), state=AgreementState.ACTIVE
    )
    other = factories.contract(id="crimes_case", agency="rtp")

    gathered = papers_of(view, (CONTRACT, other), factories.federation().federation)

    assert set(gathered.contracts) == {CONTRACT.digest}
    assert gathered.title("ccib") == "ข้อความ"


HOSTILE = Text(th='#panic("x") <script>alert(1)</script> *หนา* $1/0$ "]', en="x")


def test_texts_are_never_markup_in_html_nor_in_the_typesetter() -> None:
    letter = compose(papers(title=HOSTILE, need=HOSTILE), TODAY)

    page = html_of(letter)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert pdf_of(letter, AT).startswith(b"%PDF-")


def test_the_page_needs_nothing_else_and_prints_on_a4() -> None:
    page = html_of(compose(papers(), TODAY))

    assert "http" not in page
    assert "size: A4" in page
    assert '<html lang="th">' in page
    assert "data:font/ttf;base64,AAEAAA" in page


def test_the_same_letter_at_the_same_time_gives_the_same_tagged_pdf() -> None:
    letter = compose(papers(), TODAY)

    first, again = pdf_of(letter, AT), pdf_of(letter, AT)

    assert first == again
    assert b"/StructTreeRoot" in first
    assert pdf_of(compose(papers(signed_by=ALL_SIGNED), TODAY), AT) != first


def test_the_fonts_come_with_their_licence() -> None:
    folder = HERE / "fonts"

    assert "SIL Open Font License" in (folder / "LICENSE").read_text(encoding="utf-8")

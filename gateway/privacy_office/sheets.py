"""The registers as workbooks with Thai headings, as they are filed, printed and shown to a supervisor.

Times are Bangkok's, days and years written as officials write them (Buddhist era).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Final

from contracts.breach import NATURES, RISKS, BreachState, BreachView
from contracts.dataset import Contact
from contracts.periods import BUDDHIST_ERA
from contracts.personal_data import REFUSALS, RIGHTS, DisclosureLine, SubjectCase, SubjectState
from contracts.processing import Processing, ProcessingRecord
from gateway.workbook import Plain, Sheet

BANGKOK: Final = timezone(timedelta(hours=7))

PROCESSING: Final = (
    "ชุดข้อมูล",
    "รุ่นของสัญญาข้อมูล",
    "เจ้าของข้อมูลส่วนบุคคล",
    "(1) ข้อมูลส่วนบุคคลที่เก็บรวบรวม",
    "ประเภทข้อมูล (มาตรา 26)",
    "ข้อยกเว้นตามมาตรา 4",
    "(2) วัตถุประสงค์และฐานทางกฎหมาย",
    "(3) ผู้ควบคุมข้อมูลส่วนบุคคลและช่องทางติดต่อ",
    "(4) ระยะเวลาการเก็บรักษา (วัน)",
    "(5) สิทธิ วิธีการ และเงื่อนไขการเข้าถึงข้อมูล",
    "จำนวนคำขอใช้สิทธิ",
    "(8) มาตรการรักษาความมั่นคงปลอดภัย",
)
USES: Final = (
    "ชุดข้อมูล",
    "ผู้รับข้อมูล",
    "ข้อตกลง",
    "กิจกรรม",
    "รายละเอียด",
    "วัตถุประสงค์",
    "ฐานทางกฎหมาย",
    "ระดับการเปิดเผย",
    "สถานะ",
    "จำนวนครั้ง",
    "ครั้งล่าสุด",
)
REFUSED: Final = (
    "ชุดข้อมูล",
    "เลขอ้างอิงคำขอ",
    "มาตรา",
    "สิทธิ",
    "วันที่รับคำขอ",
    "วันที่ปฏิเสธ",
    "เหตุผล",
    "บันทึกตามมาตรา 36",
)
DISCLOSED: Final = (
    "ลำดับในบันทึก",
    "วันที่",
    "หน่วยงานเจ้าของข้อมูล",
    "ชุดข้อมูล",
    "ผู้รับข้อมูล",
    "เผยแพร่ต่อสาธารณะ",
    "ประเภทรายการ",
    "ข้อตกลง",
    "กิจกรรม",
    "วัตถุประสงค์",
    "ฐานทางกฎหมาย",
    "ข้อมูลข่าวสารฯ มาตรา",
    "ระดับการเปิดเผย",
    "ประเภทข้อมูลที่เปิดเผย",
    "จำนวนรายการ",
    "สถานะปัจจุบัน",
    "เหตุผลที่ถอนหรือแทนที่",
    "แทนที่ด้วย",
    "เลขอ้างอิง",
    "ค่าแฮช",
)
ASKED: Final = (
    "เลขอ้างอิงคำขอ",
    "มาตรา",
    "สิทธิ",
    "หน่วยรับคำขอ",
    "หน่วยงานเจ้าของข้อมูล",
    "ชุดข้อมูล",
    "วันที่รับคำขอ",
    "ครบกำหนด",
    "สถานะ",
    "เกินกำหนด",
    "เหตุผลที่ปฏิเสธ",
    "บันทึกตามมาตรา 36",
)
STATES: Final = {
    SubjectState.RECEIVED: "รับคำขอแล้ว",
    SubjectState.FORWARDED: "ส่งต่อแล้ว",
    SubjectState.ACKNOWLEDGED: "หน่วยงานรับเรื่องแล้ว",
    SubjectState.FULFILLED: "ดำเนินการแล้ว",
    SubjectState.REFUSED: "ปฏิเสธ",
}
BREACH_STATES: Final = {
    BreachState.OPEN: "ยังไม่แจ้งสำนักงาน",
    BreachState.NOTIFIED: "แจ้งสำนักงานแล้ว",
    BreachState.CLOSED: "ปิดเรื่องแล้ว",
}
KINDS: Final = {
    "release": "ผลลัพธ์ผ่านระบบ",
    "repeat": "ผลลัพธ์เดิมที่ขอซ้ำ",
    "legal": "เปิดเผยตามกฎหมายต่อผู้รับรายเดียว",
    "feed": "ข้อมูลที่มิใช่ข้อมูลส่วนบุคคล",
}
FATES: Final = {"valid": "ใช้ได้", "withdrawn": "ถอนแล้ว", "superseded": "ถูกแทนที่"}
SHEET_TITLE: Final = 31
"""The longest name that a sheet may have."""


def processing_sheets(record: ProcessingRecord) -> tuple[Sheet, ...]:
    """The record of processing: what it is, items 1 to 5 and 8, item 6, item 7."""
    about: list[Sequence[Plain]] = [
        ("บันทึกรายการกิจกรรมการประมวลผลข้อมูลส่วนบุคคล ตามมาตรา 39 แห่งพระราชบัญญัติคุ้มครองข้อมูลส่วนบุคคล พ.ศ. 2562",),
        ("ผู้ควบคุมข้อมูลส่วนบุคคล", record.title.th),
        ("จัดทำเมื่อ", moment(record.made_at)),
        ("จัดทำจากรายการในบันทึกจำนวน", record.log_size),
    ]
    return (
        Sheet("บันทึกรายการ ม.39", (), about),
        Sheet("(1)-(5) และ (8)", PROCESSING, (_processing(record, each) for each in record.processing)),
        Sheet("(6) การใช้หรือเปิดเผย", USES, _uses(record.processing)),
        Sheet("(7) การปฏิเสธหรือคัดค้าน", REFUSED, _refused(record.processing)),
    )


def disclosure_sheets(lines: Iterable[DisclosureLine]) -> tuple[Sheet, ...]:
    """The register of disclosures."""
    rows = (
        (
            each.log_index,
            moment(each.at),
            each.agency,
            ", ".join(each.datasets),
            each.recipient,
            "ใช่" if each.public else "",
            KINDS[each.kind],
            each.agreement,
            each.activity,
            each.purpose,
            ", ".join(each.legal_basis),
            ", ".join(each.oia24),
            each.tier,
            each.category,
            each.records,
            FATES[each.state],
            each.reason,
            each.replaced_by or "",
            each.reference,
            each.digest,
        )
        for each in lines
    )
    return (Sheet("บัญชีการเปิดเผยข้อมูล", DISCLOSED, rows),)


def subject_sheets(cases: Iterable[SubjectCase]) -> tuple[Sheet, ...]:
    """The register of people's requests."""
    rows = (
        (
            each.id,
            each.section,
            RIGHTS[each.right].title.th,
            each.desk,
            each.agency,
            each.dataset,
            moment(each.received_at),
            moment(each.due),
            STATES[each.state],
            "เกินกำหนด" if each.overdue else "",
            REFUSALS[each.steps[-1].reason].th if each.steps[-1].reason else "",
            each.steps[-1].note,
        )
        for each in cases
    )
    return (Sheet("ทะเบียนคำขอใช้สิทธิ", ASKED, rows),)


def breach_sheets(views: Iterable[BreachView]) -> tuple[Sheet, ...]:
    """One sheet a breach, with the fields of the Committee's form (notice of B.E. 2565) from top to bottom."""
    sheets = tuple(Sheet(each.breach.id[:SHEET_TITLE], ("รายการ", "ข้อมูล"), _form(each)) for each in views)
    return sheets or (Sheet("ไม่มีเหตุละเมิด", ("รายการ", "ข้อมูล"), ()),)


def moment(at: datetime | None) -> str:
    """``15/01/2569 10:00 น.``; empty for none."""
    if at is None:
        return ""
    local = at.astimezone(BANGKOK)
    return f"{local:%d/%m}/{local.year + BUDDHIST_ERA} {local:%H:%M} น."


def _form(view: BreachView) -> tuple[tuple[str, Plain], ...]:
    breach = view.breach
    return (
        ("เลขอ้างอิง", breach.id),
        ("ผู้ควบคุมข้อมูลส่วนบุคคล", breach.agency),
        ("ผู้ประสานงานหรือเจ้าหน้าที่คุ้มครองข้อมูลส่วนบุคคล", breach.contact),
        ("ชุดข้อมูล", breach.dataset or ""),
        ("วันเวลาที่เกิดเหตุ", moment(breach.occurred_at)),
        ("วันเวลาที่ทราบเหตุ", moment(breach.detected_at)),
        ("ครบกำหนดแจ้งสำนักงาน (72 ชั่วโมง)", moment(view.due)),
        ("ลักษณะของการละเมิด", ", ".join(NATURES[each].th for each in breach.nature)),
        ("รายละเอียดเหตุการณ์", breach.description),
        ("ประเภทของข้อมูลและของเจ้าของข้อมูล", breach.categories),
        ("จำนวนเจ้าของข้อมูลโดยประมาณ", breach.people),
        ("จำนวนรายการข้อมูลโดยประมาณ", breach.records),
        ("ผลกระทบที่อาจเกิดขึ้น", breach.consequences),
        ("มาตรการป้องกัน ระงับ หรือแก้ไข และการเยียวยา", breach.measures),
        ("ระดับความเสี่ยง", RISKS[breach.risk].th),
        ("วันเวลาที่แจ้งสำนักงาน", moment(breach.notified_pdpc_at)),
        ("เหตุผลที่แจ้งล่าช้า", breach.late_reason),
        ("วันเวลาที่แจ้งเจ้าของข้อมูล", moment(breach.people_informed_at)),
        ("วันเวลาที่ปิดเรื่อง", moment(breach.closed_at)),
        ("สถานะ", BREACH_STATES[view.state]),
        ("เกินกำหนด", "เกินกำหนด" if view.overdue or view.late else ""),
        ("บันทึกในระบบครั้งแรก", moment(view.recorded_at)),
        ("แก้ไขล่าสุด", moment(view.updated_at)),
        ("ผู้ลงนาม", view.signed_by),
    )


def _processing(record: ProcessingRecord, each: Processing) -> tuple[Plain, ...]:
    sensitive = ", ".join((each.classification, *each.section26))
    return (
        each.title.th,
        f"{each.contract.id} {each.contract.version}",
        each.person.th,
        _lines(f"{c.title} ({c.name})" for c in each.collected),
        sensitive,
        each.exemption or "",
        _lines(f"{use.purpose}: {', '.join(use.legal_basis)}" for use in each.purposes),
        _lines((record.title.th, *(_contact(c) for c in each.contacts))),
        each.retention_days,
        _lines((*each.rights, each.access.th)),
        each.requests,
        _lines(text.th for text in each.security),
    )


def _uses(processing: Iterable[Processing]) -> Iterable[tuple[Plain, ...]]:
    return (
        (
            each.title.th,
            use.recipient,
            use.agreement,
            use.activity,
            use.title.th,
            use.purpose,
            ", ".join(use.legal_basis),
            use.tier,
            use.state,
            use.times,
            moment(use.last_at),
        )
        for each in processing
        for use in each.recipients
    )


def _refused(processing: Iterable[Processing]) -> Iterable[tuple[Plain, ...]]:
    return (
        (
            each.title.th,
            no.reference,
            no.section,
            RIGHTS[no.right].title.th,
            moment(no.received_at),
            moment(no.refused_at),
            REFUSALS[no.reason].th,
            no.note,
        )
        for each in processing
        for no in each.refusals
    )


def _contact(contact: Contact) -> str:
    return f"{contact.role}: {contact.name}"


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(texts)

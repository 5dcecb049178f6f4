"""What agencies write into the personal-data registers: valid entries that a test can bend."""

from datetime import date, timedelta

from contracts.breach import Breach
from contracts.canonical import canonical_bytes
from contracts.personal_data import Disclosure, SubjectAct, SubjectFiling
from contracts.signing import sign_compact
from contracts.values import Value
from contracts.views import SignedText
from tests.factories import NOW, Keys

REFERENCE = f"sr-{'0a' * 12}"
BREACH = f"breach-{'0b' * 8}"
DIGEST = f"sha-256:{'c' * 64}"


def filing(**changes: object) -> SubjectFiling:
    """Somebody asked CCIB to object to the use of their complaint, an hour ago."""
    fields: dict[str, object] = {
        "id": REFERENCE,
        "desk": "ccib",
        "agency": "ccib",
        "dataset": "tpo_complaint",
        "right": "objection",
        "received_at": NOW - timedelta(hours=1),
    }
    return SubjectFiling.model_validate(fields | changes)


def act(move: str, previous: str, **changes: object) -> SubjectAct:
    """A move of CCIB on that request."""
    fields: dict[str, object] = {"request": REFERENCE, "agency": "ccib", "move": move, "previous": previous}
    return SubjectAct.model_validate(fields | changes)


def disclosure(**changes: object) -> Disclosure:
    """CCIB gave twelve account numbers to one named office by law."""
    fields: dict[str, object] = {
        "id": "dis-2569-001",
        "kind": "legal",
        "agency": "ccib",
        "dataset": "tpo_complaint",
        "recipient": "สำนักงานป้องกันและปราบปรามการฟอกเงิน",
        "purpose": "ตรวจสอบเส้นทางการเงิน",
        "legal_basis": "พระราชกำหนดมาตรการป้องกันและปราบปรามอาชญากรรมทางเทคโนโลยี พ.ศ. 2566 มาตรา 4",
        "oia24": "24(6)",
        "category": "บัญชีที่ถูกร้องทุกข์",
        "records": 12,
        "disclosed_on": date(2026, 1, 14),
        "document": DIGEST,
    }
    return Disclosure.model_validate(fields | changes)


def breach(**changes: object) -> Breach:
    """CCIB noticed ten hours ago that a laptop was stolen."""
    fields: dict[str, object] = {
        "id": BREACH,
        "agency": "ccib",
        "detected_at": NOW - timedelta(hours=10),
        "nature": ["confidentiality"],
        "description": "เครื่องคอมพิวเตอร์พกพาสูญหาย",
        "categories": "ผู้เสียหายคดีออนไลน์",
        "people": 40,
        "consequences": "อาจถูกแอบอ้าง",
        "measures": "ลบข้อมูลจากระยะไกลแล้ว",
        "risk": "risk",
        "contact": "ศูนย์รับแจ้งเหตุ บช.สอท. โทร. 02-504-4800",
    }
    return Breach.model_validate(fields | changes)


def signed(keys: Keys, value: Value, kind: str, kid: str) -> SignedText:
    """An entry under one key, ready to be posted."""
    return SignedText(document=sign_compact(canonical_bytes(value), kind, keys[kid]))

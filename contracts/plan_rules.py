"""What is asked of an action plan and of a file of plans, rule by rule, in Thai and English."""

from collections.abc import Mapping
from typing import Final

from contracts.dataset import Text

MOST_PLANS_AT_ONCE: Final = 1000
MOST_WORDS: Final = 300

RULES: Final[Mapping[str, Text]] = {
    "too-long-or-empty": Text(th=f"ข้อความต้องมี 1 ถึง {MOST_WORDS} ตัวอักษร", en=f"a text has 1 to {MOST_WORDS} characters"),
    "like-a-formula": Text(
        th="ข้อความต้องไม่ขึ้นต้นด้วย = + - @ เพราะโปรแกรมตารางจะอ่านเป็นสูตร",
        en="no text begins with = + - @, which a spreadsheet takes for a formula",
    ),
    "names-a-person": Text(
        th="ทะเบียนนี้ไม่ระบุตัวบุคคล โปรดใช้ชื่อตำแหน่งหรือหน่วยงานแทนชื่อ เลข หรือที่อยู่ของบุคคล",
        en="the register names nobody: write an office, not a person's name, number or address",
    ),
    "not-common-era": Text(th="ปีต้องเป็นคริสต์ศักราช เช่น 2026", en="the year is of the Common Era, such as 2026"),
    "unknown-province": Text(th="จังหวัดเป็นรหัสสองหลัก เช่น 50", en="a province is its code of two digits, such as 50"),
    "unknown-offence-group": Text(
        th="กลุ่มฐานความผิดคือ G1 G2 G3 G4 ระบุไม่ซ้ำกัน", en="offence groups are G1, G2, G3, G4, each at most once"
    ),
    "target-not-one": Text(
        th="เป้าหมายเป็นร้อยละหรือจำนวนอย่างใดอย่างหนึ่ง", en="a target is a percentage or a count, and not both"
    ),
    "ends-before-it-starts": Text(th="วันสุดท้ายต้องไม่ก่อนวันแรก", en="the last day is not before the first"),
    "supersedes-wrong": Text(
        th="ฉบับที่สองขึ้นไปต้องระบุฉบับก่อนหน้า ฉบับแรกไม่ต้องระบุ",
        en="a later version names the one that it supersedes, and a first one none",
    ),
    "unknown-forecast": Text(th="ไม่มีพยากรณ์ที่อ้างถึง", en="the forecast that is cited was never published"),
    "plan-of-another": Text(th="รหัสนี้เป็นแผนของหน่วยงานอื่น", en="this identifier is a plan of another agency"),
    "plan-moved": Text(th="ไม่ใช่ฉบับถัดจากฉบับล่าสุดในทะเบียน", en="it does not follow the newest version in the register"),
    "given-twice": Text(th="รหัสแผนซ้ำในชุดเดียวกัน", en="the plan stands twice in what was sent"),
    "missing-column": Text(th="ไฟล์ไม่มีคอลัมน์นี้", en="the file lacks this column"),
    "unknown-column": Text(th="ไม่รู้จักคอลัมน์นี้", en="no such column is known"),
    "column-given-twice": Text(th="คอลัมน์นี้ซ้ำ", en="the column stands twice"),
    "not-so-many-columns": Text(
        th="จำนวนช่องในแถวไม่เท่ากับหัวตาราง", en="the row has more or fewer cells than the heading"
    ),
    "unreadable-row": Text(th="อ่านแถวนี้เป็น CSV ไม่ได้", en="the row cannot be read as CSV"),
    "no-plans": Text(th="ไฟล์ไม่มีแผน", en="the file holds no plan"),
    "too-many-plans": Text(
        th=f"ไฟล์หนึ่งมีแผนได้ไม่เกิน {MOST_PLANS_AT_ONCE:,} ฉบับ", en=f"a file holds at most {MOST_PLANS_AT_ONCE:,} plans"
    ),
    "differs-from-first-row": Text(
        th="แถวถัดไปของแผนเดียวกันต้องเว้นว่างหรือเหมือนแถวแรก",
        en="in further rows of a plan its columns are empty or as in the first",
    ),
    "missing": Text(th="ต้องระบุ", en="it is needed"),
    "not-a-day": Text(th="วันที่เขียนแบบ 2026-10-01", en="a day is written like 2026-10-01"),
    "not-a-number": Text(th="ไม่ใช่จำนวน", en="not a number"),
    "out-of-range": Text(th="อยู่นอกช่วงที่กำหนด", en="outside its range"),
    "wrong-form": Text(th="เขียนไม่ถูกแบบ", en="not written in its form"),
}
"""What each rule of a plan, or of a file of plans, says; a fault names its rule."""

_OF_FORM: Final[Mapping[str, str]] = {
    "missing": "missing",
    "too_short": "missing",
    "date": "not-a-day",
    "float": "not-a-number",
    "finite": "not-a-number",
    "int": "not-a-number",
    "greater": "out-of-range",
    "less": "out-of-range",
    "too_long": "out-of-range",
}
"""Rules of form by the beginning of their name in pydantic."""


def rule_of(kind: str) -> str:
    """The rule behind an error that a value's own check has found, by that error's type."""
    if kind in RULES:
        return kind
    return next((rule for start, rule in _OF_FORM.items() if kind.startswith(start)), "wrong-form")

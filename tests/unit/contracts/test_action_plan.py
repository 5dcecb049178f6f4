"""What an action plan may say: every rule refuses what breaks it, and lets pass what only looks alike."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from contracts.action_plan import ActionPlan, names_a_person
from contracts.canonical import canonical_bytes
from contracts.plan_rules import RULES, rule_of
from tests.plan_world import FIELDS, after, plan

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "requester" / "register-action-plans.md"
WORDS = {"th": "ลดลง", "en": "fewer"}


def test_a_plan_is_the_same_after_the_wire() -> None:
    assert ActionPlan.model_validate_json(canonical_bytes(plan())) == plan()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"province": "99"}, "unknown-province"),
        ({"offence_groups": ("G9",)}, "unknown-offence-group"),
        ({"offence_groups": ("G1", "G1")}, "unknown-offence-group"),
        ({"offence_groups": ()}, "missing"),
        ({"start": "2569-02-01", "end": "2569-07-31"}, "not-common-era"),
        ({"end": "2026-01-31"}, "ends-before-it-starts"),
        ({"start": "1/2/2026"}, "not-a-day"),
        ({"target": {"words": WORDS}}, "target-not-one"),
        ({"target": {"percent": -5, "count": 5, "words": WORDS}}, "target-not-one"),
        ({"target": {"percent": -101, "words": WORDS}}, "out-of-range"),
        ({"target": {"percent": "many", "words": WORDS}}, "not-a-number"),
        ({"target": {"percent": "NaN", "words": WORDS}}, "not-a-number"),
        ({"target": {"count": -1, "words": WORDS}}, "out-of-range"),
        ({"target": {"count": "1.5", "words": WORDS}}, "not-a-number"),
        ({"title": {"th": " ", "en": "x"}}, "too-long-or-empty"),
        ({"title": {"th": "ก" * 301, "en": "x"}}, "too-long-or-empty"),
        ({"title": {"th": "แผน"}}, "missing"),
        ({"title": {"th": "แผน", "en": "=HYPERLINK(1)"}}, "like-a-formula"),
        ({"title": {"th": "แผนของนายสมชาย ใจดี", "en": "plan"}}, "names-a-person"),
        ({"activities": ({"day": "2026-02-14", "title": WORDS, "place": "โทร 081-234-5678"},)}, "names-a-person"),
        ({"version": 2}, "supersedes-wrong"),
        ({"supersedes": f"sha-256:{'0' * 64}"}, "supersedes-wrong"),
        ({"id": "มี ช่องว่าง"}, "wrong-form"),
        ({"leader": "x"}, "wrong-form"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_name(changes: Mapping[str, object], rule: str) -> None:
    with pytest.raises(ValidationError) as caught:
        plan(**changes)
    assert {rule_of(each["type"]) for each in caught.value.errors()} == {rule}


def test_every_rule_speaks_both_languages() -> None:
    assert all(each.th.strip() and each.en.strip() and each.th != each.en for each in RULES.values())


def test_the_page_about_plans_says_every_rule() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [rule for rule, words in RULES.items() if f"| `{rule}` | {words.en} |" not in page] == []


@pytest.mark.parametrize(
    "text",
    [
        "นายสมชาย ใจดี",
        "ผู้ประสานงานคือนายสมชาย ใจดี",
        "นางสาวสุดา มีสุข",
        "ติดต่อ นางสุดา มีสุข",
        "น.ส. สุดา มีสุข",
        "พ.ต.อ.สมชาย ใจดี",
        "พล.ต.ต.หญิง สมศรี ใจงาม",
        "ด.ต. มานะ อดทน",
        "Mr. Somchai Jaidee",
        "call 081 234 5678",
        "เลขประจำตัว 1-2345-67890-12-3",
        "a@b.example",
    ],
)
def test_a_text_with_a_title_before_a_name_or_a_number_names_a_person(text: str) -> None:
    assert names_a_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "นายอำเภอ แม่สอด",
        "นายกเทศมนตรีนคร เชียงใหม่",
        "นายแพทย์สาธารณสุขจังหวัด เชียงใหม่",
        "อำเภอนางรอง จังหวัดบุรีรัมย์",
        "สน.นางเลิ้ง กรุงเทพมหานคร",
        "สภ.เมือง เชียงใหม่",
        "ลดเหตุลงร้อยละ 15 ภายใน 6 เดือน พ.ศ. 2569",
        "Mrs and Mr are titles",
        "50 % of 1,250 cases",
    ],
)
def test_an_office_a_place_or_a_figure_names_nobody(text: str) -> None:
    assert not names_a_person(text)


def test_two_versions_that_differ_in_their_number_alone_say_the_same() -> None:
    first = plan()
    assert after(first).says_the_same(first)
    assert not after(first, end="2026-08-31").says_the_same(first)


def test_the_builder_s_fields_are_all_of_the_plan() -> None:
    assert {*FIELDS, "supersedes"} == set(ActionPlan.model_fields)

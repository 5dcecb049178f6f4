"""Plans as CSV: what is written can be read again, and what is wrong with a file is told by row and rule."""

import csv
from datetime import date
from io import StringIO

import pytest

from contracts.action_plan import ActionPlan, PlanView
from forecasting.interventions.plan_file import read_plans as read_for_evaluation
from gateway.plan_csv import ACTIVITY, PLAN, Draft, Sheet, evaluation_csv, plans_csv, read_plans
from tests.plan_world import plan, view

pytestmark = pytest.mark.unit

GOOD = {
    "id": "CNX-2569-1",
    "province": "50",
    "title_th": "แผน",
    "title_en": "plan",
    "offence_groups": "G1; G2",
    "forecast": "forecast-0001",
    "start": "2026-02-01",
    "end": "2026-07-31",
    "target_percent": "-15",
    "target_count": "",
    "target_th": "ลดลง",
    "target_en": "fewer",
}
ACTIVE = {"activity_day": "2026-02-14", "activity_title_th": "เดินตรวจ", "activity_title_en": "walk"}
PLACE = {"activity_place": 'ตลาด, ถนน "ก"\nซอย 1'}


def text_of(*rows: dict[str, str], headings: tuple[str, ...] = (*PLAN, *ACTIVITY)) -> str:
    out = StringIO()
    writer = csv.DictWriter(out, headings, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def planned(draft: Draft) -> ActionPlan:
    return ActionPlan.model_validate({**draft.value, "owner": "oja", "version": 1})


def faults(sheet: Sheet) -> list[tuple[int, str, str]]:
    return [(each.row, each.column, each.rule) for each in sheet.faults]


def test_what_is_written_is_read_again() -> None:
    plans = [
        plan(),
        plan(id="CNX-2569-2", activities=(), target={"count": 12, "words": {"th": "ก", "en": "a"}}),
        plan(id="CNX-2569-3", target={"percent": -12.25, "words": {"th": 'ก, "ข"\nค', "en": "a"}}),
    ]
    sheet = read_plans(plans_csv([view(each) for each in plans]))
    assert sheet.faults == []
    assert [planned(each) for each in sheet.drafts.values()] == plans


def test_a_flagged_plan_says_so_in_its_row() -> None:
    (row,) = csv.DictReader(StringIO(plans_csv([view(plan(activities=()), flagged=("rel-0001",))])))
    assert (row["cites_withdrawn_release"], row["owner"], row["version"]) == ("yes", "oja", "1")
    (row,) = csv.DictReader(StringIO(plans_csv([view(plan(activities=()))])))
    assert row["cites_withdrawn_release"] == "no"


def test_an_evaluation_reads_the_day_after_the_last_and_the_target_in_per_cent() -> None:
    counted = plan(id="CNX-2569-2", target={"count": 12, "words": {"th": "ก", "en": "a"}})
    read = read_for_evaluation(evaluation_csv([view(plan()), view(counted)]), "plans.csv")
    assert [(each.id, each.province, each.start, each.end, each.target) for each in read] == [
        ("CNX-2569-1", "50", date(2026, 2, 1), date(2026, 8, 1), -0.15),
        ("CNX-2569-2", "50", date(2026, 2, 1), date(2026, 8, 1), None),
    ]


def test_further_rows_of_a_plan_add_activities() -> None:
    more = {"id": GOOD["id"], **ACTIVE, **PLACE, "province": "50"}
    sheet = read_plans("\ufeff" + text_of(GOOD | ACTIVE | PLACE, more, {}))
    (draft,) = sheet.drafts.values()
    assert sheet.faults == []
    assert [each.place for each in planned(draft).activities] == [PLACE["activity_place"]] * 2
    assert planned(draft).offence_groups == ("G1", "G2")
    assert [draft.row_of(("activities", place, "day")) for place in (0, 1)] == [
        2,
        3,
    ]  # texts of several lines are one row
    assert draft.row_of(("province",)) == draft.row_of(("activities",)) == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (text_of(GOOD, headings=(*PLAN, "colour")), (1, "colour", "unknown-column")),
        ("", (1, "id", "missing-column")),
        (text_of(GOOD, headings=(*PLAN, "id")), (1, "id", "column-given-twice")),
        (text_of(), (1, "*", "no-plans")),
        (text_of(GOOD | {"id": " "}), (2, "id", "missing")),
        (text_of(GOOD) + "a,b\n", (3, "*", "not-so-many-columns")),
        (text_of(GOOD) + "," * 40 + "\n", (3, "*", "not-so-many-columns")),
        (text_of(GOOD, GOOD | {"end": "2027-01-01"}), (3, "end", "differs-from-first-row")),
        (text_of(GOOD) + '"a\n', (3, "*", "unreadable-row")),
    ],
    ids=["strange", "empty", "twice", "no rows", "no id", "short", "long", "differs", "open quote"],
)
def test_a_fault_of_form_is_told_by_row_and_rule(text: str, found: tuple[int, str, str]) -> None:
    assert found in faults(read_plans(text))


def test_a_file_has_at_most_a_thousand_plans() -> None:
    rows = [GOOD | {"id": f"PLAN-{number:04}"} for number in range(1001)]
    assert faults(read_plans(text_of(*rows))) == [(1, "*", "too-many-plans")]
    assert faults(read_plans(text_of(*rows[:1000]))) == []


def test_an_empty_cell_is_a_field_that_is_missing() -> None:
    (draft,) = read_plans(text_of(GOOD | {"province": "", "title_en": "", "target_percent": ""})).drafts.values()
    assert "province" not in draft.value
    assert draft.value["title"] == {"th": "แผน"}
    assert draft.value["target"] == {"words": {"th": "ลดลง", "en": "fewer"}}


def test_no_plans_are_a_heading_alone() -> None:
    empty: tuple[PlanView, ...] = ()
    assert plans_csv(empty).count("\n") == 1

"""Action plans and what goes with them, so that a test names only what it is about."""

from contracts.action_plan import ActionPlan, PlanView
from contracts.canonical import digest_of
from contracts.federation import KeyPurpose
from tests import factories
from tests.factories import NOW, OPERATOR, PURPOSES_OF, Keys

FIELDS: dict[str, object] = {
    "id": "CNX-2569-1",
    "version": 1,
    "province": "50",
    "title": {"th": "ลดเหตุลักทรัพย์ในเขตเมือง", "en": "Fewer thefts in the city"},
    "owner": "oja",
    "offence_groups": ("G2",),
    "forecast": "forecast-0001",
    "start": "2026-02-01",
    "end": "2026-07-31",
    "target": {"percent": -15, "words": {"th": "ลดลงร้อยละ 15 จากที่พยากรณ์", "en": "15 % below the forecast"}},
    "activities": (
        {
            "day": "2026-02-14",
            "title": {"th": "อาสาสมัครเดินตรวจตลาด", "en": "Volunteers walk the market"},
            "place": "ตลาดวโรรส",
        },
        {"day": "2026-03-01", "title": {"th": "ติดไฟส่องสว่าง", "en": "Street lights"}, "place": "ถนนช้างคลาน"},
    ),
}


def plan(**changes: object) -> ActionPlan:
    """A plan of Chiang Mai against thefts; every field can be overridden."""
    return ActionPlan.model_validate(FIELDS | changes)


def after(before: ActionPlan, **changes: object) -> ActionPlan:
    """The next version of a plan, with these changes."""
    version = {"version": before.version + 1, "supersedes": digest_of(before)}
    return ActionPlan.model_validate(before.model_dump() | version | changes)


def view(shown: ActionPlan, **changes: object) -> PlanView:
    """A plan as the register shows it."""
    fields = {"plan": shown, "digest": digest_of(shown), "document": "x", "registered_at": NOW, "newest": True}
    return PlanView.model_validate(fields | changes)


def with_client(agency: str) -> Keys:
    """The same federation where an agency has a client, too."""
    purposes = {**PURPOSES_OF, agency: (*PURPOSES_OF[agency], KeyPurpose.CLIENT)}
    return factories.federation(purposes, operator=OPERATOR)

"""Provinces' action plans as CSV, in and out: a row for each plan, and one more for each further activity of it.

The columns of a plan stand in its first row; in the rows below, which only add activities, they are empty or the same.
What is written can be read again.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from typing import Final

from contracts.action_plan import ActionPlan, PlanActivity, PlanView
from contracts.plan_rules import MOST_PLANS_AT_ONCE

MEDIA_TYPE: Final = "text/csv"
PLAN: Final = (
    *("id", "province", "title_th", "title_en", "offence_groups", "forecast", "start", "end"),
    *("target_percent", "target_count", "target_th", "target_en"),
)
ACTIVITY: Final = ("activity_day", "activity_title_th", "activity_title_en", "activity_place")
TOLD: Final = ("owner", "version", "digest", "registered_at", "cites_withdrawn_release")
"""What an export says beside the plan; an import takes no notice of it."""

EVALUATED: Final = (
    *("id", "province", "start", "end", "target", "owner", "forecast", "cites_withdrawn_release"),
    "offence_groups",
)
"""What an evaluation reads: ``end`` is the first day after the plan, ``target`` is in per cent.

The last columns are passed over by it: rows are to be chosen by ``offence_groups``, and evaluated with that choice.
"""

HEADING: Final = 1
SEPARATOR: Final = ";"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a file's row breaks: its number (the heading is row 1), the column, and the rule."""

    row: int
    column: str
    rule: str


@dataclass(slots=True)
class Draft:
    """A plan as a file has it, by the fields of ``ActionPlan`` but owner and version, and where each part stands."""

    row: int
    fields: dict[str, object]
    written: dict[str, str]
    activities: list[dict[str, object]] = field(default_factory=list)
    activity_rows: list[int] = field(default_factory=list)

    @property
    def value(self) -> dict[str, object]:
        """The fields, to be checked by ``ActionPlan``."""
        return {**self.fields, "activities": self.activities}

    def row_of(self, where: Sequence[int | str]) -> int:
        """The row of a field, by its place in the value: that of the activity, if it is one's."""
        is_activity = len(where) > 1 and where[0] == "activities" and isinstance(where[1], int)
        return self.activity_rows[int(where[1])] if is_activity else self.row


@dataclass(slots=True)
class Sheet:
    """What a file holds: drafts by identifier, and what is wrong with its form."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read_plans(text: str) -> Sheet:
    """The plans of a file; their content is checked by ``ActionPlan``, their form here."""
    sheet, number = Sheet(), HEADING
    rows = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        headings = next(rows, [])
        sheet.faults += _heading_faults(headings)
        if not sheet.faults:
            for row in rows:
                number += 1  # as a spreadsheet counts: empty rows too, and a text of several lines once
                _take(sheet, number, headings, row)
    except csv.Error:
        sheet.faults.append(Fault(number + 1, "*", "unreadable-row"))
    if not sheet.faults and not sheet.drafts:
        sheet.faults.append(Fault(HEADING, "*", "no-plans"))
    if len(sheet.drafts) > MOST_PLANS_AT_ONCE:
        sheet.faults.append(Fault(HEADING, "*", "too-many-plans"))
    return sheet


def plans_csv(views: Iterable[PlanView]) -> str:
    """Plans as a file that ``read_plans`` reads; a plan without activities has one row, another one for each."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow((*PLAN, *ACTIVITY, *TOLD))
    for view in views:
        told = (*_plan_cells(view.plan), *_activity_cells(next(iter(view.plan.activities), None)))
        flagged = "yes" if view.flagged else "no"
        about = (view.plan.owner, view.plan.version, view.digest, view.registered_at.isoformat(), flagged)
        writer.writerow((*told, *about))
        for each in view.plan.activities[1:]:
            writer.writerow((view.plan.id, *("" for _ in PLAN[1:]), *_activity_cells(each), *("" for _ in TOLD)))
    return out.getvalue()


def evaluation_csv(views: Iterable[PlanView]) -> str:
    """Plans as ``saphan forecast evaluate --plans`` reads them, one row each; a target that is a count is left out."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(EVALUATED)
    for view in views:
        plan, flagged = view.plan, "yes" if view.flagged else "no"
        days = (plan.start.isoformat(), (plan.end + timedelta(days=1)).isoformat())
        told = (_number(plan.target.percent), plan.owner, plan.forecast, flagged, SEPARATOR.join(plan.offence_groups))
        writer.writerow((plan.id, plan.province, *days, *told))
    return out.getvalue()


def _heading_faults(headings: Sequence[str]) -> list[Fault]:
    known = {*PLAN, *ACTIVITY, *TOLD}
    missing = [Fault(HEADING, each, "missing-column") for each in PLAN if each not in headings]
    strange = [Fault(HEADING, each, "unknown-column") for each in headings if each not in known]
    twice = [Fault(HEADING, each, "column-given-twice") for each in known if headings.count(each) > 1]
    return missing + strange + twice


def _take(sheet: Sheet, number: int, headings: Sequence[str], row: Sequence[str]) -> None:
    if row and len(row) != len(headings):
        sheet.faults.append(Fault(number, "*", "not-so-many-columns"))
        return
    cells = {name: cell.strip() for name, cell in zip(headings, row, strict=False)}
    if not any(cells.values()):
        return
    if not cells["id"]:
        sheet.faults.append(Fault(number, "id", "missing"))
        return
    draft = sheet.drafts.get(cells["id"])
    if draft is None:
        draft = sheet.drafts[cells["id"]] = Draft(number, _plan_fields(cells), {name: cells[name] for name in PLAN})
    else:
        differs = (name for name in PLAN if cells[name] not in ("", draft.written[name]))
        sheet.faults += [Fault(number, name, "differs-from-first-row") for name in differs]
    activity = {name: cells.get(name, "") for name in ACTIVITY}
    if any(activity.values()):
        draft.activities.append(_activity_fields(activity))
        draft.activity_rows.append(number)


def _plan_fields(cells: Mapping[str, str]) -> dict[str, object]:
    """An empty cell is a field that is missing, so that the fault says so."""
    groups = [each.strip() for each in cells["offence_groups"].split(SEPARATOR) if each.strip()]
    plain = {name: cells[name] for name in ("id", "province", "forecast", "start", "end") if cells[name]}
    title = {name: cells[f"title_{name}"] for name in ("th", "en") if cells[f"title_{name}"]}
    words = {name: cells[f"target_{name}"] for name in ("th", "en") if cells[f"target_{name}"]}
    figures = {name: cells[f"target_{name}"] for name in ("percent", "count") if cells[f"target_{name}"]}
    target = {**figures, "words": words}
    return {**plain, "title": title, "offence_groups": groups, "target": target}


def _activity_fields(cells: Mapping[str, str]) -> dict[str, object]:
    day, title_th, title_en, place = (cells[name] for name in ACTIVITY)
    title = {name: text for name, text in (("th", title_th), ("en", title_en)) if text}
    return {"title": title, **{name: text for name, text in (("day", day), ("place", place)) if text}}


def _plan_cells(plan: ActionPlan) -> tuple[object, ...]:
    target = plan.target
    return (
        *(plan.id, plan.province, plan.title.th, plan.title.en, SEPARATOR.join(plan.offence_groups), plan.forecast),
        *(plan.start.isoformat(), plan.end.isoformat(), _number(target.percent), _number(target.count)),
        *(target.words.th, target.words.en),
    )


def _activity_cells(activity: PlanActivity | None) -> tuple[str, ...]:
    if activity is None:
        return tuple("" for _ in ACTIVITY)
    return (activity.day.isoformat(), activity.title.th, activity.title.en, activity.place)


def _number(figure: float | None) -> str:
    return "" if figure is None else repr(figure)

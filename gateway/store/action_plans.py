"""The register of provinces' action plans: every version as it was signed, none ever changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, func, select, true, tuple_

from contracts.action_plan import ActionPlan
from gateway.store import publications
from gateway.store.engine import AnyRow, AnySelect, Reading, Transaction
from gateway.store.log import Event, append
from gateway.store.publication_tables import action_plans
from gateway.store.publication_tables import publications as publications_table
from gateway.store.publications import NO_FLAGS, Flags


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which plans: of a province, of an owner, as the register stood at an instant; ``None`` is any and now."""

    province: str | None = None
    owner: str | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """A version of a plan as it is kept, with how the releases behind its forecast stand."""

    plan: ActionPlan
    digest: str
    document: str
    registered_at: datetime
    is_newest: bool
    flags: Flags


EVERY: Final = Wanted()


def add(t: Transaction, plan: ActionPlan, digest: str, document: str, event: Event) -> None:
    """Keep a version and log it."""
    row = {
        "id": plan.id,
        "version": plan.version,
        "owner": plan.owner,
        "province": plan.province,
        "forecast": plan.forecast,
        "digest": digest,
        "document": document,
        "plan": plan.model_dump_json(by_alias=True),
        "registered_at": event.entry.at,
        "log_index": append(t, event),
    }
    t.add(action_plans, [row])


def newest(r: Reading, wanted: Wanted = EVERY) -> tuple[HeldPlan, ...]:
    """The newest version of each plan, by province and identifier."""
    chosen = select(action_plans).where(_is_newest(wanted.as_of), _of(wanted))
    return _held(r, chosen.order_by(action_plans.c.province, action_plans.c.id), wanted.as_of)


def versions(r: Reading, name: str, as_of: datetime | None = None) -> tuple[HeldPlan, ...]:
    """Every version of a plan, newest first."""
    chosen = select(action_plans).where(action_plans.c.id == name, _by(as_of))
    return _held(r, chosen.order_by(action_plans.c.version.desc()), as_of)


def _is_newest(as_of: datetime | None) -> ColumnElement[bool]:
    last = select(action_plans.c.id, func.max(action_plans.c.version)).where(_by(as_of)).group_by(action_plans.c.id)
    return tuple_(action_plans.c.id, action_plans.c.version).in_(last)


def _by(as_of: datetime | None) -> ColumnElement[bool]:
    return true() if as_of is None else action_plans.c.registered_at <= as_of


def _of(wanted: Wanted) -> ColumnElement[bool]:
    chosen: ColumnElement[bool] = true()
    if wanted.province is not None:
        chosen &= action_plans.c.province == wanted.province
    if wanted.owner is not None:
        chosen &= action_plans.c.owner == wanted.owner
    return chosen


def _held(r: Reading, chosen: AnySelect, as_of: datetime | None) -> tuple[HeldPlan, ...]:
    rows = r.all(chosen)
    cited = select(action_plans.c.forecast)
    flags = publications.flags_of(r, publications_table.c.id.in_(cited), as_of) if rows else {}
    last: dict[str, int] = {}
    for row in rows:
        last[row.id] = max(row.version, last.get(row.id, 0))
    return tuple(_one(row, flags, is_newest=row.version == last[row.id]) for row in rows)


def _one(row: AnyRow, flags: Mapping[str, Flags], *, is_newest: bool) -> HeldPlan:
    return HeldPlan(
        plan=ActionPlan.model_validate_json(row.plan),
        digest=row.digest,
        document=row.document,
        registered_at=row.registered_at,
        is_newest=is_newest,
        flags=flags.get(row.forecast, NO_FLAGS),
    )

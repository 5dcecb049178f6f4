"""The register of provinces' action plans: each version signed by its owner's client key, read by everybody.

Several plans are registered together or not at all. The same plan again changes nothing; another text under a plan's
identifier is a new version, which names the one before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from contracts.action_plan import PLAN_KIND, ActionPlan, PlanFault, PlanView, Registered
from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.code_lists import code_list
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.plan_rules import rule_of
from contracts.signing import verify_compact
from gateway import events
from gateway.caller import Caller
from gateway.means import Means
from gateway.plan_faults import fault, not_registered
from gateway.publications import look_of
from gateway.store import action_plans, log, publications, requests
from gateway.store.action_plans import HeldPlan, Wanted
from gateway.store.engine import Reading
from gateway.store.publications import Sort

ENFORCED_GROUP: Final = "G4"
"""Counts arrests: fewer of them are no success against crime."""

ENFORCEMENT, FORECAST_FLAGGED = "enforcement", "forecast-flagged"


@dataclass(frozen=True, slots=True)
class _Signed:
    plan: ActionPlan
    digest: str
    document: str


@dataclass(slots=True)
class _Sorted:
    """What becomes of the plans of one call."""

    new: list[_Signed] = field(default_factory=list)
    changed: list[_Signed] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    faults: list[PlanFault] = field(default_factory=list)


def register(means: Means, caller: Caller, documents: Sequence[str]) -> Registered:
    """Register plans that the caller's client key signed: all of them, or none.

    Raises:
        Refused: ``signature-wrong``, ``key-unknown``; ``not-allowed`` when another agency signed, or owns the plan;
            ``plans-not-registered``, naming every plan and rule.
        InvalidInput: ``malformed-body``, ``not-canonical``, ``identity-in-register``.
    """
    now = means.clock()
    given = [_read(means, caller, document) for document in documents]
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        log.lock(t)  # so that of two versions at once the later sees the earlier
        outcome = _sort(t, means, given)
        if outcome.faults:
            raise not_registered(outcome.faults, len(given))
        for each in (*outcome.new, *outcome.changed):
            event = events.plan_registered(each.plan, each.digest, now)
            action_plans.add(t, each.plan, each.digest, each.document, event)
    return Registered(
        new=tuple(each.plan.id for each in outcome.new),
        changed=tuple(each.plan.id for each in outcome.changed),
        unchanged=tuple(outcome.unchanged),
    )


def plans(means: Means, wanted: Wanted) -> tuple[PlanView, ...]:
    """The newest version of each plan, by province and identifier.

    Raises:
        InvalidInput: ``malformed-body`` for an instant to come, or a province that is none.
    """
    look_of(means, None, wanted.as_of)
    if wanted.province is not None and wanted.province not in code_list("provinces").values:
        raise InvalidInput("malformed-body", where="province")
    with means.store.read() as r:
        return tuple(_view(each) for each in action_plans.newest(r, wanted))


def versions(means: Means, name: str, as_of: datetime | None = None) -> tuple[PlanView, ...]:
    """Every version of a plan (that was registered by ``as_of``), newest first.

    Raises:
        InvalidInput: ``unknown-publication``.
    """
    look_of(means, None, as_of)
    with means.store.read() as r:
        found = action_plans.versions(r, name, as_of)
    if not found:
        raise InvalidInput("unknown-publication", name=name)
    return tuple(_view(each) for each in found)


def _read(means: Means, caller: Caller, document: str) -> _Signed:
    now = means.clock()
    signed = verify_compact(document, PLAN_KIND, lambda kid: means.federation.key(kid, KeyPurpose.CLIENT, now))
    try:
        plan = ActionPlan.model_validate_json(signed.payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or PLAN_KIND
        if first["type"] == "names-a-person":
            raise InvalidInput("identity-in-register", where=where) from error
        raise InvalidInput("malformed-body", where=f"{where} ({rule_of(first['type'])})") from error
    if canonical_bytes(plan) != signed.payload:
        raise InvalidInput("not-canonical")
    if not {kid.partition("#")[0] for kid in signed.signers} == {caller.agency} == {plan.owner}:
        raise Refused("not-allowed")
    return _Signed(plan, digest_of_bytes(signed.payload), document)


def _sort(r: Reading, means: Means, given: Sequence[_Signed]) -> _Sorted:
    outcome, seen = _Sorted(), set[str]()
    for each in given:
        before = action_plans.versions(r, each.plan.id)
        rule = "given-twice" if each.plan.id in seen else _broken_rule(r, means, each, before)
        seen.add(each.plan.id)
        if rule is not None:
            outcome.faults.append(fault(each.plan.id, _FIELD_OF.get(rule, "id"), rule))
        elif before and before[0].digest == each.digest:
            outcome.unchanged.append(each.plan.id)
        else:
            (outcome.changed if before else outcome.new).append(each)
    return outcome


_FIELD_OF: Final = {"unknown-forecast": "forecast", "plan-moved": "supersedes"}


def _broken_rule(r: Reading, means: Means, given: _Signed, before: Sequence[HeldPlan]) -> str | None:
    plan = given.plan
    if before and before[0].plan.owner != plan.owner:
        return "plan-of-another"
    if before and before[0].digest == given.digest:
        return None
    follows = (before[0].plan.version + 1, before[0].digest) if before else (1, None)
    if (plan.version, plan.supersedes) != follows:
        return "plan-moved"
    is_published = publications.find(r, Sort.FORECAST, plan.forecast, look_of(means, None)) is not None
    return None if is_published else "unknown-forecast"


def _view(held: HeldPlan) -> PlanView:
    flags = [ENFORCEMENT] if ENFORCED_GROUP in held.plan.offence_groups else []
    flags += [FORECAST_FLAGGED] if held.flags.then else []
    return PlanView(
        plan=held.plan,
        digest=held.digest,
        document=held.document,
        registered_at=held.registered_at,
        newest=held.is_newest,
        flagged=held.flags.then,
        flagged_since=held.flags.since,
        flags=tuple(flags),
    )

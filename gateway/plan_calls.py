"""Action plans as a member registers and reads them, over one ``Gateway``; each that is read bears its signature."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from contracts.action_plan import PLAN_KIND, ActionPlan, PlanFault, PlanView, Registered, SignedPlans
from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.errors import Refused
from contracts.federation import KeyPurpose, PublicKey
from contracts.signing import verify_compact
from gateway.analysis_calls import with_query
from gateway.client import Gateway
from gateway.plan_csv import Draft, read_plans
from gateway.plan_faults import fault, not_registered

PATH: Final = "/v1/action-plans"


@dataclass(slots=True)
class Prepared:
    """Plans that are ready to be signed, those that are registered as they are, and what is wrong with the others.

    ``total`` counts all that were given.
    """

    total: int
    plans: list[ActionPlan] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    faults: list[PlanFault] = field(default_factory=list)


def plans(
    gateway: Gateway, province: str | None = None, owner: str | None = None, as_of: datetime | None = None
) -> tuple[PlanView, ...]:
    """The newest version of every plan (by an instant), by province and identifier.

    Raises:
        Refused: ``signature-wrong``, ``key-unknown``, when a plan is not what its owner signed.
    """
    path = with_query(PATH, province=province, owner=owner, as_of=as_of)
    return _checked(gateway, gateway.get_all(path, PlanView, lambda each: each.plan.id))


def versions(gateway: Gateway, name: str, as_of: datetime | None = None) -> tuple[PlanView, ...]:
    """Every version of a plan, newest first.

    Raises:
        InvalidInput: ``unknown-publication``.
        Refused: As ``plans``.
    """
    path = with_query(f"{PATH}/{name}/versions", as_of=as_of)
    return _checked(gateway, gateway.get_all(path, PlanView, lambda each: str(each.plan.version)))


def register(gateway: Gateway, given: Sequence[ActionPlan]) -> Registered:
    """Sign plans with the own client key and register all of them, or none.

    Raises:
        Refused: ``plans-not-registered``, ``not-allowed``.
        InvalidInput: ``identity-in-register``, ``malformed-body``.
    """
    if not given:
        return Registered()
    documents = tuple(gateway.signed(each, PLAN_KIND).document for each in given)
    return gateway.post(f"{PATH}/batch", SignedPlans(documents=documents), Registered)


def send(gateway: Gateway, ready: Prepared, *, dry_run: bool = False) -> Registered:
    """Register prepared plans, if all of them are good; a dry run only says what would become of them.

    Raises:
        Refused: ``plans-not-registered``, naming every row and rule; nothing was sent then.
    """
    if ready.faults:
        raise not_registered(ready.faults, ready.total)
    changed = tuple(each.id for each in ready.plans if each.version > 1)
    new = tuple(each.id for each in ready.plans if each.version == 1)
    if not dry_run:
        register(gateway, ready.plans)
    return Registered(new=new, changed=changed, unchanged=tuple(ready.unchanged))


def prepared_file(gateway: Gateway, text: str) -> Prepared:
    """The plans of a CSV file, and everything that is wrong with it, in the order of its rows."""
    sheet = read_plans(text)
    ready = prepared(gateway, sheet.drafts.values())
    found = [*(fault(str(each.row), each.column, each.rule) for each in sheet.faults), *ready.faults]
    ready.faults = sorted(found, key=lambda each: int(each.place))
    return ready


def prepared(gateway: Gateway, drafts: Collection[Draft]) -> Prepared:
    """Each draft as the next version of its plan, checked by every rule that the gateway has, too."""
    known = {each.plan.id: each for each in plans(gateway)}
    forecasts = {each.id for each in gateway.forecasts()}
    ready = Prepared(len(drafts))
    for draft in drafts:
        before = known.get(str(draft.fields.get("id")))
        try:
            plan = _next(draft, gateway.agency, before)
        except ValidationError as error:
            ready.faults += _faults(draft, error)
            continue
        rule = _broken_rule(plan, before, forecasts)
        if rule is not None:
            ready.faults.append(fault(str(draft.row), *rule))
        elif before is not None and plan.says_the_same(before.plan):
            ready.unchanged.append(plan.id)
        else:
            ready.plans.append(plan)
    return ready


def _broken_rule(plan: ActionPlan, before: PlanView | None, forecasts: Collection[str]) -> tuple[str, str] | None:
    """The column and the rule that the register breaks, if it does."""
    if before is not None and before.plan.owner != plan.owner:
        return "id", "plan-of-another"
    return None if plan.forecast in forecasts else ("forecast", "unknown-forecast")


def _next(draft: Draft, owner: str, before: PlanView | None) -> ActionPlan:
    version = {"version": before.plan.version + 1, "supersedes": before.digest} if before else {"version": 1}
    return ActionPlan.model_validate({**draft.value, "owner": owner, **version})


def _faults(draft: Draft, error: ValidationError) -> list[PlanFault]:
    found = error.errors(include_url=False, include_input=False)
    return [fault(str(draft.row_of(each["loc"])), _column(each["loc"]), each["type"]) for each in found]


def _column(where: Sequence[int | str]) -> str:
    """The column of a field: ``target.words.th`` is ``target_th``, ``activities.0.day`` is ``activity_day``."""
    names = [each for each in where if isinstance(each, str) and each != "words"]
    return "_".join("activity" if each == "activities" else each for each in names) or "plan"


def _checked(gateway: Gateway, views: tuple[PlanView, ...]) -> tuple[PlanView, ...]:
    for each in views:
        _check(gateway, each)
    return views


def _check(gateway: Gateway, view: PlanView) -> None:
    """What the gateway shows is what its owner signed, under a key that was valid when it was registered."""

    def key(kid: str) -> PublicKey | None:
        return gateway.federation.key(kid, KeyPurpose.CLIENT, view.registered_at)

    signed = verify_compact(view.document, PLAN_KIND, key)
    (kid,) = signed.signers
    is_own = kid.partition("#")[0] == view.plan.owner and digest_of_bytes(signed.payload) == view.digest
    if not is_own or canonical_bytes(view.plan) != signed.payload:
        raise Refused("signature-wrong", why=f"plan {view.plan.id} is not what its owner signed")

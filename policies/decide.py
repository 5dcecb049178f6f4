"""May this request be answered? The one place where Cedar is asked; gateway and connectors both call it.

It fails closed. Cedar skips a policy that errors, and a skipped ``forbid`` is an open door: any error denies.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files

from cedarpy import Decision, PolicySet, Schema, is_authorized

from contracts.agreement import Activity, Agreement
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.lifecycle import AgreementState
from contracts.request import Request
from contracts.standing import Standing
from contracts.values import Value

BANGKOK = timedelta(hours=7)


class Permit(Value):
    """The request may be answered, under this activity's terms."""

    activity: Activity


class Denial(Value):
    """The request may not be answered; ``reasons`` names every rule that said no, as error codes, sorted."""

    reasons: tuple[str, ...]


def decide(
    request: Request,
    agreement: Agreement,
    *,
    standing: Standing,
    contracts: Sequence[DatasetContract],
    asking_agency: str,
    now: datetime,
) -> Permit | Denial:
    """Decide for each contract of the request; all must allow it.

    Args:
        request: What is asked.
        agreement: The agreement that the request names.
        standing: What holds at this moment, as the caller's program knows it.
        contracts: The request's contracts, or those of them that the caller knows; at least one.
        asking_agency: The owner of the key that signed the request.
        now: The time of the decision.

    Raises:
        InvalidInput: ``unknown-activity``; ``unknown-contract`` when there is no contract to decide about.
    """
    activity = agreement.activity(request.activity)
    if activity is None:
        raise InvalidInput("unknown-activity", agreement=agreement.id, activity=request.activity)
    if not contracts:
        raise InvalidInput("unknown-contract", contract=", ".join(ref.id for ref in request.contracts))
    entity = _activity_entity(activity, agreement, standing)
    reasons = {
        reason
        for contract in contracts
        for reason in _denials(_question(request, activity, contract, asking_agency, now), [entity, _entity(contract)])
    }
    if asking_agency != request.requester:
        reasons.add("requester-not-party")
    return Denial(reasons=tuple(sorted(reasons))) if reasons else Permit(activity=activity)


def _denials(question: dict[str, object], entities: list[dict[str, object]]) -> list[str]:
    answer = is_authorized(question, _policies(), entities, schema=_schema())
    if answer.diagnostics.errors:
        return ["policy-error"]
    if answer.decision is Decision.Allow:
        return []
    return sorted(answer.diagnostics.id_annotations_by_reason.values()) or ["no-rule-allows-this"]


def _question(
    request: Request, activity: Activity, contract: DatasetContract, asking_agency: str, now: datetime
) -> dict[str, object]:
    return {
        "principal": f'Agency::"{asking_agency}"',
        "action": 'Action::"ask"',
        "resource": f'Activity::"{activity.id}"',
        "context": {
            "now": _instant(now),
            "contract": {"__entity": {"type": "Contract", "id": contract.digest}},
            "purpose": request.purpose,
            "measures": list(request.query.measures),
            "dimensions": sorted({*request.query.dimensions, *request.query.where}),
            "nanoRho": request.nano_rho,
        },
    }


def _activity_entity(activity: Activity, agreement: Agreement, standing: Standing) -> dict[str, object]:
    return {
        "uid": {"type": "Activity", "id": activity.id},
        "attrs": {
            "agreementActive": standing.agreement is AgreementState.ACTIVE,
            "from": _midnight(agreement.period.start),
            "until": _midnight(agreement.period.until),
            "requester": {"__entity": {"type": "Agency", "id": agreement.requester}},
            "purpose": activity.purpose,
            "legalBasis": list(activity.legal_basis),
            "contracts": [ref.digest for ref in activity.contracts],
            "measures": list(activity.measures),
            "dimensions": list(activity.dimensions),
            "tier": activity.tier.value,
            "nanoRhoPerRequest": activity.nano_rho_per_request,
        },
        "parents": [],
    }


def _entity(contract: DatasetContract) -> dict[str, object]:
    return {
        "uid": {"type": "Contract", "id": contract.digest},
        "attrs": {
            "digest": contract.digest,
            "purposes": list(contract.purposes),
            "legalBasis": list(contract.legal_basis),
            "tiers": [tier.value for tier in contract.tiers],
        },
        "parents": [],
    }


def _midnight(day: date) -> dict[str, object]:
    """The first instant of a Bangkok day."""
    return _instant(datetime(day.year, day.month, day.day, tzinfo=UTC) - BANGKOK)


def _instant(moment: datetime) -> dict[str, object]:
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"__extn": {"fn": "datetime", "arg": text}}


@cache
def _policies() -> PolicySet:
    return PolicySet.from_str(files("policies").joinpath("exchange.cedar").read_text(encoding="utf-8"))


@cache
def _schema() -> Schema:
    return Schema.from_str(files("policies").joinpath("schema.cedarschema").read_text(encoding="utf-8"))

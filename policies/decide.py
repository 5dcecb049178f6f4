"""May this request be answered? The gateway and the connector both call it, each with its own copy of the rules."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, TypedDict

from cedarpy import Entities

from contracts.agreement import Activity, Agreement, Approval
from contracts.canonical import digest_of
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.lifecycle import AgreementState
from contracts.remembered import Memory, remembered
from contracts.request import Request
from contracts.standing import Standing
from contracts.values import Value
from policies.rules import EXCHANGE, Entity, Question, Rules, installed

BANGKOK = timedelta(hours=7)
PREPARED = 1024
"""How many pairs of activity and contracts are kept prepared."""


class Permit(Value):
    """The request may be answered, under this activity's terms."""

    activity: Activity


class Denial(Value):
    """The request may not be answered; ``reasons`` names every rule that said no, as error codes, sorted."""

    reasons: tuple[str, ...]


class Details(TypedDict):
    """Names that the texts of a denial mention."""

    agreement: str
    contract: str
    tier: str


class _Terms(NamedTuple):
    """What an activity allows, in the words of the schema."""

    id: str
    requester: str
    period: tuple[date, date]
    purpose: str
    legal_basis: tuple[str, ...]
    contracts: tuple[str, ...]
    measures: tuple[str, ...]
    dimensions: tuple[str, ...]
    families: tuple[str, ...]
    tier: str
    nano_rho_per_request: int
    nano_rho_in_all: int | None
    requests_in_span: int | None
    approves_each: bool
    needs_decision: bool
    has_decision: bool


class _Offer(NamedTuple):
    """What a contract allows, in the words of the schema."""

    digest: str
    purposes: tuple[str, ...]
    legal_basis: tuple[str, ...]
    tiers: tuple[str, ...]


_known_terms: Final = Memory[_Terms]()


def decide(  # noqa: PLR0913  # the question, the terms, the moment and the rules: each is a fact of its own
    request: Request,
    agreement: Agreement,
    *,
    standing: Standing,
    contracts: Sequence[DatasetContract],
    asking_agency: str,
    now: datetime,
    rules: Rules | None = None,
) -> Permit | Denial:
    """Decide for each contract of the request; all must allow it.

    Args:
        request: What is asked.
        agreement: The agreement that the request names.
        standing: What holds at this moment, as the caller's program knows it.
        contracts: The request's contracts, or those of them that the caller knows; at least one.
        asking_agency: The owner of the key that signed the request.
        now: The time of the decision.
        rules: The rules to decide by; those of this program unless given.

    Raises:
        InvalidInput: ``unknown-activity``; ``unknown-contract`` when there is no contract to decide about.
    """
    activity = agreement.activity(request.activity)
    if activity is None:
        raise InvalidInput("unknown-activity", agreement=agreement.id, activity=request.activity)
    if not contracts:
        raise InvalidInput("unknown-contract", contract=", ".join(ref.id for ref in request.contracts))
    rules = rules or installed()
    asked = questions(request, activity, contracts, standing, asking_agency, now)
    reasons = set(rules.denials(EXCHANGE, asked, prepared(rules, activity, agreement, contracts)))
    if asking_agency != request.requester:
        reasons.add("requester-not-party")
    return Denial(reasons=tuple(sorted(reasons))) if reasons else Permit(activity=activity)


def details(request: Request, agreement: Agreement) -> Details:
    """The names that the texts of a denial mention."""
    activity = agreement.activity(request.activity)
    return Details(
        agreement=agreement.id,
        contract=", ".join(ref.id for ref in request.contracts),
        tier="-" if activity is None else activity.tier.value,
    )


def prepared(
    rules: Rules, activity: Activity, agreement: Agreement, contracts: Sequence[DatasetContract]
) -> Entities | None:
    """What was agreed and what is offered, in the words of the schema; none when it does not fit."""
    terms = _known_terms.of((activity, agreement), None, lambda: _terms(activity, agreement))
    return _entities(rules, terms, tuple(map(_offer, contracts)))


def questions(
    request: Request,
    activity: Activity,
    contracts: Sequence[DatasetContract],
    standing: Standing,
    asking_agency: str,
    now: datetime,
) -> list[Question]:
    """What is asked of the rules, in the words of the schema: one question for each contract."""
    asked: dict[str, object] = {
        "now": int(now.timestamp()),
        "purpose": request.purpose,
        "measures": list(request.query.measures),
        "dimensions": sorted({*request.query.dimensions, *request.query.where}),
        "nanoRho": request.nano_rho,
    }
    # Each attribute costs time: what the activity sets no limit to is not told.
    if activity.nano_rho_in_all is not None:
        asked["nanoRhoSpent"] = standing.nano_rho_spent
    if activity.schedule is not None:
        asked["askedInSpan"] = standing.asked_in_span
    if request.query.family is not None:
        asked["family"] = digest_of(request.query.family)
    return [
        {
            "principal": {"type": "Agency", "id": asking_agency},
            "action": {"type": "Action", "id": "ask"},
            "resource": {"type": "Use", "id": contract.digest},
            "context": asked | _facts(standing, asking_agency, contract),
        }
        for contract in contracts
    ]


def _facts(standing: Standing, asking_agency: str, contract: DatasetContract) -> dict[str, object]:
    """What holds; what does not hold is not told, because each attribute costs time."""
    suspended = standing.suspended
    holds = {
        "agreementActive": standing.agreement is AgreementState.ACTIVE,
        "atAgency": standing.at_agency,
        "officerApproved": standing.officer_approved,
        "requesterSuspended": suspended.covers(asking_agency),
        "holderSuspended": suspended.covers(contract.agency),
        "datasetSuspended": suspended.covers(contract.agency, contract.id) and not suspended.covers(contract.agency),
        "contractRetired": contract.digest in standing.retired,
    }
    return {name: True for name, is_so in holds.items() if is_so}


def _terms(activity: Activity, agreement: Agreement) -> _Terms:
    return _Terms(
        id=activity.id,
        requester=agreement.requester,
        period=(agreement.period.start, agreement.period.until),
        purpose=activity.purpose,
        legal_basis=activity.legal_basis,
        contracts=tuple(ref.digest for ref in activity.contracts),
        measures=activity.measures,
        dimensions=activity.dimensions,
        families=tuple(digest_of(family) for family in activity.families),
        tier=activity.tier.value,
        nano_rho_per_request=activity.nano_rho_per_request,
        nano_rho_in_all=activity.nano_rho_in_all,
        requests_in_span=activity.schedule.requests if activity.schedule else None,
        approves_each=activity.approval is Approval.EACH,
        needs_decision=activity.needs_policy_decision,
        has_decision=activity.policy_decision is not None,
    )


@remembered
def _offer(contract: DatasetContract) -> _Offer:
    tiers = tuple(tier.value for tier in contract.tiers)
    return _Offer(contract.digest, contract.purposes, contract.legal_basis, tiers)


@lru_cache(maxsize=PREPARED)
def _entities(rules: Rules, terms: _Terms, offers: tuple[_Offer, ...]) -> Entities | None:
    """The activity and its contracts, prepared; kept by their whole content, never by a name."""
    entities = [_activity_entity(terms)]
    for offer in dict.fromkeys(offers):
        entities += [_contract_entity(offer), _use_entity(terms, offer)]
    return rules.entities(entities)


def _activity_entity(terms: _Terms) -> Entity:
    start, until = terms.period
    attrs: dict[str, object] = {
        "from": _midnight(start),
        "until": _midnight(until),
        "requester": {"__entity": {"type": "Agency", "id": terms.requester}},
        "purpose": terms.purpose,
        "legalBasis": terms.legal_basis,
        "contracts": terms.contracts,
        "measures": terms.measures,
        "dimensions": terms.dimensions,
        "tier": terms.tier,
        "nanoRhoPerRequest": terms.nano_rho_per_request,
        "approvesEach": terms.approves_each,
        "needsDecision": terms.needs_decision,
        "hasDecision": terms.has_decision,
    }
    if terms.families:
        attrs["families"] = terms.families
    if terms.nano_rho_in_all is not None:
        attrs["nanoRhoInAll"] = terms.nano_rho_in_all
    if terms.requests_in_span is not None:
        attrs["requestsInSpan"] = terms.requests_in_span
    return {"uid": {"type": "Activity", "id": terms.id}, "attrs": attrs, "parents": []}


def _contract_entity(offer: _Offer) -> Entity:
    attrs = {
        "digest": offer.digest,
        "purposes": offer.purposes,
        "legalBasis": offer.legal_basis,
        "tiers": offer.tiers,
    }
    return {"uid": {"type": "Contract", "id": offer.digest}, "attrs": attrs, "parents": []}


def _use_entity(terms: _Terms, offer: _Offer) -> Entity:
    attrs = {
        "activity": {"__entity": {"type": "Activity", "id": terms.id}},
        "contract": {"__entity": {"type": "Contract", "id": offer.digest}},
    }
    return {"uid": {"type": "Use", "id": offer.digest}, "attrs": attrs, "parents": []}


def _midnight(day: date) -> int:
    """The first instant of a Bangkok day."""
    return int((datetime(day.year, day.month, day.day, tzinfo=UTC) - BANGKOK).timestamp())

"""Do the terms of an agreement fit what its agencies offer? Whatever does not is named by rule and place.

An agreement can only narrow what a contract offers. The policies look again at each request; here a mistake is said
before anybody signs it.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from pydantic import ValidationError

from contracts.agreement import Activity, Agreement
from contracts.canonical import canonical_bytes
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput, Refused
from contracts.lifecycle import BANGKOK, ends_at
from gateway.retirement import check_not_retired
from gateway.store import registry
from gateway.store.engine import Reading


def read_text(text: str) -> Agreement:
    """The agreement in its canonical text.

    Raises:
        InvalidInput: ``agreement-invalid`` with the rule ``period`` when it ends before it begins, ``parties-differ``
            or ``form``; ``not-canonical``.
    """
    try:
        agreement = Agreement.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or part.isidentifier())
        rules = {"period": "period", "": "parties-differ"} if first["type"] == "value_error" else {}
        raise InvalidInput("agreement-invalid", rule=rules.get(where, "form"), where=where or "agreement") from error
    if canonical_bytes(agreement) != text.encode():
        raise InvalidInput("not-canonical")
    return agreement


def check_terms(r: Reading, agreement: Agreement, now: datetime) -> None:
    """Refuse terms that no request could ever fit.

    Raises:
        InvalidInput: ``agreement-invalid`` naming the first broken rule; ``unknown-contract``.
        Refused: ``contract-retired``, ``policy-decision-to-come``.
    """
    refs = {ref.digest: ref for each in agreement.activities for ref in each.contracts}
    known = registry.contracts_by_digest(r, refs)
    for ref in refs.values():
        if ref.digest not in known or known[ref.digest].reference != ref:
            raise InvalidInput("unknown-contract", contract=f"{ref.id} {ref.version}")
    for rule, where in broken_rules(agreement, known, now):
        raise InvalidInput("agreement-invalid", rule=rule, where=where)
    check_not_retired(r, refs.values())
    check_decisions(agreement, now)


def check_decisions(agreement: Agreement, now: datetime) -> None:
    """Refuse a policy decision that nobody can have taken yet.

    Raises:
        Refused: ``policy-decision-to-come``, when one is dated after today in Bangkok.
    """
    today = (now.astimezone(UTC) + BANGKOK).date()
    for each in agreement.activities:
        if each.policy_decision is not None and each.policy_decision.decided_on > today:
            raise Refused("policy-decision-to-come", activity=each.id)


def broken_rules(
    agreement: Agreement, contracts: Mapping[str, DatasetContract], now: datetime
) -> Iterator[tuple[str, str]]:
    """Each broken rule and where, in the order of the text.

    Args:
        agreement: The proposed text.
        contracts: Every contract that it cites, by digest.
        now: The present; a period that is over serves nobody.
    """
    if now >= ends_at(agreement):
        yield "period-is-over", "period.until"
    holders = {each.agency for each in contracts.values()}
    for agency in sorted(set(agreement.providers) ^ holders):
        yield "providers-are-the-contracts-agencies", f"providers: {agency}"
    for activity in agreement.activities:
        for ref in activity.contracts:
            yield from _not_offered(activity, contracts[ref.digest])


def _not_offered(activity: Activity, contract: DatasetContract) -> Iterator[tuple[str, str]]:
    offered = {each.name for each in contract.dimensions}
    lacking = [
        *(("purpose-offered", each) for each in (activity.purpose,) if each not in contract.purposes),
        *(("legal-basis-offered", each) for each in activity.legal_basis if each not in contract.legal_basis),
        *(("measure-offered", each) for each in activity.measures if not contract.offers(each)),
        *(("dimension-offered", each) for each in activity.dimensions if each not in offered),
        *(("family-offered", each) for each in _axes(activity) if each not in offered),
        *(("tier-offered", each.value) for each in (activity.tier,) if each not in contract.tiers),
    ]
    if activity.nano_rho_per_request > contract.privacy.nano_rho_per_window:
        lacking.append(("price-within-budget", str(activity.nano_rho_per_request)))
    for rule, what in lacking:
        yield rule, f"{activity.id}: {what} ({contract.id} {contract.version})"


def _axes(activity: Activity) -> list[str]:
    """Every axis of every table of an activity's families."""
    return sorted({name for family in activity.families for table in family.tables for name in table.by})

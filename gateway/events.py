"""What the log says of each thing that happens, one function for each kind of entry.

In clear: agencies, activity, question, tier and cost. Who asked, and what a connector gave, stand only as commitments:
SHA-256 over a 256-bit secret salt and the digest, so that nobody tries figures until one fits.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from contracts.action_plan import ActionPlan
from contracts.analysis import Analysis
from contracts.canonical import digest_of
from contracts.dataset import DatasetContract
from contracts.forecast import Forecast
from contracts.release import ReleaseBody, Withdrawal
from contracts.retirement import ContractRetirement
from contracts.task import Charge
from contracts.transparency import EventKind, LogEntry
from gateway.question import Asked, question_text
from gateway.store.log import Event, Opening
from gateway.store.requests import HeldRequest
from policies.rules import installed

SALT_BYTES = 32

Entropy = Callable[[int], bytes]
"""So many random bytes from the operating system."""


def sealed(name: str, digest: str, entropy: Entropy) -> Opening:
    """A fresh salt for a digest that the log shall commit to."""
    return Opening(name=name, salt=entropy(SALT_BYTES).hex(), digest=digest)


def commitment(opening: Opening) -> str:
    """What the log shows of it."""
    return f"sha-256:{hashlib.sha256(bytes.fromhex(opening.salt) + opening.digest.encode()).hexdigest()}"


def requested(asked: Asked, client: str, now: datetime, entropy: Entropy) -> Event:
    """A permitted request, before any agency hears of it, and the digest of the policies that permitted it."""
    seals = (sealed("client", digest_of(client), entropy), sealed("request", asked.digest, entropy))
    return _event(EventKind.DATA_REQUESTED, asked, now, {"policy": installed().digest}, seals)


def denied(asked: Asked, client: str, reasons: Sequence[str], now: datetime, entropy: Entropy) -> Event:
    """A request that the rules refuse, with every rule that said no and the digest of those policies."""
    seals = (sealed("client", digest_of(client), entropy), sealed("request", asked.digest, entropy))
    more = {"reasons": ",".join(reasons), "policy": installed().digest}
    return _event(EventKind.DATA_REFUSED, asked, now, more, seals)


def refused(asked: Asked, reasons: Sequence[str], charges: Sequence[Charge], now: datetime) -> Event:
    """A request that was refused after it was received: by the budget or by a connector."""
    return _event(EventKind.DATA_REFUSED, asked, now, {"reasons": ",".join(reasons)}, charges=charges)


def refused_unread(held: HeldRequest, reasons: Sequence[str], now: datetime) -> Event:
    """A request that was received and no longer fits the registry, so that only whose it was can be said of it."""
    return Event(_entry(EventKind.DATA_REFUSED, now, held.agency, held.id, {"reasons": ",".join(reasons)}))


def repeated(asked: Asked, release: str, release_digest: str, now: datetime, *, published: bool) -> Event:
    """A request that got a release which existed before; ``published`` when everybody may read it from now on."""
    more = {"release": release, "release_digest": release_digest} | ({"public": "true"} if published else {})
    return _event(EventKind.RELEASE_REPEATED, asked, now, more)


def released(asked: Asked, body: ReleaseBody, release_digest: str, seals: Sequence[Opening]) -> Event:
    """A release; ``seals`` commit to the connectors' parts."""
    facts = _facts(asked) | {"request": asked.request.id, "release_digest": release_digest}
    entry = LogEntry(
        kind=EventKind.DATA_RELEASED,
        at=body.created,
        agency=body.requester,
        subject=body.id,
        facts=facts,
        charges=body.charges,
        commitments=_commitments(seals),
    )
    return Event(entry, tuple(seals))


def withdrawn(withdrawal: Withdrawal, agency: str, now: datetime) -> Event:
    """A release that is no longer to be relied on."""
    facts = {"state": withdrawal.state.value, "reason": withdrawal.reason}
    if withdrawal.replaced_by is not None:
        facts["replaced_by"] = withdrawal.replaced_by
    return Event(_entry(EventKind.RELEASE_WITHDRAWN, now, agency, withdrawal.release, facts))


def contract_published(contract: DatasetContract, now: datetime, changes: Mapping[str, str] | None = None) -> Event:
    """A dataset contract; ``changes`` say what is new against the version before it."""
    facts = {"version": contract.version, "digest": contract.digest, "source": contract.source} | dict(changes or {})
    return Event(_entry(EventKind.CONTRACT_PUBLISHED, now, contract.agency, contract.id, facts))


def contract_retired(retirement: ContractRetirement, now: datetime) -> Event:
    """A dataset contract that its agency took back for good."""
    reference = retirement.reference
    facts = {"version": reference.version, "digest": reference.digest, "reason": retirement.reason}
    return Event(_entry(EventKind.CONTRACT_RETIRED, now, retirement.agency, reference.id, facts))


def forecast_published(forecast: Forecast, digest: str, agency: str, now: datetime) -> Event:
    """A forecast and the releases that it was made from."""
    cited = ",".join(sorted({each.release for each in forecast.citations}))
    facts = {"digest": digest, "model": forecast.model, "releases": cited}
    return Event(_entry(EventKind.FORECAST_PUBLISHED, now, agency, forecast.id, facts))


def analysis_published(analysis: Analysis, digest: str, agency: str, now: datetime) -> Event:
    """An analysis, for everybody or not, and the releases that it was made from."""
    cited = ",".join(sorted({each.release for each in analysis.citations}))
    shown = "true" if analysis.report.public else "false"
    facts = {"digest": digest, "kind": analysis.report.kind.value, "public": shown, "releases": cited}
    return Event(_entry(EventKind.ANALYSIS_PUBLISHED, now, agency, analysis.id, facts))


def plan_registered(plan: ActionPlan, digest: str, now: datetime) -> Event:
    """A version of a province's action plan."""
    facts = {"digest": digest, "version": str(plan.version), "province": plan.province, "forecast": plan.forecast}
    if plan.supersedes is not None:
        facts["supersedes"] = plan.supersedes
    return Event(_entry(EventKind.PLAN_REGISTERED, now, plan.owner, plan.id, facts))


def _event(
    kind: EventKind,
    asked: Asked,
    now: datetime,
    more: dict[str, str],
    seals: Sequence[Opening] = (),
    charges: Sequence[Charge] = (),
) -> Event:
    entry = LogEntry(
        kind=kind,
        at=now,
        agency=asked.request.requester,
        subject=asked.request.id,
        facts=_facts(asked) | more,
        charges=tuple(charges),
        commitments=_commitments(seals),
    )
    return Event(entry, tuple(seals))


def _facts(asked: Asked) -> dict[str, str]:
    return {
        "agencies": ",".join(sorted({each.agency for each in asked.contracts})),
        "agreement": asked.request.agreement,
        "agreement_digest": asked.request.agreement_digest,
        "activity": asked.request.activity,
        "purpose": asked.request.purpose,
        "tier": asked.activity.tier.value,
        "contracts": ",".join(each.digest for each in asked.contracts),
        "question": question_text(asked.request.query),
        "nano_rho": str(asked.request.nano_rho),
    }


def _entry(kind: EventKind, now: datetime, agency: str | None, subject: str, facts: Mapping[str, str]) -> LogEntry:
    return LogEntry(kind=kind, at=now, agency=agency, subject=subject, facts=dict(facts))


def _commitments(seals: Sequence[Opening]) -> dict[str, str]:
    return {each.name: commitment(each) for each in seals}

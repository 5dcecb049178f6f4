"""Builders of valid values, so that a test names only what it is about. Every field can be overridden by keyword."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from contracts.agreement import Activity, Agreement
from contracts.canonical import digest_of
from contracts.dataset import (
    ContractRef,
    DatasetContract,
    Dimension,
    Grain,
    MeasureColumn,
    PrivacyTerms,
    ProtectAt,
    ProtectedUnit,
    Text,
    Tier,
)
from contracts.federation import Federation, KeyPurpose, Member, PublicKey
from contracts.keys import SoftwareKey, new_key
from contracts.periods import Period
from contracts.query import Query
from contracts.request import Request
from contracts.task import Part, PartMeasure

NOW = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
"""The instant at which tests happen unless they say otherwise: 10 o'clock in Bangkok."""

ISSUER = "https://gateway.example"
ACTIVITY = "monthly-risk"
OPERATOR = "oja"
"""The member that runs the gateway, and the requester of the demo agreement."""

PURPOSES_OF: dict[str, tuple[KeyPurpose, ...]] = {
    "oja": (
        KeyPurpose.CLIENT,
        KeyPurpose.OFFICER,
        KeyPurpose.OFFICER,
        KeyPurpose.GATEWAY,
        KeyPurpose.TOKEN,
        KeyPurpose.LOG,
    ),
    "ccib": (KeyPurpose.CONNECTOR, KeyPurpose.OFFICER, KeyPurpose.OFFICER, KeyPurpose.STEWARD, KeyPurpose.DPO),
    "rtp": (KeyPurpose.CONNECTOR, KeyPurpose.OFFICER, KeyPurpose.OFFICER, KeyPurpose.STEWARD, KeyPurpose.DPO),
    "dop": (KeyPurpose.CONNECTOR, KeyPurpose.OFFICER, KeyPurpose.OFFICER, KeyPurpose.STEWARD, KeyPurpose.DPO),
}


def text(en: str, th: str = "ข้อความ") -> Text:
    """A text in both languages."""
    return Text(th=th, en=en)


def dimension(
    name: str, values: Iterable[str] = (), grain: Grain | None = None, column: str | None = None
) -> Dimension:
    """A dimension; of a time grain it reads ``event_time``."""
    source = column or ("event_time" if grain else name)
    return Dimension(name=name, title=text(name), column=source, grain=grain, values=tuple(values))


DIMENSIONS = (
    dimension("month", grain=Grain.MONTH),
    dimension("province", ("10", "50", "90")),
    dimension("case_type", ("romance_scam", "shopping_scam", "call_center")),
    dimension("hour", grain=Grain.HOUR),
)


def contract(**changes: object) -> DatasetContract:
    """A small contract like tpo_complaint's; its digest is that of its content, so a change gives another digest.

    Beside its fields: ``protect_at``, ``rows_per_window``, ``nano_rho_per_window`` and ``delta`` reach into its parts.
    """
    unit = {"person": text("victim"), "column": "victim_key", "rows_per_window": changes.pop("rows_per_window", 2)}
    privacy = {
        "protect_at": changes.pop("protect_at", ProtectAt.GATEWAY),
        "nano_rho_per_window": changes.pop("nano_rho_per_window", 1_000_000_000),
        "delta": changes.pop("delta", "1e-6"),
    }
    name = changes.get("id", "tpo_complaint")
    fields: dict[str, object] = {
        "id": name,
        "version": "1.0.0",
        "agency": "ccib",
        "source": f"{changes.get('agency', 'ccib')}/{name}",
        "title": text("Online complaints", "แจ้งความออนไลน์"),
        "table": name,
        "row_key": "complaint_id",
        "event_time": "event_time",
        "unit": ProtectedUnit.model_validate(unit),
        "dimensions": DIMENSIONS,
        "measure_columns": (damage(),),
        "max_dimensions": 4,
        "first_month": "2021-10",
        "last_month": "2026-09",
        "purposes": ("crime-prevention",),
        "legal_basis": ("pdpa-24-4",),
        "tiers": (Tier.STATISTICS,),
        "privacy": PrivacyTerms.model_validate(privacy),
        **changes,
    }
    if "digest" not in fields:
        draft = DatasetContract.model_validate({**fields, "digest": f"sha-256:{'0' * 64}"})
        fields["digest"] = digest_of(draft)
    return DatasetContract.model_validate(fields)


def damage(**changes: object) -> MeasureColumn:
    """The measurable column ``damage_thb``, clamped to 0..100,000 baht."""
    fields: dict[str, object] = {
        "column": "damage_thb",
        "title": text("damage"),
        "kinds": ("sum", "mean"),
        "clamp": (0, 100_000),
        "unit": "THB",
    }
    return MeasureColumn.model_validate(fields | changes)


def period(start: str = "2025-10-01", until: str = "2026-01-01") -> Period:
    """A half-open period; the last quarter of 2025, the first of fiscal year 2569."""
    return Period.model_validate({"from": date.fromisoformat(start), "until": date.fromisoformat(until)})


def query(**changes: object) -> Query:
    """Counts by month and province over one quarter."""
    fields: dict[str, object] = {
        "measures": ("count",),
        "dimensions": ("month", "province"),
        "where": {},
        "period": period(),
    }
    return Query.model_validate(fields | changes)


def part(answered: DatasetContract, *measures: PartMeasure) -> Part:
    """A part that answers for a contract, of a task that nobody gave."""
    return Part(
        task="TASK-1",
        task_digest=answered.digest,
        agency=answered.agency,
        contract=answered.reference,
        request_digest=answered.digest,
        data_version=1,
        charged=True,
        measures=measures,
        finished=NOW,
    )


def activity(contracts: Iterable[DatasetContract] = (), /, **changes: object) -> Activity:
    """An activity over those contracts that allows everything the default contract offers."""
    fields: dict[str, object] = {
        "id": ACTIVITY,
        "title": text("Monthly risk"),
        "purpose": "crime-prevention",
        "legal_basis": ("pdpa-24-4",),
        "contracts": _references(contracts),
        "measures": ("count", "damage_thb:sum", "damage_thb:mean"),
        "dimensions": ("month", "province", "case_type", "hour"),
        "nano_rho_per_request": 100_000_000,
        "publish": True,
    }
    return Activity.model_validate(fields | changes)


def agreement(contracts: Iterable[DatasetContract] = (), /, **changes: object) -> Agreement:
    """An agreement of oja with the agencies of those contracts, over one activity."""
    covered = tuple(contracts) or (contract(),)
    fields: dict[str, object] = {
        "id": "AGR-2569-001",
        "version": 1,
        "requester": OPERATOR,
        "providers": tuple(dict.fromkeys(each.agency for each in covered)),
        "drafted_by": "oja#officer-1",
        "activities": (activity(covered),),
        "period": period("2025-10-01", "2026-10-01"),
        "retention_days": 365,
    }
    return Agreement.model_validate(fields | changes)


def signers_of(agreed: Agreement) -> tuple[str, ...]:
    """Who signs an agreement that the requester's first officer drafted: its second, and each provider's two people."""
    providers = (f"{agency}#{purpose}-1" for agency in agreed.providers for purpose in ("officer", "dpo"))
    return (f"{agreed.requester}#officer-2", *providers)


def request(agreed: Agreement | None = None, asked: Query | None = None, /, **changes: object) -> Request:
    """A request under the first activity of an agreement, for its contracts, made now."""
    agreed = agreed or agreement()
    first = agreed.activities[0]
    fields: dict[str, object] = {
        "id": "REQ-0001",
        "gateway": ISSUER,
        "requester": agreed.requester,
        "agreement": agreed.id,
        "agreement_digest": digest_of(agreed),
        "activity": first.id,
        "purpose": first.purpose,
        "contracts": first.contracts,
        "query": asked or query(),
        "nano_rho": 50_000_000,
        "created": NOW,
        "deliver_until": NOW + timedelta(days=1),
    }
    return Request.model_validate(fields | changes)


@dataclass(frozen=True, slots=True)
class Keys:
    """A federation and every private key in it."""

    federation: Federation
    signing: dict[str, SoftwareKey]

    def __getitem__(self, kid: str) -> SoftwareKey:
        """The private key of that name."""
        return self.signing[kid]

    def resolve(self, purpose: KeyPurpose, at: datetime = NOW) -> Callable[[str], PublicKey | None]:
        """What verifiers take: the key of a key id if it may sign for that purpose at that instant."""
        return lambda kid: self.federation.key(kid, purpose, at)


def federation(
    purposes_of: dict[str, tuple[KeyPurpose, ...]] | None = None,
    *,
    valid_from: datetime = NOW - timedelta(days=365),
    valid_until: datetime = NOW + timedelta(days=3650),
    **changes: object,
) -> Keys:
    """A federation of oja, ccib, rtp and dop with one key for each of their purposes: ``oja#client-1``.

    Of officers each has two, so that one drafts (``officer-1``) and the other signs.
    """
    signing: dict[str, SoftwareKey] = {}
    members = []
    for agency, purposes in (purposes_of or PURPOSES_OF).items():
        keys = []
        for place, purpose in enumerate(purposes):
            key = signing_key(f"{agency}#{purpose.value}-{purposes[: place + 1].count(purpose)}")
            signing[key.kid] = key
            keys.append(key.public_key(purpose, valid_from, valid_until))
        members.append(Member(agency=agency, title=text(agency), keys=tuple(keys)))
    fields: dict[str, object] = {"gateway": ISSUER, "operator": OPERATOR, "members": tuple(members)}
    return Keys(Federation.model_validate(fields | changes), signing)


@cache
def signing_key(kid: str) -> SoftwareKey:
    """The key of that name, the same one throughout a test run."""
    return new_key(kid)


def _references(contracts: Iterable[DatasetContract]) -> tuple[ContractRef, ...]:
    return tuple(each.reference for each in contracts) or (contract().reference,)

"""What was published and agreed: dataset contracts and agreements, each as it was signed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from contracts.agreement import Agreement
from contracts.dataset import DatasetContract
from contracts.lifecycle import AgreementState
from contracts.views import AgreementView, PublishedContract
from gateway.store.engine import AnyRow, AnySelect, Reading, Transaction
from gateway.store.log import Event, append
from gateway.store.tables import agreement_parties, agreements, contracts


@dataclass(frozen=True, slots=True)
class HeldAgreement:
    """An agreement, its document and who signed it: ``signed_by`` gives each party's key, or none so far."""

    agreement: Agreement
    digest: str
    document: str
    signed_by: Mapping[str, str | None]
    active: bool

    @property
    def state(self) -> AgreementState:
        """Where it stands."""
        return AgreementState.ACTIVE if self.active else AgreementState.SUBMITTED

    def view(self) -> AgreementView:
        """The agreement as members see it."""
        signers = tuple(sorted(kid for kid in self.signed_by.values() if kid is not None))
        return AgreementView(
            agreement=self.agreement,
            digest=self.digest,
            document=self.document,
            signed_by=signers,
            required=self.agreement.parties,
            active=self.active,
            state=self.state,
        )


def add_contract(t: Transaction, contract: DatasetContract, document: str, now: datetime, event: Event) -> bool:
    """Publish a contract; whether it is new. Another text under the same version is not written, and not new."""
    row = {
        "digest": contract.digest,
        "id": contract.id,
        "version": contract.version,
        "agency": contract.agency,
        "source": contract.source,
        "budget": contract.privacy.nano_rho_per_window,
        "document": document,
        "terms": contract.model_dump_json(by_alias=True),
        "published_at": now,
    }
    if not t.add_new(contracts, row):
        return False
    append(t, event)
    return True


def contract(r: Reading, digest: str) -> DatasetContract | None:
    """The published contract of that digest."""
    row = r.one(select(contracts.c.terms).where(contracts.c.digest == digest))
    return DatasetContract.model_validate_json(row.terms) if row else None


def all_contracts(r: Reading) -> tuple[DatasetContract, ...]:
    """Every published contract, oldest first."""
    rows = r.all(select(contracts.c.terms).order_by(contracts.c.published_at, contracts.c.digest))
    return tuple(DatasetContract.model_validate_json(row.terms) for row in rows)


def budgets(r: Reading) -> dict[str, int]:
    """The budget of a window of each source: the least of all contracts that were ever published for it.

    So no new version of a contract raises a budget by the way; that would be a decision of its own.
    """
    least = func.min(contracts.c.budget).label("least")
    return {row.source: row.least for row in r.all(select(contracts.c.source, least).group_by(contracts.c.source))}


def published(r: Reading, digest: str | None = None) -> tuple[PublishedContract, ...]:
    """Every published contract as it was signed, or the one of that digest."""
    wanted = select(contracts).order_by(contracts.c.published_at, contracts.c.digest)
    rows = r.all(wanted if digest is None else wanted.where(contracts.c.digest == digest))
    return tuple(
        PublishedContract(
            reference=DatasetContract.model_validate_json(row.terms).reference,
            agency=row.agency,
            document=row.document,
        )
        for row in rows
    )


def add_agreement(t: Transaction, held: HeldAgreement, now: datetime, events: Iterable[Event]) -> bool:
    """Keep a proposed agreement with the signatures that it came with; whether its version is new."""
    row = {
        "digest": held.digest,
        "id": held.agreement.id,
        "version": held.agreement.version,
        "terms": held.agreement.model_dump_json(by_alias=True),
        "document": held.document,
        "active": held.active,
        "proposed_at": now,
    }
    if not t.add_new(agreements, row):
        return False
    parties = [{"digest": held.digest, "agency": a, "signed_by": kid} for a, kid in held.signed_by.items()]
    t.add(agreement_parties, parties)
    for event in events:
        append(t, event)
    return True


def update_signatures(t: Transaction, held: HeldAgreement, events: Iterable[Event]) -> None:
    """Keep further signatures of an agreement, and whether it is active by them."""
    here = agreements.c.digest == held.digest
    t.run(update(agreements).where(here).values(document=held.document, active=held.active))
    for agency, kid in held.signed_by.items():
        party = (agreement_parties.c.digest == held.digest) & (agreement_parties.c.agency == agency)
        t.run(update(agreement_parties).where(party).values(signed_by=kid))
    for event in events:
        append(t, event)


def agreement(r: Reading, name: str) -> HeldAgreement | None:
    """The newest active version of an agreement, or its newest version while none is active."""
    row = r.one(_newest(name))
    return _held(r, row) if row else None


def agreement_text(r: Reading, digest: str) -> HeldAgreement | None:
    """The agreement of that digest."""
    row = r.one(select(agreements).where(agreements.c.digest == digest))
    return _held(r, row) if row else None


def lock_agreement(t: Transaction, digest: str) -> HeldAgreement | None:
    """The agreement of that digest, which nobody else changes until the transaction ends."""
    row = t.lock(select(agreements).where(agreements.c.digest == digest))
    return _held(t, row) if row else None


def all_agreements(r: Reading) -> tuple[HeldAgreement, ...]:
    """Every version of every agreement, oldest first."""
    wanted = select(agreements).order_by(agreements.c.proposed_at, agreements.c.id, agreements.c.version)
    return tuple(_held(r, row) for row in r.all(wanted))


def _newest(name: str) -> AnySelect:
    wanted = select(agreements).where(agreements.c.id == name)
    return wanted.order_by(agreements.c.active.desc(), agreements.c.version.desc()).limit(1)


def _held(r: Reading, row: AnyRow) -> HeldAgreement:
    parties = r.all(select(agreement_parties).where(agreement_parties.c.digest == row.digest))
    return HeldAgreement(
        agreement=Agreement.model_validate_json(row.terms),
        digest=row.digest,
        document=row.document,
        signed_by={party.agency: party.signed_by for party in parties},
        active=row.active,
    )

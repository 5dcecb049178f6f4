"""What was published and agreed: dataset contracts and agreements, each as it was signed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from pydantic_core import from_json
from sqlalchemy import case, delete, func, select, update

from contracts.agreement import Agreement
from contracts.canonical import canonical_bytes
from contracts.dataset import ContractRef, DatasetContract
from contracts.lifecycle import TERMINAL, AgreementState, ends_at
from contracts.retirement import ContractRetirement, RetiredContract
from contracts.views import AgreementView, PublishedContract
from gateway.store.agreement_tables import agreements
from gateway.store.contract_life_tables import contract_retirements
from gateway.store.engine import AnyRow, AnySelect, Reading, Transaction
from gateway.store.log import Event, append
from gateway.store.prepared import prepared
from gateway.store.tables import contracts

HOLDS_THE_NAME: Final = (AgreementState.ACTIVE, AgreementState.SUSPENDED)
"""Under a name that several versions have, the first of these states is meant."""

_RANKS: Final = {state.value: place for place, state in enumerate(HOLDS_THE_NAME)} | {AgreementState.DRAFT.value: 9}


@dataclass(frozen=True, slots=True)
class HeldAgreement:
    """A version of an agreement, its document with the signatures so far (empty before the first), and who signed."""

    agreement: Agreement
    digest: str
    document: str
    signers: tuple[str, ...]
    state: AgreementState
    head: str | None = None
    """The digest of the last act that moved it."""

    def state_at(self, now: datetime) -> AgreementState:
        """Where it stands at an instant: when its period is over it has expired, whatever was done."""
        is_over = self.state not in TERMINAL and now >= ends_at(self.agreement)
        return AgreementState.EXPIRED if is_over else self.state

    def view(self, now: datetime) -> AgreementView:
        """The agreement as members see it."""
        return AgreementView(
            agreement=self.agreement,
            digest=self.digest,
            document=self.document,
            signed_by=self.signers,
            state=self.state_at(now),
            head=self.head,
        )


@dataclass(frozen=True, slots=True)
class HeldContract:
    """A published contract as it was read then, and the document in which it was signed."""

    contract: DatasetContract
    document: str


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
    return contracts_by_digest(r, (digest,)).get(digest)


def contracts_by_digest(r: Reading, digests: Iterable[str]) -> dict[str, DatasetContract]:
    """Those of these contracts that are published."""
    return {row.digest: _read(row.terms) for each in sorted(set(digests)) for row in r.all(_terms_of(each))}


def versions(r: Reading, agency: str, name: str) -> tuple[HeldContract, ...]:
    """Every published version of an agency's contract, oldest publication first, retired ones too."""
    wanted = select(contracts.c.terms, contracts.c.document).where(contracts.c.agency == agency, contracts.c.id == name)
    rows = r.all(wanted.order_by(contracts.c.published_at, contracts.c.digest))
    return tuple(HeldContract(_read(row.terms), row.document) for row in rows)


def all_contracts(r: Reading) -> tuple[DatasetContract, ...]:
    """Every published contract, oldest first."""
    rows = r.all(select(contracts.c.terms).order_by(contracts.c.published_at, contracts.c.digest))
    return tuple(_read(row.terms) for row in rows)


def budgets(r: Reading) -> dict[str, int]:
    """The budget of a window of each source: the least of all contracts that were ever published for it.

    So no new version of a contract raises a budget by the way; that would be a decision of its own.
    """
    return {row.source: row.least for row in r.all(_least_budgets())}


def published(r: Reading, digest: str | None = None) -> tuple[PublishedContract, ...]:
    """Every published contract as it was signed, or the one of that digest, and whether it is retired."""
    retired = contract_retirements
    wanted = select(
        contracts.c.digest,
        contracts.c.id,
        contracts.c.version,
        contracts.c.agency,
        contracts.c.document,
        retired.c.retirement,
        retired.c.document.label("retirement_document"),
        retired.c.retired_at,
    ).select_from(contracts.outerjoin(retired, retired.c.digest == contracts.c.digest))
    wanted = wanted.order_by(contracts.c.published_at, contracts.c.digest)
    return tuple(
        _published(row) for row in r.all(wanted if digest is None else wanted.where(contracts.c.digest == digest))
    )


def _published(row: AnyRow) -> PublishedContract:
    retired = None
    if row.retirement is not None:
        retirement = ContractRetirement.model_validate_json(row.retirement)
        retired = RetiredContract(retirement=retirement, document=row.retirement_document, retired_at=row.retired_at)
    return PublishedContract(
        reference=ContractRef(id=row.id, version=row.version, digest=row.digest),
        agency=row.agency,
        document=row.document,
        retired=retired,
    )


@lru_cache(maxsize=1024)
def _read(terms: str) -> DatasetContract:
    """A contract never changes, so that one text is parsed once in a process."""
    return DatasetContract.model_validate_json(terms)


def add_agreement(t: Transaction, held: HeldAgreement, now: datetime, events: Iterable[Event] = ()) -> bool:
    """Keep a new version of an agreement; whether its version is new."""
    row = {
        "digest": held.digest,
        "id": held.agreement.id,
        "version": held.agreement.version,
        "requester": held.agreement.requester,
        "terms": held.agreement.model_dump_json(by_alias=True),
        "proposed_at": now,
        **_standing(held),
    }
    if not t.add_new(agreements, row):
        return False
    for event in events:
        append(t, event)
    return True


def update_agreement(t: Transaction, held: HeldAgreement) -> None:
    """Keep an agreement's signatures and state as they are now."""
    t.run(update(agreements).where(agreements.c.digest == held.digest).values(**_standing(held)))


def agreement(r: Reading, name: str) -> HeldAgreement | None:
    """The version of an agreement that is in force; while none is, the suspended one, and else the newest."""
    row = r.one(_newest(name))
    return _held(row) if row else None


def agreement_text(r: Reading, digest: str) -> HeldAgreement | None:
    """The agreement of that digest."""
    row = r.one(_text(digest))
    return _held(row) if row else None


def agreement_versions(r: Reading, name: str) -> tuple[HeldAgreement, ...]:
    """Every version of one agreement, oldest first."""
    return tuple(_held(row) for row in r.all(_versions(name)))


def lock_name(t: Transaction, name: str) -> None:
    """Let nobody else move any version of an agreement until the transaction ends."""
    t.hold(_first_version(name))


def lock_versions(t: Transaction, name: str) -> tuple[HeldAgreement, ...]:
    """Every version of one agreement, oldest first, while nobody else moves any of them; see ``lock_name``."""
    lock_name(t, name)
    return agreement_versions(t, name)


def in_state(r: Reading, state: AgreementState) -> tuple[HeldAgreement, ...]:
    """Every version in a state, oldest first."""
    return tuple(_held(row) for row in r.all(_in_state(state.value)))


def discard_draft(t: Transaction, digest: str) -> None:
    """Forget a draft that nobody but its agency ever saw."""
    t.run(delete(agreements).where(agreements.c.digest == digest))


def replace_draft(t: Transaction, before: str, held: HeldAgreement) -> None:
    """Put another text in the place of a draft; the text of before is gone."""
    row = {"digest": held.digest, "terms": held.agreement.model_dump_json(by_alias=True), **_standing(held)}
    t.run(update(agreements).where(agreements.c.digest == before).values(**row))


def all_agreements(r: Reading) -> tuple[HeldAgreement, ...]:
    """Every version of every agreement, oldest first."""
    wanted = select(agreements).order_by(agreements.c.proposed_at, agreements.c.id, agreements.c.version)
    return tuple(_held(row) for row in r.all(wanted))


@prepared
def _newest(name: str) -> AnySelect:
    rank = case(_RANKS, value=agreements.c.state, else_=len(HOLDS_THE_NAME))
    wanted = select(agreements).where(agreements.c.id == name)
    return wanted.order_by(rank, agreements.c.version.desc()).limit(1)


def _standing(held: HeldAgreement) -> dict[str, str | None]:
    signers = canonical_bytes(list(held.signers)).decode()
    return {"document": held.document, "signers": signers, "state": held.state.value, "head": held.head}


def _held(row: AnyRow) -> HeldAgreement:
    return HeldAgreement(
        agreement=_agreed(row.terms),
        digest=row.digest,
        document=row.document,
        signers=tuple(from_json(row.signers)),
        state=AgreementState(row.state),
        head=row.head,
    )


@prepared
def _terms_of(digest: str) -> AnySelect:
    return select(contracts.c.digest, contracts.c.terms).where(contracts.c.digest == digest)


@prepared
def _least_budgets() -> AnySelect:
    least = func.min(contracts.c.budget).label("least")
    return select(contracts.c.source, least).group_by(contracts.c.source)


@prepared
def _text(digest: str) -> AnySelect:
    return select(agreements).where(agreements.c.digest == digest)


@prepared
def _versions(name: str) -> AnySelect:
    return select(agreements).where(agreements.c.id == name).order_by(agreements.c.version)


@prepared
def _first_version(name: str) -> AnySelect:
    return select(agreements.c.digest).where(agreements.c.id == name).order_by(agreements.c.version).limit(1)


@prepared
def _in_state(state: str) -> AnySelect:
    wanted = select(agreements).where(agreements.c.state == state)
    return wanted.order_by(agreements.c.proposed_at, agreements.c.digest)


@lru_cache(maxsize=1024)
def _agreed(terms: str) -> Agreement:
    """The text of a version never changes either."""
    return Agreement.model_validate_json(terms)

"""The record of processing of one agency (PDPA s. 39), generated and never typed in.

Items 1 to 5 and 8 come from the contracts that the agency published, 6 from the agreements and the register of
disclosures, 7 from the register of people's requests. Made again on the same log it is the same.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.agreement import Activity
from contracts.dataset import DatasetContract, ProtectAt, Text
from contracts.errors import InvalidInput
from contracts.lifecycle import AgreementState
from contracts.personal_data import RIGHTS, DisclosureLine, SubjectCase, SubjectState
from contracts.processing import (
    CollectedColumn,
    Processing,
    ProcessingRecord,
    Recipient,
    SubjectRefusal,
    UsePurpose,
)
from gateway.caller import Caller
from gateway.means import Means
from gateway.privacy_office.disclosures import register_of
from gateway.privacy_office.signed_entries import check_reader
from gateway.privacy_office.subject_requests import held_by
from gateway.store import log, registry
from gateway.store.engine import Reading
from gateway.store.registry import HeldAgreement

ACCESS: Final = Text(
    th=(
        "เจ้าของข้อมูลยื่นคำขอต่อหน่วยงานตามช่องทางติดต่อข้างต้น หน่วยงานพิสูจน์ตัวตนแล้วแจ้งผลภายในกำหนด "
        "หน่วยงานอื่นเข้าถึงข้อมูลรายบุคคลผ่านระบบนี้ไม่ได้ ได้รับเฉพาะค่าสถิติตามข้อตกลงที่ลงนามครบและยังมีผล"
    ),
    en=(
        "People ask the agency through the contacts above; it identifies them and answers within the time given. No "
        "other agency reaches data about single people here: it gets statistics under an agreement in force."
    ),
)
ALWAYS: Final = (
    Text(
        th="ข้อมูลรายบุคคลอยู่ในระบบของหน่วยงาน ระบบเชื่อมต่อเรียกออกเท่านั้น ไม่เปิดช่องทางให้ภายนอกเรียกเข้า",
        en="Rows stay with the agency; its connector calls out and opens no port.",
    ),
    Text(
        th="ทุกการเรียกลงลายมือชื่ออิเล็กทรอนิกส์ด้วยกุญแจของหน่วยงาน และตรวจสอบสิทธิซ้ำทั้งที่เกตเวย์และที่หน่วยงาน",
        en="Every call is signed with the agency's own key and permitted twice, at the gateway and at the agency.",
    ),
    Text(
        th="ทุกคำขอ การปฏิเสธ และผลลัพธ์ บันทึกในสมุดบันทึกที่เพิ่มได้อย่างเดียวและตรวจพิสูจน์ได้",
        en="Every request, refusal and release is in an append-only log that anybody can verify.",
    ),
)
"""Measures that hold for every dataset; ``_security`` adds those of its contract."""

BOUND: Final = frozenset(
    {AgreementState.SIGNED, AgreementState.ACTIVE, AgreementState.SUSPENDED, AgreementState.REVOKED}
)
"""Stored states that only a version with all its signatures reaches; it expires by its period alone."""


@dataclass(frozen=True, slots=True)
class _Sources:
    """What the record is made from."""

    documents: Mapping[str, str]
    digests: Mapping[str, frozenset[str]]
    """Of each of the agency's datasets, every version: another agency may have a dataset of the same name."""
    now: datetime
    agreements: tuple[HeldAgreement, ...]
    disclosures: tuple[DisclosureLine, ...]
    requests: tuple[SubjectCase, ...]


def record_of(means: Means, caller: Caller, agency: str) -> ProcessingRecord:
    """The record of an agency, for itself, the operator and the supervisors.

    Raises:
        Refused: ``not-allowed``.
        InvalidInput: ``unknown-agency``.
    """
    check_reader(means, caller, agency)
    member, now = means.federation.member(agency), means.clock()
    if member is None:
        raise InvalidInput("unknown-agency", agency=agency)
    with means.store.read() as r:
        own = tuple(each for each in registry.all_contracts(r) if each.agency == agency)
        newest = {each.id: each for each in own}
        sources = _sources(r, agency, own, now)
        return ProcessingRecord(
            agency=agency,
            title=member.title,
            made_at=now,
            log_size=log.head(r).size,
            processing=tuple(_processing(each, sources) for _, each in sorted(newest.items())),
        )


def _sources(r: Reading, agency: str, own: tuple[DatasetContract, ...], now: datetime) -> _Sources:
    known = (each for each in registry.all_agreements(r) if agency in each.agreement.providers)
    return _Sources(
        documents={each.reference.digest: each.document for each in registry.published(r) if each.agency == agency},
        digests={name: frozenset(each.digest for each in own if each.id == name) for name in {one.id for one in own}},
        now=now,
        agreements=tuple(each for each in known if _ever_bound(each)),
        disclosures=register_of(r, agency, now),
        requests=held_by(r, agency, now),
    )


def _ever_bound(held: HeldAgreement) -> bool:
    """Whether everybody had signed it at some time: a draft or a proposal is no recipient, and nobody else's business.

    A proposal is superseded by its answer too, so there the signatures decide.
    """
    if held.state is AgreementState.SUPERSEDED:
        return len(held.signers) == len(held.agreement.required_signers)
    return held.state in BOUND


def _processing(contract: DatasetContract, sources: _Sources) -> Processing:
    asked = [each for each in sources.requests if each.dataset == contract.id]
    return Processing(
        contract=contract.reference,
        title=contract.title,
        person=contract.unit.person,
        collected=collected(contract, sources.documents.get(contract.digest, "")),
        classification=contract.pdpa.classification,
        section26=contract.pdpa.section26,
        exemption=contract.pdpa.exemption,
        purposes=tuple(UsePurpose(purpose=each, legal_basis=contract.legal_basis) for each in contract.purposes),
        retention_days=contract.retention_days,
        contacts=contract.contacts,
        rights=tuple(f"มาตรา {terms.section} {terms.title.th} ({terms.days} วัน)" for terms in RIGHTS.values()),
        access=ACCESS,
        recipients=(*_by_agreement(contract, sources), *_by_law(contract, sources)),
        refusals=tuple(_refusal(each) for each in asked if each.state is SubjectState.REFUSED),
        requests=len(asked),
        security=(*ALWAYS, *_security(contract)),
    )


def collected(contract: DatasetContract, document: str) -> tuple[CollectedColumn, ...]:
    """Every column that the signed ODCS document lists, with its title and classification.

    A document that cannot be read so falls back to what the machines execute: dimensions and measures.
    """
    try:
        payload = str(json.loads(document)["payload"])
        written = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        properties = written["schema"][0]["properties"]
        return tuple(
            CollectedColumn(
                name=str(each["name"]),
                title=str(each.get("businessName") or each["name"]),
                classification=str(each.get("classification") or ""),
            )
            for each in properties
        )
    except (ValueError, KeyError, IndexError, TypeError):
        pass
    named = {each.column: each.title.th for each in contract.dimensions}
    named |= {each.column: each.title.th for each in contract.measure_columns}
    return tuple(CollectedColumn(name=name, title=title, classification="") for name, title in named.items())


def _by_agreement(contract: DatasetContract, sources: _Sources) -> tuple[Recipient, ...]:
    """Each activity of each agreement that may use this dataset, used or not."""
    return tuple(
        _recipient(held, activity, contract, sources)
        for held in sources.agreements
        for activity in held.agreement.activities
        if sources.digests[contract.id] & {each.digest for each in activity.contracts}
    )


def _recipient(held: HeldAgreement, activity: Activity, contract: DatasetContract, sources: _Sources) -> Recipient:
    agreed = held.agreement
    given = [
        each.at
        for each in sources.disclosures
        if (each.agreement, each.activity) == (agreed.id, activity.id)
        and sources.digests[contract.id] & set(each.contracts)
    ]
    return Recipient(
        recipient=agreed.requester,
        agreement=f"{agreed.id} v{agreed.version}",
        activity=activity.id,
        title=activity.title,
        purpose=activity.purpose,
        legal_basis=activity.legal_basis,
        tier=activity.tier.value,
        state=held.state_at(sources.now).value,
        times=len(given),
        last_at=max(given, default=None),
    )


def _by_law(contract: DatasetContract, sources: _Sources) -> tuple[Recipient, ...]:
    """What the agency itself disclosed of this dataset, beside the exchange."""
    own = (each for each in sources.disclosures if not each.agreement and contract.id in each.datasets)
    return tuple(
        Recipient(
            recipient=each.recipient,
            agreement="",
            activity=each.reference,
            title=Text(th=each.category, en=each.category),
            purpose=each.purpose,
            legal_basis=each.legal_basis,
            tier=each.kind,
            state=each.state,
            times=1,
            last_at=each.at,
        )
        for each in own
    )


def _refusal(case: SubjectCase) -> SubjectRefusal:
    last = case.steps[-1]
    if last.reason is None:
        raise LookupError("a refusal without its reason")
    return SubjectRefusal(
        reference=case.id,
        right=case.right,
        section=case.section,
        received_at=case.received_at,
        refused_at=last.at,
        reason=last.reason,
        note=last.note,
    )


def _security(contract: DatasetContract) -> tuple[Text, ...]:
    """The measures that this contract itself fixes."""
    terms, most = contract.privacy, contract.unit.most_rows
    where = {
        ProtectAt.GATEWAY: Text(th="ที่ศูนย์กลางที่เชื่อถือได้", en="at the trusted centre"),
        ProtectAt.CONNECTOR: Text(th="ภายในหน่วยงานก่อนส่งออก", en="inside the agency, before anything leaves"),
    }[terms.protect_at]
    rho = terms.nano_rho_per_window / 1e9
    return (
        Text(
            th=f"เติมสัญญาณรบกวนตามหลักความเป็นส่วนตัวเชิงอนุพันธ์{where.th} (zCDP ρ = {rho:g} ต่อปีงบประมาณ, δ = {terms.delta})",
            en=f"Noise with differential privacy {where.en} (zCDP ρ = {rho:g} a fiscal year, δ = {terms.delta}).",
        ),
        Text(
            th=f"นับข้อมูลของบุคคลหนึ่งไม่เกิน {most} แถวต่อปีงบประมาณ",
            en=f"At most {most} rows of one person count in a fiscal year.",
        )
        if contract.unit.column
        else Text(
            th="ข้อมูลไม่มีรหัสบุคคล แต่ละแถวถือเป็นหนึ่งคน",
            en="The rows name nobody: each counts as a person of its own.",
        ),
    )

"""Rights of people under the Personal Data Protection Act B.E. 2562, and disclosures that no release carries.

The registers hold no identity: a person's request is an opaque reference, and what was disclosed is a category and a
count. Whoever the person is, only the agency that holds the rows knows.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, NamedTuple, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from contracts.dataset import Contact, Text
from contracts.identifiers import AgencyId, DatasetId, Digest, Identifier
from contracts.values import Value

SubjectReference = Annotated[str, StringConstraints(pattern=r"^sr-[0-9a-f]{24}$")]
"""A request of a person: random, so that it tells nothing. The agency's own file says who it is."""

Words = Annotated[str, Field(max_length=500)]
"""A sentence for the register; what looks like somebody's number or address is refused."""

_NUMBERS: Final = re.compile(r"(?:\d-?){9,}|\d{3}[ .]\d{3}[ .]\d{3,4}|[^\s@]+@[^\s@]+\.[^\s@]+")


def names_somebody(text: str) -> bool:
    """Whether a text holds what looks like a citizen number, an account, a telephone number or an address of mail.

    Thai digits count like others. A name in words cannot be told from other words: whoever signs answers for that.
    """
    return _NUMBERS.search(text) is not None


class Right(StrEnum):
    """What a person may ask for; ``RIGHTS`` says under which section and by when."""

    CONSENT_WITHDRAWAL = "consent-withdrawal"
    ACCESS = "access"
    PORTABILITY = "portability"
    OBJECTION = "objection"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    CORRECTION = "correction"


class RightTerms(NamedTuple):
    """The section of the Act, the days within which the agency answers, and the right's name."""

    section: str
    days: int
    title: Text


RIGHTS: Final[Mapping[Right, RightTerms]] = {
    Right.CONSENT_WITHDRAWAL: RightTerms("19", 30, Text(th="ถอนความยินยอม", en="withdrawal of consent")),
    Right.ACCESS: RightTerms("30", 30, Text(th="ขอเข้าถึงและขอรับสำเนาข้อมูล", en="access to and copy of own data")),
    Right.PORTABILITY: RightTerms("31", 30, Text(th="ขอรับหรือขอให้โอนข้อมูล", en="portability")),
    Right.OBJECTION: RightTerms("32", 30, Text(th="คัดค้านการประมวลผล", en="objection to processing")),
    Right.ERASURE: RightTerms(
        "33", 90, Text(th="ขอให้ลบ ทำลาย หรือทำให้ไม่สามารถระบุตัวบุคคลได้", en="erasure or anonymisation")
    ),
    Right.RESTRICTION: RightTerms("34", 30, Text(th="ขอให้ระงับการใช้ข้อมูล", en="restriction of use")),
    Right.CORRECTION: RightTerms("35-36", 30, Text(th="ขอให้แก้ไขข้อมูลให้ถูกต้อง", en="correction")),
}
"""Thirty days for an answer; ninety for erasure, as the Committee's notice of B.E. 2567 gives for anonymisation."""


class RefusalReason(StrEnum):
    """Why an agency does not do what a person asked; section 39 (7) wants it on record."""

    NOT_IDENTIFIED = "not-identified"
    NO_SUCH_DATA = "no-such-data"
    BY_LAW_OR_COURT = "by-law-or-court"
    RIGHTS_OF_OTHERS = "rights-of-others"
    PUBLIC_TASK = "public-task"
    LEGAL_CLAIMS = "legal-claims"
    RESEARCH_OR_STATISTICS = "research-or-statistics"
    KEPT_BY_DUTY = "kept-by-duty"
    NOT_BY_CONSENT = "not-by-consent"
    DATA_ARE_CORRECT = "data-are-correct"
    EXEMPT_4_2 = "exempt-s4-2"
    EXEMPT_4_5 = "exempt-s4-5"


REFUSALS: Final[Mapping[RefusalReason, Text]] = {
    RefusalReason.NOT_IDENTIFIED: Text(th="พิสูจน์ตัวตนผู้ขอไม่ได้", en="the person could not be identified"),
    RefusalReason.NO_SUCH_DATA: Text(th="ไม่มีข้อมูลของผู้ขอ", en="no data of this person is held"),
    RefusalReason.BY_LAW_OR_COURT: Text(
        th="ปฏิเสธตามกฎหมายหรือคำสั่งศาล (มาตรา 30 วรรคสอง)", en="by law or a court's order (s. 30 para. 2)"
    ),
    RefusalReason.RIGHTS_OF_OTHERS: Text(
        th="กระทบสิทธิและเสรีภาพของผู้อื่น (มาตรา 30 และ 31)", en="it would harm the rights of others (ss. 30, 31)"
    ),
    RefusalReason.PUBLIC_TASK: Text(
        th="จำเป็นเพื่อภารกิจสาธารณะหรือการใช้อำนาจรัฐ (มาตรา 32)", en="needed for a public task or authority (s. 32)"
    ),
    RefusalReason.LEGAL_CLAIMS: Text(
        th="เพื่อก่อตั้ง ใช้ หรือต่อสู้สิทธิเรียกร้องตามกฎหมาย (มาตรา 32 และ 33)", en="needed for legal claims (ss. 32, 33)"
    ),
    RefusalReason.RESEARCH_OR_STATISTICS: Text(
        th="เพื่อการศึกษาวิจัยหรือสถิติโดยมีมาตรการปกป้อง (มาตรา 24 (1) และ 33)",
        en="research or statistics under safeguards (ss. 24 (1), 33)",
    ),
    RefusalReason.KEPT_BY_DUTY: Text(th="มีหน้าที่ตามกฎหมายต้องเก็บรักษา (มาตรา 33)", en="kept by a legal duty (s. 33)"),
    RefusalReason.NOT_BY_CONSENT: Text(
        th="ไม่ได้ประมวลผลโดยอาศัยความยินยอม (มาตรา 19)", en="consent is not the basis (s. 19)"
    ),
    RefusalReason.DATA_ARE_CORRECT: Text(th="ตรวจแล้วข้อมูลถูกต้อง (มาตรา 36)", en="the data are correct (s. 36)"),
    RefusalReason.EXEMPT_4_2: Text(th="ได้รับยกเว้นตามมาตรา 4 (2)", en="exempt under section 4 (2)"),
    RefusalReason.EXEMPT_4_5: Text(th="ได้รับยกเว้นตามมาตรา 4 (5)", en="exempt under section 4 (5)"),
}


class SubjectState(StrEnum):
    """Where a person's request stands; see ``MOVES``."""

    RECEIVED = "received"
    FORWARDED = "forwarded"
    ACKNOWLEDGED = "acknowledged"
    FULFILLED = "fulfilled"
    REFUSED = "refused"


class SubjectMove(StrEnum):
    """What an agency does with a person's request."""

    FORWARD = "forward"
    ACKNOWLEDGE = "acknowledge"
    FULFIL = "fulfil"
    REFUSE = "refuse"


_OPEN: Final = frozenset({SubjectState.RECEIVED, SubjectState.FORWARDED})
MOVES: Final[Mapping[SubjectMove, tuple[frozenset[SubjectState], SubjectState]]] = {
    SubjectMove.FORWARD: (_OPEN | {SubjectState.ACKNOWLEDGED}, SubjectState.FORWARDED),
    SubjectMove.ACKNOWLEDGE: (_OPEN, SubjectState.ACKNOWLEDGED),
    SubjectMove.FULFIL: (_OPEN | {SubjectState.ACKNOWLEDGED}, SubjectState.FULFILLED),
    SubjectMove.REFUSE: (_OPEN | {SubjectState.ACKNOWLEDGED}, SubjectState.REFUSED),
}
"""Of each move: from which states it leads, and to which."""


class SubjectFiling(Value):
    """A person's request as the desk that took it signs it (document kind ``subject-request``).

    ``agency`` is the one that holds the rows of ``dataset``: the request is routed to it. The clock runs from
    ``received_at``, when the person's request was complete.
    """

    id: SubjectReference
    desk: AgencyId
    agency: AgencyId
    dataset: DatasetId
    right: Right
    received_at: AwareDatetime

    @property
    def due(self) -> datetime:
        """By when the agency answers."""
        return self.received_at + timedelta(days=RIGHTS[self.right].days)


class SubjectAct(Value):
    """One move of the agency that holds the rows, signed by its data protection officer (kind ``subject-act``).

    ``previous`` is the digest of the entry before it. ``note`` is the record that section 36 wants of a refusal.
    """

    request: SubjectReference
    agency: AgencyId
    move: SubjectMove
    previous: Digest
    reason: RefusalReason | None = None
    note: Words = ""
    to_agency: AgencyId | None = None
    to_dataset: DatasetId | None = None

    @model_validator(mode="after")
    def _says_all(self) -> Self:
        if (self.move is SubjectMove.REFUSE) != (self.reason is not None):
            raise ValueError("a refusal has a reason, and nothing else has")
        named = (self.to_agency is not None, self.to_dataset is not None)
        if named != ((self.move is SubjectMove.FORWARD),) * 2:
            raise ValueError("what is forwarded says to which agency and dataset, and nothing else does")
        return self


class SubjectStep(Value):
    """One entry of a request's record: when the gateway wrote it, who signed, what happened."""

    at: AwareDatetime
    signed_by: str
    state: SubjectState
    reason: RefusalReason | None = None
    note: str = ""
    digest: Digest


class SubjectCase(Value):
    """A person's request as the register shows it, with whom to speak to at the agency that holds the rows."""

    id: SubjectReference
    right: Right
    section: str
    desk: AgencyId
    agency: AgencyId
    dataset: DatasetId
    received_at: AwareDatetime
    due: AwareDatetime
    state: SubjectState
    overdue: bool
    contacts: tuple[Contact, ...]
    steps: tuple[SubjectStep, ...]


class DisclosureKind(StrEnum):
    """What leaves beside releases: to one named recipient by law, or rows that are not personal."""

    LEGAL = "legal"
    FEED = "feed"


OiaParagraph = Annotated[str, StringConstraints(pattern=r"^24\([1-9]\)$")]
"""A paragraph of section 24 of the Official Information Act B.E. 2540."""


class Disclosure(Value):
    """What an agency disclosed outside the exchange, as its officer or DPO signs it (document kind ``disclosure``).

    Never the data: ``category`` says what kind of data, ``records`` of how many, ``document`` is the digest of the
    letter or order that it rests on. A correction repeats ``id`` with all fields and ``previous``.
    """

    id: Identifier
    kind: DisclosureKind
    agency: AgencyId
    dataset: DatasetId | None = None
    recipient: str = Field(min_length=2, max_length=200)
    purpose: str = Field(min_length=2, max_length=200)
    legal_basis: str = Field(min_length=2, max_length=200)
    oia24: OiaParagraph
    category: str = Field(min_length=2, max_length=300)
    records: int = Field(ge=1, le=10**9)
    disclosed_on: date
    document: Digest
    previous: Digest | None = None


class DisclosureLine(Value):
    """One line of the register of disclosures (OIA s. 24, PDPA s. 27).

    ``kind`` is ``release`` or ``repeat`` for what the exchange gave, else that of the agency's own entry. ``reference``
    and ``digest`` name the release or the signed entry, ``log_index`` its place in the log. ``state`` says whether a
    release still stands; ``public`` that everybody may read it since then. A correction cites ``digest``.
    """

    kind: str
    at: AwareDatetime
    agency: AgencyId
    datasets: tuple[DatasetId, ...]
    recipient: str
    public: bool
    agreement: str
    activity: str
    purpose: str
    legal_basis: tuple[str, ...]
    oia24: tuple[str, ...]
    tier: str
    category: str
    records: int | None
    contracts: tuple[Digest, ...]
    reference: str
    digest: Digest
    log_index: int
    state: str
    reason: str = ""
    replaced_by: str | None = None
    versions: int = 1

"""The record of processing of one agency (PDPA s. 39), made from contracts, agreements and registers."""

from pydantic import AwareDatetime

from contracts.dataset import Contact, ContractRef, Text
from contracts.identifiers import AgencyId
from contracts.personal_data import RefusalReason, Right
from contracts.values import Value


class CollectedColumn(Value):
    """A column that is collected: its name, its title and its classification in the contract."""

    name: str
    title: str
    classification: str


class UsePurpose(Value):
    """A purpose that the contract allows, with its legal bases."""

    purpose: str
    legal_basis: tuple[str, ...]


class Recipient(Value):
    """Item 6: use and disclosure under one activity of one agreement, or by law; ``times`` counts what was given."""

    recipient: str
    agreement: str
    activity: str
    title: Text
    purpose: str
    legal_basis: tuple[str, ...]
    tier: str
    state: str
    times: int
    last_at: AwareDatetime | None


class SubjectRefusal(Value):
    """Item 7: a person's request or objection that was refused, by its opaque reference."""

    reference: str
    right: Right
    section: str
    received_at: AwareDatetime
    refused_at: AwareDatetime
    reason: RefusalReason
    note: str


class Processing(Value):
    """One dataset of the record, items 1 to 8 in their order."""

    contract: ContractRef
    title: Text
    person: Text
    collected: tuple[CollectedColumn, ...]
    classification: str
    section26: tuple[str, ...]
    exemption: str | None
    purposes: tuple[UsePurpose, ...]
    retention_days: int
    contacts: tuple[Contact, ...]
    rights: tuple[str, ...]
    access: Text
    recipients: tuple[Recipient, ...]
    refusals: tuple[SubjectRefusal, ...]
    requests: int
    """Requests of people about this dataset so far, refused or not."""

    security: tuple[Text, ...]


class ProcessingRecord(Value):
    """The whole record of one agency as it stands at ``made_at``."""

    agency: AgencyId
    title: Text
    made_at: AwareDatetime
    log_size: int
    """How many entries of the log it was made from, so that it can be made again and compared."""

    processing: tuple[Processing, ...]

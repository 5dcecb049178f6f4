"""The register of what people ask under sections 19 and 30 to 36, routed to the agency that holds the rows.

The gateway holds no rows and no identity. It keeps a random reference, the dataset, the right and the clock; who the
person is goes from the desk to the agency by its published contact, never through here. Each move is signed by the data
protection officer of the agency that holds the rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from contracts.dataset import Contact
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.personal_data import (
    MOVES,
    RIGHTS,
    SubjectAct,
    SubjectCase,
    SubjectFiling,
    SubjectMove,
    SubjectState,
    SubjectStep,
)
from gateway.caller import Caller
from gateway.means import Means
from gateway.privacy_office import log_entries
from gateway.privacy_office.disclosures import check_held
from gateway.privacy_office.signed_entries import (
    Form,
    check_past,
    check_previous,
    check_words,
    read,
    sees_all,
    write,
)
from gateway.store import register, registry
from gateway.store.engine import Reading, Transaction
from gateway.store.register import Entry, Register

FILING: Final = Form("subject-request", SubjectFiling, (KeyPurpose.DPO, KeyPurpose.OFFICER), lambda each: each.desk)
ACT: Final = Form("subject-act", SubjectAct, (KeyPurpose.DPO,), lambda each: each.agency)
_Contacts = Mapping[tuple[str, str], tuple[Contact, ...]]
ENDED: Final = frozenset({SubjectState.FULFILLED, SubjectState.REFUSED})


@dataclass(frozen=True, slots=True)
class _Folded:
    """A request with all its moves: who holds it now, where it stands, who ever had to do with it."""

    filing: SubjectFiling
    agency: str
    dataset: str
    state: SubjectState
    steps: tuple[SubjectStep, ...]
    concerned: frozenset[str]


def file(means: Means, caller: Caller, document: str) -> SubjectCase:
    """Take a person's request on, signed by the desk that received it, and route it to the agency that it names.

    Raises:
        Refused: ``register-signer-wrong``, ``signature-wrong``, ``key-unknown``; ``register-moved`` when the reference
            is taken.
        InvalidInput: ``malformed-body``, ``not-canonical``, ``entry-time-wrong``; ``dataset-not-held`` when the agency
            has no such dataset.
    """
    signed, now = read(means, caller, FILING, document), means.clock()
    filing = signed.value
    check_past(now, received_at=filing.received_at)

    def check(t: Transaction, before: tuple[Entry, ...]) -> None:
        check_previous(before, None)
        check_held(t, filing.agency, filing.dataset)

    event = log_entries.written(signed.digest, now, means.entropy)
    write(means, caller, (Register.SUBJECTS, filing.id), signed, event, check)
    return case(means, caller, filing.id)


def act(means: Means, caller: Caller, reference: str, document: str) -> SubjectCase:
    """Move a request on, signed by the DPO of the agency that holds the rows.

    Raises:
        Refused: As ``file``; ``not-allowed`` for who does not hold it; ``move-not-allowed``; ``register-moved``.
        InvalidInput: As ``file``; ``unknown-entry``; ``identity-in-register``; ``malformed-body`` when it is about
            another reference.
    """
    signed, now = read(means, caller, ACT, document), means.clock()
    made = signed.value
    if made.request != reference:
        raise InvalidInput("malformed-body", where="request")
    check_words(note=made.note)

    def check(t: Transaction, before: tuple[Entry, ...]) -> None:
        if not before or caller.agency not in (folded := _fold(before)).concerned:
            raise InvalidInput("unknown-entry")
        if made.agency != folded.agency:
            raise Refused("not-allowed")
        if folded.state not in MOVES[made.move][0]:
            raise Refused("move-not-allowed", state=folded.state.value)
        check_previous(before, made.previous)
        if made.to_agency is not None:
            check_held(t, made.to_agency, made.to_dataset)

    event = log_entries.written(signed.digest, now, means.entropy)
    write(means, caller, (Register.SUBJECTS, reference), signed, event, check)
    with means.store.read() as r:  # whoever forwards a request has still to be shown where it went
        return _view(_fold(register.entries_of(r, Register.SUBJECTS, reference)), _contacts(r), now)


def case(means: Means, caller: Caller, reference: str) -> SubjectCase:
    """One request.

    Raises:
        InvalidInput: ``unknown-entry``, also for whom it does not concern.
    """
    with means.store.read() as r:
        entries = register.entries_of(r, Register.SUBJECTS, reference)
        folded = _fold(entries) if entries else None
        if folded is None or not (sees_all(means, caller) or caller.agency in folded.concerned):
            raise InvalidInput("unknown-entry")
        return _view(folded, _contacts(r), means.clock())


def cases(means: Means, caller: Caller) -> tuple[SubjectCase, ...]:
    """Every request that concerns the caller, or every one for the operator and the supervisors: open ones by due."""
    now = means.clock()
    with means.store.read() as r:
        contacts = _contacts(r)
        shown = (each for each in _all(r) if sees_all(means, caller) or caller.agency in each.concerned)
        found = [_view(each, contacts, now) for each in shown]
    return tuple(sorted(found, key=lambda each: (each.state in ENDED, each.due, each.id)))


def held_by(r: Reading, agency: str, now: datetime) -> tuple[SubjectCase, ...]:
    """Every request about data of an agency, for its record of processing."""
    contacts = _contacts(r)
    return tuple(_view(each, contacts, now) for each in _all(r) if each.agency == agency)


def _contacts(r: Reading) -> _Contacts:
    """With whom to speak about each dataset, as its newest contract says."""
    return {(each.agency, each.id): each.contacts for each in registry.all_contracts(r)}


def _all(r: Reading) -> tuple[_Folded, ...]:
    return tuple(_fold(each) for each in register.subjects(r, Register.SUBJECTS))


def _fold(entries: tuple[Entry, ...]) -> _Folded:
    first, *moves = entries
    filing = SubjectFiling.model_validate_json(first.text)
    state = SubjectState.RECEIVED if filing.desk == filing.agency else SubjectState.FORWARDED
    step = SubjectStep(at=first.at, signed_by=first.signed_by, state=state, digest=first.digest)
    concerned = frozenset({filing.desk, filing.agency})
    folded = _Folded(filing, filing.agency, filing.dataset, state, (step,), concerned)
    for each in moves:
        folded = _moved(folded, SubjectAct.model_validate_json(each.text), each)
    return folded


def _moved(folded: _Folded, made: SubjectAct, entry: Entry) -> _Folded:
    state = MOVES[made.move][1]
    step = SubjectStep(
        at=entry.at, signed_by=entry.signed_by, state=state, reason=made.reason, note=made.note, digest=entry.digest
    )
    agency, dataset = folded.agency, folded.dataset
    if made.move is SubjectMove.FORWARD:
        agency, dataset = made.to_agency or agency, made.to_dataset or dataset
    return replace(
        folded,
        agency=agency,
        dataset=dataset,
        state=state,
        steps=(*folded.steps, step),
        concerned=folded.concerned | {agency},
    )


def _view(folded: _Folded, contacts: _Contacts, now: datetime) -> SubjectCase:
    filing = folded.filing
    return SubjectCase(
        id=filing.id,
        right=filing.right,
        section=RIGHTS[filing.right].section,
        desk=filing.desk,
        agency=folded.agency,
        dataset=folded.dataset,
        received_at=filing.received_at,
        due=filing.due,
        state=folded.state,
        overdue=folded.state not in ENDED and now > filing.due,
        contacts=contacts.get((folded.agency, folded.dataset), ()),
        steps=folded.steps,
    )

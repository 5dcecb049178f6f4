"""How every entry comes into a register: read, checked against its signer, written with its line in the log.

An entry is a compact JWS over its canonical bytes, by one key of the agency that answers for it, sent by that agency.
Who may see which entry stands here too: the agencies that it is about, the operator, and the supervisors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from pydantic import ValidationError

from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose, PublicKey
from contracts.personal_data import names_somebody
from contracts.signing import verify_compact
from contracts.values import Value
from gateway.caller import Caller
from gateway.means import Means
from gateway.store import register, requests
from gateway.store.engine import Transaction
from gateway.store.log import Event
from gateway.store.register import Entry, Register

Signable = TypeVar("Signable", bound=Value)
Check = Callable[[Transaction, tuple[Entry, ...]], None]
"""Looks at the entries that stand there already, and raises unless this one may follow."""

SUPERVISORS: Final = frozenset({"pdpc", "oic"})
"""Whom the law gives a look into every register, once they are members: the offices of the PDPC and of the OIC."""

SKEW: Final = timedelta(minutes=2)
"""How far another clock may run ahead."""

WHO: Final[Mapping[KeyPurpose, str]] = {
    KeyPurpose.DPO: "DPO/เจ้าหน้าที่คุ้มครองข้อมูลส่วนบุคคล",
    KeyPurpose.OFFICER: "officer/เจ้าหน้าที่",
}


@dataclass(frozen=True, slots=True)
class Signed(Generic[Signable]):
    """An entry whose signature and signer were checked."""

    value: Signable
    text: str
    digest: str
    document: str
    kid: str


@dataclass(frozen=True, slots=True)
class Form(Generic[Signable]):
    """One form of entry: the kind of its document, its model, who may sign it, and which field names that agency."""

    kind: str
    model: type[Signable]
    signers: tuple[KeyPurpose, ...]
    signed_for: Callable[[Signable], str]


def read(means: Means, caller: Caller, form: Form[Signable], document: str) -> Signed[Signable]:
    """The entry in a signed document.

    Raises:
        Refused: ``key-unknown``, ``signature-wrong``; ``register-signer-wrong`` unless the agency that it names both
            signed and sends it.
        InvalidInput: ``malformed-body``, ``not-canonical``.
    """
    now = means.clock()

    def key(kid: str) -> PublicKey | None:
        found = (means.federation.key(kid, purpose, now) for purpose in form.signers)
        return next((each for each in found if each is not None), None)

    signed = verify_compact(document, form.kind, key)
    try:
        value = form.model.model_validate_json(signed.payload)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or form.kind
        raise InvalidInput("malformed-body", where=where) from error
    if canonical_bytes(value) != signed.payload:
        raise InvalidInput("not-canonical")
    (kid,) = signed.signers
    agency = form.signed_for(value)
    if not kid.partition("#")[0] == agency == caller.agency:
        raise Refused("register-signer-wrong", agency=agency, who=" / ".join(WHO[each] for each in form.signers))
    return Signed(value, signed.payload.decode(), digest_of_bytes(signed.payload), document, kid)


def write(
    means: Means, caller: Caller, place: tuple[Register, str], signed: Signed[Signable], event: Event, check: Check
) -> None:
    """Write an entry after those of its subject, in one transaction with its line in the log; the same again is no new.

    Args:
        means: Store and clock.
        caller: Who sends it.
        place: The register and the subject.
        signed: The entry.
        event: Its line in the log.
        check: Whether it may follow what stands there.

    Raises:
        Refused: ``request-replayed``; ``register-moved``; whatever ``check`` refuses.
    """
    now = means.clock()
    where, subject = place
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        before = register.entries_of(t, where, subject)
        if before and before[-1].digest == signed.digest:
            return
        check(t, before)
        entry = Entry(
            register=where,
            subject=subject,
            place=len(before),
            agency=caller.agency,
            kind=type(signed.value).__name__,
            digest=signed.digest,
            document=signed.document,
            text=signed.text,
            signed_by=signed.kid,
            at=now,
        )
        if not register.add(t, entry, event):
            raise Refused("register-moved")


def check_previous(before: tuple[Entry, ...], previous: str | None) -> None:
    """An entry follows the very one that its signer has read.

    Raises:
        Refused: ``register-moved``.
    """
    if (before[-1].digest if before else None) != previous:
        raise Refused("register-moved")


def check_words(**texts: str) -> None:
    """No text of a register holds what looks like somebody's number.

    Raises:
        InvalidInput: ``identity-in-register``, naming the field.
    """
    for where, text in texts.items():
        if names_somebody(text):
            raise InvalidInput("identity-in-register", where=where)


def check_past(now: datetime, **times: datetime | None) -> None:
    """What is said to have happened has happened.

    Raises:
        InvalidInput: ``entry-time-wrong``, naming the field.
    """
    for where, at in times.items():
        if at is not None and at > now + SKEW:
            raise InvalidInput("entry-time-wrong", where=where)


def sees_all(means: Means, caller: Caller) -> bool:
    """Whether a caller may look into every agency's register: the operator and the supervisors."""
    return caller.agency in SUPERVISORS | {means.federation.operator}


def check_reader(means: Means, caller: Caller, agency: str) -> None:
    """A register of one agency is read by itself, the operator and the supervisors.

    Raises:
        Refused: ``not-allowed``.
        InvalidInput: ``unknown-agency``.
    """
    if caller.agency != agency and not sees_all(means, caller):
        raise Refused("not-allowed")
    if means.federation.member(agency) is None:
        raise InvalidInput("unknown-agency", agency=agency)

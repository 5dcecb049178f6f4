"""The register of disclosures (Official Information Act s. 24, PDPA s. 27).

What the exchange gave is read from the log, which nothing is ever deleted from: each release and each repeat, to whom,
under which activity, at which tier. Refusals gave nothing and are not in it. What left beside the exchange (a legal
disclosure to one named recipient, a feed of rows that are not personal) is there as the agency's signed entry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Final

from contracts.dataset import DatasetContract, Tier
from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose
from contracts.personal_data import Disclosure, DisclosureKind, DisclosureLine
from contracts.release import ReleaseState
from contracts.transparency import EventKind, LogEntry
from gateway.caller import Caller
from gateway.means import Means
from gateway.privacy_office import log_entries
from gateway.privacy_office.signed_entries import (
    Form,
    check_past,
    check_previous,
    check_reader,
    check_words,
    read,
    sees_all,
    write,
)
from gateway.store import register, registry
from gateway.store.engine import Reading, Transaction
from gateway.store.register import Entry, Register

FORM: Final = Form("disclosure", Disclosure, (KeyPurpose.OFFICER, KeyPurpose.DPO), lambda each: each.agency)
GIVEN: Final = (EventKind.DATA_RELEASED, EventKind.RELEASE_REPEATED)
BANGKOK: Final = timezone(timedelta(hours=7))
STATISTICS: Final = "ค่าสถิติที่เติมสัญญาณรบกวน ไม่ใช่ข้อมูลรายบุคคล"
"""What a release of the tier ``statistics`` discloses: noisy figures, nothing about single people."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the lines are explained by: contracts by digest, and each release's standing."""

    contracts: Mapping[str, DatasetContract]
    withdrawn: Mapping[str, LogEntry]


def record(means: Means, caller: Caller, document: str) -> DisclosureLine:
    """Write down what an agency disclosed beside the exchange, signed by its officer or DPO.

    Raises:
        Refused: ``register-signer-wrong``, ``signature-wrong``, ``key-unknown``; ``register-moved`` when the entry
            stands there in other words and ``previous`` does not name its newest.
        InvalidInput: ``malformed-body``, ``not-canonical``, ``identity-in-register``, ``entry-time-wrong``;
            ``dataset-not-held``.
    """
    signed, now = read(means, caller, FORM, document), means.clock()
    entry = signed.value
    check_words(category=entry.category, recipient=entry.recipient, purpose=entry.purpose)
    check_past(now, disclosed_on=_midnight(entry.disclosed_on))

    def check(t: Transaction, before: tuple[Entry, ...]) -> None:
        check_previous(before, entry.previous)
        if before and before[0].agency != entry.agency:
            raise InvalidInput("unknown-entry")
        check_held(t, entry.agency, entry.dataset)

    event = log_entries.disclosed(entry, signed.digest, now, means.entropy)
    write(means, caller, (Register.DISCLOSURES, entry.id), signed, event, check)
    with means.store.read() as r:
        return _own(register.entries_of(r, Register.DISCLOSURES, entry.id), registry.all_contracts(r))


def lines(means: Means, caller: Caller, agency: str | None = None) -> tuple[DisclosureLine, ...]:
    """The register of one agency, oldest first; of every agency for the operator and the supervisors.

    Raises:
        Refused: ``not-allowed``, for another agency's register.
        InvalidInput: ``unknown-agency``.
    """
    if agency is None and not sees_all(means, caller):
        agency = caller.agency
    if agency is not None:
        check_reader(means, caller, agency)
    with means.store.read() as r:
        return register_of(r, agency, means.clock())


def register_of(r: Reading, agency: str | None, now: datetime) -> tuple[DisclosureLine, ...]:
    """Every disclosure of an agency's data by ``now``, or of all agencies', oldest first."""
    withdrawn = [LogEntry.model_validate_json(each.entry) for each in register.logged(r, [EventKind.RELEASE_WITHDRAWN])]
    known = _Known(
        {each.digest: each for each in registry.all_contracts(r)}, {each.subject: each for each in withdrawn}
    )
    found = []
    for logged in register.logged(r, GIVEN):
        entry = LogEntry.model_validate_json(logged.entry)
        if entry.kind in GIVEN and entry.at <= now:
            found += _given(r, entry, logged.place, known)
    found += [_own(each, known.contracts.values()) for each in register.subjects(r, Register.DISCLOSURES)]
    return tuple(sorted((f for f in found if agency in (None, f.agency)), key=lambda each: (each.at, each.log_index)))


def check_held(r: Reading, agency: str, dataset: str | None) -> None:
    """A dataset that an entry names is one that the agency has published a contract for.

    Raises:
        InvalidInput: ``dataset-not-held``.
    """
    held = {(each.agency, each.id) for each in registry.all_contracts(r)}
    if dataset is not None and (agency, dataset) not in held:
        raise InvalidInput("dataset-not-held", agency=agency, dataset=dataset)


def _given(r: Reading, entry: LogEntry, place: int, known: _Known) -> list[DisclosureLine]:
    """A line for each agency whose data a release was made from."""
    facts = entry.facts
    contracts = [known.contracts[each] for each in facts["contracts"].split(",") if each in known.contracts]
    held = registry.agreement_text(r, facts["agreement_digest"])
    activity = held.agreement.activity(facts["activity"]) if held else None
    is_repeat = entry.kind is EventKind.RELEASE_REPEATED
    release = facts["release"] if is_repeat else entry.subject
    gone = known.withdrawn.get(release)
    public = facts.get("public") == "true" or (activity is not None and activity.publish)
    return [
        DisclosureLine(
            kind="repeat" if is_repeat else "release",
            at=entry.at,
            agency=agency,
            datasets=tuple(each.id for each in contracts if each.agency == agency),
            recipient=entry.agency or "",
            public=public,
            agreement=facts["agreement"],
            activity=facts["activity"],
            purpose=facts["purpose"],
            legal_basis=activity.legal_basis if activity else (),
            oia24=tuple(sorted({each.government.oia24 for each in contracts if each.agency == agency})),
            tier=facts["tier"],
            category=STATISTICS if facts["tier"] == Tier.STATISTICS else "",
            records=None,
            contracts=tuple(each.digest for each in contracts if each.agency == agency),
            reference=release,
            digest=facts["release_digest"],
            log_index=place,
            state=gone.facts["state"] if gone else ReleaseState.VALID.value,
            reason=gone.facts["reason"] if gone else "",
            replaced_by=gone.facts.get("replaced_by") if gone else None,
        )
        for agency in facts["agencies"].split(",")
    ]


def _own(entries: tuple[Entry, ...], contracts: Iterable[DatasetContract]) -> DisclosureLine:
    """An agency's own entry, as its newest version says it; the log's place is the first version's."""
    newest = Disclosure.model_validate_json(entries[-1].text)
    held = [each for each in contracts if (each.agency, each.id) == (newest.agency, newest.dataset)]
    return DisclosureLine(
        kind=newest.kind.value,
        at=_midnight(newest.disclosed_on),
        agency=newest.agency,
        datasets=(newest.dataset,) if newest.dataset else (),
        recipient=newest.recipient,
        public=False,
        agreement="",
        activity="",
        purpose=newest.purpose,
        legal_basis=(newest.legal_basis,),
        oia24=(newest.oia24,),
        tier=Tier.FEED.value if newest.kind is DisclosureKind.FEED else "",
        category=newest.category,
        records=newest.records,
        contracts=(held[-1].digest,) if held else (),
        reference=newest.id,
        digest=entries[-1].digest,
        log_index=entries[0].log_index,
        state=ReleaseState.VALID.value,
        versions=len(entries),
    )


def _midnight(day: date) -> datetime:
    """The beginning of a Bangkok day."""
    return datetime.combine(day, time(), BANGKOK)

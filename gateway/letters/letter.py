"""What the letter says: every sentence follows from the agreement, its contracts and who signed. Pure.

The form is that of an official letter between agencies (Regulation of the Office of the Prime Minister on
Correspondence, B.E. 2526): number, subject, addressee, references, enclosures, cause, wish, close, and Thai digits.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from contracts.agreement import Activity, Agreement
from contracts.code_lists import code_list
from contracts.dataset import DatasetContract, ProtectedUnit, Text
from contracts.federation import KeyPurpose
from contracts.measure_words import words_of
from contracts.measures import Kind, measure_of
from contracts.periods import BUDDHIST_ERA
from contracts.values import Value
from gateway.letters.family_words import families_in_words
from privacy.mechanisms import epsilon_of

NANO: Final = 1_000_000_000
MONTHS: Final = (
    *("มกราคม", "กุมภาพันธ์", "มีนาคม", "เมษายน", "พฤษภาคม", "มิถุนายน"),
    *("กรกฎาคม", "สิงหาคม", "กันยายน", "ตุลาคม", "พฤศจิกายน", "ธันวาคม"),
)
THAI_DIGITS: Final = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")
AMOUNTS: Final = frozenset({Kind.SUM, Kind.MEAN, Kind.QUANTILE})
"""Measures in the unit of their column."""

SHOWN_OF_DIGEST: Final = 24
"""Characters of a digest after its name: enough to compare by eye; the machine compares all of it."""


class Line(Value):
    """A labelled line."""

    label: str
    text: str


class Sheet(Value):
    """One activity: scope, datasets and need, as the agency that holds the data asks to have them said."""

    title: str
    lines: tuple[Line, ...]


class Signature(Value):
    """A place for a signature: whose it is, in which role, and what stands there."""

    agency: str
    role: str
    mark: str


class Letter(Value):
    """The letter, ready to be set: every text is final."""

    number: str
    sender: str
    date: str
    subject: str
    to: str
    references: tuple[str, ...]
    enclosures: tuple[str, ...]
    cause: str
    wish: str
    conditions: tuple[str, ...]
    close: str
    regards: str
    note: str | None
    signature_heading: str
    signatures: tuple[Signature, ...]
    sheet_heading: str
    sheets: tuple[Sheet, ...]
    footer: str


@dataclass(frozen=True, slots=True)
class Papers:
    """What the letter is written from.

    Args:
        agreement: The agreement.
        digest: Of its canonical bytes.
        contracts: The dataset contracts that it cites, by digest; a missing one is named as missing.
        titles: The members' names, by agency.
        signed_by: The keys that signed, such as ``ccib#officer-1``.
    """

    agreement: Agreement
    digest: str
    contracts: Mapping[str, DatasetContract]
    titles: Mapping[str, Text]
    signed_by: tuple[str, ...]

    def title(self, agency: str) -> str:
        """An agency's Thai name, or its identifier when the federation does not know it."""
        return self.titles[agency].th if agency in self.titles else agency


def compose(papers: Papers, today: date, to: str | None = None) -> Letter:
    """Write the letter.

    Args:
        papers: The agreement and what belongs to it.
        today: The Bangkok day that the letter bears.
        to: The provider that it is addressed to; all of them when left out.
    """
    words, agreed = _words(), papers.agreement
    owners = [papers.title(agency) for agency in agreed.providers]
    purposes = _listed(_titles("purposes", (each.purpose for each in agreed.activities)))
    names = {"requester": papers.title(agreed.requester), "purposes": purposes, "owners": _listed(owners)}
    names["datasets"] = _listed(_datasets(papers, agreed.activities))
    signatures = tuple(_signatures(papers))
    is_complete = all(_signer(papers, each) for each in agreed.required_signers)
    return Letter(
        number=words["number"].format(agreement=agreed.id, version=_thai(str(agreed.version))),
        sender=names["requester"],
        date=thai_day(today),
        subject=words["subject"].format(purposes=purposes),
        to=words["to_one"].format(agency=papers.title(to)) if to else words["to_all"].format(agencies=_listed(owners)),
        references=tuple(_references(papers)),
        enclosures=(
            _thai(words["enclosure_activities"].format(count=len(agreed.activities))),
            words["enclosure_document"].format(digest=_short(papers.digest)),
        ),
        cause=words["cause"].format(**names),
        wish=_thai(words["wish"].format(**names)),
        conditions=tuple(_conditions(agreed)),
        close=words["close"],
        regards=words["regards"],
        note=None if is_complete else words["unsigned_note"],
        signature_heading=words["signature_heading"],
        signatures=signatures,
        sheet_heading=_thai(words["sheet_heading"]),
        sheets=tuple(_sheet(papers, number, each) for number, each in enumerate(agreed.activities, 1)),
        footer=words["footer"].format(digest=papers.digest),
    )


def thai_day(day: date) -> str:
    """``21 พฤศจิกายน 2569`` in Thai digits."""
    return _thai(f"{day.day} {MONTHS[day.month - 1]} {day.year + BUDDHIST_ERA}")


def _references(papers: Papers) -> Iterable[str]:
    words = _words()
    sections = sorted({each.government.oia24 for each in papers.contracts.values()})
    yield _thai(words["reference_pdpa"])
    if sections:
        yield _thai(words["reference_oia"].format(sections=", ".join(sections)))
    yield _thai(words["reference_digital"])
    if papers.agreement.supersedes:
        yield words["reference_supersedes"].format(digest=_short(papers.agreement.supersedes))


def _conditions(agreed: Agreement) -> Iterable[str]:
    says, obligations = _words()["conditions"], _words()["obligations"]
    last = agreed.period.until - timedelta(days=1)
    yield says["rows"]
    yield says["purpose"]
    yield says["period"].format(start=thai_day(agreed.period.start), end=thai_day(last))
    yield _thai(says["retention"].format(days=f"{agreed.retention_days:,}"))
    yield from (obligations.get(each, each) for each in agreed.obligations)
    yield says["log"]
    yield says["stop"]


def _signatures(papers: Papers) -> Iterable[Signature]:
    words, agreed = _words(), papers.agreement
    for agency in agreed.parties:
        for role in (KeyPurpose.OFFICER, KeyPurpose.DPO):
            if (agency, role) in agreed.required_signers:
                kid = _signer(papers, (agency, role))
                mark = words["signature_given"].format(kid=kid) if kid else words["signature_missing"]
                yield Signature(agency=papers.title(agency), role=words["roles"][role.value], mark=mark)


def _signer(papers: Papers, wanted: tuple[str, KeyPurpose]) -> str | None:
    agency, purpose = wanted
    return next((kid for kid in papers.signed_by if kid.startswith(f"{agency}#{purpose.value}-")), None)


def _sheet(papers: Papers, number: int, activity: Activity) -> Sheet:
    words = _words()
    labels, lines = words["labels"], dict(_facts(papers, activity))
    return Sheet(
        title=_thai(words["sheet_title"].format(number=number, title="")) + activity.title.th,
        lines=tuple(Line(label=labels[name], text=text) for name, text in lines.items() if text),
    )


def _facts(papers: Papers, activity: Activity) -> Iterable[tuple[str, str]]:
    words = _words()
    values = words["values"]
    contracts = _contracts(papers, activity)
    yield "need", activity.need.th if activity.need else ""
    yield "purpose", _titles("purposes", (activity.purpose,))[0]
    yield "basis", _listed(_titles("legal_bases", activity.legal_basis))
    yield "datasets", _listed(_datasets(papers, (activity,)))
    yield "person", _listed(dict.fromkeys(_person(each.unit) for each in contracts))
    yield "others", _listed(dict.fromkeys(other.th for each in contracts for other in each.unit.others))
    yield "measures", _listed(_measure(each, contracts) for each in activity.measures)
    yield "dimensions", _listed(_dimension(each, contracts) for each in activity.dimensions)
    yield "families", _thai(families_in_words(activity.families, lambda each: _dimension(each, contracts), values))
    yield "tier", words["tiers"][activity.tier.value]
    yield "budget", _budget(activity, contracts)
    yield "schedule", _schedule(activity)
    yield "approval", words["approvals"][activity.approval.value]
    yield "publish", values["public" if activity.publish else "private"]
    yield "decision", _decision(activity)


def _person(unit: ProtectedUnit) -> str:
    """Whom the contract protects; where rows name nobody, that each row is a person."""
    return unit.person.th if unit.column else f"{unit.person.th} {_words()['values']['row_is_person']}"


def _decision(activity: Activity) -> str:
    made = activity.policy_decision
    if made is None:
        return ""
    says = _words()["values"]["decision"]
    day = thai_day(made.decided_on)
    return str(says.format(body=made.body.th, number=_thai(made.number), day=day, digest=_short(made.digest)))


def _budget(activity: Activity, contracts: Iterable[DatasetContract]) -> str:
    says = _words()["values"]
    delta = min((each.privacy.delta for each in contracts), key=float, default="1e-7")
    epsilon = f"{epsilon_of(activity.nano_rho_per_request, delta):.2f}"
    text = says["budget"].format(rho=_rho(activity.nano_rho_per_request), epsilon=epsilon, delta=delta)
    if activity.nano_rho_in_all is not None:
        text = f"{text} {says['budget_in_all'].format(rho=_rho(activity.nano_rho_in_all))}"
    return str(text)


def _schedule(activity: Activity) -> str:
    words = _words()
    planned = activity.schedule
    if planned is None:
        return str(words["values"]["no_schedule"])
    every = words["every"][planned.every.value]
    return _thai(words["values"]["schedule"].format(requests=f"{planned.requests:,}", every=every))


def _measure(name: str, contracts: Iterable[DatasetContract]) -> str:
    titles = {each.column: each.title for contract in contracts for each in contract.measure_columns}
    units = {each.column: each.unit for contract in contracts for each in contract.measure_columns}
    titles |= {each.name: each.title for contract in contracts for each in contract.dimensions}
    measure = measure_of(name)
    if not {*measure.columns, measure.column} - {""} <= set(titles):
        return name
    says = words_of(name, titles).th
    return f"{says} ({units[measure.column]})" if measure.kind in AMOUNTS and measure.column in units else says


def _dimension(name: str, contracts: Iterable[DatasetContract]) -> str:
    found = next((each.dimension(name) for each in contracts if each.dimension(name)), None)
    return found.title.th if found else name


def _contracts(papers: Papers, activity: Activity) -> tuple[DatasetContract, ...]:
    known = (papers.contracts.get(ref.digest) for ref in activity.contracts)
    return tuple(each for each in known if each is not None)


def _datasets(papers: Papers, activities: Iterable[Activity]) -> tuple[str, ...]:
    missing = _words()["values"]["unknown"]
    named: dict[str, str] = {}
    for ref in (ref for each in activities for ref in each.contracts):
        found = papers.contracts.get(ref.digest)
        named[ref.digest] = found.title.th if found else missing.format(id=ref.id)
    return tuple(named.values())


def _titles(name: str, codes: Iterable[str]) -> tuple[str, ...]:
    """The Thai titles of codes, each once; a code that the list does not know stands for itself."""
    titles = code_list(name).titles
    return tuple(titles[code].th if code in titles else code for code in dict.fromkeys(codes))


def _listed(texts: Iterable[str]) -> str:
    """``ก ข และค``: Thai lists take no comma, and ``และ`` before the last."""
    every = list(texts)
    return every[0] if len(every) == 1 else " ".join((*every[:-1], f"และ{every[-1]}")) if every else ""


def _rho(nano_rho: int) -> str:
    return f"{nano_rho / NANO:.9f}".rstrip("0").rstrip(".")


def _short(digest: str) -> str:
    name, _, value = digest.partition(":")
    return f"{name}:{value[:SHOWN_OF_DIGEST]}…"


def _thai(text: str) -> str:
    return text.translate(THAI_DIGITS)


@lru_cache(maxsize=1)
def _words() -> dict[str, Any]:
    return tomllib.loads(files("gateway.letters").joinpath("wording.toml").read_text(encoding="utf-8"))

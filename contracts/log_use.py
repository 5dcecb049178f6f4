"""Who asked what under which agreement at what cost, and with what outcome: read off the entries of a log.

It also holds each entry to what the log must say: what an auditor needs stands there in clear, who asked and what the
agencies gave as commitments, and no name of a client's key anywhere.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from pydantic import AwareDatetime

from contracts.errors import IntegrityError
from contracts.log_audit import Placed
from contracts.transparency import EventKind, LogEntry
from contracts.values import Value

QUESTION: Final = frozenset(
    {
        "agencies",
        "agreement",
        "agreement_digest",
        "activity",
        "purpose",
        "tier",
        "contracts",
        "question",
        "nano_rho",
    }
)
CLIENT_KEY: Final = re.compile(r"#client-[0-9]")
"""Who asked stands in no entry: a client's key is the person, or the program, that asked."""


class Needs(NamedTuple):
    """What an entry of a kind must say: facts in clear, names of commitments, and whether it states charges."""

    facts: frozenset[str]
    commitments: frozenset[str] = frozenset()
    charges: bool = False
    parts: bool = False


NEEDS: Final[Mapping[EventKind, Needs]] = {
    EventKind.DATA_REQUESTED: Needs(QUESTION | {"policy"}, frozenset({"client", "request"})),
    EventKind.DATA_RELEASED: Needs(QUESTION | {"request", "release_digest"}, charges=True, parts=True),
    EventKind.RELEASE_REPEATED: Needs(QUESTION | {"release", "release_digest"}),
    EventKind.DATA_REFUSED: Needs(frozenset({"reasons"})),
    EventKind.RELEASE_WITHDRAWN: Needs(frozenset({"state", "reason"})),
    EventKind.CONTRACT_PUBLISHED: Needs(frozenset({"version", "digest", "source"})),
    EventKind.CONTRACT_RETIRED: Needs(frozenset({"version", "digest", "reason"})),
    EventKind.FORECAST_PUBLISHED: Needs(frozenset({"digest", "releases"})),
    EventKind.ANALYSIS_PUBLISHED: Needs(frozenset({"digest", "releases"})),
}


class Outcome(StrEnum):
    """How a request ended, as far as the log goes."""

    OPEN = "open"
    RELEASED = "released"
    REPEATED = "repeated"
    REFUSED = "refused"


class Asked(Value):
    """One request: who asked whom what, under which agreement, at what price, and what became of it.

    ``nano_rho`` is the price in each window, ``charged`` what all windows of all sources paid together.
    """

    request: str
    at: AwareDatetime
    requester: str
    agencies: tuple[str, ...]
    agreement: str
    activity: str
    purpose: str
    tier: str
    question: str
    nano_rho: int
    outcome: Outcome = Outcome.OPEN
    reasons: tuple[str, ...] = ()
    release: str | None = None
    charged: int = 0


class _Activity(NamedTuple):
    requester: str
    agreement: str
    activity: str
    purpose: str


class Use(Value):
    """What was asked under one activity of one agreement, in numbers."""

    requester: str
    agreement: str
    activity: str
    purpose: str
    requests: int = 0
    released: int = 0
    repeated: int = 0
    refused: int = 0
    charged: int = 0


def check_contents(placed: Placed) -> None:
    """Check that an entry says what the log must say, and does not say who asked.

    Raises:
        IntegrityError: ``log-entry-incomplete``, naming the entry.
    """
    entry, needs = placed.entry, NEEDS.get(placed.entry.kind, Needs(frozenset()))
    is_complete = (
        needs.facts <= entry.facts.keys()
        and needs.commitments <= entry.commitments.keys()
        and bool(entry.charges) >= needs.charges
        and bool(entry.commitments) >= needs.parts
    )
    if not is_complete or CLIENT_KEY.search("\n".join((entry.subject, *entry.facts.values()))):
        raise IntegrityError("log-entry-incomplete", index=placed.place)


@dataclass(slots=True)
class Reader:
    """Reads requests off entries in their order; it holds those that are open, and one line for each activity."""

    open: dict[str, LogEntry] = field(default_factory=dict)
    counts: dict[_Activity, Counter[str]] = field(default_factory=dict)

    def requests(self, entries: Iterable[Placed]) -> Iterator[Asked]:
        """Every request once: when it ended, and at the end those that are still open.

        Raises:
            IntegrityError: As ``check_contents``.
        """
        for placed in entries:
            check_contents(placed)
            entry = placed.entry
            if entry.kind is EventKind.DATA_REQUESTED:
                self.open[entry.subject] = entry
            elif entry.kind in _ENDINGS:
                request = entry.facts["request"] if entry.kind is EventKind.DATA_RELEASED else entry.subject
                yield self._counted(_asked(request, self.open.pop(request, entry), entry))
        for request, entry in self.open.items():
            yield self._counted(_asked(request, entry, None))

    def totals(self) -> tuple[Use, ...]:
        """The numbers by requester, agreement and activity, in that order."""
        named = ((dict(zip(_Activity._fields, key, strict=True)), self.counts[key]) for key in sorted(self.counts))
        return tuple(Use.model_validate({**names, **counts}) for names, counts in named)

    def _counted(self, asked: Asked) -> Asked:
        key = _Activity(asked.requester, asked.agreement, asked.activity, asked.purpose)
        counts = self.counts.setdefault(key, Counter())
        counts["requests"] += 1
        counts["charged"] += asked.charged
        if asked.outcome is not Outcome.OPEN:
            counts[asked.outcome.value] += 1
        return asked


_ENDINGS: Final = {
    EventKind.DATA_RELEASED: Outcome.RELEASED,
    EventKind.RELEASE_REPEATED: Outcome.REPEATED,
    EventKind.DATA_REFUSED: Outcome.REFUSED,
}


def _asked(request: str, first: LogEntry, last: LogEntry | None) -> Asked:
    """A request from its first entry and its last; one that was refused unread says little more than whose it was."""
    said, end = first.facts, last.facts if last else {}
    return Asked(
        request=request,
        at=first.at,
        requester=first.agency or "",
        agencies=_listed(said.get("agencies", "")),
        agreement=said.get("agreement", ""),
        activity=said.get("activity", ""),
        purpose=said.get("purpose", ""),
        tier=said.get("tier", ""),
        question=said.get("question", ""),
        nano_rho=int(said.get("nano_rho", "0")),
        outcome=_ENDINGS[last.kind] if last else Outcome.OPEN,
        reasons=_listed(end.get("reasons", "")),
        release=last.subject if last and last.kind is EventKind.DATA_RELEASED else end.get("release"),
        charged=sum(each.nano_rho for each in last.charges) if last else 0,
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each for each in text.split(",") if each)

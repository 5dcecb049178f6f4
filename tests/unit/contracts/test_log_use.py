"""Who asked what at what cost, read off the log; and what an entry must say, or must not."""

import pytest

from contracts.errors import IntegrityError
from contracts.log_audit import Placed
from contracts.log_use import NEEDS, QUESTION, Outcome, Reader, check_contents
from contracts.task import Charge
from contracts.transparency import EventKind, LogEntry
from tests.factories import NOW

pytestmark = pytest.mark.unit

ASKED = dict.fromkeys(QUESTION, "x") | {"agencies": "ccib,rtp", "nano_rho": "50", "policy": "p"}
SEALED = {"client": f"sha-256:{'0' * 64}", "request": f"sha-256:{'1' * 64}"}
CHARGES = tuple(Charge(source=f"{each}/cases", window="FY2569", nano_rho=50) for each in ("ccib", "rtp"))


def entry(kind: EventKind, subject: str, **changes: object) -> LogEntry:
    fields = {"kind": kind, "at": NOW, "agency": "oja", "subject": subject, "facts": ASKED}
    return LogEntry.model_validate(fields | changes)


def requested(name: str) -> LogEntry:
    return entry(EventKind.DATA_REQUESTED, name, commitments=SEALED)


def released(name: str, release: str) -> LogEntry:
    facts = ASKED | {"request": name, "release_digest": "d"}
    return entry(EventKind.DATA_RELEASED, release, facts=facts, charges=CHARGES, commitments={"ccib": SEALED["client"]})


def refused(name: str, **facts: str) -> LogEntry:
    return entry(EventKind.DATA_REFUSED, name, facts={"reasons": "budget-exceeded,not-allowed"} | facts)


def placed(*entries: LogEntry) -> list[Placed]:
    return [Placed(place, each) for place, each in enumerate(entries)]


def test_each_request_is_told_once_with_its_end() -> None:
    repeated = entry(EventKind.RELEASE_REPEATED, "R3", facts=ASKED | {"release": "REL-1", "release_digest": "d"})
    lines = placed(requested("R1"), requested("R2"), requested("R4"), released("R1", "REL-1"), refused("R2"), repeated)
    reader = Reader()

    told = {each.request: each for each in reader.requests(lines)}

    assert {name: each.outcome for name, each in told.items()} == {
        "R1": Outcome.RELEASED,
        "R2": Outcome.REFUSED,
        "R3": Outcome.REPEATED,
        "R4": Outcome.OPEN,
    }
    assert (told["R1"].release, told["R1"].charged, told["R1"].agencies) == ("REL-1", 100, ("ccib", "rtp"))
    assert told["R2"].reasons == ("budget-exceeded", "not-allowed")
    assert told["R3"].release == "REL-1"
    (use,) = reader.totals()
    assert (use.requests, use.released, use.repeated, use.refused, use.charged) == (4, 1, 1, 1, 100)


def test_a_request_that_was_refused_unread_is_told_as_far_as_it_is_known() -> None:
    (told,) = Reader().requests(placed(refused("R9")))

    assert (told.request, told.requester, told.agreement, told.nano_rho) == ("R9", "oja", "", 0)


def test_other_entries_are_no_requests() -> None:
    assert list(Reader().requests(placed(entry(EventKind.SUSPENSION_LIFTED, "S")))) == []


def wrong(line: LogEntry) -> dict[str, str]:
    with pytest.raises(IntegrityError, match="log-entry-incomplete") as caught:
        check_contents(Placed(7, line))
    return caught.value.details


@pytest.mark.parametrize("missing", sorted(QUESTION | {"policy"}))
def test_a_request_without_something_that_must_be_in_clear_is_named(missing: str) -> None:
    facts = {name: text for name, text in ASKED.items() if name != missing}

    assert wrong(requested("R1").model_copy(update={"facts": facts})) == {"index": "7"}


@pytest.mark.parametrize(
    "line",
    [
        requested("R1").model_copy(update={"commitments": {"client": SEALED["client"]}}),
        requested("R1").model_copy(update={"commitments": {}}),
        released("R1", "REL-1").model_copy(update={"charges": ()}),
        released("R1", "REL-1").model_copy(update={"commitments": {}}),
        entry(EventKind.DATA_REFUSED, "R1", facts={}),
        refused("R1", by="oja#client-1"),
        entry(EventKind.SUSPENSION_LIFTED, "oja#client-7"),
    ],
    ids=["request", "client", "cost", "parts", "reasons", "who asked", "who asked, as subject"],
)
def test_an_entry_that_says_too_little_or_who_asked_is_named(line: LogEntry) -> None:
    assert wrong(line) == {"index": "7"}


def test_what_every_kind_must_say_is_known_for_all_that_concern_data() -> None:
    assert {each for each in EventKind if each.value.startswith(("data.", "release."))} <= set(NEEDS)

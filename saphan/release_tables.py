"""What stands around the figures of a release: its name, whom it protects, what it cost, and its place in the log."""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text as Line

from contracts.release import Promise
from gateway.client import Result
from saphan.client_tables import delta_words, fate_of
from saphan.output import table_of


def release_name(result: Result) -> Line:
    """The identifier on a line of its own, never broken: people copy it."""
    return Line(result.release.body.id, style="bold", no_wrap=True, overflow="ignore")


def release_terms(result: Result) -> Table:
    """Whom a release protects, its charges, its receipt's entry in the log, and whether it was withdrawn."""
    body = result.release.body
    table = table_of("", "", title="ที่มาและความคุ้มครอง · terms")
    table.add_row("asked", f"{body.requester}, {body.agreement}, {body.activity} ({body.purpose})")
    table.add_row("released", f"{body.created:%Y-%m-%d %H:%M}")
    for promise in body.promises:
        table.add_row("protects", "\n".join(_promised(promise)))
    for charge in body.charges:
        table.add_row("charged", f"{charge.source} {charge.window}: {charge.nano_rho:,} nano-rho")
    table.add_row("receipt", _receipt(result))
    table.add_row("withdrawn", "no" if result.is_valid else fate_of(result))
    return table


def _promised(promise: Promise) -> Iterator[str]:
    yield f"{promise.contract.id}: {promise.person.th} · {promise.person.en}"
    if promise.row_is_person:
        yield "each row counts as a person of its own"
    yield f"up to {promise.rows_per_window:,} rows a year; noise from the {promise.protect_at.value}"
    yield f"ε = {promise.epsilon:.3f}, {delta_words(promise.delta)}"
    for other in promise.others:
        yield f"not protected: {other.th} · {other.en}"


def _receipt(result: Result) -> str:
    """Only a release that was checked gets here, and the check is of the receipt too."""
    receipt, witnesses = result.release.receipt, result.witnesses
    if receipt is None:
        return "none"
    stood_by = f"witnessed by {len(witnesses)}: {', '.join(witnesses)}" if witnesses else "witnessed by nobody yet"
    return f"entry {receipt.index} of the log, checked, {stood_by}"

"""``saphan connector`` suspend, lift, requests, decide: what an agency's people order at their own machine."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from connectors.home import Home
from connectors.journal import notices
from connectors.journal.book import Journal
from connectors.main import now, open_channel
from connectors.orders import bring_orders, decide, lift_suspension, order_suspension, standing_orders
from connectors.pending import PendingRequest, pending_requests
from connectors.settings import ConnectorSettings, load_settings
from connectors.shelf import Shelf
from contracts.approval import OfficerDecision
from contracts.errors import InvalidInput, SaphanError
from contracts.suspension import Order, Suspension
from contracts.values import Value
from saphan.output import AsJson, say, show, show_all, table_of, told_errors

HomeOption = Annotated[Path, typer.Option("--home", help="The connector's folder.", envvar="SAPHAN_HOME")]
Reason = Annotated[str, typer.Option("--reason", help="Why; everybody in the federation may read it.")]
HOME = Path(".saphan")
RANDOM_BYTES = 4


class Ordered(Value):
    """An order that is in force here; ``at_gateway`` says whether the gateway has it, too."""

    order: Suspension
    at_gateway: bool


def suspend_command(
    dataset: Annotated[str | None, typer.Argument(metavar="[DATASET]", help="Leave out: the whole agency.")] = None,
    *,
    reason: Reason,
    key: Annotated[str, typer.Option(help="An officer's, data protection officer's or steward's key.")] = "officer-1",
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Stop answering at once, whether the gateway can be reached or not; then tell the gateway."""
    with told_errors(as_json=as_json), _opened(home) as (settings, journal):
        order = Suspension(
            id=_new_id(now()),
            order=Order.SUSPEND,
            by=settings.agency,
            agency=settings.agency,
            dataset=dataset,
            at=now(),
            reason=reason,
        )
        order_suspension(Home(settings.home), journal, order, [f"{settings.agency}#{key}"], now())
        _tell(Ordered(order=order, at_gateway=_bring(settings, journal, order)), as_json=as_json)


def lift_command(
    suspension: Annotated[str, typer.Argument(metavar="ID", help="The suspension; see: saphan connector suspensions.")],
    *,
    reason: Reason,
    key: Annotated[list[str] | None, typer.Option(help="The keys of two people; officer-1 and dpo-1.")] = None,
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Lift a suspension that this agency ordered, by an officer and a data protection officer or steward."""
    with told_errors(as_json=as_json), _opened(home) as (settings, journal):
        kids = [f"{settings.agency}#{name}" for name in key or ("officer-1", "dpo-1")]
        lift = lift_suspension(Home(settings.home), journal, suspension, reason, kids, now())
        _tell(Ordered(order=lift, at_gateway=_bring(settings, journal, lift)), as_json=as_json)


def suspensions_command(*, home: HomeOption = HOME, as_json: AsJson = False) -> None:
    """List what stands suspended as this connector knows it, whoever ordered it."""
    with told_errors(as_json=as_json), _opened(home) as (_, journal):
        orders = standing_orders(journal)
        show_all(orders, lambda: _orders_table(orders), as_json=as_json)


def requests_command(*, home: HomeOption = HOME, as_json: AsJson = False) -> None:
    """List the requests that wait for an officer, with price, expected error and what would remain; no data."""
    with told_errors(as_json=as_json), _opened(home) as (settings, journal):
        shelf = Shelf(journal)
        digests = [each.contract.digest for each in journal.approvals()]
        contracts = {digest: c for digest in digests if (c := shelf.approved(digest)) is not None}
        waiting = pending_requests(journal, contracts, settings.cap_nano_rho, now())
        show_all(waiting, lambda: _requests_table(waiting), as_json=as_json)


def decide_command(  # the options of a command line
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The request's identifier or digest.")],
    *,
    approve: Annotated[bool | None, typer.Option("--approve/--refuse", help="What the officer decides.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays in this agency's journal.")],
    key: Annotated[str, typer.Option(help="The officer's key.")] = "officer-1",
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Approve or refuse a request that waits; the connector answers or refuses when the gateway hands it out again."""
    with told_errors(as_json=as_json), _opened(home) as (settings, journal):
        if approve is None:
            raise InvalidInput("setting-invalid", setting="decision", why="say --approve or --refuse")
        kid = f"{settings.agency}#{key}"
        decision = decide(Home(settings.home), journal, request, kid, now(), approved=approve, reason=reason)
        show(decision, lambda: _decision_table(decision), as_json=as_json)


@contextmanager
def _opened(home: Path) -> Iterator[tuple[ConnectorSettings, Journal]]:
    settings = load_settings(home=home.resolve())
    journal = Journal(Home(settings.home).journal)
    try:
        yield settings, journal
    finally:
        journal.close()


def _bring(settings: ConnectorSettings, journal: Journal, order: Suspension) -> bool:
    """Tell the gateway now if it can be reached; otherwise the running connector does, at its next turn.

    Returns:
        Whether the gateway has this order, whatever became of older ones.
    """
    try:
        with open_channel(settings, journal, now) as channel:
            codes = set(bring_orders(journal, channel.order).values())
    except SaphanError as error:
        codes = {error.code}
    if all(own.order != order for own in notices.unsent(journal)):
        return True
    say(
        "มีผลที่นี่แล้ว แต่ยังส่งถึงเกตเวย์ไม่ได้ คอนเนกเตอร์จะส่งเองเมื่อติดต่อได้ · "
        f"in force here; the gateway was not reached ({', '.join(sorted(codes))}), the connector will tell it"
    )
    return False


def _new_id(moment: datetime) -> str:
    return f"sus-{moment:%Y%m%d}-{secrets.token_hex(RANDOM_BYTES)}"


def _tell(ordered: Ordered, *, as_json: bool) -> None:
    show(ordered, lambda: _orders_table((ordered.order,)), as_json=as_json)


def _orders_table(orders: tuple[Suspension, ...]) -> Table:
    table = table_of("id", "order", "agency", "dataset", "by", "at", "reason")
    for each in orders:
        when = f"{each.at:%Y-%m-%d %H:%M}"
        table.add_row(each.id, each.order.value, each.agency, each.dataset or "*", each.by, when, each.reason)
    return table


def _requests_table(waiting: tuple[PendingRequest, ...]) -> Table:
    table = table_of("request", "requester", "purpose", "dataset", "question", "error 95 %", "price", "left after")
    for each in waiting:
        query = each.query
        asked = f"{', '.join(query.measures)} by {', '.join(query.dimensions) or 'nothing'}"
        errors = "\n".join(f"{m.measure} ±{m.expected_error_95:,.1f} {m.unit}" for m in each.measures)
        price = "\n".join(f"{w.window} {w.nano_rho:,} nano-rho" for w in each.windows)
        left = "\n".join(f"{w.window} {w.left_after:,}" for w in each.windows)
        until = f"{asked}\n{query.period.start} – {query.period.until}\nuntil {each.deliver_until:%Y-%m-%d %H:%M}"
        table.add_row(each.request, each.requester, each.purpose, each.contract.id, until, errors, price, left)
    return table


def _decision_table(decision: OfficerDecision) -> Table:
    table = table_of("request", "decision", "reason")
    table.add_row(decision.request_digest, "approved" if decision.approved else "refused", decision.reason)
    return table

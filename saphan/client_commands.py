"""What a member does from the command line: preview, ask, release, budget, audit."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Group

from contracts.errors import InvalidInput
from contracts.query import Mechanism, Query
from contracts.release import ReleaseState, Withdrawal
from gateway.asking import activity_of, query_of
from gateway.budget_calls import budget_view
from gateway.client import Gateway, Result
from gateway.counter_totals import counted_runs
from gateway.family_asking import with_family
from saphan.budget_tables import budget_table
from saphan.client_settings import MemberHome, load_client_settings
from saphan.client_tables import (
    preview_table,
    release_table,
    releases_table,
    totals_table,
)
from saphan.family_tables import family_group, titles_of
from saphan.output import AsJson, say, show, show_all, told_errors, waiting_shown
from saphan.release_checking import verify_command
from saphan.release_tables import release_name, release_terms

app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False)
release = typer.Typer(no_args_is_help=True, help="Released answers.")
release.command("verify")(verify_command)
app.add_typer(release, name="release")

HomeOption = Annotated[Path | None, typer.Option("--home", help="The member's home.", envvar="SAPHAN_HOME")]
AgreementOption = Annotated[str, typer.Option("--agreement", help="The agreement under which it is asked.")]
ActivityOption = Annotated[str, typer.Option("--activity", help="The activity of the agreement.")]
Measures = Annotated[
    list[str] | None,
    typer.Option(
        "--measure",
        help="count, people, COLUMN:sum, :mean, :histogram, :median, :p10, :p25, :p75 or :p90, A:per:B or DIM:share.",
    ),
]
By = Annotated[list[str] | None, typer.Option("--by", help="A dimension of the answer, in order.")]
Start = Annotated[str, typer.Option("--from", help="The first day, YYYY-MM-01.")]
Until = Annotated[str, typer.Option("--until", help="The day after the last, YYYY-MM-01.")]
Where = Annotated[list[str] | None, typer.Option("--where", help="DIMENSION=CODE,CODE: only these.")]
FamilyNumber = Annotated[
    int | None, typer.Option("--family", help="A family of tables of the activity: 1 is its first. --by: its finest.")
]
Contracts = Annotated[list[str] | None, typer.Option("--contract", help="A dataset; all of the activity.")]
Revision = Annotated[
    int | None,
    typer.Option(
        "--series", metavar="REVISION", help="Of a standing series, charged once a window: 0, or a later revision."
    ),
]
Counter = Annotated[bool, typer.Option("--counter", help="A daily counter; it is a standing series.")]
Law = Annotated[
    Mechanism, typer.Option("--mechanism", help="The law of the noise; laplace: one measure, once, at a pure epsilon.")
]
Price = Annotated[int | None, typer.Option("--nano-rho", help="The price in each window; the activity's.")]
ReleaseName = Annotated[str, typer.Argument(metavar="RELEASE", help="The release's identifier.")]


@contextmanager
def connected(home: Path | None, *, as_json: bool, of_question: bool = False) -> Iterator[tuple[Gateway, MemberHome]]:
    """The member's line to its gateway; errors are told and end the command."""
    with told_errors(as_json=as_json, of_question=of_question):
        member = MemberHome(load_client_settings(home=home))
        settings, now = member.settings, datetime.now(UTC)  # noqa: TID251  # a command begins here
        key, federation = member.calling_key(now), member.federation()
        at, agency = settings.gateway, settings.agency
        with Gateway(at, key, agency, federation, tls=settings.tls, quorum=settings.quorum) as gateway:
            yield gateway, member


@app.command("preview")
def preview_command(  # noqa: PLR0913  # the options of a command line
    *,
    agreement_id: AgreementOption,
    activity: ActivityOption,
    start: Start,
    until: Until,
    measure: Measures = None,
    by: By = None,
    where: Where = None,
    family: FamilyNumber = None,
    contract: Contracts = None,
    series: Revision = None,
    counter: Counter = False,
    mechanism: Law = Mechanism.GAUSSIAN,
    nano_rho: Price = None,
    home: HomeOption = None,
    as_json: AsJson = False,
) -> None:
    """Show what a question would cost and how good its answer would be; spends nothing."""
    with connected(home, as_json=as_json, of_question=True) as (gateway, _):
        query = asked(measure, by, (start, until), where, series, counter=counter, mechanism=mechanism)
        query = query if family is None else _family_query(gateway, agreement_id, activity, query, family)
        call = gateway.question(agreement_id, activity, query, contracts=contract or (), nano_rho=nano_rho)
        preview = gateway.preview(call)
        show(preview, lambda: preview_table(preview), as_json=as_json)


@app.command("ask")
def ask_command(  # noqa: PLR0913  # the options of a command line
    *,
    agreement_id: AgreementOption,
    activity: ActivityOption,
    start: Start,
    until: Until,
    measure: Measures = None,
    by: By = None,
    where: Where = None,
    family: FamilyNumber = None,
    contract: Contracts = None,
    series: Revision = None,
    counter: Counter = False,
    mechanism: Law = Mechanism.GAUSSIAN,
    nano_rho: Price = None,
    wait_seconds: Annotated[float, typer.Option("--wait", help="How many seconds to wait at most.")] = 300.0,
    export: Annotated[Path | None, typer.Option(help="Also write FILE.csv, .parquet or .xlsx.")] = None,
    home: HomeOption = None,
    as_json: AsJson = False,
) -> None:
    """Ask a question and wait for its release; what it costs is charged once."""
    with connected(home, as_json=as_json, of_question=True) as (gateway, _), waiting_shown() as progress:
        query = asked(measure, by, (start, until), where, series, counter=counter, mechanism=mechanism)
        query = query if family is None else _family_query(gateway, agreement_id, activity, query, family)
        call = gateway.question(agreement_id, activity, query, contracts=contract or (), nano_rho=nano_rho)
        result = gateway.ask(call, wait_seconds=wait_seconds, progress=progress)
        if export:
            result.export(export)
        _show_release(gateway, result, as_json=as_json)


@app.command("budget")
def budget_command(home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """Show what is left of every window of every source, as epsilon too, and what one person may lose in all."""
    with connected(home, as_json=as_json) as (gateway, _):
        view = budget_view(gateway)
        show(view, lambda: budget_table(view), as_json=as_json)


@release.command("list")
def list_releases(home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """List the releases that this member may read."""
    with connected(home, as_json=as_json) as (gateway, _):
        summaries = gateway.releases()
        show_all(summaries, lambda: releases_table(summaries), as_json=as_json)


@release.command("show")
def show_release(name: ReleaseName, home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """Show a release, checked: every figure with its error, whom it protects, its charges and its receipt."""
    with connected(home, as_json=as_json) as (gateway, _):
        _show_release(gateway, gateway.release(name), as_json=as_json, with_terms=True)


@release.command("export")
def export_release(
    name: ReleaseName,
    path: Annotated[Path, typer.Argument(help="FILE.csv, .parquet or .xlsx.")],
    home: HomeOption = None,
) -> None:
    """Write a release as CSV, Parquet or XLSX."""
    with connected(home, as_json=False) as (gateway, _):
        result = gateway.release(name)
        result.export(path)
    say(str(path))
    if not result.is_valid:
        say("ผลนี้ถูกถอนแล้ว · this release is no longer to be relied on")


@release.command("totals")
def totals_command(
    names: Annotated[list[str], typer.Argument(metavar="RELEASE...", help="All releases of one daily counter.")],
    home: HomeOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the best estimates of a daily counter: each day, the running total and the average, with their errors."""
    with connected(home, as_json=as_json) as (gateway, _):
        runs = counted_runs([gateway.release(name).release for name in dict.fromkeys(names)])
        show_all(runs, lambda: totals_table(runs), as_json=as_json)


@release.command("withdraw")
def withdraw_release(
    name: ReleaseName,
    reason: Annotated[str, typer.Option(help="Why; everybody can read it.")],
    replaced_by: Annotated[str | None, typer.Option(help="The release that replaces it.")] = None,
    home: HomeOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say that a release is no longer to be relied on; whatever cites it is then flagged."""
    state = ReleaseState.SUPERSEDED if replaced_by else ReleaseState.WITHDRAWN
    with connected(home, as_json=as_json) as (gateway, _):
        try:
            withdrawal = Withdrawal(release=name, state=state, reason=reason, replaced_by=replaced_by)
        except ValidationError as error:
            raise InvalidInput("malformed-body", where=str(error.errors()[0]["loc"][0])) from error
        _show_release(gateway, gateway.withdraw(withdrawal), as_json=as_json)


def asked(  # noqa: PLR0913  # the options of a command line
    measures: Sequence[str] | None,
    by: Sequence[str] | None,
    period: tuple[str, str],
    where: Sequence[str] | None,
    series: int | None = None,
    *,
    counter: bool = False,
    mechanism: Mechanism = Mechanism.GAUSSIAN,
) -> Query:
    """The query that the options say.

    Raises:
        InvalidInput: ``malformed-body``.
    """
    filters: dict[str, tuple[str, ...]] = {}
    for each in where or ():
        name, equals, codes = each.partition("=")
        if not equals or name in filters:
            raise InvalidInput("malformed-body", where="where")
        filters[name] = tuple(codes.split(","))
    measures, by = measures or ("count",), by or ()
    return query_of(measures, by, period, filters, revision=series, counter=counter, mechanism=mechanism)


def _family_query(gateway: Gateway, agreement: str, activity: str, query: Query, number: int) -> Query:
    return with_family(query, activity_of(gateway.agreement(agreement), activity), number)


def _show_release(gateway: Gateway, result: Result, *, as_json: bool, with_terms: bool = False) -> None:
    def shown() -> Group:
        body = result.release.body
        figures = family_group(result, titles_of(gateway, body)) if body.tables else release_table(result)
        terms = ("", release_terms(result)) if with_terms else ()
        return Group(release_name(result), figures, *terms)

    show(result.release, shown, as_json=as_json)

"""``saphan plan``: the register of provinces' action plans, from the command line and from CSV files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table

from contracts.action_plan import PlanView, Registered
from contracts.code_lists import code_list
from contracts.errors import InvalidInput
from forecasting.flags import meaning_of
from gateway import plan_calls as calls
from gateway.client import Gateway
from gateway.plan_csv import Draft, evaluation_csv, plans_csv
from saphan.as_of import AsOf, instant_of
from saphan.client_commands import HomeOption, connected
from saphan.client_tables import value_table
from saphan.output import AsJson, say, show, show_all, table_of

app = typer.Typer(no_args_is_help=True, help="Provinces' action plans; everybody reads them.")

FIRST_ROW = 1
Province = Annotated[str | None, typer.Option("--province", help="Only this province: its code, such as 50.")]
Owner = Annotated[str | None, typer.Option("--owner", help="Only plans of this agency.")]
PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's identifier.")]
Check = Annotated[bool, typer.Option("--check", help="Only say what would be registered; nothing is sent.")]


@app.command("add")
def add_command(  # noqa: PLR0913  # one option for each field of the form
    plan: PlanId,
    *,
    province: Annotated[str, typer.Option(help="The province's code, such as 50.")],
    title_th: Annotated[str, typer.Option(help="Its title in Thai.")],
    title_en: Annotated[str, typer.Option(help="Its title in English.")],
    group: Annotated[list[str], typer.Option(help="An offence group, G1 to G4; may be repeated.")],
    forecast: Annotated[str, typer.Option(help="The published forecast that it answers.")],
    start: Annotated[str, typer.Option(help="The first day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option(help="The last day, YYYY-MM-DD.")],
    target_th: Annotated[str, typer.Option(help="The target in words, in Thai.")],
    target_en: Annotated[str, typer.Option(help="The target in words, in English.")],
    percent: Annotated[float | None, typer.Option(help="The change in per cent: -15 is 15 % fewer.")] = None,
    count: Annotated[int | None, typer.Option(help="Or the count of cases.")] = None,
    activity: Annotated[
        list[str] | None, typer.Option(help="DAY|TITLE IN THAI|TITLE IN ENGLISH|PLACE; may be repeated.")
    ] = None,
    check: Check = False,
    home: HomeOption = None,
    as_json: AsJson = False,
) -> None:
    """Register a plan, or a new version of one that this member owns; the same again changes nothing."""
    target = {"percent": percent, "count": count, "words": {"th": target_th, "en": target_en}}
    fields: dict[str, object] = {
        "id": plan,
        "province": province,
        "title": {"th": title_th, "en": title_en},
        "offence_groups": tuple(group),
        "forecast": forecast,
        "start": start,
        "end": end,
        "target": target,
    }
    with connected(home, as_json=as_json) as (gateway, _):
        activities = [_activity(each) for each in activity or ()]
        draft = Draft(FIRST_ROW, fields, {}, activities, [FIRST_ROW] * len(activities))
        done = _sent(gateway, calls.prepared(gateway, (draft,)), check=check)
        show(done, lambda: value_table(done), as_json=as_json)


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file as `saphan plan export` writes it.")],
    *,
    check: Check = False,
    home: HomeOption = None,
    as_json: AsJson = False,
) -> None:
    """Register every plan of a CSV file, or none: each row with a fault is named with its rule."""
    with connected(home, as_json=as_json) as (gateway, _):
        done = _sent(gateway, calls.prepared_file(gateway, _text(file)), check=check)
        show(done, lambda: _done_table(done), as_json=as_json)


@app.command("list")
def list_command(
    *,
    province: Province = None,
    owner: Owner = None,
    as_of: AsOf = None,
    home: HomeOption = None,
    as_json: AsJson = False,
) -> None:
    """List the newest version of every plan, by province; plans whose forecast no longer stands are flagged."""
    with connected(home, as_json=as_json) as (gateway, _):
        found = calls.plans(gateway, province, owner, instant_of(as_of, gateway.now()))
        show_all(found, lambda: _list_table(found), as_json=as_json)


@app.command("show")
def show_command(plan: PlanId, *, as_of: AsOf = None, home: HomeOption = None, as_json: AsJson = False) -> None:
    """Show a plan with its activities and its versions, checked against its owner's key."""
    with connected(home, as_json=as_json) as (gateway, _):
        found = calls.versions(gateway, plan, instant_of(as_of, gateway.now()))
        show_all(found, lambda: _plan_table(found), as_json=as_json)


@app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the CSV file; - is standard output.")],
    *,
    province: Province = None,
    owner: Owner = None,
    as_of: AsOf = None,
    for_evaluation: Annotated[
        bool, typer.Option("--for-evaluation", help="As `saphan forecast evaluate --plans` reads it.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Write the newest version of every plan as CSV, which `saphan plan import` reads."""
    with connected(home, as_json=False) as (gateway, _):
        found = calls.plans(gateway, province, owner, instant_of(as_of, gateway.now()))
        text = evaluation_csv(found) if for_evaluation else plans_csv(found)
    if str(file) == "-":
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8", newline="")
        say(str(file))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("file-unreadable", file=file.name) from error


def _sent(gateway: Gateway, ready: calls.Prepared, *, check: bool) -> Registered:
    """Register what is prepared; each rule that is broken is told in words once, and the error then names the rows."""
    for rule, text in {each.rule: each.text for each in ready.faults}.items():
        say(f"{rule}: {text.th} · {text.en}")
    return calls.send(gateway, ready, dry_run=check)


def _activity(text: str) -> dict[str, object]:
    parts = [each.strip() for each in text.split("|")]
    if len(parts) != len(("day", "th", "en", "place")):
        raise InvalidInput("malformed-body", where="--activity")
    day, th, en, place = parts
    return {"day": day, "title": {"th": th, "en": en}, "place": place}


def _done_table(done: Registered) -> Table:
    table = table_of("", "plans", "", figures=("plans",))
    for name, plans in (("new", done.new), ("changed", done.changed), ("unchanged", done.unchanged)):
        table.add_row(name, f"{len(plans):,}", ", ".join(plans))
    return table


def _list_table(found: tuple[PlanView, ...]) -> Table:
    table = table_of("id", "province", "title", "owner", "groups", "days", "target", "forecast", "version", "state")
    for each in found:
        plan = each.plan
        groups, days = " ".join(plan.offence_groups), f"{plan.start} - {plan.end}"
        title = f"{plan.title.th} · {plan.title.en}"
        target = f"{plan.target.words.th} · {plan.target.words.en}"
        row = (plan.id, _province(plan.province), title, plan.owner, groups, days, target, plan.forecast)
        table.add_row(*row, str(plan.version), _state(each))
    return table


def _plan_table(found: tuple[PlanView, ...]) -> Group:
    newest = found[0]
    activities = table_of("day", "activity", "place")
    for each in newest.plan.activities:
        activities.add_row(f"{each.day}", f"{each.title.th} · {each.title.en}", each.place)
    history = table_of("version", "registered", "digest")
    for version in found:
        history.add_row(str(version.plan.version), f"{version.registered_at:%Y-%m-%d %H:%M}", version.digest)
    meanings = [meaning_of(each) for each in newest.flags]
    flags = "\n".join(f"{each.th} · {each.en}" for each in meanings)
    return Group(_list_table((newest,)), "", activities, "", history, flags)


def _province(code: str) -> str:
    title = code_list("provinces").titles[code]
    return f"{title.th} · {title.en}"


def _state(view: PlanView) -> str:
    since = f"forecast flagged since · {', '.join(view.flagged_since)}" if view.flagged_since else ""
    told = (" ".join(view.flags), ", ".join(view.flagged), since)
    return " · ".join(each for each in told if each) or "valid"

"""Agreements as people read them on a terminal."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from contracts.agreement import Activity
from contracts.agreement_acts import AgreementHistory
from contracts.views import AgreementView
from saphan.output import table_of


def agreement_table(view: AgreementView) -> Table:
    """Who agrees to what, and who has signed: each activity with all that may be asked under it."""
    agreed = view.agreement
    table = table_of("activity", "", "", title=f"{agreed.id} v{agreed.version} · {view.state.value}")
    for each in agreed.activities:
        for number, (name, value) in enumerate(_terms(each)):
            table.add_row(each.id if number == 0 else "", name, value)
        table.add_section()
    table.add_row("period", "", f"{agreed.period.start} … {agreed.period.until}")
    table.add_row("requester", "", agreed.requester)
    table.add_row("drafted by", "", agreed.drafted_by)
    table.add_row("signed by", "", ", ".join(view.signed_by) or "nobody")
    table.add_row("required", "", ", ".join(sorted(f"{agency} {who.value}" for agency, who in agreed.required_signers)))
    if view.blocked:
        table.add_row("held back by", "", ", ".join(view.blocked))
    return table


def _terms(activity: Activity) -> Iterator[tuple[str, str]]:
    yield "title", f"{activity.title.th} · {activity.title.en}"
    yield "purpose", activity.purpose
    yield "contracts", ", ".join(f"{each.id} {each.version}" for each in activity.contracts)
    yield "measures", ", ".join(activity.measures)
    yield "dimensions", ", ".join(activity.dimensions) or "none"
    for number, family in enumerate(activity.families, 1):
        tables = " · ".join(f"{', '.join(of.by) or 'all'} ({of.weight})" for of in family.tables)
        yield f"family {number}", f"{'with whole numbers: ' if family.integers else ''}{tables}"
    yield (
        "nano-rho",
        f"{activity.nano_rho_per_request:,} each"
        + (f", {activity.nano_rho_in_all:,} in all" if activity.nano_rho_in_all else ""),
    )
    if activity.schedule:
        yield "schedule", f"{activity.schedule.requests} in each {activity.schedule.every.value}"
    yield "approval", activity.approval.value


def agreements_table(views: Sequence[AgreementView]) -> Table:
    """One version a line."""
    table = table_of("agreement", "version", "state", "requester", "providers", "until")
    for each in views:
        agreed = each.agreement
        providers = ", ".join(agreed.providers)
        version, until = str(agreed.version), str(agreed.period.until)
        table.add_row(agreed.id, version, each.state.value, agreed.requester, providers, until)
    return table


def history_table(histories: Sequence[AgreementHistory]) -> Table:
    """One act a line, every signature verified."""
    table = table_of("version", "at", "act", "agency", "by", "role", "state", "why")
    for each in histories:
        for entry in each.acts:
            act = entry.act
            why = " ".join(part for part in (act.because.value if act.because else "", act.reason) if part)
            at = f"{act.at:%Y-%m-%d %H:%M:%S}"
            state = entry.state.value
            table.add_row(str(act.version), at, act.act.value, act.agency, entry.kid, entry.role.value, state, why)
        table.add_section()
    return table

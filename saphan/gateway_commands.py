"""``saphan gateway``: make its home, bring its database up to date, serve."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from contracts.dataset import Text
from contracts.registry import Taken
from gateway.main import means_of, serve
from gateway.privacy_office import retention
from gateway.registry.keeper import repository_of
from gateway.settings import load_settings
from gateway.store.engine import Store
from gateway.store.migrate import check, upgrade
from saphan.log_output import log_to_stderr
from saphan.output import AsJson, say, show, show_all, table_of, told_errors
from saphan.registry_commands import batch_of
from saphan.retention_table import certificates_table

KEYS_LAST: Final = timedelta(days=730)

app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False, help="The gateway itself.")

Home = Annotated[Path | None, typer.Option(help="The gateway's home.", envvar="SAPHAN_HOME")]


@app.command("init")
def init_command(
    operator: Annotated[str, typer.Option(help="The member that runs the gateway.")],
    title_th: Annotated[str, typer.Option(help="Its name in Thai.")] = "",
    title_en: Annotated[str, typer.Option(help="Its name in English.")] = "",
    home: Home = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make the home, its keys and its database; prints the public keys for the federation."""
    with told_errors(as_json=as_json):
        settings = load_settings(home)
        now = datetime.now(UTC)  # noqa: TID251  # a command begins here
        settings.folder.make()
        title = Text(th=title_th or operator, en=title_en or operator)
        member = settings.folder.make_keys(operator, title, now, now + KEYS_LAST)
        upgrade(settings.database)

    def keys() -> Table:
        table = table_of("key", "purpose", "valid until")
        for key in member.keys:
            table.add_row(key.kid, key.purpose.value, f"{key.valid_until:%Y-%m-%d}")
        return table

    show(member, keys, as_json=as_json)
    say(f"{settings.folder.public}: register these keys with the federation, then pin its root here.")


@app.command("migrate")
def migrate_command(home: Home = None) -> None:
    """Bring the database to this program's schema."""
    with told_errors():
        upgrade(load_settings(home).database)
    say("ฐานข้อมูลพร้อมใช้ · the database is up to date")


@app.command("retain")
def retain_command(
    home: Home = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be deleted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete what is past its retention, and leave a signed certificate of it in the log."""
    with told_errors(as_json=as_json):
        means = means_of(load_settings(home))
        try:
            made = [retention.dry_run(means)] if dry_run else [e.certificate for e in retention.run_now(means)]
        finally:
            means.store.close()
        show_all(made, lambda: certificates_table(made), as_json=as_json)


@app.command("registry")
def registry_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What officers and registrars signed.")],
    home: Home = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Take signed files into the trust registry beside the running gateway, or before its first start."""
    with told_errors(as_json=as_json):
        settings = load_settings(home)
        check(settings.database)
        store = Store(settings.database)
        try:
            now = datetime.now(UTC)  # noqa: TID251  # a command begins here
            roles = repository_of(settings.folder, store).take(batch_of(folder), now)
        finally:
            store.close()
        taken = Taken(roles=roles)
        show(taken, lambda: ", ".join(roles), as_json=as_json)


@app.command("serve")
def serve_command(
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
) -> None:
    """Serve members, connectors and the public until stopped."""
    with told_errors():
        settings = load_settings(home, listen_host=host, listen_port=port)
        scheme = "http" if settings.tls is None else "https"
        say(f"{scheme}://{settings.listen_host}:{settings.listen_port}")
        log_to_stderr(logging.WARNING)
        serve(settings)

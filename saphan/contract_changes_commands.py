"""``saphan contract`` with all its verbs: here diff, publish and retire; lint and show are in ``contract_commands``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from connectors.main import now
from connectors.settings import load_settings
from contracts.contract_diff import Change, Comparison, Version, compare
from contracts.contract_versions import check_version, least_version, required_bump
from contracts.dataset import ContractRef, Text
from contracts.errors import InvalidInput, Reason, Refused
from contracts.odcs import LARGEST, bundled_ids, bundled_text, canonical_document, read_contract
from contracts.values import Value
from gateway.contract_calls import published_version
from saphan.client_commands import connected
from saphan.contract_commands import app
from saphan.contract_publishing import publish, take_back
from saphan.output import told_errors

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
HomeOption = Annotated[Path, typer.Option("--home", help="The agency's folder.", envvar="SAPHAN_HOME")]
HOME = Path(".saphan")
WHICH = "A file, a bundled id, or from the gateway a digest or ID@VERSION."
MARKS = {"weakens": "ลดการคุ้มครอง/weakens privacy", "breaks": "กระทบผู้ใช้/breaks users"}


class Difference(Value):
    """What differs between two versions of a contract, and what that asks of the new version's number.

    ``needs`` is the part of the version that must rise, ``least`` the lowest version that does; ``refused`` is why the
    new version would not be published.
    """

    old: ContractRef
    new: ContractRef
    changes: tuple[Change, ...]
    weakens: bool
    breaks: bool
    needs: str
    least: str
    enough: bool
    refused: tuple[Reason, ...]


class Contracts(Value):
    """Contracts that were published or retired."""

    contracts: tuple[ContractRef, ...]


@app.command("diff")
def diff_command(
    old: Annotated[str, typer.Argument(metavar="OLD", help=WHICH)],
    new: Annotated[str, typer.Argument(metavar="NEW", help=WHICH)],
    *,
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Say what differs between two versions, what weakens privacy, what breaks users, and which version that needs.

    Ends with 3 when the new version's number is too low.
    """
    with told_errors(as_json=as_json):
        difference = _difference(compare(*(_version(each, home, as_json=as_json) for each in (old, new))))
    if as_json:
        typer.echo(difference.model_dump_json())
    else:
        typer.echo("\n".join(_lines(difference)))
    if not difference.enough:
        raise typer.Exit(Refused.exit_code)


@app.command("publish")
def publish_command(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Leave out for all of the home.")
    ] = None,
    *,
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Sign contracts, as the agency's steward and as its data protection officer, and publish them."""
    with told_errors(as_json=as_json):
        _say(publish(load_settings(home=home.resolve()), files or [], now), as_json=as_json)


@app.command("retire")
def retire_command(
    digest: Annotated[str, typer.Argument(help="The contract's digest.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, for everybody to read.")],
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Take a contract back for good: nothing is asked under it any more; what was spent stays spent."""
    with told_errors(as_json=as_json):
        _say([take_back(load_settings(home=home.resolve()), digest, reason, now)], as_json=as_json)


def _version(wanted: str, home: Path, *, as_json: bool) -> Version:
    if Path(wanted).is_file():
        return _written(_text(Path(wanted)))
    if wanted in bundled_ids():
        return _written(bundled_text(wanted))
    if not wanted.startswith("sha-256:") and "@" not in wanted:
        raise InvalidInput("unknown-contract", contract=wanted)
    with connected(home, as_json=as_json) as (gateway, _):
        return published_version(gateway, wanted)


def _written(text: str) -> Version:
    return Version.of(read_contract(text), canonical_document(text))


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST:
            raise InvalidInput("contract-invalid", rule="size", where=file.name)
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("file-unreadable", file=file) from error


def _difference(comparison: Comparison) -> Difference:
    bump = required_bump(comparison)
    refused: tuple[Reason, ...] = ()
    if comparison.old.digest != comparison.new.digest:
        try:
            check_version(comparison)
        except Refused as error:
            refused = error.reasons
    return Difference(
        old=comparison.old,
        new=comparison.new,
        changes=comparison.changes,
        weakens=bool(comparison.weakening),
        breaks=bool(comparison.breaking),
        needs=bump.word,
        least=least_version(comparison.old.version, bump),
        enough=not refused,
        refused=refused,
    )


def _lines(difference: Difference) -> Iterator[str]:
    old, new = difference.old, difference.new
    yield f"{new.id} {old.version} -> {new.version}"
    for each in difference.changes:
        marks = [word for name, word in MARKS.items() if getattr(each, name)]
        yield f"  {each.path}: {each.before or '-'} -> {each.after or '-'}"
        yield from (f"      {line}" for line in (*marks, *_both(each.say)))
    if old.digest == new.digest:
        yield "ไม่มีความแตกต่าง · no difference"
        return
    verdict = ("เพียงพอ", "which it is") if difference.enough else ("ไม่เพียงพอ", "which it is not")
    yield f"ต้องเป็นรุ่น {difference.least} ขึ้นไป ({difference.needs}): {new.version} {verdict[0]}"
    yield f"needs version {difference.least} or higher ({difference.needs}), {verdict[1]}"
    for reason in difference.refused:
        yield f"{reason.code} ({reason.number})"
        yield from (
            f"    {line}" for line in (reason.message_th, reason.message_en, reason.advice_th, reason.advice_en)
        )


def _both(text: Text) -> tuple[str, str]:
    return (text.th, text.en)


def _say(references: list[ContractRef], *, as_json: bool) -> None:
    contracts = Contracts(contracts=tuple(references))
    lines = [f"{each.id} {each.version} {each.digest}" for each in references]
    typer.echo(contracts.model_dump_json() if as_json else "\n".join(lines))

"""``saphan connector template``, ``import`` and ``imports``: agencies that have files instead of an interface."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from connectors.home import Home
from connectors.intake.people import is_source
from connectors.intake.run import ImportReport, RuleCount, Stage, Wanted, import_file
from connectors.intake.run import Progress as Told
from connectors.intake.store import FILE, imports
from connectors.intake.template import text_file, workbook
from connectors.intake.template_words import words_of
from connectors.main import now
from connectors.settings import load_settings
from connectors.shelf import WrittenContract, read_folder
from contracts.errors import InvalidInput
from contracts.odcs import bundled_text, canonical_document, read_contract
from contracts.values import Value
from saphan.output import say, told_errors

HomeOption = Annotated[Path, typer.Option("--home", help="The connector's folder.", envvar="SAPHAN_HOME")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
HOME = Path(".saphan")
NO_IMPORTS = "ยังไม่มีการนำเข้า · nothing was imported yet"

STAGES = {
    Stage.READING: "อ่านและตรวจ · reading and checking",
    Stage.LISTING: "เขียนรายการแก้ไข · listing what is wrong",
    Stage.MERGING: "บันทึก · storing",
    Stage.STORED: "เสร็จ · done",
}


class Written(Value):
    """The files of a template, by name."""

    dataset: str
    files: tuple[str, ...]


class PastImport(Value):
    """One import so far; ``file_digest`` tells the file, whose name is not kept."""

    number: int
    dataset: str
    file_digest: str
    contract_digest: str
    imported_at: str
    rows: int
    added: int
    replaced: int
    unchanged: int
    rejected: int
    outside_pilot: int


class PastImports(Value):
    """The imports so far, oldest first."""

    imports: tuple[PastImport, ...]


def template_command(
    dataset: Annotated[str, typer.Argument(help="A contract of the home, or one that comes with the program.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A file that ends in .xlsx or .csv.")],
    *,
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Write a template to fill in: drop-downs, code lists and explanations in Thai."""
    with told_errors(as_json=as_json):
        words = words_of(_contract(home, dataset))
        if output.suffix == ".csv":
            data, explanation = text_file(words)
            files = {output: data, output.with_suffix(".txt"): explanation}
        elif output.suffix == ".xlsx":
            files = {output: workbook(words)}
        else:
            raise InvalidInput("setting-invalid", setting="output", why="the name ends in neither .xlsx nor .csv")
        for path, data in files.items():
            path.write_bytes(data)
        done = Written(dataset=dataset, files=tuple(path.name for path in files))
        typer.echo(done.model_dump_json() if as_json else "\n".join(done.files))


def import_command(  # noqa: PLR0913  # one option each
    file: Annotated[Path, typer.Argument(help="CSV, XLSX or Parquet.")],
    dataset: Annotated[str, typer.Option(help="The contract that the rows belong to.")],
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook.")] = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing if any row is bad.")] = False,
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Pass over columns that the contract does not know.")
    ] = False,
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Import a file of the agency's rows; bad rows are listed in a file that can be corrected and imported."""
    with told_errors(as_json=as_json):
        place = Home(home.resolve())
        _require_store_is_source(place, dataset)
        wanted = Wanted(dataset, strict=strict, ignore_unknown=ignore_unknown, sheet=sheet)
        with _progress_shown(as_json=as_json) as progress:
            report = import_file(place, file, wanted, now(), progress)
        typer.echo(report.model_dump_json() if as_json else "\n".join(_lines(report)))
        if report.errors_file:
            say(f"แก้ไขไฟล์นี้แล้วนำเข้าใหม่ · correct this file and import it again: imports/{report.errors_file}")


def imports_command(*, home: HomeOption = HOME, as_json: AsJson = False) -> None:
    """List the imports so far: counts only."""
    with told_errors(as_json=as_json):
        entries = imports(home.resolve() / FILE)
        names = list(PastImport.model_fields)
        past = PastImports(
            imports=tuple(PastImport(**{name: getattr(each, name) for name in names}) for each in entries)
        )
        lines = [
            f"{each.number:>4}  {each.imported_at[:16]}  {each.dataset}  {each.file_digest[8:20]}  {each.rows} rows: "
            f"{each.added} new, {each.replaced} replaced, {each.unchanged} unchanged, {each.rejected} rejected, "
            f"{each.outside_pilot} outside the pilot area"
            for each in past.imports
        ]
        typer.echo(past.model_dump_json() if as_json else "\n".join(lines or [NO_IMPORTS]))


def _contract(home: Path, dataset: str) -> WrittenContract:
    """The home's own contract if it has one, else the one that comes along."""
    own = next((each for each in read_folder(home / "contracts") if each.contract.id == dataset), None)
    if own is not None:
        return own
    text = bundled_text(dataset)
    return WrittenContract(read_contract(text), canonical_document(text))


def _require_store_is_source(home: Home, dataset: str) -> None:
    source = load_settings(home=home.path).source.get_secret_value()
    if not is_source(home, source, _contract(home.path, dataset).contract):
        raise InvalidInput("import-not-source")


@contextmanager
def _progress_shown(*, as_json: bool) -> Iterator[Told]:
    """A bar on standard error, if somebody watches."""
    console = Console(stderr=True, quiet=as_json)
    bars = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*bars, console=console, transient=True) as shown:
        bar = shown.add_task(STAGES[Stage.READING], total=1.0)
        yield lambda stage, share: shown.update(bar, description=STAGES[stage], completed=share)


def _lines(report: ImportReport) -> Iterator[str]:
    yield (
        f"{report.rows} rows: {report.accepted} accepted ({report.added} new, {report.replaced} replaced, "
        f"{report.unchanged} unchanged), {report.rejected} rejected, {report.outside_pilot} outside the pilot area"
    )
    yield from (_line(each) for each in (*report.broken, *report.noted))


def _line(count: RuleCount) -> str:
    return f"  {count.cells:>8}  {count.column or '-'}  {count.rule}: {count.says.th} / {count.says.en}"

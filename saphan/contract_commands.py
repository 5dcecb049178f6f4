"""``saphan contract``: check dataset contracts before anybody signs them, and read the ones that come along."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from contracts.code_lists import code_list
from contracts.dataset import ContractRef, DatasetContract, ProtectedUnit, Text
from contracts.errors import InvalidInput, Problem, SaphanError
from contracts.odcs import LARGEST, bundled_ids, bundled_text, examine_text, read_contract
from contracts.odcs_places import places_in
from contracts.odcs_rules import FIXES, RULES
from contracts.values import Value
from privacy.mechanisms import epsilon_of

app = typer.Typer(help="Dataset contracts: what an agency allows to be asked.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


class BrokenRule(Value):
    """A rule that a file breaks, where, what the rule asks for, and what to do about it.

    ``where`` is the place in the words of the format; ``path`` is it as JSON path and ``line`` in the file, from 1.
    """

    rule: str
    where: str
    path: str
    line: int
    asks: Text
    fix: Text


class Verdict(Value):
    """What the check says of one file: the contract it writes, or the rules that it breaks."""

    file: str
    contract: ContractRef | None
    broken: tuple[BrokenRule, ...]


class Verdicts(Value):
    """The verdicts on all files, in the order in which they were named."""

    files: tuple[Verdict, ...]


class Listing(Value):
    """The contracts that come with the program."""

    contracts: tuple[DatasetContract, ...]


@app.command()
def lint(files: Annotated[list[Path], typer.Argument(help="ODCS files.")], *, as_json: AsJson = False) -> None:
    """Check contract files: ODCS 3.2, our extras and the rules between them; each error says how to mend it."""
    try:
        verdicts = Verdicts(files=tuple(_verdict(file) for file in files))
    except SaphanError as error:
        raise _stopped(error, as_json=as_json) from error
    if as_json:
        typer.echo(verdicts.model_dump_json())
    else:
        for verdict in verdicts.files:
            for line in _verdict_lines(verdict):
                typer.echo(line)
    if any(verdict.broken for verdict in verdicts.files):
        raise typer.Exit(InvalidInput.exit_code)


@app.command()
def show(
    dataset: Annotated[str | None, typer.Argument(metavar="[ID]", help="Leave out to list all.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a contract that comes with the program, or list them all."""
    try:
        shown = tuple(read_contract(bundled_text(each)) for each in ((dataset,) if dataset else bundled_ids()))
    except SaphanError as error:
        raise _stopped(error, as_json=as_json) from error
    if as_json:
        typer.echo(shown[0].model_dump_json() if dataset else Listing(contracts=shown).model_dump_json())
        return
    for contract in shown:
        for line in _contract_lines(contract) if dataset else (_headline(contract),):
            typer.echo(line)


def _verdict(file: Path) -> Verdict:
    text = _text(file)
    contract, findings = examine_text(text)
    places = places_in(text, [each.where for each in findings])
    return Verdict(
        file=str(file),
        contract=contract.reference if contract else None,
        broken=tuple(
            BrokenRule(
                rule=each.rule,
                where=each.where,
                path=place.path,
                line=place.line,
                asks=RULES[each.rule],
                fix=FIXES[each.rule],
            )
            for each, place in zip(findings, places, strict=True)
        ),
    )


def _text(file: Path) -> str:
    """A file's text; of one that is far too long, so much that its length is seen."""
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
        return codecs.getincrementaldecoder("utf-8")().decode(data, final=len(data) <= LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("file-unreadable", file=file) from error


def _verdict_lines(verdict: Verdict) -> Iterator[str]:
    if verdict.contract is not None:
        yield f"{verdict.file}: {verdict.contract.id} {verdict.contract.version} {verdict.contract.digest}"
    for each in verdict.broken:
        yield f"{verdict.file}:{each.line}: {each.rule}: {each.where}"
        yield f"    {each.path}"
        yield f"    {each.asks.th}"
        yield f"    {each.asks.en}"
        yield f"    แก้ไข: {each.fix.th}"
        yield f"    Fix: {each.fix.en}"


def _headline(contract: DatasetContract) -> str:
    return f"{contract.id} {contract.version}  {contract.agency}  {contract.title.th} / {contract.title.en}"


def _contract_lines(contract: DatasetContract) -> Iterator[str]:
    unit, privacy = contract.unit, contract.privacy
    epsilon = epsilon_of(privacy.nano_rho_per_window, privacy.delta)
    yield _headline(contract)
    yield _fact("digest", contract.digest)
    yield _fact("source", f"{contract.source}, table {contract.table}")
    yield from _unit_lines(unit)
    yield _fact("noise", f"at the {privacy.protect_at.value}, {privacy.nano_rho_per_window} nano-rho in a fiscal year")
    yield _fact("", f"epsilon {epsilon:.2f} at delta {privacy.delta}")
    yield _fact("months", f"{contract.first_month} to {contract.last_month}")
    yield _fact("tiers", ", ".join(tier.value for tier in contract.tiers))
    if contract.feed_rows:
        yield _fact("feed", f"only {contract.feed_rows.column} = {', '.join(contract.feed_rows.codes)}")
    if contract.pilot:
        yield _fact("pilot", f"only {contract.pilot.column} = {', '.join(contract.pilot.codes)}")
    yield from _law_lines(contract)
    yield from _offer_lines(contract)


def _unit_lines(unit: ProtectedUnit) -> Iterator[str]:
    yield _fact("protects", f"{unit.person.th} / {unit.person.en}, {unit.most_rows} rows in a fiscal year")
    if unit.column is None:
        yield _fact("", "ไม่มีรหัสบุคคล แต่ละแถวถือเป็นหนึ่งคน / no key of people: every row counts as one of its own")
    if unit.shape is not None:
        cells = f"at most {unit.shape.cells} cells of {', '.join(unit.shape.by)}"
        yield _fact("", f"in {cells}, with at most {unit.shape.rows} rows in each")
    for each in unit.others:
        yield _fact("not", f"{each.th} / {each.en}")


def _law_lines(contract: DatasetContract) -> Iterator[str]:
    pdpa, government = contract.pdpa, contract.government
    section26 = f", s. 26: {', '.join(pdpa.section26)}" if pdpa.section26 else ""
    exemption = f", exemption {pdpa.exemption}" if pdpa.exemption else ""
    level = code_list("data_classification").titles[government.dga_level]
    yield _fact("pdpa", f"{pdpa.classification}{section26}{exemption}")
    yield _fact("oia", f"section {government.oia24}" if government.oia24 != "none" else "nothing about a person")
    yield _fact("level", f"{level.th} / {level.en}")
    yield _fact("purposes", ", ".join(contract.purposes))
    yield _fact("bases", ", ".join(contract.legal_basis))
    yield _fact("retention", f"{contract.retention_days} days after the event")
    for each in contract.contacts:
        yield _fact("contact", f"{each.role}: {each.name}")


def _offer_lines(contract: DatasetContract) -> Iterator[str]:
    yield _fact("measures", ", ".join(contract.measures))
    for each in contract.measure_columns:
        yield f"    {each.column:<24} {each.title.th} / {each.title.en}, {_clamp(each.clamp)} {each.unit} a row"
        for code, clamp in each.clamps.items():
            yield f"      {each.clamp_by} {code:<12} {_clamp(clamp)}"
    yield _fact("dimensions", f"at most {contract.max_dimensions} in one question")
    for dimension in contract.dimensions:
        labels = dimension.grain.value if dimension.grain else f"{len(dimension.values)} codes"
        yield f"    {dimension.name:<16} {dimension.title.th} / {dimension.title.en} ({labels})"


def _fact(name: str, text: str) -> str:
    return f"  {name:<11} {text}"


def _clamp(clamp: tuple[int, int]) -> str:
    return f"{clamp[0]:,} to {clamp[1]:,}"


def _stopped(error: SaphanError, *, as_json: bool) -> typer.Exit:
    problem: Problem = error.problem()
    if as_json:
        typer.echo(problem.model_dump_json())
    typer.echo(f"{problem.code} ({problem.number}): {problem.detail}\n{problem.detail_th}", err=True)
    typer.echo(f"{problem.advice}\n{problem.advice_th}", err=True)
    return typer.Exit(error.exit_code)

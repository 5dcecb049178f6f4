"""``saphan contract``: check dataset contracts before anybody signs them, and read the ones that come along."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from contracts.dataset import ContractRef, DatasetContract, Text
from contracts.errors import InvalidInput, Problem, SaphanError
from contracts.odcs import bundled_ids, bundled_text, examine_text, read_contract
from contracts.odcs_rules import RULES
from contracts.values import Value

app = typer.Typer(help="Dataset contracts: what an agency allows to be asked.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


class BrokenRule(Value):
    """A rule that a file breaks, where, and what the rule asks for."""

    rule: str
    where: str
    asks: Text


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
    """Check contract files: ODCS 3.2, our extras and the rules between them."""
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
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("file-unreadable", file=file) from error
    contract, findings = examine_text(text)
    return Verdict(
        file=str(file),
        contract=contract.reference if contract else None,
        broken=tuple(BrokenRule(rule=each.rule, where=each.where, asks=RULES[each.rule]) for each in findings),
    )


def _verdict_lines(verdict: Verdict) -> Iterator[str]:
    if verdict.contract is not None:
        yield f"{verdict.file}: {verdict.contract.id} {verdict.contract.version} {verdict.contract.digest}"
    for each in verdict.broken:
        yield f"{verdict.file}: {each.rule}: {each.where}"
        yield f"    {each.asks.en}"
        yield f"    {each.asks.th}"


def _headline(contract: DatasetContract) -> str:
    return f"{contract.id} {contract.version}  {contract.agency}  {contract.title.th} / {contract.title.en}"


def _contract_lines(contract: DatasetContract) -> Iterator[str]:
    unit, privacy = contract.unit, contract.privacy
    yield _headline(contract)
    yield f"  digest      {contract.digest}"
    yield f"  protects    {unit.person.th} / {unit.person.en}, {unit.rows_per_window} rows in a fiscal year"
    yield f"  noise       at the {privacy.protect_at.value}, {privacy.nano_rho_per_window} nano-rho in a fiscal year"
    yield f"  months      {contract.first_month} to {contract.last_month}"
    yield f"  purposes    {', '.join(contract.purposes)}"
    yield f"  measures    {', '.join(contract.measures)}"
    yield f"  dimensions  at most {contract.max_dimensions} in one question"
    for each in contract.dimensions:
        labels = each.grain.value if each.grain else f"{len(each.values)} codes"
        yield f"    {each.name:<16} {each.title.th} / {each.title.en} ({labels})"


def _stopped(error: SaphanError, *, as_json: bool) -> typer.Exit:
    problem: Problem = error.problem()
    if as_json:
        typer.echo(problem.model_dump_json())
    typer.echo(f"{problem.code} ({problem.number}): {problem.detail}\n{problem.detail_th}", err=True)
    typer.echo(f"{problem.advice}\n{problem.advice_th}", err=True)
    return typer.Exit(error.exit_code)

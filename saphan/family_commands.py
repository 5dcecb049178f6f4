"""``saphan family``: which weights the tables of a family should have, before anybody agrees to them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.odcs import bundled_ids, bundled_text, read_contract
from contracts.query import Family, FamilyTable, Query
from privacy.family_advice import advised_family
from saphan.client_commands import Start, Until, Where, asked
from saphan.family_tables import advice_table
from saphan.output import AsJson, show, told_errors

ALL: Final = "all"
NANO_RHO: Final = 100_000_000

app = typer.Typer(help="Families of tables: measured for one price, made to agree.", no_args_is_help=True)


@app.callback()
def _noun() -> None:
    """Keep ``weights`` a verb of its own, also while it is the only one."""


@app.command("weights")
def weights_command(  # noqa: PLR0913  # the options of a command line
    *,
    contract: Annotated[str, typer.Option(help="A dataset that comes along, or the file of a contract.")],
    by: Annotated[list[str], typer.Option("--by", help="A dimension of the finest table, in order.")],
    table: Annotated[list[str], typer.Option(help="A coarser table: its axes with commas, or all.")],
    start: Start,
    until: Until,
    measure: Annotated[str, typer.Option(help="count, COLUMN:sum or COLUMN:histogram.")] = "count",
    where: Where = None,
    nano_rho: Annotated[int, typer.Option(help="The price in each window.", min=1)] = NANO_RHO,
    integers: Annotated[bool, typer.Option(help="Whole numbers that add up, beside the estimates.")] = False,
    as_json: AsJson = False,
) -> None:
    """Recommend the weight of each table and print the error that each would have; asks nobody, spends nothing."""
    with told_errors(as_json=as_json):
        query = asked([measure], by, (start, until), where)
        advice = advised_family(_with_tables(query, table, integers=integers), _contract(contract), nano_rho)
        show(advice, lambda: advice_table(advice), as_json=as_json)


def _with_tables(query: Query, tables: Sequence[str], *, integers: bool) -> Query:
    named = {tuple(sorted(set(_axes(each)))) for each in tables} | {tuple(sorted(query.dimensions))}
    try:
        family = Family(tables=tuple(FamilyTable(by=by) for by in named), integers=integers)
        return Query.model_validate(query.model_dump(mode="json", by_alias=True) | {"family": family.model_dump()})
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="table") from error


def _axes(words: str) -> tuple[str, ...]:
    return () if words in ("", ALL) else tuple(name.strip() for name in words.split(","))


def _contract(name: str) -> DatasetContract:
    if name in bundled_ids():
        return read_contract(bundled_text(name))
    try:
        return read_contract(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("unknown-contract", contract=Path(name).name) from error

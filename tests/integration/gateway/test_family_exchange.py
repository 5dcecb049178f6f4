"""A family of tables from the signed agreement to what a requester reads, checks and takes away."""

import json
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from pyarrow import parquet  # type: ignore[import-untyped]  # it has no types
from rich.console import Console

from contracts.agreement import Agreement
from contracts.dataset import DatasetContract, Grain, ProtectAt
from contracts.errors import InvalidInput, Refused, SaphanError
from contracts.grid import Axis
from contracts.query import Family, Query
from contracts.task import Lease, LeaseCall, Part, Task
from forecasting.panel import panel_of
from gateway.asking import query_of
from gateway.centre.released_file import read_panel
from gateway.client import Gateway, Result
from gateway.family_asking import with_family
from gateway.family_table import tables_in_order
from saphan.family_tables import family_group, titles_of
from tests import factories
from tests.api_world import ApiWorld, Member, problem_in, running
from tests.family_world import LEAVES, PROVINCES, TABLES, assert_adds_up, family, offered

pytestmark = pytest.mark.integration

PERIOD = ("2025-08-01", "2025-12-01")
PRICE = 50_000_000
LEVEL = 20
CELLS = 4 * 5 * 4
FAMILY = family()
SUMS = family([("fiscal_year",), LEAVES], integers=False)
ACTIVITY = "families"
INSIDE = offered(id="tpo_inside", protect_at=ProtectAt.CONNECTOR)
OUTSIDE = offered(id="crimes_outside", agency="rtp")


def agreed(contract: DatasetContract, number: int) -> Agreement:
    names = tuple(each.name for each in contract.dimensions)
    activity = factories.activity((contract,), id=ACTIVITY, dimensions=names, families=(FAMILY, SUMS))
    return factories.agreement((contract,), id=f"AGR-2569-F{number:02d}", activities=(activity,))


AGREEMENTS = {contract.id: agreed(contract, number) for number, contract in enumerate((INSIDE, OUTSIDE))}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(tmp_path_factory.mktemp("gateway") / "home") as started:
        for contract in (INSIDE, OUTSIDE):
            started.world.register((contract,), AGREEMENTS[contract.id])
        yield started


def question(contract: DatasetContract, number: int = 1, *measures: str, **where: tuple[str, ...]) -> Query:
    query = query_of(measures or ("count",), LEAVES, PERIOD, where)
    return with_family(query, AGREEMENTS[contract.id].activities[0], number)


def ask(world: ApiWorld, contract: DatasetContract, query: Query) -> Result:
    gateway = world.gateway()
    agreement = AGREEMENTS[contract.id].id
    request = gateway.request(gateway.question(agreement, ACTIVITY, query, nano_rho=PRICE))
    gateway.submit(request)
    connector = world.member(f"{contract.agency}#connector-1")
    call = LeaseCall(agency=contract.agency, data_versions={contract.id: 1}, wait_seconds=0)
    for leased in Lease.model_validate_json(connector.post("/v1/tasks:lease", call).content).tasks:
        part = world.world.part(leased.task, contract, level=LEVEL)
        assert connector.answer(leased.task, part).status_code == 204
    world.later(3600)
    return gateway.wait(request.id, 1)


@pytest.fixture(scope="module")
def result(world: ApiWorld) -> Result:
    return ask(world, INSIDE, question(INSIDE))


def spent(gateway: Gateway) -> int:
    return sum(line.spent + line.reserved for line in gateway.budget())


def shown(result: Result, gateway: Gateway) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(family_group(result, titles_of(gateway, result.release.body)))
    return capture.get()


@pytest.mark.parametrize("contract", [INSIDE, OUTSIDE], ids=["connector", "gateway"])
def test_all_tables_of_a_family_are_released_for_one_price_and_add_up(
    world: ApiWorld, contract: DatasetContract
) -> None:
    body = ask(world, contract, question(contract)).release.body

    assert {table.by for table in body.tables} == {tuple(sorted(by)) for by in TABLES}
    assert {charge.nano_rho for charge in body.charges} == {PRICE}
    assert_adds_up(body, contract)
    for table in body.tables:
        worst = max(table.sigmas)
        size = CELLS * LEVEL / table.grid.size if table.grid.size in (1, CELLS) else None
        assert worst <= table.sigma
        assert size is None or max(abs(each - size) for each in table.estimates) < 6 * worst


def test_a_coarser_table_has_only_the_regions_that_a_filter_leaves(world: ApiWorld) -> None:
    body = ask(world, INSIDE, question(INSIDE, 1, province=("50", "57"))).release.body

    (regions,) = (table for table in body.tables if table.by == ("police_region",))
    assert regions.grid.axes == (Axis(name="police_region", values=("P5",)),)
    assert_adds_up(body, INSIDE)


def test_sums_of_a_family_add_up_and_its_means_are_beside_them(world: ApiWorld) -> None:
    result = ask(world, OUTSIDE, question(OUTSIDE, 2, "damage_thb:mean"))

    body = result.release.body
    assert {(table.measure, table.by) for table in body.tables} == {
        (measure, tuple(sorted(by))) for measure in ("count", "damage_thb:sum") for by in (("fiscal_year",), LEAVES)
    }
    rows = result.to_pandas()
    assert set(rows["measure"]) == {"count", "damage_thb:sum", "damage_thb:mean"}
    assert rows["integer"].isna().all()
    totals = rows[rows["measure"] == "damage_thb:sum"].groupby("table")["estimate"].sum()
    assert totals.iloc[0] == pytest.approx(totals.iloc[1], abs=1e-3)


def other_families() -> list[Family]:
    return [family(weight=3), family(TABLES[1:]), family(integers=False)]


@pytest.mark.parametrize("other", other_families(), ids=["weights", "tables", "whole numbers"])
def test_a_family_that_is_not_exactly_the_agreed_one_is_refused_and_costs_nothing(
    world: ApiWorld, other: Family
) -> None:
    gateway, query = world.gateway(), question(INSIDE)
    before = spent(gateway)
    call = gateway.question(AGREEMENTS[INSIDE.id].id, ACTIVITY, query.model_copy(update={"family": other}))

    with pytest.raises(Refused, match="family-not-agreed"):
        gateway.submit(gateway.request(call))

    assert spent(gateway) == before


def test_an_agreed_family_that_cannot_be_made_to_agree_is_refused_before_it_is_charged(world: ApiWorld) -> None:
    """Fiscal years and months fit the months; of two coarser axes of one dimension no finest table is the sum."""
    odd = Family.model_validate({"tables": [{"by": LEAVES}, {"by": ("hour",)}]})
    contract = offered(id="tpo_odd", dimensions=(*INSIDE.dimensions, factories.dimension("hour", grain=Grain.HOUR)))
    activity = factories.activity((contract,), id=ACTIVITY, dimensions=(*LEAVES, "hour"), families=(odd,))
    agreement = factories.agreement((contract,), id="AGR-2569-ODD", activities=(activity,))
    world.world.register((contract,), agreement)
    gateway, query = world.gateway(), with_family(query_of(("count",), LEAVES, PERIOD, {}), activity, 1)
    before = spent(gateway)

    with pytest.raises(InvalidInput, match="family-axis-unknown"):
        gateway.submit(gateway.request(gateway.question(agreement.id, ACTIVITY, query)))

    assert spent(gateway) == before


def test_a_preview_tells_the_error_of_each_table_that_the_release_then_has(world: ApiWorld, result: Result) -> None:
    gateway = world.gateway()
    call = gateway.question(AGREEMENTS[INSIDE.id].id, ACTIVITY, question(INSIDE), nano_rho=PRICE)

    preview = gateway.preview(call)

    told = {each.by: (each.cells, each.sigma) for each in preview.measures}
    tables = {each.by: (each.grid.size, max(each.sigmas)) for each in result.release.body.tables}
    assert told.keys() == tables.keys()
    for by, (cells, sigma) in tables.items():
        assert told[by][0] == cells
        assert told[by][1] == pytest.approx(sigma, rel=1e-3)
    assert all(each.expected_error_95 == pytest.approx(1.96 * each.sigma, rel=1e-4) for each in preview.measures)


def test_the_same_family_in_another_order_of_axes_is_the_same_release(world: ApiWorld, result: Result) -> None:
    gateway = world.gateway()
    before = spent(gateway)
    turned = question(INSIDE).model_copy(update={"dimensions": LEAVES[::-1]})

    again = ask(world, INSIDE, turned)

    assert (again.release.body.id, spent(gateway)) == (result.release.body.id, before)
    assert_adds_up(again.told.body, INSIDE)


def test_a_terminal_shows_each_table_by_its_name_with_its_error(world: ApiWorld, result: Result) -> None:
    text = shown(result, world.gateway())

    assert "รวมทั้งหมด" in text
    assert "all in one" in text
    assert text.count("±") > len(TABLES) * 2
    assert f"{len(result.release.body.tables)} tables" in text
    assert "more" in text


def test_a_family_is_taken_away_as_one_long_table(result: Result, tmp_path: Path) -> None:
    body = result.release.body
    for ending in ("csv", "parquet"):
        result.export(tmp_path / f"family.{ending}")

    rows = pd.read_csv(tmp_path / "family.csv", dtype={"province": str})
    assert list(rows.columns) == [
        *("table", "measure", "unit", "fiscal_year", "police_region", "offence_group", *LEAVES),
        *("estimate", "sigma", "error_95", "integer", "release", "release_state"),
    ]
    assert len(rows) == sum(table.grid.size for table in body.tables)
    leaf = rows[rows["table"] == " x ".join(LEAVES)]
    assert set(leaf["province"]) == set(PROVINCES)
    assert leaf["integer"].sum() == rows[rows["table"] == "all"]["integer"].item()
    assert rows["error_95"].to_list() == pytest.approx((1.959964 * rows["sigma"]).to_list(), rel=1e-5)
    metadata = parquet.read_table(tmp_path / "family.parquet").schema.metadata
    assert metadata[b"digest"].decode() == result.release.digest


def test_a_workbook_has_a_sheet_for_each_table(result: Result, tmp_path: Path) -> None:
    result.export(tmp_path / "family.xlsx")

    book = openpyxl.load_workbook(tmp_path / "family.xlsx", read_only=True)
    tables = tables_in_order(result.release.body)
    assert book.sheetnames[0] == "tables"
    assert book.sheetnames[-1] == "about"
    assert len(book.sheetnames) == len(tables) + 2
    assert all(len(name) <= 31 for name in book.sheetnames)
    for name, table in zip(book.sheetnames[1:-1], tables, strict=True):
        heading, *rows = book[name].iter_rows(values_only=True)
        assert set(heading[: len(table.by)]) == set(table.by)
        assert [row[heading.index("integer")] for row in rows] == list(table.integers)
    book.close()


def test_an_exported_family_is_forecast_from_its_estimates(result: Result, tmp_path: Path) -> None:
    made = panel_of(result.release.body)
    for ending in ("csv", "parquet"):
        path = tmp_path / f"family.{ending}"
        result.export(path)
        read = read_panel(path)
        assert read.labels() == made.labels()
        assert read.figures.tolist() == made.figures.tolist()
        assert read.noise_variance == pytest.approx(made.noise_variance, rel=1e-3)


def test_a_release_is_told_by_its_errors_in_one_line(result: Result) -> None:
    assert "count month x province x offence ± up to" in repr(result)


@pytest.mark.parametrize(
    ("number", "by", "code"),
    [
        (0, LEAVES, "family-not-there"),
        (3, LEAVES, "family-not-there"),
        (1, ("month",), "family-leaves-unclear"),
        (1, (), "family-leaves-unclear"),
    ],
)
def test_a_family_that_cannot_be_meant_is_named(number: int, by: tuple[str, ...], code: str) -> None:
    with pytest.raises(SaphanError, match=code):
        with_family(query_of(("count",), by, PERIOD, {}), AGREEMENTS[INSIDE.id].activities[0], number)


def test_the_finest_table_is_found_where_there_is_one(result: Result) -> None:
    activity = AGREEMENTS[INSIDE.id].activities[0]

    assert with_family(query_of(("count",), (), PERIOD, {}), activity, 2).dimensions == tuple(sorted(LEAVES))
    with pytest.raises(InvalidInput, match="malformed-body"):
        with_family(query_of(("people",), LEAVES, PERIOD, {}), activity, 1)
    assert json.loads(result.release.body.model_dump_json())["tables"]


def leased_family(world: ApiWorld, **where: tuple[str, ...]) -> tuple[Member, Task, Part]:
    """A question for a family that is out, and the honest part of its connector, not posted yet."""
    gateway = world.gateway()
    query = question(INSIDE, 1, **where)
    call = gateway.question(AGREEMENTS[INSIDE.id].id, ACTIVITY, query, nano_rho=PRICE)
    gateway.submit(gateway.request(call))
    connector = world.member("ccib#connector-1")
    lease = connector.post("/v1/tasks:lease", LeaseCall(agency="ccib", data_versions={INSIDE.id: 1}, wait_seconds=0))
    (leased,) = Lease.model_validate_json(lease.content).tasks
    return connector, leased.task, world.world.part(leased.task, INSIDE)


def test_a_part_that_lacks_a_table_has_one_twice_or_too_little_noise_is_not_taken(world: ApiWorld) -> None:
    connector, task, part = leased_family(world, province=("10",))
    first, *rest = part.measures
    too_little = first.model_copy(update={"sigma": (first.sigma or 0) * 0.99})
    too_short = first.model_copy(update={"cells": first.cells[:-1]})
    other_table = first.model_copy(update={"by": ("province",)})
    leaf_alone = first.model_copy(update={"by": None})

    wrong = [rest, [first, first, *rest], *([each, *rest] for each in (too_little, too_short, other_table, leaf_alone))]
    answers = [connector.answer(task, part.model_copy(update={"measures": tuple(each)})) for each in wrong]

    assert {problem_in(each).reasons[0].code for each in answers} == {"part-invalid"}
    assert connector.answer(task, part).status_code == 204

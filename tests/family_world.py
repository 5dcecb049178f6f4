"""A contract whose axes roll up, a family over it, and a check that the tables of a release add up."""

from collections.abc import Iterable, Mapping

import pytest

from contracts.dataset import DatasetContract, Dimension, Grain
from contracts.grid import grid_of
from contracts.query import Family, FamilyTable, Query
from contracts.release import ReleaseBody, ReleasedTable
from contracts.rollup import coarser, parent
from contracts.task import Part
from privacy.layout import vector_size
from privacy.release import assemble, exact_part
from tests import factories, forecast_panels

PROVINCES = ("10", "11", "50", "57", "90")
OFFENCES = ("HOMICIDE", "ASSAULT", "THEFT", "ROBBERY")
LEAVES = ("month", "province", "offence")
TABLES = (
    *((), ("fiscal_year",), ("month",), ("police_region",), ("fiscal_year", "province")),
    *(("month", "police_region"), ("month", "offence_group"), ("fiscal_year", "offence_group", "police_region")),
    LEAVES,
)

Label = tuple[str, str]
Cell = frozenset[Label]


def offered(**changes: object) -> DatasetContract:
    """Provinces lead to police regions, offences to groups, months to fiscal years."""
    dimensions = (
        factories.dimension("month", grain=Grain.MONTH),
        factories.dimension("fiscal_year", grain=Grain.YEAR),
        _coded("province", PROVINCES, "provinces", "province"),
        _coded("police_region", ("BMB", "P1", "P5", "P9"), "police_commands", "province", via="provinces"),
        _coded("offence", OFFENCES, "offences", "offence"),
        _coded("offence_group", ("G1", "G2"), "offence_groups", "offence", via="offences"),
    )
    return factories.contract(**({"dimensions": dimensions} | changes))


def family(tables: Iterable[tuple[str, ...]] = TABLES, weight: int = 2, **changes: object) -> Family:
    """A family whose finest table has that weight and every other one 1."""
    weighed = (FamilyTable(by=by, weight=weight if by == LEAVES else 1) for by in tables)
    return Family.model_validate({"tables": tuple(weighed), "integers": True} | changes)


def labelled(table: ReleasedTable, figures: Iterable[float]) -> dict[Cell, float]:
    """The figures of a table by the labels of their cells."""
    names = [axis.name for axis in table.grid.axes]
    cells = (frozenset(zip(names, key, strict=True)) for key in table.grid.keys())  # noqa: SIM118  # no mapping
    return dict(zip(cells, figures, strict=True))


def assert_adds_up(body: ReleaseBody, contract: DatasetContract) -> None:
    """Every table of the release is the sums of its finest one: estimates, and whole numbers, none of them negative."""
    above = _parents(body, contract)
    for measure in {table.measure for table in body.tables}:
        tables = [table for table in body.tables if table.measure == measure]
        (leaf,) = (table for table in tables if sorted(table.by) == sorted(body.query.dimensions))
        for field in ("estimates", "integers"):
            leaves = labelled(leaf, getattr(leaf, field))
            for table in tables:
                assert labelled(table, getattr(table, field)) == pytest.approx(_sums(leaves, table, above), abs=1e-6)
        assert min(min(table.integers) for table in tables) >= 0


def family_body(
    query: Query,
    level: int = 20,
    nano_rho: int = 400_000_000,
    contract: DatasetContract | None = None,
    **changes: object,
) -> ReleaseBody:
    """The body of a release of a family with real noise: ``level`` in every figure of the finest table."""
    contract = contract or offered()
    grid = grid_of(query, contract)
    sizes = {measure: vector_size(grid, contract, measure) for measure in query.base_measures}
    part = Part(
        task="TASK-1",
        task_digest=contract.digest,
        agency=contract.agency,
        contract=contract.reference,
        request_digest=contract.digest,
        data_version=1,
        charged=True,
        measures=exact_part({name: [level] * size for name, size in sizes.items()}, query),
        finished=factories.NOW,
    )
    made = assemble([part], [contract], query, nano_rho)
    fields = {"query": query, "released": made.released, "derived": made.derived, "tables": made.tables}
    return forecast_panels.body(grid, made.released[0].cells, query.period, **(fields | changes))


def _sums(leaves: Mapping[Cell, float], table: ReleasedTable, above: Mapping[Label, set[Label]]) -> dict[Cell, float]:
    sums: dict[Cell, float] = {}
    for cell, figure in leaves.items():
        labels = set(cell).union(*(above[label] for label in cell))
        key = frozenset(label for label in labels if label[0] in table.by)
        sums[key] = sums.get(key, 0) + figure
    return sums


def _parents(body: ReleaseBody, contract: DatasetContract) -> dict[Label, set[Label]]:
    """Each label of the finest table with those above it."""
    found: dict[Label, set[Label]] = {}
    for axis in body.grid.axes:
        fine = contract.dimension(axis.name)
        assert fine is not None
        for label in axis.values:
            found[axis.name, label] = {(each.name, parent(fine, each, label)) for each in coarser(contract, fine)}
    return found


def _coded(name: str, values: tuple[str, ...], code_list: str, column: str, **changes: object) -> Dimension:
    made = factories.dimension(name, values, column=column)
    return made.model_copy(update={"code_list": code_list, **changes})

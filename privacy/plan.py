"""What a question costs and how good its answer will be: from the contracts alone, never from the data.

The preview, the connector and the gateway call the same ``plan``, so what was shown before is what is done after.
"""

import math
from collections.abc import Sequence
from typing import Final

from pydantic import Field

from contracts.dataset import DatasetContract, ProtectAt
from contracts.errors import InvalidInput
from contracts.grid import grid_of
from contracts.identifiers import Code, Name
from contracts.measures import PEOPLE, Kind, measure_of
from contracts.query import FamilyTable, Mechanism, Query
from contracts.release import Promise
from contracts.remembered import Memory
from contracts.task import Charge
from contracts.values import Value
from privacy.layout import coarser_axes, layout_of, vector_size
from privacy.mechanisms import (
    LARGEST_EXACT,
    NANO,
    epsilon_of,
    gaussian_scale,
    laplace_error_95,
    laplace_scale,
    laplace_sigma,
    sampler_delta,
    scaled_sigma,
)
from privacy.sensitivity import Sensitivity, amounts, clamped_along, sensitivity, together

Z_95 = 1.959963984540054
"""Half-width of the central 95 % of a Gaussian, in standard deviations."""

COUNT_UNIT, PEOPLE_UNIT, SHARE_UNIT = "case", "person", "1"
PURE_DELTA = "0"


class Noise(Value):
    """The noise that one agency, or the gateway, adds to each cell of a vector.

    ``scale`` is the mechanism's own for one unit: the sigma of the discrete Gaussian, the b of the discrete Laplace. A
    cell whose rows move it by ``amount`` each gets so many times that; ``amounts`` has those of the codes that differ.
    """

    mechanism: Mechanism
    scale: float = Field(gt=0)
    amount: int = Field(default=1, ge=1)
    amounts: dict[Code, int] = Field(default_factory=dict)

    def scale_for(self, amount: int) -> float:
        """The mechanism's scale in a cell whose rows move it by that amount."""
        return self.scale if amount == 1 else scaled_sigma(self.scale, amount)

    def sigma_for(self, amount: int) -> float:
        """The standard deviation of the noise in such a cell."""
        scale = self.scale_for(amount)
        return scale if self.mechanism is Mechanism.GAUSSIAN else laplace_sigma(scale)


class PlannedVector(Value):
    """One draw of noise: a base measure over the cells of one table.

    ``by`` names the table's axes. ``nano_rho`` is its share of the request's price. ``noises`` are all that its cells
    will carry, independent of each other; ``central`` is the one that the gateway adds, none when agencies add all.
    ``along`` is the dimension by whose codes the noise differs.
    """

    measure: str
    by: tuple[Name, ...]
    unit: str
    nano_rho: int
    along: Name | None
    noises: tuple[Noise, ...]
    central: Noise | None

    @property
    def sigma(self) -> float:
        """The largest standard deviation of the noise in a cell."""
        return math.hypot(*(each.sigma_for(each.amount) for each in self.noises))

    @property
    def sigmas(self) -> dict[str, float]:
        """The standard deviation in the cells of each code of ``along``; empty where all cells are alike."""
        codes = self.noises[0].amounts
        return {code: math.hypot(*(each.sigma_for(each.amounts[code]) for each in self.noises)) for code in codes}

    @property
    def error_95(self) -> float:
        """The half-width of the interval that holds the exact figure of a cell 95 times in 100, at most."""
        first = self.noises[0]
        if len(self.noises) == 1 and first.mechanism is Mechanism.LAPLACE:
            return laplace_error_95(first.scale_for(first.amount))
        return Z_95 * self.sigma


class Plan(Value):
    """The terms of an answer: noise, charges, and the loss of one person over all windows and contracts."""

    vectors: tuple[PlannedVector, ...]
    charges: tuple[Charge, ...]
    epsilon: float
    delta: str

    def vector(self, measure: str, by: tuple[str, ...]) -> PlannedVector:
        """The vector of a base measure and a table of the plan."""
        return next(each for each in self.vectors if (each.measure, each.by) == (measure, by))


_plans: Final = Memory[Plan]()


def plan(query: Query, contracts: Sequence[DatasetContract], nano_rho: int) -> Plan:
    """The terms on which a checked question is answered.

    The price is split evenly over the base measures, and each share over the tables of a family by their weights. Every
    window that the period touches is charged in full for every source, because the same rows of a person answer all the
    cells of a window. The loss of one person over all of them is never more than the sum of these charges: see
    ``privacy.sensitivity``. What a standing series was charged before is the ledger's business, not the plan's.

    Args:
        query: A question that fits every contract.
        contracts: All of the question's contracts, or only an agency's own.
        nano_rho: The price in each window.

    Raises:
        InvalidInput: ``price-not-positive`` when there is less than one nano-rho for each vector;
            ``family-axis-unknown``; ``contracts-differ`` when one label or table means different things in two of them.
    """
    # It is asked for several times about one question: before it is charged, when it is protected, when it is told.
    return _plans.of((query, *contracts), repr(nano_rho), lambda: _planned(query, contracts, nano_rho))


def _planned(query: Query, contracts: Sequence[DatasetContract], nano_rho: int) -> Plan:
    # What could not be made to agree must fail here, before anything is charged.
    _check_tables(query, contracts)
    windows = query.period.windows()
    charges = tuple(
        Charge(source=source, window=window, nano_rho=nano_rho)
        for source in sorted({contract.source for contract in contracts})
        for window in windows
    )
    counted = 1 if _disjoint(contracts) else len(contracts)
    delta = min((contract.privacy.delta for contract in contracts), key=float)
    vectors = tuple(
        _vector(query, contracts, measure, table.by, share)
        for measure in query.base_measures
        for table, share in _shares(query, nano_rho)
    )
    epsilon, shown = _loss(query, contracts[0], vectors, nano_rho * len(windows) * counted, delta)
    return Plan(
        vectors=vectors,
        charges=charges,
        epsilon=epsilon,
        delta=shown,
    )


def promise(contract: DatasetContract, query: Query, nano_rho: int, data_version: int) -> Promise:
    """What the release promises a person of one contract's data."""
    terms = plan(query, [contract], nano_rho)
    return Promise(
        contract=contract.reference,
        person=contract.unit.person,
        protect_at=contract.privacy.protect_at,
        rows_per_window=contract.unit.most_rows,
        others=contract.unit.others,
        row_is_person=contract.unit.column is None,
        epsilon=terms.epsilon,
        delta=terms.delta,
        data_version=data_version,
    )


def unit_of(measure: str, contract: DatasetContract) -> str:
    """The unit of a measure's figures."""
    found = measure_of(measure)
    match found.kind:
        case Kind.COUNT | Kind.HISTOGRAM:
            return COUNT_UNIT
        case Kind.PEOPLE:
            return PEOPLE_UNIT
        case Kind.SHARE | Kind.RATIO:
            return SHARE_UNIT
        case _:
            column = contract.measure_column(found.column)
            return column.unit if column else COUNT_UNIT


def tables_of(query: Query) -> tuple[FamilyTable, ...]:
    """The tables that are measured: those of the family, or the one of all dimensions, in the question's order."""
    if query.family is None:
        return (FamilyTable.model_construct(by=query.dimensions, weight=1),)
    return query.family.tables


def _shares(query: Query, nano_rho: int) -> list[tuple[FamilyTable, int]]:
    """What each table of one base measure may cost; together never more than the measure's even share."""
    share, tables = nano_rho // len(query.base_measures), tables_of(query)
    whole = sum(table.weight for table in tables)
    shares = [(table, share * table.weight // whole) for table in tables]
    if any(each < 1 for _, each in shares):
        raise InvalidInput("price-not-positive")
    return shares


def _loss(
    query: Query, contract: DatasetContract, vectors: Sequence[PlannedVector], nano_rho: int, delta: str
) -> tuple[float, str]:
    """The epsilon of one person who is charged that much in all, and the delta that it is meant at.

    What the table sampler's distance from the exact law costs is part of that delta: the rest of it is converted.
    """
    if query.mechanism is Mechanism.LAPLACE:
        # One window of one contract costs eps^2 / 2 = rho (pure to zCDP), and pure losses add up.
        share = vectors[0].nano_rho
        return math.sqrt(2 * share / NANO) * (nano_rho // share), PURE_DELTA
    grid = grid_of(query, contract)
    sized = [(vector, vector_size(grid, contract, vector.measure)) for vector in vectors]
    large = [each for each in sized if each[1] > LARGEST_EXACT]
    # At half of delta epsilon is larger than it will be, and so is what the sampler may cost.
    sampled = _sampled(large, epsilon_of(nano_rho, repr(float(delta) / 2))) if large else 0.0
    if not sampled:
        return epsilon_of(nano_rho, delta), delta
    if sampled > float(delta) / 2:
        raise InvalidInput("too-many-cells", cells=grid.size, limit=LARGEST_EXACT)
    return epsilon_of(nano_rho, repr(math.nextafter(float(delta) - sampled, 0.0))), delta


def _sampled(large: Sequence[tuple[PlannedVector, int]], epsilon: float) -> float:
    """What the noise of tables that are too large to be drawn exactly, each with its size, adds to delta."""
    return math.fsum(
        sampler_delta(noise.scale_for(amount), size, epsilon)
        for vector, size in large
        for noise in vector.noises
        for amount in {noise.amount, *noise.amounts.values()}
    )


def _vector(
    query: Query, contracts: Sequence[DatasetContract], measure: str, by: tuple[str, ...], share: int
) -> PlannedVector:
    central = [c for c in contracts if c.privacy.protect_at is ProtectAt.GATEWAY]
    own = [c for c in contracts if c.privacy.protect_at is ProtectAt.CONNECTOR]
    _check_people(measure, contracts)
    along = _along(query, contracts, measure, by)
    largest = _largest([sensitivity(query, c, measure, by) for c in central], disjoint=_disjoint(contracts))
    gateways = _noise(query, central, measure, by, largest, share) if largest else None
    agencies = [_noise(query, [c], measure, by, sensitivity(query, c, measure, by), share) for c in own]
    return PlannedVector(
        measure=measure,
        by=by,
        unit=unit_of(measure, contracts[0]),
        nano_rho=share,
        along=along,
        noises=(*agencies, *([gateways] if gateways else [])),
        central=gateways,
    )


def _along(query: Query, contracts: Sequence[DatasetContract], measure: str, by: tuple[str, ...]) -> str | None:
    """The axis by whose codes the noise differs: the same one for all contracts, or they cannot be asked together.

    Contracts of the same shape may derive an axis from different columns; the clamp of a row then has nothing to do
    with the cell that it lands in.
    """
    found = {clamped_along(query, contract, measure, by) for contract in contracts}
    codes = {frozenset(amounts(query, contract, measure, by)[1]) for contract in contracts}
    if len(found) > 1 or len(codes) > 1:
        raise InvalidInput("contracts-differ", where=", ".join(contract.id for contract in contracts))
    return found.pop()


def _largest(distances: Sequence[Sensitivity], *, disjoint: bool) -> Sensitivity | None:
    """How far one person moves what the gateway protects: by one contract alone if nobody stands in two."""
    if not distances:
        return None
    if disjoint:
        return Sensitivity(max(d.l2_squared for d in distances), max(d.l1 for d in distances))
    return together(distances)


def _noise(
    query: Query,
    contracts: Sequence[DatasetContract],
    measure: str,
    by: tuple[str, ...],
    distance: Sensitivity,
    share: int,
) -> Noise:
    """The noise for cells into which rows of all these contracts fall: each cell's largest amount by any of them."""
    each = [amounts(query, contract, measure, by) for contract in contracts]
    amount = max(largest for largest, _ in each)
    by_code = {code: max(found[code] for _, found in each) for code in each[0][1]}
    if query.mechanism is Mechanism.LAPLACE:
        scale = laplace_scale(distance.l1, share)
    else:
        scale = gaussian_scale(distance.l2_squared, share)
    noise = Noise(mechanism=query.mechanism, scale=scale, amount=amount, amounts=by_code)
    # What no noise can be drawn for must fail here, where nothing is charged yet, and not when it is drawn.
    for size in {amount, *by_code.values()}:
        noise.scale_for(size)
    return noise


def _check_tables(query: Query, contracts: Sequence[DatasetContract]) -> None:
    """A family's coarser axes are of its dimensions, and add the same leaves up in every contract."""
    for contract in contracts:
        coarser_axes(query, contract)
    if query.family is None or len(contracts) == 1:
        return
    for table in query.family.tables:
        layouts = [layout_of(query, contract, grid_of(query, contract), table.by) for contract in contracts]
        for contract, layout in zip(contracts, layouts, strict=True):
            if layout.grid != layouts[0].grid or (layout.places != layouts[0].places).any():
                raise InvalidInput("contracts-differ", where=contract.id)


def _check_people(measure: str, contracts: Sequence[DatasetContract]) -> None:
    """Distinct people of several agencies add up only if nobody stands in two of them."""
    if measure == PEOPLE and len(contracts) > 1 and not _disjoint(contracts):
        raise InvalidInput("people-not-additive", contract=", ".join(contract.id for contract in contracts))


def _disjoint(contracts: Sequence[DatasetContract]) -> bool:
    """Whether no person stands in two of the contracts: each declares it of every other, on another source."""
    pairs = [(a, b) for a in contracts for b in contracts if a is not b]
    return all(a.id in b.disjoint_from and a.source != b.source for a, b in pairs)

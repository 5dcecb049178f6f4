"""Which weights the tables of a family should have: the least error for one price, from contracts alone."""

import math
from collections.abc import Sequence

from contracts.dataset import DatasetContract
from contracts.family_advice import FamilyAdvice, TableAdvice
from contracts.fit import check_question
from contracts.query import Family, FamilyTable, Query
from privacy.consistency import family_shape
from privacy.families.axes import cells_of
from privacy.families.family import expected_sigmas
from privacy.families.weights import integer_weights, optimal_shares
from privacy.plan import Z_95, PlannedVector, plan
from privacy.sensitivity import sensitivity


def advised_family(query: Query, contract: DatasetContract, nano_rho: int) -> FamilyAdvice:
    """The weights under which the tables of a question are best on the whole, and the errors of each table then.

    The mean variance of each table's cells counts alike, that of the finest table more, so that it does not suffer for
    the others; see ``privacy.families.weights``. A table that one person moves farther gets more.

    Args:
        query: A question with a family, whose own weights do not matter; errors are those of its first base measure.
        contract: What it is put to.
        nano_rho: The price in each window.

    Raises:
        InvalidInput: What does not fit the contract; ``family-axis-unknown``, ``price-not-positive``.
    """
    grid = check_question(query, [contract], query.period.until)
    tables = () if query.family is None else query.family.tables
    plan(query, [contract], nano_rho)
    shape = family_shape(query, contract, grid)
    measure = query.base_measures[0]
    distances = [math.sqrt(sensitivity(query, contract, measure, table.by).l2_squared) for table in tables]
    weights = integer_weights(optimal_shares(shape.axes, shape.tables, l2=distances))
    family = Family(
        tables=tuple(FamilyTable(by=t.by, weight=weight) for t, weight in zip(tables, weights, strict=True)),
        integers=query.family is not None and query.family.integers,
    )
    return _advice(query.model_copy(update={"family": family}), contract, family, measure, nano_rho)


def _advice(query: Query, contract: DatasetContract, family: Family, measure: str, nano_rho: int) -> FamilyAdvice:
    terms = plan(query, [contract], nano_rho)
    vectors = [terms.vector(measure, table.by) for table in family.tables]
    return FamilyAdvice(
        contract=contract.id,
        measure=measure,
        unit=vectors[0].unit,
        nano_rho=nano_rho,
        tables=_tables(query, contract, family, vectors),
        family=family,
    )


def _tables(
    query: Query, contract: DatasetContract, family: Family, vectors: Sequence[PlannedVector]
) -> tuple[TableAdvice, ...]:
    shape = family_shape(query, contract, check_question(query, [contract], query.period.until))
    expected = expected_sigmas(shape.axes, shape.tables, [vector.sigma for vector in vectors])
    found = [
        TableAdvice(
            by=table.by,
            cells=cells_of(shape.axes, levels),
            weight=table.weight,
            error_95_alone=Z_95 * vector.sigma,
            error_95=Z_95 * sigma.root_mean,
            largest_error_95=Z_95 * sigma.worst,
        )
        for table, levels, vector, sigma in zip(family.tables, shape.tables, vectors, expected, strict=True)
    ]
    return tuple(sorted(found, key=lambda each: each.cells))

"""Exact figures in, protected figures out: the same code at the connector and at the gateway."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from contracts.dataset import DatasetContract
from contracts.query import Query
from contracts.release import Derived, Released
from contracts.task import Part, PartMeasure
from privacy.mechanisms import add_gaussian, clamped, gaussian_sigma
from privacy.plan import Z_95, Plan, PlannedMeasure, plan, sensitivity, unit_of

DECIMALS = 2


class Assembled(NamedTuple):
    """The protected answer: noisy base measures, and what follows from them at no cost."""

    released: tuple[Released, ...]
    derived: tuple[Derived, ...]


def protect(
    exact: Mapping[str, Sequence[int]], contract: DatasetContract, query: Query, nano_rho: int
) -> tuple[PartMeasure, ...]:
    """Add one agency's own noise to its exact cells, inside the agency.

    Args:
        exact: The cells of each base measure of the query.
        contract: The agency's contract.
        query: The question.
        nano_rho: The price in each window; the planned share of it protects each measure.
    """
    terms = plan(query, [contract], nano_rho)
    return tuple(_protected(exact[each.measure], contract, query, each) for each in terms.measures)


def exact_part(exact: Mapping[str, Sequence[int]], query: Query) -> tuple[PartMeasure, ...]:
    """An agency's exact cells, for a contract that trusts the centre to add the noise."""
    return tuple(PartMeasure(measure=name, cells=tuple(exact[name])) for name in query.base_measures)


def assemble(parts: Sequence[Part], contracts: Sequence[DatasetContract], query: Query, nano_rho: int) -> Assembled:
    """Add the parts up, add the noise that is still owed, and derive the means.

    Args:
        parts: One answered part of each contract, cells in the order of the grid.
        contracts: The question's contracts.
        query: The question.
        nano_rho: The price in each window.
    """
    terms = plan(query, contracts, nano_rho)
    released = tuple(_assembled(each, parts) for each in terms.measures)
    by_name = {each.measure: each for each in released}
    derived = tuple(_mean(name, by_name, contracts[0]) for name in query.measures if name.endswith(":mean"))
    asked = tuple(each for each in released if each.measure in query.measures or derived)
    return Assembled(released=asked, derived=derived)


def planned_sigmas(terms: Plan) -> dict[str, float]:
    """The noise that each base measure of an answer will carry."""
    return {each.measure: each.sigma for each in terms.measures}


def _protected(cells: Sequence[int], contract: DatasetContract, query: Query, planned: PlannedMeasure) -> PartMeasure:
    l2 = sensitivity(query, contract, planned.measure)
    return PartMeasure(
        measure=planned.measure,
        cells=tuple(add_gaussian(cells, l2, planned.nano_rho)),
        sigma=gaussian_sigma(l2, planned.nano_rho),
    )


def _assembled(planned: PlannedMeasure, parts: Sequence[Part]) -> Released:
    vectors = [next(m.cells for m in part.measures if m.measure == planned.measure) for part in parts]
    total = [clamped(sum(cells)) for cells in zip(*vectors, strict=True)]
    noisy = add_gaussian(total, planned.central_l2, planned.nano_rho) if planned.central_l2 else total
    return Released(
        measure=planned.measure,
        unit=planned.unit,
        cells=tuple(noisy),
        sigma=planned.sigma,
        expected_error_95=Z_95 * planned.sigma,
    )


def _mean(name: str, released: Mapping[str, Released], contract: DatasetContract) -> Derived:
    """Mean = sum / count; its error by the delta method, shown only where the count stands out of its noise."""
    column = name.partition(":")[0]
    sums, counts = released[f"{column}:sum"], released["count"]
    means: list[float | None] = []
    errors: list[float | None] = []
    for total, count in zip(sums.cells, counts.cells, strict=True):
        if count <= 2 * counts.sigma:
            means.append(None)
            errors.append(None)
            continue
        mean = total / count
        means.append(round(mean, DECIMALS))
        errors.append(round(Z_95 * math.hypot(sums.sigma, mean * counts.sigma) / count, DECIMALS))
    return Derived(measure=name, unit=unit_of(name, contract), cells=tuple(means), errors_95=tuple(errors))

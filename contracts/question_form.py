"""The canonical form of a question: two questions with one form ask for the same figures, in whatever words.

Recognising too little costs the requester a second charge and harms nobody: every charge is paid for by noise of its
own. Recognising too much would answer a question with figures that are not its own, or let a person lose more than the
ledger says. So only what is certainly the same is: the order of dimensions, measures that are computed from the same
base measures, and a filter that lists every label of an axis, which leaves out no cell of the answer. Orders of
measures, filters, filter values and tables, and the scale of weights, never reach this point: a ``Query`` has one form
of each. What is equal by way of a coarser dimension is not recognised, and neither are prices, periods or data versions
that differ: each is charged.

In a family of tables every filter is kept. Its coarser tables pool the labels of an axis, and how many labels they pool
decides their noise: with the filter and without it the figures are the same, and the terms are not.
"""

from collections.abc import Sequence

from contracts.dataset import DatasetContract
from contracts.grid import Grid, key_set
from contracts.query import Query


def canonical_filters(query: Query, contracts: Sequence[DatasetContract]) -> dict[str, tuple[str, ...]]:
    """The filters that leave something out: those that list every label of an axis, in every contract, are dropped.

    A filter that lists every label of a dimension that is no axis is kept: it leaves out rows that have none.
    """
    return {name: codes for name, codes in query.where.items() if not _lists_all(query, contracts, name, codes)}


def question_form(query: Query, contracts: Sequence[DatasetContract]) -> dict[str, object]:
    """The canonical form of a question that fits its contracts, ready to be digested; their order has no meaning."""
    form = query.model_dump(mode="json", by_alias=True)
    return form | {
        "measures": list(query.base_measures),
        "dimensions": sorted(query.dimensions),
        "where": {name: list(codes) for name, codes in canonical_filters(query, contracts).items()},
    }


def is_answered_by(asked: Query, answered: Query, grid: Grid) -> bool:
    """Whether the figures of one question over that grid are what another one asks for, as far as both tell.

    Without the contract: a filter that only the asked question has must list exactly the labels of an axis, so that the
    figures cover it; one that only the answered question has is never accepted, nor are other codes of the same filter.
    """
    if asked == answered:
        return True
    labels = {axis.name: set(axis.values) for axis in grid.axes}
    dropped = asked.where.keys() - answered.where.keys()
    covered = asked.family is None and all(labels.get(name) == set(asked.where[name]) for name in dropped)
    kept = {name: codes for name, codes in asked.where.items() if name not in dropped}
    if (dropped and not covered) or kept != answered.where:
        return False
    alike = {"where": answered.where, "measures": answered.measures, "dimensions": answered.dimensions}
    same_axes = sorted(asked.dimensions) == sorted(answered.dimensions)
    same_base = asked.base_measures == answered.base_measures
    return same_axes and same_base and asked.model_copy(update=alike) == answered


def _lists_all(query: Query, contracts: Sequence[DatasetContract], name: str, codes: tuple[str, ...]) -> bool:
    if query.family is not None or name not in query.dimensions:
        return False
    offered = [contract.dimension(name) for contract in contracts]
    return bool(offered) and all(each is not None and set(codes) == set(key_set(each, query)) for each in offered)

"""The canonical form of a question: two questions with one form ask for the same figures, in whatever words.

Recognising too little costs the requester a second charge and harms nobody. Recognising too much would answer a
question with figures that are not its own. So only what is certainly the same is: the order of dimensions, measures
that are computed from the same base measures, and a filter that lists every label of an axis, which leaves out no cell
of the answer. Orders of measures, filters, filter values and tables, and the scale of weights, never reach this point: a
``Query`` has one form of each.
"""

from collections.abc import Mapping

from contracts.dataset import DatasetContract
from contracts.grid import Grid, key_set
from contracts.query import Query


def canonical_filters(query: Query, contract: DatasetContract) -> dict[str, tuple[str, ...]]:
    """The filters that leave something out: those that list every label of an axis are dropped.

    A filter that lists every label of a dimension that is no axis is kept: it leaves out rows that have none.
    """
    return {name: codes for name, codes in query.where.items() if not _lists_all(query, contract, name, codes)}


def question_form(query: Query, contract: DatasetContract) -> Mapping[str, object]:
    """The canonical form of a question that fits a contract, ready to be digested."""
    form = query.model_dump(mode="json", by_alias=True)
    return form | {
        "measures": list(query.base_measures),
        "dimensions": sorted(query.dimensions),
        "where": {name: list(codes) for name, codes in canonical_filters(query, contract).items()},
    }


def is_answered_by(asked: Query, answered: Query, grid: Grid) -> bool:
    """Whether the figures of one question over that grid are what another one asks for, as far as both tell.

    Without the contract: a filter that only the asked question has must list exactly the labels of an axis, so that the
    figures cover it; one that only the answered question has is never accepted.
    """
    labels = {axis.name: set(axis.values) for axis in grid.axes}
    more = {name: codes for name, codes in asked.where.items() if answered.where.get(name) != codes}
    if answered.where.keys() - asked.where.keys() or any(
        labels.get(name) != set(codes) for name, codes in more.items()
    ):
        return False
    alike = {"where": answered.where, "measures": answered.measures, "dimensions": answered.dimensions}
    same_axes = sorted(asked.dimensions) == sorted(answered.dimensions)
    same_base = asked.base_measures == answered.base_measures
    return same_axes and same_base and asked.model_copy(update=alike) == answered


def _lists_all(query: Query, contract: DatasetContract, name: str, codes: tuple[str, ...]) -> bool:
    dimension = contract.dimension(name)
    return dimension is not None and name in query.dimensions and set(codes) == set(key_set(dimension, query))

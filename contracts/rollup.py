"""Which coarser label each label of a dimension belongs to, where the same column leads to both.

A province lies in a police region, an offence in a group, a month in a fiscal year. The map is public: it comes from
the code lists and the calendar, never from the data.
"""

from datetime import date

from contracts.code_lists import crosswalk
from contracts.dataset import DatasetContract, Dimension, Grain
from contracts.errors import InvalidInput
from contracts.periods import window_of


def coarser(contract: DatasetContract, fine: Dimension) -> tuple[Dimension, ...]:
    """The dimensions of a contract that the labels of ``fine`` can be added up to."""
    return tuple(each for each in contract.dimensions if rolls_up(fine, each))


def rolls_up(fine: Dimension, coarse: Dimension) -> bool:
    """Whether every label of ``fine`` belongs to one label of ``coarse``, and the two are not the same."""
    if fine.name == coarse.name or fine.column != coarse.column:
        return False
    if fine.grain is not None or coarse.grain is not None:
        return (fine.grain, coarse.grain) == (Grain.MONTH, Grain.YEAR)
    found = _map(fine, coarse)
    return bool(found) and all(found.get(label) in coarse.values for label in fine.values)


def parent(fine: Dimension, coarse: Dimension, label: str) -> str:
    """The label of ``coarse`` that a label of ``fine`` belongs to.

    Raises:
        InvalidInput: ``unknown-dimension``, when the one does not roll up to the other.
    """
    if not rolls_up(fine, coarse):
        raise InvalidInput("unknown-dimension", contract=fine.name, dimension=coarse.name, choices=fine.name)
    if coarse.grain is Grain.YEAR:
        return window_of(date.fromisoformat(f"{label}-01"))
    return _map(fine, coarse)[label]


def _map(fine: Dimension, coarse: Dimension) -> dict[str, str]:
    """The map between two coded dimensions of one column; empty where no list leads from the one to the other."""
    if fine.code_list is None or coarse.code_list is None:
        return {}
    try:
        return dict(crosswalk(fine.code_list, coarse.code_list))
    except InvalidInput:
        return {}

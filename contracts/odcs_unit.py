"""What must hold of the protected unit of a contract: where a person's rows may fall, and who is no such person.

Each check gives the places that break it; see ``contracts.odcs_rules``.
"""

from collections.abc import Iterator, Mapping

from contracts.dataset import Grain
from contracts.odcs_extras import DimensionExtra, UnitOfPrivacy

Offered = Mapping[str, tuple[str, DimensionExtra]]
"""Every dimension of a document by its name, with the name of the column that it is derived from."""


def broken_shape(unit: UnitOfPrivacy, offered: Offered, event_time: str) -> Iterator[str]:
    """A shape bounds people in the cells of answers, and no part of it is idle: the bound of the year is what counts.

    Dimensions of the person's own column and months of another time than the event's are refused by rules of their own,
    and here, too: a shape rests on no other rule.
    """
    shape = unit.shape
    if shape is None:
        return
    if unit.column is None:
        yield "unitOfPrivacy.shape"
    for name in dict.fromkeys(shape.by):
        fits = name in offered and _fits(*offered[name], unit, event_time)
        if not fits or shape.by.count(name) > 1:
            yield f"unitOfPrivacy.shape.by: {name}"
    if shape.rows > unit.rows_per_window:
        yield "unitOfPrivacy.shape.rows"
    if shape.cells > unit.rows_per_window:
        yield "unitOfPrivacy.shape.cells"
    if shape.rows * shape.cells < unit.rows_per_window:
        yield "unitOfPrivacy.rowsPerWindow"


def broken_others(unit: UnitOfPrivacy) -> Iterator[str]:
    """Who is not protected has a name of their own in both languages."""
    seen = [unit.person]
    for number, each in enumerate(unit.others):
        if not each.th.strip() or not each.en.strip() or any(each.th == o.th or each.en == o.en for o in seen):
            yield f"unitOfPrivacy.others.{number}"
        seen.append(each)


def _fits(column: str, dimension: DimensionExtra, unit: UnitOfPrivacy, event_time: str) -> bool:
    """The fiscal year itself parts nothing: the bounds are those of one year. A week would lie in two of them."""
    late = dimension.grain is Grain.MONTH and column != event_time
    return column != unit.column and dimension.grain not in (Grain.YEAR, Grain.WEEK) and not late

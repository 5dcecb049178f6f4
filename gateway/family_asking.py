"""A question for a family of tables, as its activity has it: nobody who asks can choose other tables or weights."""

from typing import Final

from pydantic import ValidationError

from contracts.agreement import Activity
from contracts.errors import InvalidInput
from contracts.query import Family, Query

FIRST: Final = 1


def with_family(query: Query, activity: Activity, number: int) -> Query:
    """The question with one of the families of its activity.

    Args:
        query: A question; its dimensions are those of the family's finest table, in the order of the answer. Without
            any, they are those of the one table that has the most.
        activity: The activity under which it is asked.
        number: Which of the activity's families, from 1, in the order of the agreement.

    Raises:
        InvalidInput: ``family-not-there``; ``family-leaves-unclear`` if the family has no table of these dimensions, or
            several that could be meant; ``malformed-body`` for measures that no family can have.
    """
    if not FIRST <= number <= len(activity.families):
        raise InvalidInput("family-not-there", activity=activity.id, number=number, count=len(activity.families))
    family = activity.families[number - FIRST]
    told = query.model_dump(mode="json", by_alias=True)
    chosen = {"family": family.model_dump(mode="json"), "dimensions": _leaves(query, family, number)}
    try:
        return Query.model_validate(told | chosen)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="family") from error


def _leaves(query: Query, family: Family, number: int) -> tuple[str, ...]:
    most = max(len(table.by) for table in family.tables)
    finest = [table.by for table in family.tables if len(table.by) == most]
    if not query.dimensions and len(finest) == 1:
        return finest[0]
    if tuple(sorted(query.dimensions)) not in finest:
        choices = " · ".join(", ".join(by) for by in finest)
        asked = ", ".join(query.dimensions) or "-"
        raise InvalidInput("family-leaves-unclear", number=number, dimensions=asked, choices=choices)
    return query.dimensions

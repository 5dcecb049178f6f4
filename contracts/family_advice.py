"""What a family of tables would give: the weight that is recommended for each table, and its errors."""

from pydantic import Field

from contracts.identifiers import Identifier, MeasureName, Name
from contracts.query import Family
from contracts.values import Value


class TableAdvice(Value):
    """One table: its weight, and the half-widths of a cell's 95 % interval in the measure's unit.

    ``error_95_alone`` is that of what is measured for this table by itself, ``error_95`` the root mean square over its
    cells once all tables agree, ``largest_error_95`` that of its worst cell then.
    """

    by: tuple[Name, ...]
    cells: int = Field(ge=1)
    weight: int = Field(ge=1)
    error_95_alone: float
    error_95: float
    largest_error_95: float


class FamilyAdvice(Value):
    """A family as an activity of an agreement would have it, and what it gives at a price in each window."""

    contract: Identifier
    measure: MeasureName
    unit: str
    nano_rho: int
    tables: tuple[TableAdvice, ...]
    family: Family

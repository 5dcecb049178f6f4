"""The closed query: measures by declared dimensions, with equality filters, over a half-open period. No SQL travels."""

from collections.abc import Mapping

from pydantic import Field, field_validator

from contracts.identifiers import Code, MeasureName, Name
from contracts.periods import Period
from contracts.values import Value


class Query(Value):
    """One question, to be asked in the same words of one contract or of several of the same shape.

    ``where`` keeps rows whose dimension has one of the listed codes. The order of measures, of filter values and of
    filters carries no meaning and is normalised; the order of dimensions is the order of the answer's axes.
    """

    measures: tuple[MeasureName, ...] = Field(min_length=1, max_length=16)
    dimensions: tuple[Name, ...] = Field(max_length=6)
    where: Mapping[Name, tuple[Code, ...]] = Field(default_factory=dict)
    period: Period

    @field_validator("measures", mode="after")
    @classmethod
    def _measures_are_a_set(cls, measures: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(measures)))

    @field_validator("dimensions", mode="after")
    @classmethod
    def _dimensions_differ(cls, dimensions: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(dimensions)) != len(dimensions):
            raise ValueError("a dimension is named twice")
        return dimensions

    @field_validator("where", mode="after")
    @classmethod
    def _filters_are_sets(cls, where: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if any(not values for values in where.values()):
            raise ValueError("a filter lists at least one value")
        return {name: tuple(sorted(set(where[name]))) for name in sorted(where)}

    @property
    def base_measures(self) -> tuple[str, ...]:
        """What the connectors count: ``count`` and sums. A mean needs both and costs nothing beside them."""
        base = set()
        for measure in self.measures:
            column, _, kind = measure.partition(":")
            if kind in ("", "mean"):
                base.add("count")
            if kind:
                base.add(f"{column}:sum")
        return tuple(sorted(base))

"""The closed query: measures by declared dimensions, with equality filters, over a half-open period. No SQL travels."""

from collections.abc import Mapping
from enum import StrEnum
from math import gcd
from typing import Self

from pydantic import Field, field_validator, model_validator

from contracts.identifiers import Code, MeasureName, Name
from contracts.measures import COUNT, PEOPLE, base_of
from contracts.periods import Period
from contracts.values import Value


class Mechanism(StrEnum):
    """The law of the noise: discrete Gaussian, or discrete Laplace for a single answer with a pure epsilon."""

    GAUSSIAN = "gaussian"
    LAPLACE = "laplace"


class FamilyTable(Value):
    """One table of a family: ``by`` names its axes, ``weight`` is its share of the price beside the others'.

    An axis is a dimension of the question, or a coarser one that the same column is led on to, such as the police
    region of a province. An axis that is not named is added up.
    """

    by: tuple[Name, ...] = Field(max_length=6)
    weight: int = Field(default=1, ge=1, le=1000)

    @field_validator("by", mode="after")
    @classmethod
    def _axes_are_a_set(cls, by: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(by)))


class Family(Value):
    """Tables that are measured together for one price, and made to agree with each other.

    One of them has all dimensions of the question. ``integers`` asks for whole numbers that are not negative and add
    up, beside the unbiased estimates.
    """

    tables: tuple[FamilyTable, ...] = Field(min_length=1, max_length=64)
    integers: bool = False

    @field_validator("tables", mode="after")
    @classmethod
    def _tables_are_a_set(cls, tables: tuple[FamilyTable, ...]) -> tuple[FamilyTable, ...]:
        if len({table.by for table in tables}) != len(tables):
            raise ValueError("a table of a family is named twice")
        divisor = gcd(*(table.weight for table in tables))
        plain = (FamilyTable(by=table.by, weight=table.weight // divisor) for table in tables)
        return tuple(sorted(plain, key=lambda table: table.by))


class Series(Value):
    """A standing series: the same question about disjoint months, charged once for each window that it reaches.

    ``revision`` is 0 for figures as they first closed. A revision asks for closed months anew, under its number, and is
    charged anew.
    """

    revision: int = Field(default=0, ge=0, le=99)


class Query(Value):
    """One question, to be asked in the same words of one contract or of several of the same shape.

    ``where`` keeps rows whose dimension has one of the listed codes. The order of measures, of filter values and of
    filters carries no meaning and is normalised; the order of dimensions is the order of the answer's axes.
    """

    measures: tuple[MeasureName, ...] = Field(min_length=1, max_length=16)
    dimensions: tuple[Name, ...] = Field(max_length=6)
    where: Mapping[Name, tuple[Code, ...]] = Field(default_factory=dict)
    period: Period
    family: Family | None = None
    series: Series | None = None
    counter: bool = False
    """A daily counter: the nodes of a binary tree over the days of the fiscal year that the period completes."""

    mechanism: Mechanism = Mechanism.GAUSSIAN

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

    @model_validator(mode="after")
    def _forms_fit(self) -> Self:
        if self.family and tuple(sorted(self.dimensions)) not in {table.by for table in self.family.tables}:
            raise ValueError("a family has the table of all dimensions")
        if self.family and PEOPLE in self.measures:
            raise ValueError("distinct people do not add up over the tables of a family")
        if self.counter and (self.series is None or self.family or self.dimensions or self.measures != (COUNT,)):
            raise ValueError("a counter is a series of one count without dimensions")
        single = len(self.base_measures) == 1 and not (self.family or self.series)
        if self.mechanism is Mechanism.LAPLACE and not single:
            raise ValueError("the Laplace mechanism answers one measure, once")
        return self

    @property
    def base_measures(self) -> tuple[str, ...]:
        """What the connectors count. A mean needs the count and the sum, and costs nothing beside them."""
        return base_of(self.measures)

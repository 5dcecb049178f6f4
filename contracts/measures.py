"""What may be measured, by name: what the agencies count, and what follows from that at no further cost.

count           rows                                     people          distinct people
damage:sum      clamped amounts                          damage:mean     sum / count
days:histogram  rows in each of the contract's bins      days:median     and p10, p25, p75, p90, from the histogram
frozen:per:lost sum / sum                                result:share    each label's part of the count over a dimension
"""

from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

COUNT: Final = "count"
PEOPLE: Final = "people"
HISTOGRAM: Final = "histogram"
QUANTILES: Final = {"p10": 0.10, "p25": 0.25, "median": 0.50, "p75": 0.75, "p90": 0.90}
"""The quantiles that may be asked, by name: the share of rows below."""

MOST_NAMES: Final = 1024
"""How many names, and how many lists of names, are kept taken apart."""


class Kind(StrEnum):
    """How a measure comes about."""

    COUNT = "count"
    PEOPLE = "people"
    SUM = "sum"
    HISTOGRAM = "histogram"
    MEAN = "mean"
    QUANTILE = "quantile"
    RATIO = "per"
    SHARE = "share"


BASE_KINDS: Final = frozenset({Kind.COUNT, Kind.PEOPLE, Kind.SUM, Kind.HISTOGRAM})
"""What is counted and protected; everything else is derived."""


class Measure(NamedTuple):
    """A measure taken apart: ``column`` is empty for count and people, the dimension for a share."""

    name: str
    kind: Kind
    column: str = ""
    divisor: str = ""
    """The column whose sum a ratio divides by."""

    quantile: float = 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        """The measure columns that it reads."""
        if self.kind in (Kind.COUNT, Kind.PEOPLE, Kind.SHARE):
            return ()
        return (self.column, self.divisor) if self.divisor else (self.column,)

    @property
    def base(self) -> tuple[str, ...]:
        """The base measures that it is, or is computed from."""
        match self.kind:
            case Kind.MEAN:
                return (COUNT, f"{self.column}:{Kind.SUM}")
            case Kind.RATIO:
                return (f"{self.column}:{Kind.SUM}", f"{self.divisor}:{Kind.SUM}")
            case Kind.SHARE:
                return (COUNT,)
            case Kind.QUANTILE:
                return (f"{self.column}:{HISTOGRAM}",)
            case _:
                return (self.name,)


@lru_cache(maxsize=MOST_NAMES)
def measure_of(name: str) -> Measure:
    """A measure by its name, whose form ``contracts.identifiers.MeasureName`` has checked."""
    column, _, rest = name.partition(":")
    if not rest:
        return Measure(name, Kind(column))
    kind, _, divisor = rest.partition(":")
    if kind in QUANTILES:
        return Measure(name, Kind.QUANTILE, column, quantile=QUANTILES[kind])
    return Measure(name, Kind(kind), column, divisor)


@lru_cache(maxsize=MOST_NAMES)
def base_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """The base measures that these need, each once, sorted."""
    return tuple(sorted({base for name in names for base in measure_of(name).base}))

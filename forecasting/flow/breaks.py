"""Known beginnings, ends and changes of series by law: what a forecast must not learn. Facts of ``breaks.toml``."""

import tomllib
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from contracts.dataset import Text
from contracts.periods import next_month
from contracts.values import Value

_FACTS = Path(__file__).with_suffix(".toml")


class BreakKind(StrEnum):
    """What happened to a series."""

    BEGAN = "began"
    ENDED = "ended"
    CHANGED = "changed"


class Break(Value):
    """One day that parts a series: of one code of an axis, or, without a code, of a dataset's whole."""

    dataset: str
    axis: str = ""
    code: str = ""
    kind: BreakKind
    day: date
    title: Text
    source: str

    @property
    def first_month(self) -> str:
        """The first whole month after it."""
        return f"{self.day if self.day.day == 1 else next_month(self.day):%Y-%m}"


@lru_cache(maxsize=1)
def breaks() -> tuple[Break, ...]:
    """Every known break."""
    given = tomllib.loads(_FACTS.read_text(encoding="utf-8"))
    return tuple(Break.model_validate(each) for each in given["break"])


def break_of(dataset: str, axis: str = "", code: str = "") -> Break | None:
    """The newest break of one code of an axis, or of the dataset's whole; None if the series is unbroken."""
    found = [each for each in breaks() if (each.dataset, each.axis, each.code) == (dataset, axis, code)]
    return max(found, key=lambda each: each.day, default=None)

"""The rules that a file is checked by, and what each says in both languages."""

import tomllib
from importlib.resources import files
from typing import Final

from contracts.dataset import Text
from contracts.odcs_columns import ColumnFacts


def _load() -> dict[str, Text]:
    text = files("connectors.intake").joinpath("rules.toml").read_text(encoding="utf-8")
    return {rule: Text.model_validate(says) for rule, says in tomllib.loads(text).items()}


RULES: Final = _load()

KEY_REPEATED: Final = "key-repeated"
MISSING: Final = "missing"
MONTH_FIRST: Final = "date-month-first"
OUTSIDE_PILOT: Final = "outside-pilot"
ROW_SHAPE: Final = "row-shape"
DAY_FIRST: Final = "day-first-assumed"


def told(rule: str, column: ColumnFacts | None = None) -> str:
    """What an agency reads about a cell, or about a whole row when there is no column: Thai first, then English."""
    says = RULES[rule]
    place = "" if column is None else f"{column.title} ({column.name}): "
    return f"{place}[{rule}] {says.th} / {says.en}"

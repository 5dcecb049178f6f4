"""The figures that generated data is calibrated on, read from the files beside this module."""

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

_FOLDER = files("connectors.synthetic")


@dataclass(frozen=True, slots=True)
class Columns:
    """A table of the folder, by column."""

    text: Mapping[str, tuple[str, ...]]

    @property
    def codes(self) -> tuple[str, ...]:
        """The column ``code``."""
        return self.text["code"]

    def numbers(self, column: str) -> Floats:
        """A column as numbers."""
        return np.array([float(value) for value in self.text[column]])


@cache
def columns(name: str) -> Columns:
    """The file ``<name>.csv``."""
    rows = list(csv.DictReader(_FOLDER.joinpath(f"{name}.csv").read_text(encoding="utf-8").splitlines()))
    return Columns({column: tuple(row[column] for row in rows) for column in rows[0]})


@cache
def figures() -> Mapping[str, Any]:
    """The file ``figures.toml``."""
    return tomllib.loads(_FOLDER.joinpath("figures.toml").read_text(encoding="utf-8"))


def shares(table: Mapping[str, float]) -> tuple[tuple[str, ...], Floats]:
    """The codes of a table of shares, and the shares, which add up to one."""
    weights = np.array(list(table.values()), dtype=np.float64)
    return tuple(table), weights / weights.sum()


def hour_profile(name: str) -> Floats:
    """How busy each of 24 hours is; adds up to one."""
    hours = figures()["hours"]
    busy = np.ones(24)
    for first, last in hours[name]:
        busy[first:last] = hours["peak"]
    profile: Floats = busy / busy.sum()
    return profile

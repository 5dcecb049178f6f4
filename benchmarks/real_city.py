"""The real city of ``benchmarks.real``: its incidents split by district over three agencies, each with its contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.federation import Agency
from contracts.canonical import canonical_bytes
from contracts.grid import Grid
from contracts.odcs_yaml import parse
from forecasting.panel import Floats

AGENCIES = ("metro-north", "metro-centre", "metro-south")
TEMPLATE = Path(__file__).with_name("real_template.odcs.yaml")
FILE = Path("city_incidents") / "incidents.parquet"
TABLE = "incident"


@dataclass(frozen=True, slots=True)
class City:
    """Every incident: number, district, offence, and when it happened (local wall clock)."""

    incidents: pd.DataFrame

    def labels(self, column: str) -> tuple[str, ...]:
        """The codes of a column. Public here: they are the publisher's own code list."""
        return tuple(sorted(self.incidents[column].unique()))

    def exact(self, grid: Grid) -> Floats:
        """The true counts of month x district x offence in the order of a grid's cells."""
        month = self.incidents["occurred_at"].dt.strftime("%Y-%m")
        counts = self.incidents.groupby([month, "district", "offence"]).size()
        keys = pd.MultiIndex.from_tuples(list(grid.keys()), names=counts.index.names)
        return np.asarray(counts.reindex(keys, fill_value=0), dtype=np.float64)


def read_city(data: Path) -> City:
    """The incidents of the folder; an unknown hour counts as midnight, which leaves the month as it is."""
    raw = pd.read_parquet(data / FILE, columns=["incident", "district", "offence", "date", "hour"])
    hours = pd.to_timedelta(raw["hour"].fillna(0).astype("int64"), unit="h")
    when = (pd.to_datetime(raw["date"]) + hours).astype("datetime64[us]")
    return City(raw[["incident", "district", "offence"]].assign(occurred_at=when))


def split(city: City, folder: Path) -> tuple[Agency, ...]:
    """Give each agency a third of the districts in its own Parquet file, and its contract beside it."""
    districts, made = city.labels("district"), []
    for place, agency in enumerate(AGENCIES):
        home = folder / agency
        home.mkdir(parents=True)
        own = city.incidents[city.incidents["district"].isin(districts[place :: len(AGENCIES)])]
        own.to_parquet(home / f"{TABLE}.parquet", index=False)
        contract = folder / f"{agency}.odcs.yaml"
        # A JSON document is a YAML document.
        contract.write_bytes(canonical_bytes(_contract(agency, city)))
        made.append(Agency(agency, f"parquet:///{home}", str(contract)))
    return tuple(made)


def _contract(agency: str, city: City) -> Mapping[str, object]:
    filled = {
        "federation": {"agency": agency, "source": f"{agency}/incidents"},
        "disjointFrom": [_dataset(other) for other in AGENCIES if other != agency],
    }
    document = _filled(parse(TEMPLATE.read_text(encoding="utf-8")), filled, city)
    return {**document, "id": _dataset(agency)} if isinstance(document, Mapping) else {}


def _filled(node: object, extras: Mapping[str, object], city: City) -> object:
    """The template with the values of these extras, and with the labels of every property that has an ``enum``."""
    if isinstance(node, Mapping):
        made = {key: _filled(value, extras, city) for key, value in node.items()}
        if "enum" in made:
            made["enum"] = [{"value": label} for label in city.labels(str(made["name"]))]
        if made.get("property") in extras:
            made["value"] = extras[str(made["property"])]
        return made
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_filled(each, extras, city) for each in node]
    return node


def _dataset(agency: str) -> str:
    return f"incidents_{agency.replace('-', '_')}"

"""Which provinces share a border: 175 pairs computed from the shapes of Natural Earth (public domain), and one bridge.

``neighbours.csv`` has each pair once, by province code; the bridge is the one between Phuket and Phangnga.
"""

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_PAIRS = Path(__file__).with_suffix(".csv")


@lru_cache(maxsize=1)
def provinces_beside() -> Mapping[str, frozenset[str]]:
    """For each province code those of its neighbours."""
    found: dict[str, set[str]] = {}
    for pair in csv.DictReader(_PAIRS.read_text(encoding="utf-8").splitlines()):
        found.setdefault(pair["a"], set()).add(pair["b"])
        found.setdefault(pair["b"], set()).add(pair["a"])
    return {province: frozenset(others) for province, others in found.items()}

"""Every error that a person may see, read from ``error_catalogue.toml``: number, family, texts in English and Thai."""

import tomllib
from importlib.resources import files
from typing import NamedTuple


class Entry(NamedTuple):
    """One error: its stable number, its family, and what it says in English and Thai."""

    number: int
    family: str
    en: str
    th: str
    advice_en: str
    advice_th: str


def _load() -> dict[str, Entry]:
    text = files("contracts").joinpath("error_catalogue.toml").read_text(encoding="utf-8")
    return {code: Entry(**fields) for code, fields in tomllib.loads(text).items()}


CATALOGUE: dict[str, Entry] = _load()

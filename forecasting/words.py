"""Sentences of reports: templates in Thai and English in a package's ``words.toml``, filled with figures."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from contracts.dataset import Text
from contracts.periods import BUDDHIST_ERA


@lru_cache(maxsize=16)
def words_of(path: Path) -> Mapping[str, Text]:
    """Every template of a file, by its key."""
    given = tomllib.loads(path.read_text(encoding="utf-8"))
    return {key: Text.model_validate(words) for key, words in given.items()}


def filled(template: Text, **details: object) -> Text:
    """A template with its details; a ``Text`` among them is put in each sentence in that sentence's language.

    Raises:
        KeyError: A detail is missing.
    """
    thai = {key: value.th if isinstance(value, Text) else value for key, value in details.items()}
    english = {key: value.en if isinstance(value, Text) else value for key, value in details.items()}
    return Text(th=template.th.format(**thai), en=template.en.format(**english))


MONTHS_TH = ("ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.")
MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def period_words(period: str) -> Text:
    """A month or a fiscal year as people write it, in Thai by the Buddhist era.

    Args:
        period: ``2026-01`` or ``FY2569``.
    """
    if period.startswith("FY"):
        named = period.removeprefix("FY")
        return Text(th=f"ปีงบประมาณ {named}", en=f"fiscal year {named}")
    year, month = (int(part) for part in period.split("-"))
    return Text(th=f"{MONTHS_TH[month - 1]} {year + BUDDHIST_ERA}", en=f"{MONTHS_EN[month - 1]} {year}")


def joined(parts: Sequence[Text]) -> Text:
    """Texts with commas between them."""
    return Text(th=", ".join(each.th for each in parts), en=", ".join(each.en for each in parts))

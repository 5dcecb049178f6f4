"""Which code of a list a text means: by code, name, other written forms, or what is left of a name that lost marks.

Damage only takes away. A text that is no name of the list is still taken for a name if it can be had from that name by
losing any marks and at most one letter, and from no other. What could be two is refused, never guessed.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

from connectors.intake.thai_text import bare, letters
from contracts.code_lists import code_list

LONGEST: Final = 200
"""Characters of a text that is still compared with damaged names."""

FEWEST_LEFT: Final = 3
"""Letters that must be left of a name that lost one."""

PREFIXES: Final = {
    "provinces": ("จังหวัด", "จ", "จว", "changwat", "province of"),
    "police_commands": ("กองบัญชาการ",),
}
SUFFIXES: Final = {"provinces": ("province",)}


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A text that could mean several entries."""


AMBIGUOUS: Final = Ambiguous()


class Matcher:
    """Finds the entry that a text names.

    Args:
        forms: The ways in which each entry may be written. A way that two entries share names neither.
        prefixes: Words that may stand before a name.
        suffixes: Words that may stand behind a name.
    """

    def __init__(
        self, forms: Mapping[str, Iterable[str]], prefixes: Iterable[str] = (), suffixes: Iterable[str] = ()
    ) -> None:
        before = ("", *(letters(each) for each in prefixes))
        after = ("", *(letters(each) for each in suffixes))
        found: dict[str, set[str]] = defaultdict(set)
        for entry, written in forms.items():
            for name in {letters(form) for form in written} - {""}:
                for whole in (one + name + other for one in before for other in after):
                    found[whole].add(entry)
        self._exact = dict(found)

    def find(self, text: str) -> str | Ambiguous | None:
        """The entry; None if the text names none, ``AMBIGUOUS`` if it may name several."""
        given = letters(text)
        entries = self._exact.get(given) or self._damaged(given)
        if len(entries) > 1:
            return AMBIGUOUS
        return next(iter(entries), None)

    def _damaged(self, given: str) -> set[str]:
        if len(given) > LONGEST or given.isascii():
            return set()
        return {entry for name, entries in self._exact.items() if is_left_of(given, name) for entry in entries}


def is_left_of(given: str, name: str) -> bool:
    """Whether ``given`` is what is left of ``name`` after losing any marks and at most one letter, but no digit."""
    lost = len(bare(name)) - len(bare(given))
    if lost not in (0, 1) or (lost and len(bare(given)) < FEWEST_LEFT):
        return False
    rest = iter(name)
    return all(each in rest for each in given) and _digits(given) == _digits(name)


@lru_cache(maxsize=64)
def matcher_of(list_name: str) -> Matcher:
    """The matcher of a public code list.

    Raises:
        InvalidInput: ``unknown-code-list``.
    """
    listed = code_list(list_name)
    forms = {
        code: [code, listed.titles[code].th, listed.titles[code].en, *_other_forms(list_name, code)]
        for code in listed.values
    }
    return Matcher(forms, PREFIXES.get(list_name, ()), SUFFIXES.get(list_name, ()))


def _other_forms(list_name: str, code: str) -> list[str]:
    facts = code_list(list_name).facts
    written = facts.get("written", {}).get(code, "").split(";")
    official = [facts[column][code] for column in ("iso_3166_2", "short", "abbr_th") if column in facts]
    return [*written, *official, *_known_forms().get((list_name, code), [])]


@lru_cache(maxsize=1)
def _known_forms() -> Mapping[tuple[str, str], list[str]]:
    text = files("connectors.intake").joinpath("written_forms.csv").read_text(encoding="utf-8")
    known: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in csv.DictReader(text.splitlines()):
        known[row["list"], row["code"]].append(row["form"])
    return known


def _digits(text: str) -> list[str]:
    return [each for each in text if each.isdigit()]

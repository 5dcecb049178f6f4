"""What the reports of flow and reoffending share: tables with titled columns, figures as published, flags as text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.analysis import Column, Figure, Table
from contracts.dataset import Text
from forecasting.words import filled, words_of


@dataclass(frozen=True, slots=True)
class Words:
    """The templates of a package: ``column-<name>`` and ``table-<name>`` title its tables."""

    path: Path

    def say(self, key: str, **details: object) -> Text:
        """A template with its details.

        Raises:
            KeyError: There is no such template, or a detail is missing.
        """
        return filled(words_of(self.path)[key], **details)

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Figure]]) -> Table:
        """A table; a column ``cases:unit`` has that unit."""
        parts = [column.partition(":") for column in columns]
        return Table(
            name=name,
            title=self.say(f"table-{name}"),
            columns=tuple(Column(name=each, title=self.say(f"column-{each}"), unit=unit) for each, _, unit in parts),
            rows=tuple(tuple(row) for row in rows),
        )


def marked(flags: Iterable[str]) -> str:
    """Flags in one cell."""
    return " ".join(dict.fromkeys(flags))


def to_tenth(figure: float | None) -> float | None:
    """A count as published; a tenth of an entry is finer than any error here."""
    return None if figure is None else round(figure, 1) + 0.0


def percent(share: float | None) -> float | None:
    """A share as published: in per cent, to a hundredth."""
    return None if share is None else round(100.0 * share, 2) + 0.0


def shown(figure: float) -> str:
    """A count in a sentence."""
    return f"{figure:,.0f}"

"""The families of an activity as the letter says them: every table by its axes, with its share of the price."""

from collections.abc import Callable, Mapping, Sequence

from contracts.query import Family, FamilyTable


def families_in_words(families: Sequence[Family], title: Callable[[str], str], words: Mapping[str, str]) -> str:
    """All families of an activity, one after another; empty if it has none.

    Args:
        families: Those of the activity, in its order.
        title: The Thai title of a dimension.
        words: The wording of the letter, under ``values``.
    """
    return " ".join(_family(number, each, title, words) for number, each in enumerate(families, 1))


def _family(number: int, family: Family, title: Callable[[str], str], words: Mapping[str, str]) -> str:
    tables = " ".join(_table(each, family, title, words) for each in sorted(family.tables, key=_coarser_first))
    whole = words["family_integers"] if family.integers else ""
    told = words["family"].format(number=number, count=len(family.tables), tables=tables)
    return f"{told} {whole}".strip()


def _coarser_first(table: FamilyTable) -> tuple[int, tuple[str, ...]]:
    return len(table.by), table.by


def _table(table: FamilyTable, family: Family, title: Callable[[str], str], words: Mapping[str, str]) -> str:
    share = 100 * table.weight / sum(each.weight for each in family.tables)
    axes = words["family_axis_join"].join(title(name) for name in table.by)
    name = words["family_table"].format(axes=axes) if table.by else words["family_total"]
    return words["family_share"].format(table=name, share=f"{share:.1f}")

"""How far the version of a contract must rise, by what changed: the rules stand in docs/reference/contract-format.md.

A version that weakens privacy or breaks users is a new major version; any other change of terms a minor one; words
alone a patch. The steward and the data protection officer sign every version.
"""

from enum import IntEnum
from typing import Final

from contracts.contract_diff import Change, Comparison
from contracts.errors import Refused, Spent

MOST_PATHS: Final = 5


class Bump(IntEnum):
    """The part of a version ``major.minor.patch`` that must rise, at least."""

    PATCH = 1
    MINOR = 2
    MAJOR = 3

    @property
    def word(self) -> str:
        """Its name, for people."""
        return self.name.lower()


def required_bump(comparison: Comparison) -> Bump:
    """How far the version must rise."""
    if comparison.weakening or comparison.breaking:
        return Bump.MAJOR
    return Bump.PATCH if all(each.words for each in comparison.changes) else Bump.MINOR


def least_version(old: str, bump: Bump) -> str:
    """The lowest version that a bump of ``old`` leads to."""
    major, minor, patch = _numbers(old)
    match bump:
        case Bump.MAJOR:
            return f"{major + 1}.0.0"
        case Bump.MINOR:
            return f"{major}.{minor + 1}.0"
        case Bump.PATCH:
            return f"{major}.{minor}.{patch + 1}"


def version_order(version: str) -> tuple[int, ...]:
    """What versions are sorted by: ``1.10.0`` is above ``1.9.0``."""
    return _numbers(version)


def check_version(comparison: Comparison) -> None:
    """Refuse a version that rises too little above the one before it.

    Raises:
        Refused: ``contract-version-not-higher``; ``contract-weaker-than-version``, ``contract-breaks-under-version``
            or both; ``contract-version-too-low``.
    """
    old, new = comparison.old, comparison.new
    bump = required_bump(comparison)
    least = least_version(old.version, bump)
    names: dict[str, object] = {"contract": new.id, "version": new.version, "before": old.version, "least": least}
    if _numbers(new.version) <= _numbers(old.version):
        raise Refused("contract-version-not-higher", spent=Spent.NOTHING, others=(), **names)
    if _numbers(new.version) >= _numbers(least):
        return
    weaker, breaking = paths_of(comparison.weakening), paths_of(comparison.breaking)
    codes = ["contract-weaker-than-version"] * bool(weaker) + ["contract-breaks-under-version"] * bool(breaking)
    first, *others = codes or ["contract-version-too-low"]
    raise Refused(first, spent=Spent.NOTHING, others=others, weaker=weaker, breaking=breaking, **names)


def paths_of(changes: tuple[Change, ...]) -> str:
    """Where these changes are, the first few of them."""
    paths = list(dict.fromkeys(each.path for each in changes))
    more = f" (+{len(paths) - MOST_PATHS})" if len(paths) > MOST_PATHS else ""
    return ", ".join(paths[:MOST_PATHS]) + more


def _numbers(version: str) -> tuple[int, int, int]:
    major, minor, patch = (int(each) for each in version.split("."))
    return major, minor, patch

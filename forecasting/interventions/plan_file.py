"""Plans, and neighbours of areas, as tables of comma-separated text."""

import csv
from collections.abc import Iterator, Mapping
from datetime import date

from contracts.errors import InvalidInput
from forecasting.interventions.plans import Plan

PLAN_COLUMNS = ("id", "province", "start")
PAIR = ("a", "b")


def read_plans(text: str, name: str) -> tuple[Plan, ...]:
    """Plans by row: ``id, province, start`` and, if known, ``end`` (the first day after) and ``target`` in per cent.

    Days are ``YYYY-MM-DD``; a target of 10 per cent fewer cases is ``-10``. Further columns are passed over.

    Args:
        text: The file.
        name: What errors call it.

    Raises:
        InvalidInput: ``plan-unusable`` with the line and what is wrong there.
    """
    return tuple(_plan(row, f"{name}:{line}") for line, row in _rows(text, name, PLAN_COLUMNS))


def read_neighbours(text: str, name: str) -> Mapping[str, frozenset[str]]:
    """For each area its neighbours, from one pair ``a, b`` in each row.

    Raises:
        InvalidInput: ``plan-unusable``.
    """
    found: dict[str, set[str]] = {}
    for _, row in _rows(text, name, PAIR):
        found.setdefault(row["a"], set()).add(row["b"])
        found.setdefault(row["b"], set()).add(row["a"])
    return {area: frozenset(others) for area, others in found.items()}


def _rows(text: str, name: str, wanted: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    missing = [column for column in wanted if column not in (reader.fieldnames or ())]
    if missing:
        raise InvalidInput("plan-unusable", plan=name, why=f"it has no column {', '.join(missing)}")
    for line, row in enumerate(reader, start=2):
        told = {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
        empty = [column for column in wanted if not told[column]]
        if empty:
            raise InvalidInput("plan-unusable", plan=f"{name}:{line}", why=f"{', '.join(empty)} is empty")
        yield line, told


def _plan(row: Mapping[str, str], where: str) -> Plan:
    end, target = row.get("end", ""), row.get("target", "")
    try:
        start, over = date.fromisoformat(row["start"]), date.fromisoformat(end) if end else None
        share = float(target) / 100.0 if target else None
    except ValueError as error:
        why = "a day is not YYYY-MM-DD, or the target is not a number of per cent"
        raise InvalidInput("plan-unusable", plan=where, why=why) from error
    return Plan(row["id"], row["province"], start, over, share)

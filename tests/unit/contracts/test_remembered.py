"""What follows from a value is worked out once for each object, and never for another one."""

from collections.abc import Callable
from datetime import date

import pytest

from contracts.periods import Period
from contracts.remembered import MOST_KEPT, Memory, remembered
from tests.factories import period

pytestmark = pytest.mark.unit


def ends() -> tuple[Callable[[Period], date], list[Period]]:
    """A remembered function, and what it was really asked."""
    asked: list[Period] = []

    def until(value: Period) -> date:
        asked.append(value)
        return value.until

    return remembered(until), asked


def test_what_was_made_of_an_object_is_made_once() -> None:
    until, asked = ends()
    month = period("2025-10-01", "2025-11-01")

    assert until(month) == until(month) == month.until
    assert len(asked) == 1


def test_a_changed_copy_is_looked_at_anew() -> None:
    until, _ = ends()
    month, other = period("2025-10-01", "2025-11-01"), period("2025-10-01", "2025-12-01")
    changed = month.model_copy(update={"until": other.until})

    assert (until(month), until(changed), until(month)) == (month.until, other.until, month.until)


def test_it_does_not_keep_every_object_for_ever() -> None:
    until, asked = ends()
    first = period("2025-10-01", "2025-11-01")
    for each in [first, *(period("2025-10-01", "2025-11-01") for _ in range(MOST_KEPT)), first]:
        until(each)

    assert len(asked) == MOST_KEPT + 2


def test_the_same_objects_beside_something_else_are_looked_at_anew() -> None:
    memory, asked = Memory[int](), list[int]()
    months = (period("2025-10-01", "2025-11-01"), period("2025-11-01", "2025-12-01"))

    def made(number: int) -> int:
        asked.append(number)
        return number

    orders = [(months, "a"), (months, "b"), (months[::-1], "a"), (months[:1], "a"), (months, "a")]
    found = [memory.of(objects, beside, lambda n=n: made(n)) for n, (objects, beside) in enumerate(orders)]  # type: ignore[misc]  # a bound default

    assert found == [0, 1, 2, 3, 0]
    assert asked == [0, 1, 2, 3]


def test_what_cannot_be_made_is_not_remembered() -> None:
    memory, month = Memory[int](), period("2025-10-01", "2025-11-01")

    def fails() -> int:
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        memory.of((month,), None, fails)
    assert memory.of((month,), None, lambda: 1) == 1

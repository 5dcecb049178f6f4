"""Made-up people: how often each appears, and who they are."""

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

from connectors.synthetic.draws import choose, digits, fraction, scattered, text_of_digits
from connectors.synthetic.figures import Floats, Integers, figures

CITIZEN_DIGITS = 13
_SPREAD = 10**11
_STRIDE = 48_271_000_003
"""No factor in common with ``_SPREAD``, so that different people have different numbers."""


def assign(rng: np.random.Generator, rows: int, first: int) -> Integers:
    """The person of each row: most appear once, some often, a few very often.

    Rows that stand beside each other share a person, so callers keep a province's rows together.

    Args:
        rng: What to draw with.
        rows: How many rows.
        first: The number of the first person.

    Returns:
        The number of each row's person, from ``first`` on without gaps.
    """
    people = figures()["people"]
    usual = np.array(people["times"])
    counts = np.arange(people["tail_from"], people["most"] + 1)
    tail = counts ** -float(people["tail_exponent"])
    weights = np.concatenate([usual, (1 - usual.sum()) * tail / tail.sum()])
    times = np.concatenate([np.arange(1, len(usual) + 1), counts])
    enough = int(rows / (weights @ times / weights.sum()) * 1.05) + 50
    drawn = times[choose(weights[None, :], np.zeros(enough, np.int64), rng.random(enough))]
    drawn = np.concatenate([drawn, np.ones(rows, np.int64)])
    people_of_rows: Integers = first + np.repeat(np.arange(len(drawn)), drawn)[:rows]
    return people_of_rows


def citizen_numbers(people: Integers) -> pa.Array:
    """A 13-digit number per person that can be nobody's: it begins with 0 and its check digit is wrong.

    The national check digit is (11 - sum of digit times weight, 13 down to 2, mod 11) mod 10.
    """
    body = digits(people * _STRIDE % _SPREAD, CITIZEN_DIGITS - 1)
    right = (11 - (body * np.arange(13, 1, -1)).sum(axis=1) % 11) % 10
    wrong = (right + 1 + scattered(people, 7) % 9) % 10
    return text_of_digits(np.concatenate([body, wrong[:, None]], axis=1))


def ages(people: Integers, years_ago: Integers) -> Integers:
    """Each person's age, so many years before the end of the data; at least 11."""
    bands = figures()["people"]["age"]
    table = np.array([[band["share"] for band in bands]])
    low, high = np.array([band["span"] for band in bands]).T
    band = choose(table, np.zeros(len(people), np.int64), fraction(people, 1))
    age: Floats = low[band] + np.floor(fraction(people, 2) * (high[band] - low[band] + 1))
    aged: Integers = np.maximum(age.astype(np.int64) - years_ago, 11)
    return aged


def sexes(people: Integers, female: float) -> Integers:
    """0 for women, 1 for men."""
    return (fraction(people, 3) >= female).astype(np.int64)

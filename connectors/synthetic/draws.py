"""Drawing many values at once, and writing them as columns."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

from connectors.synthetic.figures import Floats, Integers

_FOUR_DIGITS = np.arange(10_000)[:, None] // np.array([1000, 100, 10, 1]) % 10
"""The digits of every number below ten thousand: a division is dear, a look-up is cheap."""


def choose(tables: Floats, rows: Integers, uniform: Floats) -> Integers:
    """One draw per row from that row's own table of weights.

    Args:
        tables: Weights, one distribution a line; a line need not add up to one.
        rows: Which line each draw is from.
        uniform: A number in [0, 1) per draw.

    Returns:
        The column that was drawn, per row.
    """
    cumulative = np.cumsum(tables, axis=1)
    cumulative /= cumulative[:, -1:]
    cumulative[:, -1] = 1.0
    flat = (cumulative + np.arange(len(tables))[:, None]).ravel()
    found = np.searchsorted(flat, rows + uniform, side="right")
    column: Integers = np.minimum(found - rows * tables.shape[1], tables.shape[1] - 1)
    return column


def scattered(numbers: Integers, salt: int) -> Integers:
    """Well mixed 62-bit numbers, always the same for the same input (SplitMix64, Steele et al. 2014)."""
    mixed = numbers.astype(np.uint64) + np.uint64((salt * 0x9E3779B97F4A7C15) % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(2)).astype(np.int64)


def fraction(numbers: Integers, salt: int) -> Floats:
    """A number in [0, 1) for each number, always the same for the same input."""
    return scattered(numbers, salt) / float(2**62)


def digits(numbers: Integers, width: int) -> Integers:
    """The last ``width`` decimal digits of each number, one line a number."""
    groups = -(-width // 4)
    parts = [_FOUR_DIGITS[numbers // 10 ** (4 * group) % 10_000] for group in reversed(range(groups))]
    return np.concatenate(parts, axis=1)[:, 4 * groups - width :]


def text_of_digits(rows: Integers, prefix: str = "") -> pa.Array:
    """Lines of digits as texts of equal length, each after the same ASCII prefix."""
    head = np.broadcast_to(np.frombuffer(prefix.encode("ascii"), dtype=np.uint8), (len(rows), len(prefix)))
    letters = np.concatenate([head, (rows + ord("0")).astype(np.uint8)], axis=1)
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * letters.shape[1]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters).tobytes())]
    return pa.Array.from_buffers(pa.string(), len(rows), buffers)


def coded(indices: Integers, codes: Sequence[str]) -> pa.Array:
    """Indices as the texts that they stand for; an index below zero is none."""
    chosen = pa.array(indices.astype(np.int32), mask=indices < 0)
    return pa.DictionaryArray.from_arrays(chosen, pa.array(codes, pa.string())).cast(pa.string())

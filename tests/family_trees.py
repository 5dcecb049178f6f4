"""Families of tables for tests: the tree of the country, small uneven trees, and least squares by brute force."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from hypothesis import strategies as st

from contracts.code_lists import code_list, crosswalk
from privacy.families.axes import Axis, Floats, Level, Table, roll_up_floats, shape_of


def provinces() -> Axis:
    """The 77 provinces in their 10 police commands."""
    commands = code_list("police_commands").values
    led = crosswalk("provinces", "police_commands")
    return Axis.of([commands.index(led[province]) for province in code_list("provinces").values])


def months(years: int) -> Axis:
    """Months in years."""
    return Axis.of(np.repeat(np.arange(years), 12))


def all_tables(axes: Sequence[Axis]) -> list[Table]:
    """Every table there is, that of all leaves last."""
    return list(product(*([each for each in Level if axis.grouped or each is not Level.GROUP] for axis in axes)))


def country() -> tuple[list[Axis], list[Table]]:
    """Provinces x months x offences as in the benchmark, in 18 tables."""
    axes = [provinces(), months(5), Axis.flat(20)]
    return axes, all_tables(axes)


def leaf_of(axes: Sequence[Axis]) -> Table:
    """The table of all leaves."""
    return tuple(Level.LEAF for _ in axes)


def matrix_of(axes: Sequence[Axis], table: Table) -> Floats:
    """The table as a matrix that adds up leaves, both flat."""
    shape = shape_of(axes, leaf_of(axes))
    units = np.eye(int(np.prod(shape)))
    return np.array([roll_up_floats(axes, table, unit.reshape(shape)).ravel() for unit in units]).T


@st.composite
def axes_strategy(draw: st.DrawFn) -> list[Axis]:
    """One to three axes of one to six leaves, in groups of any size, or without groups."""
    axes: list[Axis] = []
    for _ in range(draw(st.integers(1, 3))):
        numbers = draw(st.lists(st.integers(0, 2), min_size=1, max_size=6 if len(axes) < 2 else 3))
        renumbered = np.unique(numbers, return_inverse=True)[1]
        axes.append(Axis.of(renumbered) if draw(st.booleans()) else Axis.flat(len(numbers)))
    return axes


@st.composite
def family_strategy(draw: st.DrawFn) -> tuple[list[Axis], list[Table], list[float | Floats]]:
    """Axes, some of their tables in any order, and the noise of each; sometimes it differs along one axis."""
    axes = draw(axes_strategy())
    leaf = leaf_of(axes)
    coarser = [table for table in all_tables(axes) if table != leaf]
    tables = [table for table in coarser if draw(st.booleans())]
    tables.insert(draw(st.integers(0, len(tables))), leaf)
    sigma = st.floats(0.3, 10.0)
    if draw(st.booleans()):
        return axes, tables, [draw(sigma) for _ in tables]
    along = draw(st.integers(0, len(axes) - 1))
    sigmas: list[float | Floats] = []
    for table in tables:
        cells = shape_of(axes, table)[along]
        shape = [cells if each == along else 1 for each in range(len(axes))]
        sigmas.append(np.array(draw(st.lists(sigma, min_size=cells, max_size=cells))).reshape(shape))
    return axes, tables, sigmas

"""Estimates from a daily counter's tree, against recursion, brute force and simulation."""

import math
from datetime import date, timedelta
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from contracts.counter_nodes import Node, node_of, nodes
from contracts.periods import Period
from privacy.counter import NodeFigure, Run, runs_of

pytestmark = pytest.mark.unit

YEAR = date(2025, 10, 1)
SIGMA = 5.0
MONTHS = [*(date(2025, month, 1) for month in (10, 11, 12)), *(date(2026, month, 1) for month in range(1, 11))]


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311  # figures of a test, no noise of an answer


def span(start: date, until: date) -> tuple[Node, ...]:
    return nodes(Period.model_validate({"from": start, "until": until}))


def exactly(node: Node, daily: list[int]) -> int:
    return sum(daily[(node.start - YEAR).days : (node.until - YEAR).days])


def noisy(chosen: tuple[Node, ...], daily: list[int], random: Random) -> list[NodeFigure]:
    return [NodeFigure(each.label, exactly(each, daily) + random.gauss(0, SIGMA), SIGMA) for each in chosen]


def one_quarter(random: Random, daily: list[int]) -> Run:
    """Three months, as three releases give them, in any order."""
    figures = [each for a, b in pairwise(MONTHS[:4]) for each in noisy(span(a, b), daily, random)]
    random.shuffle(figures)
    (run,) = runs_of(figures)
    return run


def test_without_noise_every_day_and_total_is_exact() -> None:
    random = seeded(7)
    daily = [random.randrange(0, 500) for _ in range(365)]
    figures = [NodeFigure(each.label, exactly(each, daily), SIGMA) for each in span(YEAR, MONTHS[-1])]

    (run,) = runs_of(figures)
    counted = run.counted()

    assert [round(each.count, 6) for each in counted.days] == daily
    assert [round(each.total, 6) for each in counted.days] == [sum(daily[: n + 1]) for n in range(365)]
    assert counted.average == pytest.approx(sum(daily) / 365)
    assert (counted.window, counted.since, counted.until) == ("FY2569", YEAR, date(2026, 10, 1))


def test_the_root_s_total_has_the_error_of_the_recursion() -> None:
    """Bottom-up: a full node's estimate combines its own figure with its children's by inverse variance."""
    variance = SIGMA**2  # a leaf
    for _ in range(5):  # the 32 days from 1 October are a full tree of six levels
        variance = 1 / (1 / SIGMA**2 + 1 / (2 * variance))

    short = [each for each in span(YEAR, date(2025, 12, 1)) if each.length <= 32]

    (run,) = runs_of([NodeFigure(each.label, 0.0, SIGMA) for each in short])

    # Nothing beyond the subtree of a node tells anything about it but what lies above it, which is left out here.
    assert run.interval(0, 32).sigma == pytest.approx(math.sqrt(variance), rel=1e-9)


def test_estimates_are_the_weighted_least_squares_of_a_dense_solver() -> None:
    random = seeded(3)
    daily = [random.randrange(0, 90) for _ in range(365)]
    chosen = span(YEAR, date(2025, 12, 1))
    figures = [each._replace(sigma=each.sigma * (1 + n % 3)) for n, each in enumerate(noisy(chosen, daily, random))]

    (run,) = runs_of(figures)

    days = 61
    design = np.zeros((len(figures), days))
    for row, each in enumerate(figures):
        node = node_of(each.label)
        design[row, (node.start - YEAR).days : (node.until - YEAR).days] = 1 / each.sigma
    scaled = np.array([each.figure / each.sigma for each in figures])
    expected, *_ = np.linalg.lstsq(design, scaled, rcond=None)
    assert np.allclose(run.figures, expected, atol=1e-6)
    assert np.allclose(run.covariance, np.linalg.inv(design.T @ design), atol=1e-6)


def test_errors_are_those_of_a_simulation() -> None:
    random = seeded(11)
    daily = [40] * 365
    drawn = [one_quarter(random, daily) for _ in range(60)]
    places = ((0, 1), (0, 31), (0, 64), (0, 92), (20, 77), (91, 92))
    for first, until in places:
        found = [run.interval(first, until) for run in drawn]
        standard = [(each.figure - 40 * (until - first)) / each.sigma for each in found]
        # Chi-square with 60 degrees of freedom: beyond these once in ten thousand.
        assert 25 < sum(z * z for z in standard) < 115
        assert abs(sum(standard)) / math.sqrt(len(standard)) < 4


def test_a_running_total_errs_by_the_logarithm_of_the_days() -> None:
    (run,) = runs_of([NodeFigure(each.label, 0.0, SIGMA) for each in span(YEAR, MONTHS[-1])])

    errors = [each.total_error_95 / 1.96 for each in run.counted().days]

    assert max(errors) < 2 * SIGMA
    assert errors[364] < SIGMA
    assert run.interval(0, 365).sigma < 0.06 * SIGMA * math.sqrt(365)
    assert all(day.count_error_95 / 1.96 < SIGMA for day in run.counted().days)


def test_months_that_were_never_asked_part_the_runs_and_spoil_nothing() -> None:
    random = seeded(5)
    daily = [random.randrange(0, 90) for _ in range(365)]
    chosen = (*span(date(2025, 11, 1), date(2025, 12, 1)), *span(date(2026, 2, 1), date(2026, 4, 1)))

    runs = runs_of([NodeFigure(each.label, exactly(each, daily), SIGMA) for each in chosen])

    assert [run.since for run in runs] == [date(2025, 11, 1), date(2026, 2, 1)]
    for run in runs:
        first = (run.since - YEAR).days
        assert np.allclose(run.figures, daily[first : first + len(run.figures)], atol=1e-6)
        assert np.sqrt(np.diag(run.covariance)).max() <= SIGMA * (1 + 1e-9)


def test_two_fiscal_years_are_two_runs() -> None:
    chosen = span(date(2025, 9, 1), date(2025, 11, 1))

    runs = runs_of([NodeFigure(each.label, 1.0, SIGMA) for each in chosen])

    assert [(run.since, len(run.figures)) for run in runs] == [(date(2025, 9, 1), 30), (YEAR, 31)]
    assert runs[0].since + timedelta(days=30) == runs[1].since


def test_a_node_that_stands_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        runs_of([NodeFigure("2025-10-01+1", 1.0, SIGMA)] * 2)

"""Coarser forms of a question that is lost in noise: one should ask the finest of them that would be answered."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product
from typing import Final

from contracts.budget_plan import Coarser, PlannedLine, Verdict
from contracts.errors import InvalidInput
from contracts.grid import grid_of
from contracts.query import Query
from contracts.rollup import coarser
from privacy.expected_errors import Asked, expected_lines

MOST_FORMS: Final = 200


def coarser_form(asked: Asked, nano_rho: int) -> Coarser | None:
    """The form with the most cells that meets the question's target at that price, in every measure; None if none does.

    Every dimension may stay, be taken coarser (a police region for a province), or be left out (a year for its months).
    """
    forms = list(islice(_forms(asked), MOST_FORMS))
    forms.sort(key=lambda query: (-grid_of(query, asked.contract).size, query.dimensions))
    for query in forms:
        try:
            lines = expected_lines(replace(asked, query=query), nano_rho)
        except InvalidInput:
            continue
        if all(line.verdict is Verdict.ANSWERED for line in lines):
            return Coarser(by=query.dimensions, relative_error=_worst(lines), nano_rho=nano_rho)
    return None


def _forms(asked: Asked) -> Iterator[Query]:
    """The question with other dimensions, and without a family or a counter."""
    choices = []
    for name in asked.query.dimensions:
        dimension = asked.contract.dimension(name)
        over = () if dimension is None else tuple(each.name for each in coarser(asked.contract, dimension))
        choices.append((name, *over, None))
    for chosen in product(*choices):
        by = tuple(name for name in chosen if name is not None)
        if by != asked.query.dimensions and len(set(by)) == len(by):
            yield asked.query.model_copy(update={"dimensions": by, "family": None, "counter": False})


def _worst(lines: tuple[PlannedLine, ...]) -> float:
    return max(math.inf if line.relative_error is None else line.relative_error for line in lines)

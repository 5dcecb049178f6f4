"""The canonical form of a question, against what two questions really ask: it never takes one for the other.

A table of rows, some without a label, is counted by hand. Questions with one form must have the same exact cells, the
same noise and the same price; questions that differ in words alone must have one form.
"""

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.canonical import digest_of
from contracts.clamps import largest_amount
from contracts.dataset import DatasetContract, Shape
from contracts.grid import grid_of
from contracts.query import Query
from contracts.question_form import is_answered_by, question_form
from privacy.plan import plan
from tests import factories as make

pytestmark = pytest.mark.property

LABELS = {
    "province": ("10", "50", "90"),
    "case_type": ("romance_scam", "shopping_scam", "call_center"),
    "month": ("2025-09", "2025-10", "2025-11"),
}
CLAMPS = {"romance_scam": (0, 100_000), "shopping_scam": (0, 1_000), "call_center": (0, 50_000)}
PERIODS = (("2025-09-01", "2025-12-01"), ("2025-10-01", "2025-12-01"), ("2025-10-01", "2025-11-01"))
MEASURES = ("count", "damage_thb:sum", "damage_thb:mean", "people", "province:share")
ROWS = tuple(
    {"province": province, "case_type": case_type, "month": month}
    for province in (*LABELS["province"], None)
    for case_type in (*LABELS["case_type"], None)
    for month in LABELS["month"]
)
"""One row for every combination of labels, and of no label: what leaves anything out, leaves out one of them."""


def contract_with(shape: Shape | None) -> DatasetContract:
    plain = make.contract(
        rows_per_window=12, measure_columns=(make.damage(clamp_by="case_type", clamps=CLAMPS, clamp=(0, 200_000)),)
    )
    return make.contract(
        rows_per_window=12,
        measure_columns=plain.measure_columns,
        unit=plain.unit.model_copy(update={"shape": shape}),
    )


CONTRACTS = tuple(
    contract_with(shape)
    for shape in (None, Shape(by=("month", "province"), rows=2, cells=3), Shape(by=("case_type",), rows=1, cells=4))
)


@st.composite
def questions(draw: st.DrawFn, like: Query | None = None) -> Query:
    """Questions that fit; ``like`` another one, they have its axes and its period, so that many pairs ask the same."""
    names = sorted(LABELS) if like is None else list(like.dimensions)
    fewest = 0 if like is None else len(names)
    dimensions = draw(st.lists(st.sampled_from(names), unique=True, min_size=fewest, max_size=3)) if names else []
    period = draw(st.sampled_from(PERIODS)) if like is None else (str(like.period.start), str(like.period.until))
    months = make.period(*period).months()
    where = {}
    for name in draw(st.lists(st.sampled_from(sorted(LABELS)), unique=True, max_size=2)):
        offered = months if name == "month" else LABELS[name]
        some = draw(st.one_of(st.just(list(offered)), st.lists(st.sampled_from(offered), unique=True, min_size=1)))
        where[name] = tuple(draw(st.permutations(some)))
    measures = draw(st.lists(st.sampled_from(MEASURES), unique=True, min_size=1, max_size=3))
    if like is not None and draw(st.booleans()):
        return like.model_copy(update={"where": make.query(where=where).where})
    family = None
    if "people" not in measures and draw(st.booleans()):
        tables = [tuple(dimensions)] + ([()] if dimensions else [])
        family = {"tables": [{"by": by, "weight": draw(st.integers(1, 2))} for by in draw(st.permutations(tables))]}
    return make.query(
        dimensions=tuple(dimensions), where=where, measures=tuple(measures), period=make.period(*period), family=family
    )


def counted(query: Query, contract: DatasetContract) -> Mapping[frozenset[tuple[str, str]], int]:
    """The rows in each cell of a question, the cells named by their labels, whatever the order of the axes."""
    keys = grid_of(query, contract).keys()
    cells = Counter({frozenset(zip(query.dimensions, key, strict=True)): 0 for key in keys})
    for number, row in enumerate(ROWS):
        if row["month"] not in query.period.months():
            continue
        if any(row[name] not in codes for name, codes in query.where.items()):
            continue
        key = frozenset((name, str(row[name])) for name in query.dimensions)
        if key in cells:
            cells[key] += 2**number
    return dict(cells)


def terms(query: Query, contract: DatasetContract) -> object:
    """All that decides the noise, the loss and the price, whatever the order of the axes."""
    made = plan(query, [contract], 90_000_000)
    vectors = {(each.measure, frozenset(each.by)): (each.noises, each.nano_rho, each.along) for each in made.vectors}
    return vectors, made.charges, made.epsilon, made.delta


@settings(max_examples=150)
@given(st.sampled_from(CONTRACTS), questions(), st.data())
def test_questions_with_one_form_ask_for_the_same_figures_on_the_same_terms(
    contract: DatasetContract, one: Query, data: st.DataObject
) -> None:
    for _ in range(2):
        other = data.draw(questions(one))
        if digest_of(question_form(one, (contract,))) == digest_of(question_form(other, (contract,))):
            assert counted(one, contract) == counted(other, contract)
            assert terms(one, contract) == terms(other, contract)


@given(st.sampled_from(CONTRACTS), questions(), st.data())
def test_words_alone_make_no_other_form(contract: DatasetContract, query: Query, data: st.DataObject) -> None:
    dimensions = tuple(data.draw(st.permutations(query.dimensions)))
    where = dict(data.draw(st.permutations([*query.where.items()])))
    if query.family is None:
        every = {"month": query.period.months(), **{name: LABELS[name] for name in ("province", "case_type")}}
        more = data.draw(st.sets(st.sampled_from(dimensions))) if dimensions else set()
        where = {name: every[name] for name in more} | where
    measures = tuple(data.draw(st.permutations(query.measures)))
    if "damage_thb:mean" in measures:
        measures = (*measures, "count")
    family = None
    if query.family is not None:
        tables = [{"by": list(reversed(each.by)), "weight": 3 * each.weight} for each in query.family.tables]
        family = {"tables": data.draw(st.permutations(tables)), "integers": query.family.integers}
    same = make.query(dimensions=dimensions, where=where, measures=measures, period=query.period, family=family)

    assert question_form(same, (contract,)) == question_form(query, (contract,))
    assert counted(same, contract) == counted(query, contract)
    assert terms(same, contract) == terms(query, contract)
    answered = query.model_copy(update={"where": dict(_kept(query, contract))})
    assert is_answered_by(same, answered, grid_of(query, contract))


def _kept(query: Query, contract: DatasetContract) -> Mapping[str, tuple[str, ...]]:
    kept = question_form(query, (contract,))["where"]
    assert isinstance(kept, dict)
    return {name: tuple(codes) for name, codes in kept.items()}


def test_the_contracts_amounts_differ_by_code_so_that_a_filter_on_them_could_matter() -> None:
    measured = CONTRACTS[0].measure_columns[0]
    narrow = make.query(where={"case_type": ("shopping_scam",)})

    assert largest_amount(CONTRACTS[0], measured, narrow) < largest_amount(CONTRACTS[0], measured, make.query())

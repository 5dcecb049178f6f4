"""The shape of a person's rows and the people who are not protected, as a document may write them."""

import pytest

from contracts.dataset import Shape
from contracts.odcs import contract_from_document, examine
from tests.odcs_documents import Doc, column, document, extra, ours

pytestmark = pytest.mark.unit


def unit(**terms: object) -> Doc:
    doc = document()
    found = extra(doc["schema"][0], "unitOfPrivacy")
    found.pop("shape", None)
    found.update(terms)
    return doc


def shape(by: list[str], rows: int, cells: int) -> Doc:
    return {"by": by, "rows": rows, "cells": cells}


def broken(doc: Doc) -> list[str]:
    return [each.where for each in examine(doc)[1]]


def test_a_shape_is_read() -> None:
    found = contract_from_document(unit(shape=shape(["month", "case_type"], 1, 3))).unit
    assert found.shape == Shape(by=("month", "case_type"), rows=1, cells=3)
    assert found.most_rows == 3


@pytest.mark.parametrize("given", [shape(["month"], 3, 1), shape(["month"], 2, 2), shape(["province", "sex"], 3, 3)])
def test_any_shape_that_can_hold_the_year_s_rows_may_be_written(given: Doc) -> None:
    assert broken(unit(shape=given)) == []


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (shape(["victim_id"], 1, 3), "unitOfPrivacy.shape.by: victim_id"),
        (shape(["month", "month"], 1, 3), "unitOfPrivacy.shape.by: month"),
        (shape(["fiscal_year"], 3, 1), "unitOfPrivacy.shape.by: fiscal_year"),
        (shape(["month"], 4, 1), "unitOfPrivacy.shape.rows"),
        (shape(["month"], 1, 4), "unitOfPrivacy.shape.cells"),
        (shape(["month"], 1, 2), "unitOfPrivacy.rowsPerWindow"),
    ],
)
def test_a_shape_that_bounds_nothing_or_something_else_is_refused(given: Doc, where: str) -> None:
    assert broken(unit(shape=given)) == [where]


def test_a_shape_needs_a_column_for_people() -> None:
    assert broken(unit(column=None, shape=shape(["month"], 1, 3))) == ["unitOfPrivacy.shape"]


def test_a_dimension_of_the_person_s_own_column_bounds_nothing() -> None:
    doc = unit(shape=shape(["who"], 1, 3))
    column(doc, "victim_id")["enum"] = [{"value": "a"}, {"value": "b"}]
    title = {"th": "ใคร", "en": "Who"}
    column(doc, "victim_id")["customProperties"] = [ours("dimensions", [{"name": "who", "title": title}])]
    assert "unitOfPrivacy.shape.by: who" in broken(doc)


def test_months_of_another_time_part_no_window() -> None:
    doc = unit(shape=shape(["month_of_event"], 1, 3))
    title = {"th": "เดือนที่เกิดเหตุ", "en": "Month of the event"}
    column(doc, "occurred_at")["customProperties"] = [
        ours("dimensions", [{"name": "month_of_event", "title": title, "grain": "month"}])
    ]
    assert "unitOfPrivacy.shape.by: month_of_event" in broken(doc)


@pytest.mark.parametrize("given", [shape([], 1, 3), shape(["month"], 0, 3), shape(["month"], 1, 0), {"by": ["month"]}])
def test_a_shape_without_its_parts_is_refused(given: Doc) -> None:
    assert examine(unit(shape=given))[1][0].rule == "extra-form"


def test_others_are_read_and_named_in_both_languages() -> None:
    found = contract_from_document(unit(others=[{"th": "ผู้ต้องสงสัย", "en": "suspects"}])).unit
    assert [each.en for each in found.others] == ["suspects"]


@pytest.mark.parametrize(
    ("others", "where"),
    [
        ([{"th": "ผู้เสียหาย", "en": "somebody"}], "unitOfPrivacy.others.0"),
        ([{"th": "ก", "en": "suspects"}, {"th": "ข", "en": "suspects"}], "unitOfPrivacy.others.1"),
        ([{"th": " ", "en": "suspects"}], "unitOfPrivacy.others.0"),
        ([{"th": "ก", "en": ""}], "unitOfPrivacy.others.0"),
    ],
)
def test_nobody_is_both_protected_and_not_nor_without_a_name(others: list[Doc], where: str) -> None:
    assert broken(unit(others=others)) == [where]

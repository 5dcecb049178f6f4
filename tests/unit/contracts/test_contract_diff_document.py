"""What only the documents of two versions tell: classes of columns, servers and roles."""

import json

import pytest

from contracts.contract_diff import Comparison, Version, compare
from contracts.contract_versions import Bump, required_bump
from contracts.odcs import bundled_text, canonical_document, read_contract

pytestmark = pytest.mark.unit

TEXT = bundled_text("dop_case")
CONTRACT = read_contract(TEXT)


def compared(before: dict[str, object], after: dict[str, object], column: dict[str, object]) -> Comparison:
    """A document against itself; the dicts are set in one column before, in the document, and in the column after."""
    old, new = json.loads(canonical_document(TEXT)), json.loads(canonical_document(TEXT))
    old["schema"][0]["properties"][0] |= before
    new["schema"][0]["properties"][0] |= column
    return compare(Version(CONTRACT, old), Version(CONTRACT, new | after))


def classes(before: str | None, after: str | None) -> Comparison:
    return compared({"classification": before}, {}, {"classification": after})


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("direct-identifier", "sensitive", "identifier-unmarked"),
        ("sensitive", "quasi-identifier", "column-classified-lower"),
        ("quasi-identifier", "internal", "column-classified-lower"),
        ("internal", "public", "column-classified-lower"),
        ("public", None, "column-classified-lower"),
        ("sensitive", "of-our-own", "column-classified-lower"),
        ("of-our-own", "sensitive", "column-classified-lower"),
    ],
)
def test_a_column_that_is_classified_lower_weakens(before: str, after: str | None, rule: str) -> None:
    comparison = classes(before, after)
    assert [each.rule for each in comparison.weakening] == [rule]
    assert required_bump(comparison) is Bump.MAJOR


@pytest.mark.parametrize(("before", "after"), [(None, "public"), ("public", "internal"), ("internal", "sensitive")])
def test_a_column_that_is_classified_higher_does_not(before: str | None, after: str) -> None:
    assert required_bump(classes(before, after)) is Bump.MINOR


@pytest.mark.parametrize("name", ["servers", "roles"])
def test_where_the_data_lies_and_who_reaches_it_are_no_words(name: str) -> None:
    comparison = compared({}, {name: [{"role": "x", "server": "x"}]}, {})
    assert [(each.rule, each.path) for each in comparison.changes] == [("access-changed", name)]
    assert required_bump(comparison) is Bump.MINOR

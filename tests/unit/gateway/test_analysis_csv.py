"""A table of an analysis as CSV: nothing rounded, nothing that a spreadsheet would run."""

import csv
from io import StringIO

import pytest

from contracts.analysis import PublishedAnalysis
from contracts.errors import InvalidInput
from contracts.forecast import Citation
from gateway.analysis_csv import table_csv
from tests.publication_world import analysis_from

pytestmark = pytest.mark.unit

DIGEST = f"sha-256:{'0' * 64}"
ANALYSIS = analysis_from(Citation(release="rel-0001", digest=DIGEST))


def test_every_row_has_its_figures_and_its_analysis() -> None:
    rows = list(csv.DictReader(StringIO(table_csv(PublishedAnalysis(analysis=ANALYSIS, digest=DIGEST), "provinces"))))
    assert [(each["province"], each["excess"], each["sure"], each["note"]) for each in rows] == [
        ("10", "12.5", "yes", "'=1+1"),
        ("50", "-3", "no", ""),
    ]
    assert {(each["analysis_id"], each["kind"], each["cites_withdrawn_release"]) for each in rows} == {
        ("analysis-0001", "warnings", "no")
    }


def test_a_flagged_analysis_says_so_in_every_row() -> None:
    flagged = PublishedAnalysis(analysis=ANALYSIS, digest=DIGEST, flagged=("rel-0001",))
    assert {each["cites_withdrawn_release"] for each in csv.DictReader(StringIO(table_csv(flagged, "provinces")))} == {
        "yes"
    }


def test_a_table_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidInput, match="analysis-0001/nothing"):
        table_csv(PublishedAnalysis(analysis=ANALYSIS, digest=DIGEST), "nothing")

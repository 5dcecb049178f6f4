"""Whatever stands in a file, each of its rows is accepted, rejected or outside, and coming again changes nothing."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.intake.store import FILE
from tests.intake_world import csv_file, home_in, imported, listed, row, stored

pytestmark = pytest.mark.property
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "case_ref": st.sampled_from(["T-1", "T-2", "", "๑"]),
        "province": st.sampled_from(["กทม.", "ภูเก็ต", "", "ระอง", "เชียงใหม่"]),
        "reported_at": st.sampled_from(["1/1/2568", "31/2/2568", "1/1/2600", "45713"]),
        "victim_age": st.sampled_from(["๓๕", "111", "", "x\ny", "=1"]),
        "station": st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8),
    },
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CHANGES, min_size=1, max_size=12), st.booleans())
def test_every_row_is_accounted_for(changes: list[dict[str, str]], pilot: bool) -> None:  # noqa: FBT001  # hypothesis gives it
    with tempfile.TemporaryDirectory() as folder:
        home = home_in(Path(folder), pilot=pilot)
        path = csv_file(Path(folder, "in.csv"), [row(number, **some) for number, some in enumerate(changes)])
        report = imported(home, path)  # which adds the counts up
        assert report.rows == len(changes)
        assert len(stored(home)) == report.accepted
        for name, rows in ((report.errors_file, report.rejected), (report.outside_file, report.outside_pilot)):
            assert (len(listed(home, name)) if name else 0) == rows
        before = (home.path / FILE).read_bytes()
        assert imported(home, path).unchanged == report.accepted
        assert (home.path / FILE).read_bytes() == before

"""What auditors and agencies read of the log: tables for people, and CSV that no spreadsheet calculates."""

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from connectors.journal.witness import Evidence
from contracts.log_use import Asked, Outcome, Use
from saphan.audit_tables import uses_table, write_requests
from saphan.witness_commands import SeenView, WitnessView, witness_table
from tests.factories import NOW

pytestmark = pytest.mark.unit


def text_of(table: RenderableType) -> str:
    file = io.StringIO()
    Console(file=file, width=200, color_system=None).print(table)
    return file.getvalue()


def asked(**changes: object) -> Asked:
    fields: dict[str, object] = {
        "request": "REQ-1",
        "at": NOW,
        "requester": "oja",
        "agencies": ("ccib", "rtp"),
        "agreement": "AGR-1",
        "activity": "monthly-risk",
        "purpose": "crime-prevention",
        "tier": "statistics",
        "question": "count by month",
        "nano_rho": 50,
        "outcome": Outcome.REFUSED,
        "reasons": ("not-allowed",),
    }
    return Asked.model_validate(fields | changes)


def test_requests_are_written_while_they_are_read(tmp_path: Path) -> None:
    file = tmp_path / "requests.csv"

    write_requests(file, iter([asked(), asked(question="=1+1", release="REL-1")]))

    first, second = csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines())
    assert (first["agencies"], first["reasons"], first["release"]) == ("ccib,rtp", "not-allowed", "")
    assert (second["question"], second["release"]) == ("'=1+1", "REL-1")


def test_the_use_is_told_in_numbers() -> None:
    use = Use(
        requester="oja", agreement="AGR-1", activity="monthly-risk", purpose="p", requests=1200, charged=2_500_000
    )

    shown = text_of(uses_table([use]))

    assert "1,200" in shown
    assert "2.5" in shown


def test_a_contradiction_is_shown_with_both_its_checkpoints() -> None:
    seen = SeenView(origin="o", size=5, root="0" * 64, at=NOW, handed_in=False, document="d")
    found = Evidence(
        number=1, code="log-forked", seen="first note", shown="second note", at=NOW, settled_at=NOW, reason="letter 12"
    )

    bad = text_of(witness_table(WitnessView(works=False, seen=seen, evidence=(found,))))
    good = text_of(witness_table(WitnessView(works=True, seen=None, evidence=())))

    for wanted in ("does not work by this log", "not yet", "log-forked", "first note", "second note", "letter 12"):
        assert wanted in bad
    assert "works" in good

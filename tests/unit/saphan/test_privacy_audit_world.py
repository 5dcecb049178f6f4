"""The worlds of the audit: what their contracts allow, what their rows hold, and how a report reads."""

from collections import Counter
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
import pytest
from rich.console import Console

from contracts.dataset import DatasetContract, ProtectAt
from contracts.grid import grid_of
from contracts.odcs import read_contract
from contracts.periods import Period
from contracts.query import Mechanism
from privacy.audit import FALSE_ALARM, Findings
from privacy.plan import plan
from saphan.privacy_audit.report import AuditReport, MechanismAudit, report_table
from saphan.privacy_audit.world import (
    EXACT_ABSENT,
    EXACT_PRESENT,
    ROWS_THAT_COUNT,
    ROWS_WRITTEN,
    World,
    blocks,
    contract_text,
    last_whole_year,
    question,
    write_rows,
)

pytestmark = pytest.mark.unit

YEAR = Period.model_validate({"from": date(2024, 10, 1), "until": date(2025, 10, 1)})
LABELS = blocks(2_500)


def a_contract(world: World) -> DatasetContract:
    return read_contract(contract_text(world, LABELS, YEAR, 7_000))


def rows(folder: Path, world: World) -> list[dict[str, Any]]:
    write_rows(folder, world, LABELS, YEAR)
    found: list[dict[str, Any]] = pq.read_table(folder / f"{world.dataset}.parquet").to_pylist()
    return found


def cell_of(row: dict[str, Any]) -> tuple[int, int, int, str]:
    at = row["happened_at"]
    return at.month, at.weekday(), at.hour, row["block"]


@pytest.mark.parametrize("protect_at", ProtectAt)
def test_the_contract_has_the_tester_s_budget_and_place_of_protection(protect_at: ProtectAt) -> None:
    contract = a_contract(World("guarding", protect_at, has_person=True))
    assert contract.privacy.protect_at is protect_at
    assert contract.privacy.nano_rho_per_window == 7_000
    assert contract.unit.rows_per_window == ROWS_THAT_COUNT
    assert contract.source == "guarding/audit_guarding_present"


def test_the_question_touches_one_window_and_has_a_cell_for_each_combination() -> None:
    contract = a_contract(World("guarding", ProtectAt.CONNECTOR, has_person=False))
    query = question(YEAR, Mechanism.LAPLACE)
    assert grid_of(query, contract).size == 12 * 7 * 24 * 2
    terms = plan(query, [contract], 500_000_000)
    assert [charge.window for charge in terms.charges] == ["FY2568"]
    assert terms.epsilon == pytest.approx(1.0)
    assert terms.delta == "0"


def test_every_cell_has_one_row_and_the_world_with_the_person_one_more_person_in_each(tmp_path: Path) -> None:
    absent, present = (World("guarding", ProtectAt.CONNECTOR, is_there) for is_there in (False, True))
    without, with_person = rows(tmp_path, absent), rows(tmp_path, present)

    assert with_person[: len(without)] == without
    added = with_person[len(without) :]
    cells = Counter(map(cell_of, without))
    assert len(cells) == 12 * 7 * 24 * 2
    assert set(cells.values()) == {EXACT_ABSENT}
    assert set(Counter(map(cell_of, added)).values()) == {ROWS_WRITTEN}
    assert {len(homes) for homes in homes_of(added).values()} == {1}
    assert not {row["person_id"] for row in without} & {row["person_id"] for row in added}


def homes_of(added: list[dict[str, Any]]) -> dict[int, set[tuple[int, int, int, str]]]:
    homes: dict[int, set[tuple[int, int, int, str]]] = {}
    for row in added:
        homes.setdefault(row["person_id"], set()).add(cell_of(row))
    return homes


def test_one_row_more_is_written_than_may_count() -> None:
    assert ROWS_WRITTEN == ROWS_THAT_COUNT + 1
    assert EXACT_PRESENT - EXACT_ABSENT == ROWS_THAT_COUNT


@pytest.mark.parametrize(
    ("now", "start"),
    [
        (datetime(2026, 9, 30, 16, 59, tzinfo=UTC), date(2024, 10, 1)),
        (datetime(2026, 9, 30, 17, 0, tzinfo=UTC), date(2025, 10, 1)),
        (datetime(2027, 1, 1, tzinfo=UTC), date(2025, 10, 1)),
    ],
)
def test_the_last_whole_year_is_the_fiscal_year_that_is_over_in_bangkok(now: datetime, start: date) -> None:
    period = last_whole_year(now)
    assert (period.start, period.until) == (start, start.replace(year=start.year + 1))


def a_finding(mechanism: Mechanism, *failed: str) -> MechanismAudit:
    rho = 0.5 if mechanism is Mechanism.GAUSSIAN else None
    found = Findings(
        answers=90_000,
        epsilon_claimed=1.0,
        delta=0.0,
        epsilon_bound=1.15,
        rho_claimed=rho,
        rho_bound=rho,
        fit_p_value=0.25,
        independence_p_value=1.0,
        failed=failed,
    )
    return MechanismAudit(
        contract="audit_guarding_present",
        protect_at=ProtectAt.CONNECTOR,
        mechanism=mechanism,
        cells=45_000,
        sigma=4.2,
        found=found,
    )


def test_a_report_names_each_failure_and_its_table_shows_claims_beside_bounds() -> None:
    audits = (a_finding(Mechanism.GAUSSIAN), a_finding(Mechanism.LAPLACE, "epsilon", "fit"))
    report = AuditReport(confidence=0.99, false_alarm=FALSE_ALARM, audits=audits)

    assert report.failures == ("audit_guarding_present laplace: epsilon", "audit_guarding_present laplace: fit")
    text = StringIO()
    Console(file=text, width=200).print(report_table(report))
    shown = text.getvalue()
    assert "rho 0.5000" in shown
    assert "epsilon 1.150" in shown
    assert "epsilon, fit" in shown
    assert "ok" in shown
    assert "99%" in shown

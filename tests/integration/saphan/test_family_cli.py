"""Families from the command line: their weights before anybody agrees, then preview, ask, show and export."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from contracts.canonical import digest_of
from contracts.dataset import ProtectAt
from contracts.family_advice import FamilyAdvice
from contracts.lifecycle import AgreementState
from contracts.odcs import bundled_text, read_contract
from contracts.release import Release
from contracts.views import AgreementView, Preview
from gateway.asking import query_of
from privacy.consistency import expected_table_sigmas
from privacy.plan import Z_95, plan
from saphan.__main__ import command_line
from saphan.agreement_tables import agreement_table
from saphan.family_tables import advice_table
from tests import factories
from tests.family_world import LEAVES, TABLES, family, offered
from tests.served_world import Served, served_gateway

pytestmark = pytest.mark.integration

CONTRACT = offered(protect_at=ProtectAt.CONNECTOR)
NAMES = tuple(each.name for each in CONTRACT.dimensions)
ACTIVITY = factories.activity((CONTRACT,), id="families", dimensions=NAMES, families=(family(),))
AGREED = factories.agreement((CONTRACT,), activities=(ACTIVITY,), period=factories.period("2025-10-01", "2056-10-01"))
QUESTION = (
    *("--agreement", AGREED.id, "--activity", ACTIVITY.id, "--measure", "count"),
    *(part for name in LEAVES for part in ("--by", name)),
    *("--from", "2025-10-01", "--until", "2026-01-01", "--nano-rho", "10000000"),
)
WEIGHTS = (
    *("family", "weights", "--by", "month", "--by", "province", "--table", "all", "--table", "month"),
    *("--table", "police_region, month", "--from", "2024-10-01", "--until", "2025-10-01", "--json"),
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command_line(list(arguments)), list(arguments))


@dataclass(frozen=True)
class Desk:
    served: Served
    home: Path

    def run(self, *arguments: str) -> Result:
        return run(*arguments, "--home", str(self.home))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("family")
    with served_gateway(folder / "gateway") as served:
        served.world().register((CONTRACT,), AGREED)
        yield Desk(served, served.member_home(folder / "oja", "oja"))


@pytest.fixture(scope="module")
def released(desk: Desk) -> Release:
    assert desk.run("ask", *QUESTION, "--family", "1", "--wait", "0").exit_code == 4
    desk.served.world().answer(CONTRACT)
    answered = desk.run("ask", *QUESTION, "--family", "1", "--wait", "20", "--json")
    assert answered.exit_code == 0, answered.stderr
    return Release.model_validate_json(answered.stdout)


def test_a_preview_has_the_error_of_every_table(desk: Desk) -> None:
    shown = desk.run("preview", *QUESTION, "--family", "1")

    assert shown.exit_code == 0, shown.stderr
    measures = Preview.model_validate_json(shown.stdout).measures
    assert {each.by for each in measures} == {tuple(sorted(by)) for by in TABLES}


def test_a_family_is_asked_by_its_number_and_taken_away(desk: Desk, released: Release, tmp_path: Path) -> None:
    file = tmp_path / "family.csv"

    exported = desk.run("release", "export", released.body.id, str(file))

    assert exported.exit_code == 0, exported.stderr
    rows = pd.read_csv(file)
    assert len(rows) == sum(table.grid.size for table in released.body.tables)
    total = rows[rows["table"] == "all"]["integer"].item()
    assert rows.groupby("table")["integer"].sum().to_list() == [total] * len(TABLES)


def test_a_family_that_is_not_there_is_named_in_both_languages(desk: Desk) -> None:
    refused = desk.run("preview", *QUESTION, "--family", "2")

    assert refused.exit_code == 2
    assert "family-not-there (1175)" in refused.stderr
    assert "ไม่มีชุดตารางลำดับที่ 2" in refused.stderr


def test_an_agreement_shows_its_families_by_number() -> None:
    view = AgreementView(
        agreement=AGREED, digest=digest_of(AGREED), document="d", state=AgreementState.ACTIVE, signed_by=()
    )
    console = Console(width=300)
    with console.capture() as capture:
        console.print(agreement_table(view))

    assert "family 1" in capture.get()
    assert "month, offence, province (2)" in capture.get()


def test_the_recommended_weights_come_with_the_errors_that_the_plan_will_have() -> None:
    printed = run(*WEIGHTS, "--contract", "tpo_complaint", "--nano-rho", "50000000")

    assert printed.exit_code == 0, printed.stderr
    advice = FamilyAdvice.model_validate_json(printed.stdout)
    contract = read_contract(bundled_text("tpo_complaint"))
    query = query_of(("count",), ("month", "province"), ("2024-10-01", "2025-10-01"), {})
    query = query.model_copy(update={"family": advice.family})
    expected = expected_table_sigmas(query, contract, plan(query, [contract], 50_000_000))
    assert {("count", each.by): pytest.approx(each.largest_error_95) for each in advice.tables} == {
        name: Z_95 * sigma for name, sigma in expected.items()
    }
    assert [each.cells for each in advice.tables] == [1, 12, 120, 924]
    assert all(each.error_95 < each.error_95_alone for each in advice.tables)
    assert {table.by: table.weight for table in advice.family.tables} == {t.by: t.weight for t in advice.tables}


def test_recommended_weights_are_better_on_the_whole_than_equal_ones() -> None:
    printed = run(*WEIGHTS, "--contract", "tpo_complaint", "--integers")
    advice = FamilyAdvice.model_validate_json(printed.stdout)
    contract = read_contract(bundled_text("tpo_complaint"))
    equal = advice.family.model_copy(
        update={"tables": tuple(table.model_copy(update={"weight": 1}) for table in advice.family.tables)}
    )
    query = query_of(("count",), ("month", "province"), ("2024-10-01", "2025-10-01"), {})
    query = query.model_copy(update={"family": equal})
    expected = expected_table_sigmas(query, contract, plan(query, [contract], advice.nano_rho))

    leaf = advice.tables[-1]
    assert advice.family.integers
    assert leaf.largest_error_95 < Z_95 * expected["count", leaf.by]


def test_the_advice_is_a_table_for_people() -> None:
    advice = FamilyAdvice.model_validate_json(run(*WEIGHTS, "--contract", "tpo_complaint").stdout)
    console = Console(width=140)
    with console.capture() as capture:
        console.print(advice_table(advice))

    assert "tpo_complaint" in capture.get()
    assert "month, police_region" in capture.get()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (("--contract", "no-such-file"), "unknown-contract"),
        (("--contract", "tpo_complaint", "--table", "weekday"), "family-axis-unknown"),
        (("--contract", "tpo_complaint", "--table", "a,b,c,d,e,f,g"), "malformed-body"),
        (("--contract", "tpo_complaint", "--measure", "people"), "malformed-body"),
    ],
)
def test_what_cannot_be_advised_is_named(changes: tuple[str, ...], code: str) -> None:
    refused = run(*WEIGHTS, *changes)

    assert refused.exit_code == 2
    assert json.loads(refused.stdout)["reasons"][0]["code"] == code

"""Every way to ask from the command line beyond a count: people, a median, and one answer with a pure epsilon."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from contracts.dataset import ProtectAt
from contracts.query import Mechanism
from contracts.release import Release
from contracts.views import Preview
from gateway.client import Result as Shown
from saphan.client_commands import app
from saphan.client_tables import preview_table, release_table
from tests import factories
from tests.served_world import Served, served_gateway

pytestmark = pytest.mark.integration

CONTRACT = factories.contract(
    protect_at=ProtectAt.CONNECTOR,
    measure_columns=(factories.damage(kinds=("sum", "median"), clamp=(0, 10_000), bins=(10, 100, 1000)),),
)
ACTIVITY = factories.activity((CONTRACT,), measures=("count", "people", "damage_thb:median"))
AGREED = factories.agreement((CONTRACT,), activities=(ACTIVITY,), period=factories.period("2025-10-01", "2056-10-01"))
QUESTION = (
    *("--agreement", AGREED.id, "--activity", ACTIVITY.id, "--by", "case_type"),
    *("--from", "2025-10-01", "--until", "2026-01-01", "--nano-rho", "10000000"),
)
LAPLACE = (*QUESTION, "--measure", "count", "--mechanism", "laplace")


@dataclass(frozen=True)
class Desk:
    served: Served
    home: Path

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--home", str(self.home)])

    def asked(self, *question: str) -> Release:
        assert self.run("ask", *question, "--wait", "0").exit_code == 4
        self.served.world().answer(CONTRACT)
        answered = self.run("ask", *question, "--wait", "20", "--json")
        assert answered.exit_code == 0, answered.stderr
        return Release.model_validate_json(answered.stdout)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("measures")
    with served_gateway(folder / "gateway") as served:
        served.world().register((CONTRACT,), AGREED)
        yield Desk(served, served.member_home(folder / "oja", "oja"))


@pytest.fixture(scope="module")
def pure(desk: Desk) -> Release:
    return desk.asked(*LAPLACE)


def test_a_preview_compares_a_pure_epsilon_with_the_gaussian_at_the_same_price(desk: Desk) -> None:
    laplace, gaussian = (
        Preview.model_validate_json(desk.run("preview", *QUESTION, "--mechanism", each).stdout)
        for each in ("laplace", "gaussian")
    )

    assert (laplace.delta, gaussian.delta) == ("0", "1e-6")
    assert laplace.measures[0].expected_error_95 > gaussian.measures[0].expected_error_95
    for told, word in ((laplace, "pure: δ = 0"), (gaussian, "at δ = 1e-6")):
        console = Console(width=200)
        with console.capture() as capture:
            console.print(preview_table(told))
        assert word in capture.get()


def test_an_answer_with_a_pure_epsilon_says_so_where_it_is_shown_and_taken_away(
    desk: Desk, pure: Release, tmp_path: Path
) -> None:
    assert pure.body.query.mechanism is Mechanism.LAPLACE
    assert (pure.body.delta, [each.delta for each in pure.body.promises]) == ("0", ["0"])
    assert pure.body.epsilon == pytest.approx((2 * 0.01) ** 0.5)

    console = Console(width=200)
    with console.capture() as capture:
        console.print(release_table(Shown(pure)))
    assert "ε = 0.141, pure: δ = 0" in capture.get()
    desk.run("release", "export", pure.body.id, str(tmp_path / "pure.xlsx"))
    about = openpyxl.load_workbook(tmp_path / "pure.xlsx")["about"].iter_rows(values_only=True)

    assert ("mechanism", "discrete Laplace: pure epsilon (delta 0)") in list(about)


@pytest.mark.parametrize("more", [("--measure", "people"), ("--series", "0"), ("--counter",)])
def test_the_laplace_answers_one_measure_once(desk: Desk, more: tuple[str, ...]) -> None:
    refused = desk.run("preview", *LAPLACE, *more)

    assert refused.exit_code == 2
    assert "mechanism" in refused.stderr


def test_people_and_a_median_are_asked_in_one_question(desk: Desk) -> None:
    answered = desk.asked(*QUESTION, "--measure", "people", "--measure", "damage_thb:median")

    assert {each.measure for each in answered.body.released} == {"people", "damage_thb:histogram"}
    (median,) = answered.body.derived
    assert (median.measure, len(median.cells)) == ("damage_thb:median", 3)
    # Every bin has 1,000 rows, so half of them lie below 100.
    assert all(
        cell == pytest.approx(100, abs=error) for cell, error in zip(median.cells, median.errors_95, strict=True)
    )

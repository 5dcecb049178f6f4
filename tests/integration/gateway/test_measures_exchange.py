"""Every kind of measure from the agency's rows to what a requester reads: asked, counted, protected, derived, shown."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import openpyxl
import pytest
from rich.console import Console

from connectors.compile import compile_query, run
from connectors.snapshot import refresh
from contracts.canonical import digest_of, digest_of_bytes
from contracts.dataset import ProtectAt
from contracts.errors import InvalidInput
from contracts.fit import check_question
from contracts.grid import grid_of
from contracts.request import Request
from contracts.task import Lease, LeaseCall, Part, PartMeasure, Task
from gateway.asking import query_of
from gateway.client import Result
from privacy.plan import Z_95
from privacy.release import protect
from saphan.client_tables import release_table
from tests import factories
from tests.api_world import ApiWorld, running
from tests.integration.connectors.test_snapshot import SECRET, Row, Rows, row

pytestmark = pytest.mark.integration

PERIOD = ("2025-10-01", "2026-01-01")
CLAMPS = {"romance_scam": (0, 10_000), "shopping_scam": (0, 100)}
MEASURES = (
    *("count", "people", "damage_thb:sum", "damage_thb:mean", "damage_thb:histogram", "damage_thb:median"),
    *("damage_thb:p90", "frozen:per:asked", "case_type:share"),
)
CONTRACT = factories.contract(
    id="tpo_measures",
    protect_at=ProtectAt.CONNECTOR,
    nano_rho_per_window=10**11,
    measure_columns=(
        factories.damage(
            kinds=("sum", "mean", "histogram", "median", "p90"),
            clamp=(0, 10_000),
            bins=(10, 100, 1000),
            clamp_by="case_type",
            clamps=CLAMPS,
        ),
        factories.damage(column="frozen", kinds=("sum",), per=("asked",), clamp=(0, 1000)),
        factories.damage(column="asked", kinds=("sum",), clamp=(0, 1000)),
    ),
)
AGREEMENT = factories.agreement(
    (CONTRACT,),
    id="AGR-2569-777",
    activities=(factories.activity((CONTRACT,), measures=MEASURES, nano_rho_per_request=10**10, nano_rho_in_all=None),),
)


def rows() -> list[Row]:
    """Of romance scams 40 amounts of 50 baht, of shopping scams 20 of 5,000, clamped to 100; 10 without an amount."""
    told = [("romance_scam", 50, 40), ("shopping_scam", 5000, 20), ("call_center", None, 10)]
    kinds = [(kind, amount) for kind, amount, times in told for _ in range(times)]
    return [
        row(f"r{n}", f"p{n}", "2025-11-01 10:00:00", case_type=kind, damage_thb=amount, frozen=250, asked=1000)
        for n, (kind, amount) in enumerate(kinds)
    ]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("agency") / "snapshot.duckdb"
    refresh(path, Rows(rows()), CONTRACT, SECRET, factories.NOW)
    return path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(tmp_path_factory.mktemp("gateway") / "home") as started:
        started.world.register((CONTRACT,), AGREEMENT)
        yield started


def part_of(task: Task, snapshot: Path) -> Part:
    """What the agency's connector makes of a task: exact cells from its rows, and its own noise."""
    request = Request.model_validate_json(task.request.body)
    grid = grid_of(request.query, CONTRACT)
    exact = run(snapshot, compile_query(request.query, CONTRACT, grid), request.query, grid)
    return Part(
        task=task.id,
        task_digest=digest_of(task),
        agency=task.agency,
        contract=task.contract,
        request_digest=digest_of_bytes(task.request.body.encode()),
        data_version=1,
        charged=True,
        measures=protect(exact, CONTRACT, request.query, request.nano_rho),
        finished=factories.NOW,
    )


def deliver(world: ApiWorld, snapshot: Path, measures: Sequence[PartMeasure] | None = None) -> int:
    connector = world.member("ccib#connector-1")
    call = LeaseCall(agency="ccib", data_versions={CONTRACT.id: 1}, wait_seconds=0)
    lease = Lease.model_validate_json(connector.post("/v1/tasks:lease", call).content)
    (leased,) = lease.tasks
    part = part_of(leased.task, snapshot)
    if measures is not None:
        part = part.model_copy(update={"measures": tuple(measures)})
    status = connector.answer(leased.task, part).status_code
    world.later(3600)
    return status


def ask(world: ApiWorld, snapshot: Path, measures: Sequence[str], by: Sequence[str]) -> Result:
    gateway = world.gateway()
    query = query_of(measures, by, PERIOD, {})
    request = gateway.request(gateway.question(AGREEMENT.id, factories.ACTIVITY, query, nano_rho=10**10))
    gateway.submit(request)
    assert deliver(world, snapshot) == 204
    return gateway.wait(request.id, 1)


@pytest.fixture(scope="module")
def result(world: ApiWorld, snapshot: Path) -> Result:
    return ask(world, snapshot, MEASURES, ("case_type",))


def near(figure: float | None, error: float | None, exact: float) -> bool:
    """Within four times its error: less than one false alarm in ten million."""
    return figure is not None and error is not None and abs(figure - exact) <= 4 * error + 0.01


def test_every_measure_is_answered_over_the_public_key_set(result: Result) -> None:
    body = result.release.body
    assert {each.measure for each in body.released} == {
        *("count", "people", "damage_thb:sum", "damage_thb:histogram", "frozen:sum", "asked:sum"),
    }  # fmt: skip
    sizes = {each.measure: len(each.cells) for each in body.released}
    assert sizes.pop("damage_thb:histogram") == 12
    assert set(sizes.values()) == {3}
    assert {each.measure for each in body.derived} == {
        *("damage_thb:mean", "damage_thb:median", "damage_thb:p90", "frozen:per:asked", "case_type:share"),
    }  # fmt: skip


def test_the_figures_are_those_of_the_rows_within_their_own_errors(result: Result) -> None:
    rows = result.to_arrow().to_pylist()
    cells = {each["case_type"]: each for each in rows if each["damage_thb_bin"] is None}
    exact = {
        "count": (40, 20, 10), "people": (40, 20, 10), "damage_thb_sum": (2000, 2000, 0),
        "damage_thb_mean": (50, 100, 0), "frozen_per_asked": (0.25, 0.25, 0.25),
        "case_type_share": (4 / 7, 2 / 7, 1 / 7),
    }  # fmt: skip
    for name, figures in exact.items():
        for kind, figure in zip(("romance_scam", "shopping_scam", "call_center"), figures, strict=True):
            assert near(cells[kind][name], cells[kind][f"{name}_error_95"], figure), (name, kind)
    assert near(cells["romance_scam"]["damage_thb_median"], cells["romance_scam"]["damage_thb_median_error_95"], 50)


def test_an_amount_that_is_none_stands_in_no_bin(result: Result) -> None:
    (histogram,) = (each for each in result.release.body.released if each.bins)
    assert all(abs(cell) <= 6 * histogram.sigma for cell in histogram.cells[8:])
    assert near(histogram.cells[1], histogram.expected_error_95, 40)


def test_each_row_of_a_sum_shows_the_error_of_its_own_clamp(result: Result) -> None:
    (total,) = (each for each in result.release.body.released if each.measure == "damage_thb:sum")
    shown = {
        each["case_type"]: each["damage_thb_sum_error_95"]
        for each in result.to_arrow().to_pylist()
        if each["damage_thb_bin"] is None
    }
    assert total.along == "case_type"
    assert shown["shopping_scam"] == pytest.approx(shown["romance_scam"] / 100)
    assert shown["romance_scam"] == pytest.approx(Z_95 * total.sigmas["romance_scam"])


def test_a_median_costs_what_a_count_costs_and_shows_its_histogram(world: ApiWorld, snapshot: Path) -> None:
    gateway = world.gateway()
    median, count = (
        gateway.preview(
            gateway.question(AGREEMENT.id, factories.ACTIVITY, query_of((name,), ("province",), PERIOD, {}))
        )
        for name in ("damage_thb:median", "count")
    )
    assert median.nano_rho == count.nano_rho
    assert [each.measure for each in median.measures] == ["damage_thb:histogram"]
    assert median.measures[0].expected_error_95 == count.measures[0].expected_error_95
    answered = ask(world, snapshot, ("damage_thb:median",), ("province",))
    assert {each.measure for each in answered.release.body.derived} == {"damage_thb:median", "damage_thb:p90"}


def test_a_table_of_one_histogram_has_its_bins_as_rows(result: Result, tmp_path: Path) -> None:
    result.export(tmp_path / "answer.csv")
    told = list(csv.DictReader(io.StringIO((tmp_path / "answer.csv").read_text(encoding="utf-8"))))
    bins = [each for each in told if each["damage_thb_bin"]]
    assert len(told) == 3 + 12
    assert [each["damage_thb_bin"] for each in bins[:4]] == ["<10", "10-99", "100-999", ">=1000"]
    assert all(each["damage_thb_histogram"] and not each["count"] for each in bins)
    assert all(each["count"] and not each["damage_thb_histogram"] for each in told[:3])


def test_a_workbook_says_in_thai_and_english_what_each_column_is(result: Result, tmp_path: Path) -> None:
    result.export(tmp_path / "answer.xlsx")
    book = openpyxl.load_workbook(tmp_path / "answer.xlsx", read_only=True)
    said = {str(name): (str(th), str(en)) for name, th, en in book["columns"].iter_rows(values_only=True)}
    assert said["damage_thb_median"] == ("มัธยฐานของ damage_thb (THB)", "median of damage_thb (THB)")
    assert said["damage_thb_p90"][0] == "เปอร์เซ็นไทล์ที่ 90 ของ damage_thb (THB)"
    assert said["frozen_per_asked"][1] == "sum of frozen by sum of asked (1)"
    assert "damage_thb_bin" in said
    assert len(list(book["figures"].iter_rows())) == 1 + 3 + 12
    book.close()


def test_a_terminal_shows_bins_quantiles_and_shares_with_their_errors(result: Result) -> None:
    console = Console(file=io.StringIO(), width=400, color_system=None)
    console.print(release_table(result))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for words in ("damage_thb_bin", ">=1000", "damage_thb_median", "frozen_per_asked", "0.2", "case_type_share"):
        assert words in text


def test_anybody_reads_the_same_figures(world: ApiWorld, result: Result) -> None:
    assert world.gateway().public_release(result.release.body.id).release.body == result.release.body


def test_a_part_whose_histogram_lacks_a_bin_is_not_taken(world: ApiWorld, snapshot: Path) -> None:
    gateway = world.gateway()
    query = query_of(("damage_thb:histogram",), ("hour",), PERIOD, {})
    gateway.submit(gateway.request(gateway.question(AGREEMENT.id, factories.ACTIVITY, query, nano_rho=10**10)))
    short = PartMeasure(measure="damage_thb:histogram", cells=(0,) * 24, sigma=1000.0)
    assert deliver(world, snapshot, (short,)) == 409


@pytest.mark.parametrize(
    "measure", ["damage_thb:p10", "frozen:histogram", "asked:per:frozen", "month:share", "victim_key:share", "rank:sum"]
)
def test_what_the_contract_does_not_offer_is_refused_before_anything_is_spent(world: ApiWorld, measure: str) -> None:
    gateway = world.gateway()
    with pytest.raises(InvalidInput, match="unknown-measure"):
        gateway.preview(gateway.question(AGREEMENT.id, factories.ACTIVITY, query_of((measure,), (), PERIOD, {})))


def test_the_bins_of_a_histogram_count_as_cells() -> None:
    wide = factories.contract(
        dimensions=tuple(factories.dimension(f"d{n}", [f"c{m}" for m in range(100)]) for n in range(3)),
        measure_columns=(factories.damage(kinds=("histogram",), bins=tuple(range(1, 60))),),
    )
    query = query_of(("damage_thb:histogram",), ("d0", "d1", "d2"), PERIOD, {})
    with pytest.raises(InvalidInput, match="too-many-cells"):
        check_question(query, [wide], factories.NOW.date())

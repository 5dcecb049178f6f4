"""A family of tables from two agencies' databases to a checked release: agreed, asked, counted, protected, shown."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.federation import AGREEMENT, Agency, Running, running
from contracts.dataset import ProtectAt
from contracts.errors import Refused
from contracts.query import Family, FamilyTable, Query
from gateway.asking import query_of
from gateway.client import Result
from gateway.contract_calls import published_version
from gateway.family_asking import with_family
from saphan.family_tables import family_group, titles_of
from tests.family_world import assert_adds_up
from tests.process_world import complaints

pytestmark = pytest.mark.e2e

NANO_RHO = 100_000_000
TABLES = (
    *((), ("month",), ("fiscal_year",), ("police_region",)),
    *(("month", "police_region"), ("fiscal_year", "province"), ("month", "province")),
)
FAMILY = Family(
    tables=tuple(FamilyTable(by=by, weight=1 + len(by)) for by in TABLES),
    integers=True,
)
PERIOD = ("2025-07-01", "2025-12-01")
CRIMES = ("case_no", "person_id", "province", "offence", "occurred_at", "reported_at", "place", "victim_age")
EVERY = ["station", "district", "victim_sex", "cleared", "stage"]


def crimes(path: Path, rows: int = 400) -> Path:
    """A small agency database of criminal cases, the same every time."""
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE crimes_case ({', '.join((*CRIMES, *EVERY))})")
        values = [
            (f"c{i}", f"p{i}", ("10", "50", "90")[i % 3], None, day, day, None, 30, *[None] * len(EVERY))
            for i, day in ((i, f"2025-{1 + i % 12:02d}-05 10:00:00") for i in range(rows))
        ]
        marks = ", ".join("?" * len(values[0]))
        connection.executemany(f"INSERT INTO crimes_case VALUES ({marks})", values)  # noqa: S608  # no input
    connection.close()
    return path


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("family")
    online, criminal = complaints(folder / "online.db"), crimes(folder / "criminal.db")
    agencies = [
        Agency("ccib", f"sqlite:///{online}", "tpo_complaint"),
        Agency("rtp", f"sqlite:///{criminal}", "crimes_case"),
    ]
    with running(folder / "homes", agencies, nano_rho=NANO_RHO, tick_seconds=0.1, families=(FAMILY,)) as set_up:
        yield set_up


def question() -> Query:
    return query_of(["count"], ["month", "province"], PERIOD, {})


def ask(federation: Running, *contracts: str) -> Result:
    client = federation.client
    activity = client.agreement(AGREEMENT).agreement.activities[0]
    query = with_family(question(), activity, 1)
    return client.ask(client.question(AGREEMENT, "everything", query, contracts=contracts), wait_seconds=60)


@pytest.mark.parametrize(
    "contracts",
    [("tpo_complaint",), ("crimes_case",), ("tpo_complaint", "crimes_case")],
    ids=["protected at the connector", "protected at the gateway", "one of each"],
)
def test_a_family_is_answered_by_real_connectors_and_its_tables_add_up(
    federation: Running, contracts: tuple[str, ...]
) -> None:
    body = ask(federation, *contracts).release.body

    assert [promise.protect_at for promise in body.promises] == [
        {"tpo_complaint": ProtectAt.CONNECTOR, "crimes_case": ProtectAt.GATEWAY}[name] for name in contracts
    ]
    assert {charge.nano_rho for charge in body.charges} == {NANO_RHO}
    assert {table.by for table in body.tables} == set(TABLES)
    assert_adds_up(body, published_version(federation.client, body.promises[0].contract.digest).contract)
    exact = {"tpo_complaint": 250, "crimes_case": 167}
    (total,) = (table for table in body.tables if table.by == ())
    assert abs(total.estimates[0] - sum(exact[name] for name in contracts)) < 6 * total.sigmas[0]


def test_other_weights_than_the_agreed_ones_are_refused(federation: Running) -> None:
    other = Family(tables=tuple(FamilyTable(by=by) for by in TABLES), integers=True)
    told = question().model_dump(mode="json", by_alias=True) | {"family": other.model_dump(mode="json")}
    call = federation.client.question(AGREEMENT, "everything", Query.model_validate(told), contracts=("crimes_case",))
    before = federation.client.budget()

    with pytest.raises(Refused, match="family-not-agreed"):
        federation.client.ask(call, wait_seconds=60)

    assert federation.client.budget() == before


def test_a_terminal_names_the_tables_by_the_titles_of_the_signed_contract(federation: Running) -> None:
    result = ask(federation, "crimes_case")
    console = Console(width=200)
    with console.capture() as capture:
        console.print(family_group(result, titles_of(federation.client, result.release.body)))

    assert "ตามกองบัญชาการตำรวจ / rows by Police region" in capture.get()
